import { DAY_MS } from "../base/timing.ts";
import { hasOwnCursor, rootOf } from "../config/lineage.ts";
import type { FollowerPlan, IncrementalPlan, ResourcePlan } from "../config/plan-types.ts";
import { isBefore } from "../extract/cursor/cursor-values.ts";
import type { Cursor } from "../flow.ts";
import type { CursorRange, RunState } from "../state/run-state.ts";
import type { StoredState } from "../state/state-item.ts";
import { parseCursor } from "../values/cursor-value.ts";

/*
 * A resource with a cursor stores the cursor, and each of its followers stores the cursor up to which
 * the follower was served. A read starts at the least of these cursors and reads the API again from
 * there, so a follower that failed, was interrupted, reset or added loses no changes.
 */

/** Returns whether a cursor is further back than a second one. Null is the beginning. */
export const isBeforeIn =
  (plan: IncrementalPlan | undefined) =>
  (value: Cursor, comparedTo: Cursor): boolean => {
    if (comparedTo === null) return false;
    if (value === null) return true;
    return plan !== undefined && isBefore(parseCursor(value), parseCursor(comparedTo), plan);
  };

/** Returns the root's cursor up to which a resource was served. Null: never, or everything is needed. */
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
 * Returns the start of a read of a resource with a cursor: the least of the resource's cursor and of
 * the cursors up to which the requested followers were served.
 */
export function startOf(
  resource: ResourcePlan,
  {
    ownCursor,
    followers,
    serves,
    isForChildren,
    now,
  }: {
    ownCursor: Cursor;
    followers: ReadonlyMap<string, StoredState | undefined>;
    /** Null: all. */
    serves: string[] | null;
    isForChildren: boolean;
    now: number;
  },
): Cursor {
  const starts = resource.followers
    .filter(({ name }) => serves?.includes(name) ?? true)
    // A person who runs a child alone wants its records. In other runs, a broken child would make
    // every read of the parent a whole one.
    .filter(
      ({ name, above }) =>
        isForChildren ||
        [name, ...above].every((followerName) =>
          isGoneBackFor(followers.get(followerName)?.body, now),
        ),
    )
    .map((follower) => servedCursor(follower, resource, followers.get(follower.name)?.body));
  if (resource.selected && !isForChildren) starts.push(ownCursor);
  const isFurtherBack = isBeforeIn(resource.incremental);
  const [first = null, ...others] = starts;
  // planted: a-read-goes-back
  return others.reduce((least, start) => (isFurtherBack(start, least) ? start : least), first);
}

/** The start of the next read of a resource with a cursor, and the followers that need it. */
export interface NextStart {
  cursor: Cursor;
  /** Followers that were served less far than the resource itself has been read. */
  goesBackFor: { resource: string; served: Cursor }[];
  /** Followers that have failed repeatedly. This read does not go back for them. */
  passesOver: string[];
}

/** Pure: predicts the next read of everything, for the command that shows the state. */
export function nextStart(
  resource: ResourcePlan,
  ownCursor: Cursor,
  followers: ReadonlyMap<string, StoredState | undefined>,
  now: number,
): NextStart {
  const cursor = startOf(resource, {
    ownCursor,
    followers,
    serves: null,
    isForChildren: false,
    now,
  });
  const isFurtherBack = isBeforeIn(resource.incremental);
  const followerStarts = resource.followers.map((follower) => ({
    resource: follower.name,
    served: servedCursor(follower, resource, followers.get(follower.name)?.body),
    isDue: isGoneBackFor(followers.get(follower.name)?.body, now),
  }));
  return {
    cursor,
    goesBackFor: followerStarts
      .filter(({ isDue, served }) => isDue && isFurtherBack(served, ownCursor))
      .map(({ resource: name, served }) => ({ resource: name, served })),
    passesOver: followerStarts.filter(({ isDue }) => !isDue).map(({ resource: name }) => name),
  };
}

/** Pure: whether a fan-out goes back for a failed follower: the next fan-out, then each 2nd, 4th, … */
export function isGoneBackFor(state: RunState | null | undefined, now: number): boolean {
  const { runs = 0, passed = 0, last_at = null } = state?.failures ?? {};
  // planted: failed-children-are-gone-back-for
  if (runs <= 1) return true;
  return passed >= 2 ** (runs - 1) - 1 || (last_at !== null && now - Date.parse(last_at) >= DAY_MS);
}

/**
 * Pure: returns the cursor up to which a follower is served after it has read an epoch. The cursor
 * moves only if the epoch started at or before the old value, because a follower may have been reset.
 */
export function servedAfter(
  resource: ResourcePlan,
  served: RunState["served"],
  range: CursorRange | null,
): RunState["served"] {
  const root = rootOf(resource);
  if (!root || hasOwnCursor(resource) || !range) return served;
  if (resource.disposition === "replace") return null;
  const isFurtherBack = isBeforeIn(root.incremental);
  const cursor = servedCursor({ needsWhole: false }, root, { served });
  const hasGap = range.start !== null && (cursor === null || isFurtherBack(cursor, range.start));
  if (hasGap || !isFurtherBack(cursor, range.end)) return served;
  return { cursor: range.end, path: root.incremental?.path.text ?? "" };
}
