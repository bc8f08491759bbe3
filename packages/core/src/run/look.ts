import { refOf } from "../base/resource-ref.ts";
import { hasOwnCursor } from "../config/lineage.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { rowsAtStart } from "../state/changed-rows-state.ts";
import { epochOf } from "../state/epochs.ts";
import { type RunRecord, readRun } from "../state/history.ts";
import type { Wanted } from "../state/opening.ts";
import type { Slot } from "../state/run-state.ts";
import { readStates, type StoredState } from "../state/state-item.ts";
import type { StateWorld } from "../state/state-table.ts";
import { isBeforeIn, startOf } from "./coverage.ts";
import type { Order } from "./job.ts";

/** What a slice asks for. */
interface Asked {
  resource: ResourcePlan;
  order: Order;
  slot: Slot;
  isStored: boolean;
  tableId: string | null;
}

/** Everything that `opening` decides from. */
export interface Sight {
  stored: StoredState | undefined;
  /** How this fan-out ended here, by the history. */
  line: RunRecord | undefined;
  wanted: Wanted;
}

/** Reads what the decision about a run depends on: its state, its history, its parent, its followers. */
export async function lookForRun(world: StateWorld, asked: Asked): Promise<Sight> {
  const { resource, order, slot } = asked;
  const { parent } = resource;
  const followers = hasOwnCursor(resource) ? resource.followers : [];
  const followerRefs = followers.map(({ name }) => ({ ...refOf(resource), resource: name }));
  const [[stored, ...states], line, epoch] = await allOf([
    readStates(world, [{ ...refOf(resource), slot }, ...followerRefs]),
    readRun(world, refOf(resource), order.runId, slot),
    parent && epochOf(world, refOf(parent.plan), order.runId, parent.plan.hash),
  ] as const);
  const followerStates = new Map(followers.map(({ name }, n) => [name, states[n]]));
  const now = world.clock.now();
  const startFor: Wanted["startFor"] = (serves, own) =>
    startOf(resource, {
      own,
      followers: followerStates,
      serves,
      isForChildren: slot === "for_children",
      now,
    });
  const drawId = () => Math.floor(world.random() * 2 ** 48).toString(36);
  const wanted = { ...wantedOf(asked, line), epoch, startFor, newReadId: drawId, now };
  return {
    stored,
    line,
    wanted: hasOwnCursor(resource) ? wanted : { ...wanted, startFor: undefined },
  };
}

/** The part of the decision that the plan and the event settle. */
function wantedOf(
  { resource, order, isStored, tableId }: Asked,
  line: RunRecord | undefined,
): Omit<Wanted, "epoch" | "startFor" | "newReadId" | "now"> {
  const { incremental, disposition } = resource;
  return {
    id: order.runId,
    refresh: order.refresh ?? false,
    serves: order.serves ? [...order.serves] : null,
    endedAs: line?.status === "done" || line?.status === "failed" ? line.status : null,
    planHash: resource.hash,
    tableId,
    cursorPath: incremental?.path.text ?? null,
    initial: incremental?.initialValue ?? null,
    replaces: isStored && disposition === "replace",
    sweeps: isStored && disposition !== "append",
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
 * All results. Of several that fail, the first in the list is told, and nothing goes on after that:
 * Promise.all would return while others are still under way.
 */
export async function allOf<T extends readonly unknown[]>(asked: T) {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}
