import type { Clock } from "../base/world.ts";

/** The work of a run so far. `records = written + unchanged + superseded + quarantined`. */
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
  /** Values that the schema_contract kept out of their records. */
  discarded_values: number;
  retries: number;
  waited_ms: number;
  /** Capacity units as DynamoDB reports them. */
  write_units: number;
  read_units: number;
  /** Answers in which DynamoDB throttled all or part of a request. */
  throttled: number;
  /** Time spent in workers. The time between slices does not count, and costs nothing. */
  worked_ms: number;
}

export const zeroCounts = (): Counts => ({
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

const countNames = Object.keys(zeroCounts()) as (keyof Counts)[];

/** Counts the work of a run, and of the current slice within the run. */
export class Tally {
  /** The counts of the whole run so far. A checkpoint stores a copy. */
  readonly counts = zeroCounts();
  /** The counts of the earlier slices, as the last checkpoint had them. */
  private earlier = zeroCounts();
  private readonly clock: Pick<Clock, "monotonic">;
  /** The monotonic time at which this slice began. */
  private readonly began: number;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.clock = clock;
    this.began = clock.monotonic();
  }

  addEarlierSlices(earlier: Counts): void {
    // A checkpoint of an older version lacks the counts that were added since.
    this.earlier = { ...zeroCounts(), ...earlier };
    for (const name of countNames) this.counts[name] += this.earlier[name];
  }

  /** Brings `worked_ms` up to now. */
  updateWorkedTime(): void {
    const workedNow = Math.round(this.clock.monotonic() - this.began);
    this.counts.worked_ms = this.earlier.worked_ms + workedNow;
  }

  /** The counts of the current slice. */
  sliceCounts(): Counts {
    const sliceCounts = zeroCounts();
    for (const name of countNames) sliceCounts[name] = this.counts[name] - this.earlier[name];
    return sliceCounts;
  }
}
