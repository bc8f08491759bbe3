import { type Counts, noCounts } from "./flow.ts";
import type { World } from "./world.ts";

const names = Object.keys(noCounts()) as (keyof Counts)[];

/** What a run has done, counted as things happen, and how much of it this slice has. */
export interface Tally {
  /** Of the run. A checkpoint stores a copy. */
  readonly counts: Counts;
  /** Adds what earlier slices have done. */
  goOnFrom(earlier: Counts): void;
  /** Brings `worked_ms` up to now. */
  touch(): void;
  /** Of this slice alone. */
  slice(): Counts;
}

export function tally({ monotonic }: Pick<World["clock"], "monotonic">): Tally {
  const began = monotonic();
  const counts = noCounts();
  let before = noCounts();
  return {
    counts,
    goOnFrom(earlier) {
      // A state of an older version has fewer of them.
      before = { ...noCounts(), ...earlier };
      for (const name of names) counts[name] += before[name];
    },
    touch() {
      counts.worked_ms = before.worked_ms + Math.round(monotonic() - began);
    },
    slice() {
      const entries = names.map((name) => [name, counts[name] - before[name]] as const);
      return Object.fromEntries(entries) as unknown as Counts;
    },
  };
}
