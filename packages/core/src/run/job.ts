import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Counts } from "../report/counts.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Lease } from "../state/lease.ts";
import type { RunSchema } from "./run-schema.ts";

export interface Order {
  runId: string;
  /** Unique for this invocation: a platform's retry may meet its living twin. */
  owner: string;
  /** Read everything, whatever the cursor says, and sweep what is not there any more. */
  refresh?: boolean | undefined;
  /** Read for the children's sake alone: nothing is stored, and no cursor moves. */
  spoolOnly?: boolean | undefined;
  /** A sample: that many pages, no checkpoint, no cursor, no open run. */
  limitPages?: number | undefined;
  /** What the worker has of memory, for the run's cost. Default: 512. */
  memoryMb?: number | undefined;
}

/** What a slice works with. */
export interface Job {
  resource: ResourcePlan;
  resourceRef: ResourceRef;
  order: Order;
  world: World;
  secrets: SecretStore;
  lease: Lease;
  /** Undefined: nothing of the resource is stored. */
  schema?: RunSchema | undefined;
  /** Calls off whatever is under way. */
  stop: AbortController;
  /** The same for what was read: an interruption leaves it a moment. */
  landing: AbortSignal;
  /** Counted as things happen; a checkpoint stores a copy. */
  counts: Counts;
}
