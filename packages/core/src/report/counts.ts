import type { World } from "../base/world.ts";

/** What a run has done so far. `records = written + unchanged + superseded + quarantined`. */
export interface Counts {
  /** Every request sent to the API for pages, retries included. */
  requests: number;
  pages: number;
  records: number;
  written: number;
  unchanged: number;
  superseded: number;
  quarantined: number;
  deleted: number;
  /** Records of the parent that could not be asked for; they are no records of this resource. */
  parents_set_aside: number;
  /** Values that the schema_contract left out of their records. */
  discarded_values: number;
  retries: number;
  waited_ms: number;
  /** DynamoDB's own count of capacity units. */
  write_units: number;
  read_units: number;
  /** Answers of DynamoDB that took nothing, or not all, because it was asked too fast. */
  throttled: number;
  /** Time in workers. Between slices a run costs nothing. */
  worked_ms: number;
}

export const noCounts = (): Counts => ({
  requests: 0,
  pages: 0,
  records: 0,
  written: 0,
  unchanged: 0,
  superseded: 0,
  quarantined: 0,
  deleted: 0,
  parents_set_aside: 0,
  discarded_values: 0,
  retries: 0,
  waited_ms: 0,
  write_units: 0,
  read_units: 0,
  throttled: 0,
  worked_ms: 0,
});

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
