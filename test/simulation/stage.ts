import { createHash } from "node:crypto";
import type { Feature } from "./features.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";
import type { Weather } from "./weather.ts";

/** What every part of a history shares. */
export interface Stage {
  time: Timeline;
  random: Random;
  weather: Weather;
  /** One line of what happened. All of them together make the history's hash. */
  trace(who: string, what: string): void;
  count(what: Counter, times?: number): void;
  /** Each call of a worker is a step. */
  step(): void;
  violated(invariant: Invariant, what: string): void;
}

/** The invariants by name; `oracle/oracle.ts` says what each of them means. */
export type Invariant =
  | "I1"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I8"
  | "I9"
  | "I10"
  | "I11"
  | "I12"
  | "I13";

export interface Violation {
  invariant: Invariant;
  what: string;
  step: number;
  at: number;
}

const counters = [
  "invocations",
  "crashes",
  "pauses",
  "faults",
  "retried_events",
  "duplicate_events",
  "lost_events",
  "requests",
  "api_faults",
  "mutations",
  "rotations",
  "writes",
  "deletes",
  "checkpoints",
  "takeovers",
  "runs_done",
  "refreshes_done",
  "resets",
  "config_changes",
  "configs_refused",
  "late_writes",
  "stale_rows",
  "quarantined",
  "failed_events",
] as const;

export type Counter = (typeof counters)[number];

/** Everything that one seed made happen. */
export interface History {
  seed: number;
  /** Virtual. */
  hours: number;
  steps: number;
  counters: Record<Counter, number>;
  features: Feature[];
  violations: Violation[];
  /** Of every line of the trace: the same seed must give the same hash. */
  hash: string;
  /** The last lines before the end. */
  tail: string[];
}

const TAIL_LINES = 80;

export function openStage(
  seed: number,
  parts: Pick<Stage, "time" | "random" | "weather">,
  { tailLines = TAIL_LINES }: { tailLines?: number } = {},
) {
  const counted = Object.fromEntries(counters.map((name) => [name, 0])) as Record<Counter, number>;
  const violations: Violation[] = [];
  const hash = createHash("sha256");
  const tail: string[] = [];
  let steps = 0;

  const stage: Stage = {
    ...parts,
    trace(who, what) {
      const line = `${parts.time.now()} ${who}: ${what}`;
      hash.update(line);
      tail.push(line);
      if (tail.length > 2 * tailLines) tail.splice(0, tailLines);
    },
    count(what, times = 1) {
      counted[what] += times;
    },
    step() {
      steps += 1;
    },
    violated(invariant, what) {
      violations.push({ invariant, what, step: steps, at: parts.time.now() });
      stage.trace("oracle", `${invariant} VIOLATED: ${what}`);
    },
  };
  return {
    stage,
    violations,
    history: (features: Feature[]): History => ({
      seed,
      hours: Number((parts.time.now() / 3_600_000).toFixed(2)),
      steps,
      counters: counted,
      features,
      violations,
      hash: hash.copy().digest("hex").slice(0, 16),
      tail: tail.slice(-tailLines),
    }),
  };
}
