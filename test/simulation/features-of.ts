import { isAppended, isBoundedCursor, isNumbered, type Level, movesOn } from "./draw/levels.ts";
import { type Feature, features } from "./features.ts";
import type { Happening } from "./happenings.ts";

/** What a history has drawn. */
export function featuresOf({
  levels,
  happenings,
  hasOddParents,
}: {
  levels: readonly Level[];
  happenings: readonly Happening[];
  hasOddParents: boolean;
}): Feature[] {
  const events = happenings.flatMap((one) => (one.kind === "event" ? [one.event] : []));
  const hasRows = (...kinds: Level["rows"][]) =>
    levels.some((level) => level.isStored && kinds.includes(level.rows));
  const has: Record<Feature, boolean> = {
    children: levels.length > 1,
    grandchildren: levels.length > 2,
    "not stored": levels.some((level) => !level.isStored),
    replace: hasRows("replace"),
    "replace without a key": hasRows("replace_keyless"),
    append: levels.some((level) => level.isStored && isAppended(level)),
    "insert-only, ordered": hasRows("insert_only", "ordered"),
    incremental: levels.some((level) => movesOn(level) && !level.cursor?.isPerParent),
    "ranges, steps": levels.some(isBoundedCursor),
    per_parent: levels.some(({ cursor }) => cursor?.isPerParent),
    "numbered pages": levels.some(({ paging }) => isNumbered(paging)),
    "odd parents": hasOddParents && levels.length > 1,
    refresh: events.some((event) => event.full_refresh),
    "one resource alone": events.some((event) => event.resources && !event.limit_pages),
    "samples, resets, new configs":
      events.some((event) => event.limit_pages) ||
      happenings.some(({ kind }) => kind === "reset" || kind === "deploy"),
  };
  return features.filter((feature) => has[feature]);
}
