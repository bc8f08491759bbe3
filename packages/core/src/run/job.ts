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
  /** Unique for this invocation: a platform's retry may meet its living twin. */
  owner: string;
  /** Read everything, whatever the cursor says, and sweep what is not there any more. */
  refresh?: boolean | undefined;
  /** Read for children alone, which were asked for without this resource. */
  forChildren?: boolean | undefined;
  /** The descendants that were asked for in the same fan-out. Undefined: all. */
  serves?: readonly string[] | undefined;
  /** A sample: that many pages, no checkpoint, no cursor, no open run. */
  limitPages?: number | undefined;
  /** What the worker has of memory, for the run's cost. Default: 512. */
  memoryMb?: number | undefined;
}

/** What a slice works with. */
export interface Job {
  /** The run that is worked on. */
  runId: string;
  resource: ResourcePlan;
  resourceRef: ResourceRef;
  slot: Slot;
  /** Rows of it are written: not for a resource without a table, and not in a read for children. */
  isStored: boolean;
  /** A sample leaves no run behind. */
  isSample: boolean;
  limitPages: number | undefined;
  /** Another run has put rows a moment ago: a read that is not consistent may not show them yet. */
  wroteLately: boolean;
  /** Its signal stops requests to the API. */
  world: World;
  signals: RunSignals;
  secrets: SecretStore;
  lease: Lease;
  /** Undefined: nothing of the resource is stored. */
  schema: RunSchema | undefined;
  /** Counted as things happen; a checkpoint stores a copy. */
  counts: Counts;
}
