import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Counts } from "../report/counts.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Lease } from "../state/lease.ts";
import type { Slot } from "../state/run-state.ts";
import type { RunSchema } from "./run-schema.ts";
import type { RunSignals } from "./signals.ts";

export interface Order {
  runId: string;
  /** Unique for this invocation, because a retry by Lambda may run beside the first invocation. */
  owner: string;
  /** Read everything from the beginning, and delete rows that the API no longer returns. */
  refresh?: boolean | undefined;
  /** Read only for children that were requested without this resource. */
  forChildren?: boolean | undefined;
  /** The descendants that were requested in the same fan-out. Undefined: all. */
  serves?: readonly string[] | undefined;
  /** The number of pages of a sample, which has no checkpoint, no cursor and no unfinished run. */
  limitPages?: number | undefined;
  /** The worker's memory in MB, for the cost of the run and for pages asked for early. Default: 512. */
  memoryMb?: number | undefined;
}

/** The parts that a slice works with. */
export interface Job {
  /** The id of the current run. */
  runId: string;
  resource: ResourcePlan;
  resourceRef: ResourceRef;
  slot: Slot;
  /** False for a resource without a table, and for a read for children: then no rows are written. */
  isStored: boolean;
  /** A sample leaves no run behind. */
  isSample: boolean;
  limitPages: number | undefined;
  /** The worker's memory in MB. */
  memoryMb: number | undefined;
  /** Another run has just put rows, so only a consistent read is sure to return the new rows. */
  wroteLately: boolean;
  /** The world for reading. Its signal stops requests to the API. */
  world: World;
  signals: RunSignals;
  secrets: SecretStore;
  lease: Lease;
  /** Undefined when no rows of the resource are stored. */
  schema: RunSchema | undefined;
  /** Counted as things happen; a checkpoint stores a copy. */
  counts: Counts;
}
