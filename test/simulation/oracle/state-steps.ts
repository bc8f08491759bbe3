import type { Author } from "../container.ts";
import type { Change } from "../dynamodb.ts";
import type { Item } from "../expressions.ts";
import { CLOCK_ERROR_MS, EPOCH, type Process } from "../process.ts";
import type { Stage } from "../stage.ts";
import { type KnownProcesses, leaseName, leaseOf, unaccounted } from "./known.ts";
import type { Slot, Subject } from "./subject.ts";

/* What the oracle checks at each step of a state item. */

/** As docs/reliability.md promises: how long a lease lasts, and how soon another worker takes over. */
const LEASE_MS = 50_000;

/** By then a request that a worker sent within its lease has landed or has been given up. */
const LANDED_MS = 5_000;

/** The part of a run's state that the oracle reads. */
export interface Body {
  started_at: string;
  root_began_at: string;
  page: number;
  phase: "read" | "count" | "sweep" | "end";
  cursor: string | number | null;
  refresh: boolean;
  coverage: "everything" | "changes";
  counts: Record<string, number>;
}

export const bodyOf = (item: Item | undefined): Body | undefined =>
  item?.body?.S === undefined ? undefined : JSON.parse(item.body.S);

const numberOf = (value: Item[string] | undefined): number => Number(value?.N ?? 0);

/** A moment that a worker's clock has told, safely early in virtual time. */
export const safelyBefore = (text: string): number => Date.parse(text) - EPOCH - 2 * CLOCK_ERROR_MS;

/** Whether a run has failed, or was left half-way by its worker, other than a refresh that goes on. */
function isDoubtful(before: Item | undefined, after: Item): boolean {
  const [old, body] = [bodyOf(before), bodyOf(after)];
  if (after.status?.S === "failed") return true;
  const isAnew = old?.started_at !== body?.started_at;
  const wasOpen = before?.status?.S === "running" || before?.status?.S === "waiting";
  if (isAnew) return wasOpen;
  return before?.lease_owner !== undefined && before.token?.N !== after.token?.N && !body?.refresh;
}

export class StateSteps {
  readonly #stage: Stage;
  readonly #known: KnownProcesses;
  readonly #onDone: (subject: Subject, body: Body) => void;

  constructor(stage: Stage, known: KnownProcesses, onDone: (subject: Subject, body: Body) => void) {
    this.#stage = stage;
    this.#known = known;
    this.#onDone = onDone;
  }

  /** `sentAt`: when the request that made the step was sent for the first time. */
  step(
    { process }: Author,
    { key, before, after }: Change,
    at: { subject: Subject; slot: Exclude<Slot, "sample">; sentAt: number },
  ): void {
    if (!after) {
      this.#stage.violated("I3", `the state of ${key} was deleted`);
      return;
    }
    const known = this.#known.of(process);
    const memory = at.subject.slots[at.slot];
    const [token, seq] = [numberOf(after.token), numberOf(after.seq)];
    const isStep = seq !== numberOf(before?.seq) || token !== numberOf(before?.token);
    const name = leaseName(at.subject.name, at.slot);
    const status = after.status?.S;
    this.#stage.trace("state", `${name} ${token}.${seq} ${status} by ${process.name}`);
    // A wish or a fan-out's name is added by anybody.
    if (!isStep) return;
    this.#stage.count("checkpoints");
    if (seq !== numberOf(before?.seq) + 1)
      this.#stage.violated("I3", `${name}: seq jumps to ${seq}`);
    if (token === numberOf(before?.token) + 1) {
      this.#takeover(process, { before, after }, { memory, name });
    } else if (token !== numberOf(before?.token)) {
      this.#stage.violated("I3", `${name}: token jumps to ${token}`);
    } else if (token !== leaseOf(known, name).token) {
      this.#stage.violated("I3", `${process.name} moves ${name}, whose lease is not its own`);
    }
    known.leases.set(name, { token, until: after.lease_owner ? at.sentAt + LEASE_MS : 0 });
    if (known.isReset) at.subject.hasDoneRun = false;
    if (known.slot === "sample" || known.isReset) at.subject.lastDoubt = this.#stage.time.now();
    this.#body(before, after, at);
  }

  #takeover(
    process: Process,
    { before, after }: { before: Item | undefined; after: Item },
    { memory, name }: { memory: Subject["slots"]["own"]; name: string },
  ): void {
    const { time } = this.#stage;
    const early = Date.parse(before?.not_before?.S ?? "") - EPOCH - time.now();
    // A run that is given up for another config waits at the gate of its source.
    const isSameRun = bodyOf(before)?.started_at === bodyOf(after)?.started_at;
    const { isReset, slot } = this.#known.of(process);
    const isOwnRun = isSameRun && !isReset && slot !== "sample";
    if (before?.status?.S === "waiting" && early > 2 * CLOCK_ERROR_MS && isOwnRun) {
      this.#stage.violated("I6", `${process.name} goes on ${early} ms before the API wants it`);
    }
    const { holder } = memory;
    memory.holder = process;
    memory.token += 1;
    if (!before?.lease_owner || !holder) return;
    this.#stage.count("takeovers");
    const left = leaseOf(this.#known.of(holder), name).until + LANDED_MS - time.now();
    if (left > 0) {
      const what = `${process.name} takes over ${name} ${left} ms before ${holder.name} is out`;
      this.#stage.violated("I3", what);
    }
    if (holder.state === "running" && !holder.hasFrozen) {
      this.#stage.violated("I9", `${holder.name} let its lease of ${name} run out`);
    }
  }

  #body(
    before: Item | undefined,
    after: Item,
    { subject, slot }: { subject: Subject; slot: Exclude<Slot, "sample"> },
  ): void {
    const [old, body] = [bodyOf(before), bodyOf(after)];
    if (!body) return;
    subject.slots[slot].readFrom = safelyBefore(body.root_began_at);
    subject.slots[slot].startedAt = safelyBefore(body.started_at);
    if (unaccounted(body.counts) !== 0) {
      this.#stage.violated(
        "I2",
        `${subject.name}: checkpoint counts ${JSON.stringify(body.counts)}`,
      );
    }
    const isDone = after.status?.S === "done";
    if (slot === "own" && isDoubtful(before, after)) subject.lastDoubt = this.#stage.time.now();
    if (old && body.cursor !== old.cursor && !isDone && before?.status?.S !== "done") {
      const isAnew = old.started_at !== body.started_at;
      if (!isAnew) this.#stage.violated("I5", `${subject.name}: the cursor moves within its run`);
    }
    if (!isDone || before?.status?.S === "done" || slot !== "own") return;
    this.#stage.count("runs_done");
    if (body.phase !== "end") this.#stage.violated("I5", `${subject.name} is done before its end`);
    this.#onDone(subject, body);
  }
}
