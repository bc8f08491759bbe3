import { hasOwnCursor, rootOf } from "../config/lineage.ts";
import type { FollowerPlan, IncrementalPlan, ResourcePlan } from "../config/plan-types.ts";
import { isFurtherBack } from "../extract/cursor/marks.ts";
import type { Cursor } from "../flow.ts";
import type { CursorRange, RunState } from "../state/run-state.ts";
import type { StoredState } from "../state/state-item.ts";

/*
 * The API is the log: a resource with a cursor has its own, and each of its followers keeps how far
 * it has been served. A read starts at the least of these, so that a follower which failed, was
 * interrupted, reset or added loses nothing.
 */

/** Whether a value is further back than another; null is the beginning. */
export const isBeforeIn =
  (plan: IncrementalPlan | undefined) =>
  (value: Cursor, other: Cursor): boolean => {
    if (other === null) return false;
    if (value === null) return true;
    return plan !== undefined && isFurtherBack(value, other, plan);
  };

/** Up to where a resource has been served of its root's cursor. Null: never, or it needs everything. */
export function servedCursor(
  { needsWhole }: Pick<FollowerPlan, "needsWhole">,
  root: ResourcePlan,
  state: Pick<RunState, "served"> | null | undefined,
): Cursor {
  const served = state?.served;
  if (needsWhole || !served || served.path !== root.incremental?.path.text) return null;
  return served.cursor;
}

/**
 * Where a read of a resource with a cursor starts: at the least of its own cursor and of what the
 * followers that are asked for have been served.
 */
export function startOf(
  resource: ResourcePlan,
  {
    own,
    followers,
    serves,
    isForChildren,
    now,
  }: {
    own: Cursor;
    followers: ReadonlyMap<string, StoredState | undefined>;
    /** Null: all. */
    serves: string[] | null;
    isForChildren: boolean;
    now: number;
  },
): Cursor {
  const starts = resource.followers
    .filter(({ name }) => serves?.includes(name) ?? true)
    // Who asks for a child alone means it. Else a broken child would make its parent be read whole.
    .filter(({ name }) => isForChildren || isGoneBackFor(followers.get(name)?.body, now))
    .map((follower) => servedCursor(follower, resource, followers.get(follower.name)?.body));
  if (resource.selected && !isForChildren) starts.push(own);
  const isBefore = isBeforeIn(resource.incremental);
  const [first = null, ...others] = starts;
  // planted: a-read-goes-back
  return others.reduce((least, start) => (isBefore(start, least) ? start : least), first);
}

const DAY_MS = 86_400_000;

/** Pure: whether a fan-out goes back for a follower that has failed: the next one, then after 2, 4, … */
export function isGoneBackFor(state: RunState | null | undefined, now: number): boolean {
  const { runs = 0, passed = 0, last_at = null } = state?.failures ?? {};
  // planted: failed-children-are-gone-back-for
  if (runs <= 1) return true;
  return passed >= 2 ** (runs - 1) - 1 || (last_at !== null && now - Date.parse(last_at) >= DAY_MS);
}

/**
 * Pure: how far a follower has been served when it has read all of an epoch. It moves only if the
 * epoch started where the follower had got to, or before: it may have been reset meanwhile.
 */
export function servedAfter(
  resource: ResourcePlan,
  served: RunState["served"],
  range: CursorRange | null,
): RunState["served"] {
  const root = rootOf(resource);
  if (!root || hasOwnCursor(resource) || !range) return served;
  if (resource.disposition === "replace") return null;
  const isBefore = isBeforeIn(root.incremental);
  const cursor = servedCursor({ needsWhole: false }, root, { served });
  const hasGap = range.start !== null && (cursor === null || isBefore(cursor, range.start));
  if (hasGap || !isBefore(cursor, range.end)) return served;
  return { cursor: range.end, path: root.incremental?.path.text ?? "" };
}
