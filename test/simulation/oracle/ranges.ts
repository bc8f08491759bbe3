import { ancestors, type Row, type Version } from "../api/rows.ts";
import { grain } from "../api/stamps.ts";
import type { Level } from "../draw/levels.ts";

/*
 * Which rows the declared ranges of cursors let in. Exactly at a border the oracle asks for nothing:
 * which side a border belongs to is tested elsewhere.
 */

/** Pure: "in" and "out" of a level's range, or "border". */
export function placeInRange({ stamp }: Version, { cursor }: Level): "in" | "out" | "border" {
  if (!cursor) return "in";
  const { initial, end, format } = cursor;
  const value = Math.floor(stamp / grain[format]) * grain[format];
  if ((initial !== undefined && value < initial) || (end !== undefined && value > end))
    return "out";
  const isClosedStart = cursor.rangeStart === "closed";
  if ((value === initial && !isClosedStart) || value === end) return "border";
  return "in";
}

/** Whether a row, and all above it, lie safely in the ranges of every config that there was. */
export function isInAllRanges(
  row: Row,
  version: Version,
  { deployments, levels, from }: { deployments: readonly Level[]; levels: LevelsAt; from: number },
): boolean {
  if (deployments.some((level) => placeInRange(version, level) !== "in")) return false;
  return ancestors(row).every((ancestor) => {
    const at = ancestor.versions.find((one) => one.from <= from && one.until > from);
    return levels(ancestor.depth).every((level) => at && placeInRange(at, level) === "in");
  });
}

/** Every config that the level of this depth ever had. */
export type LevelsAt = (depth: number) => readonly Level[];
