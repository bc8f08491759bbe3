import { refOf } from "../base/resource-ref.ts";
import { initialValueAt } from "../config/incremental.ts";
import { hasOwnCursor } from "../config/lineage.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { rowsAtStart } from "../state/changed-rows-state.ts";
import { epochOf, isKnownTo } from "../state/epochs.ts";
import { type RunRecord, readRun } from "../state/history.ts";
import type { RunRequest } from "../state/opening.ts";
import type { Slot } from "../state/run-state.ts";
import { readStates, type StoredState } from "../state/state-item.ts";
import type { StateWorld } from "../state/state-table.ts";
import { isBeforeIn, startOf } from "./coverage.ts";
import type { Order } from "./job.ts";

/** The input of the lookup. */
interface LookupRequest {
  resource: ResourcePlan;
  order: Order;
  slot: Slot;
  isStored: boolean;
  tableId: string | null;
}

/** The stored data from which `decideRun` decides. */
export interface RunLookup {
  stored: StoredState | undefined;
  /** The history item of this fan-out. */
  runRecord: RunRecord | undefined;
  runRequest: RunRequest;
}

/** Reads the state, the history item, the parent and the followers for the decision about a run. */
export async function lookForRun(
  world: StateWorld,
  lookupRequest: LookupRequest,
): Promise<RunLookup> {
  const { resource, order, slot } = lookupRequest;
  const { parent } = resource;
  const followers = hasOwnCursor(resource) ? resource.followers : [];
  const followerRefs = followers.map(({ name }) => ({ ...refOf(resource), resource: name }));
  const [[stored, ...states], line, epoch] = await awaitAll([
    readStates(world, [{ ...refOf(resource), slot }, ...followerRefs]),
    readRun(world, refOf(resource), order.runId, slot),
    parent && epochOf(world, refOf(parent.plan), order.runId, parent.plan.hash),
  ] as const);
  const followerStates = new Map(followers.map(({ name }, n) => [name, states[n]]));
  const now = world.clock.now();
  const startFor: RunRequest["startFor"] = (serves, ownCursor) =>
    startOf(resource, {
      ownCursor,
      followers: followerStates,
      serves,
      isForChildren: slot === "for_children",
      now,
    });
  const drawId = () => Math.floor(world.random() * 2 ** 48).toString(36);
  const runRequest = {
    ...requestFromPlan(lookupRequest, line, now),
    epoch,
    isStranded: await isStranded(world, resource, stored),
    startFor,
    newReadId: drawId,
    now,
  };
  return {
    stored,
    runRecord: line,
    runRequest: hasOwnCursor(resource) ? runRequest : { ...runRequest, startFor: undefined },
  };
}

/** Returns whether the unfinished run of a child waits for a read that the parent does not know of. */
async function isStranded(
  world: StateWorld,
  { source, parent }: ResourcePlan,
  stored: StoredState | undefined,
): Promise<boolean> {
  const { body, status } = stored ?? {};
  if (!parent || !body || body.parent_epoch) return false;
  if (status !== "running" && status !== "waiting") return false;
  const fanOut = body.ids.at(-1) as string;
  return !(await isKnownTo(world, { source, resource: parent.plan.name }, fanOut));
}

/** Returns the part of the request that follows from the plan and the event. */
function requestFromPlan(
  { resource, order, isStored, tableId }: LookupRequest,
  line: RunRecord | undefined,
  now: number,
): Omit<RunRequest, "epoch" | "isStranded" | "startFor" | "newReadId" | "now"> {
  const { incremental, disposition } = resource;
  return {
    id: order.runId,
    refresh: order.refresh ?? false,
    serves: order.serves ? [...order.serves] : null,
    endedAs: line?.status === "done" || line?.status === "failed" ? line.status : null,
    planHash: resource.hash,
    tableId,
    cursorPath: incremental?.path.text ?? null,
    initial: initialValueAt(incremental, now) ?? null,
    isRelative: incremental?.relativeStart !== undefined,
    replaces: isStored && disposition === "replace",
    sweeps: /* planted: refresh-of-an-archive */ isStored && disposition !== "append",
    isBefore: isBeforeIn(incremental),
    isChild: resource.parent !== undefined,
    hasParentCursors: incremental?.perParent ?? false,
    rows: ({ runId, refresh, refreshAsked }, before) => {
      const rebuild = refreshAsked || (refresh && disposition !== "replace");
      return rowsAtStart(resource, { runId, refresh, rebuild, spoolOnly: !isStored }, before);
    },
  };
}

/**
 * Returns all results, or throws the first error in list order after all work has settled. Promise.all
 * alone would return while requests are still pending.
 */
export async function awaitAll<T extends readonly unknown[]>(work: T) {
  await Promise.allSettled(work);
  return Promise.all(work);
}
