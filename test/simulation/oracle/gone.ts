import { ancestors, isAbsentThroughout, type Row, type Version } from "../api/rows.ts";
import { isBoundedCursor, isKeyed, type Level } from "../draw/levels.ts";
import type { Claims, Interval } from "./claims.ts";
import { placeInRange } from "./ranges.ts";
import type { StoredRow, Subject } from "./subject.ts";

/*
 * What must not be in a table any more when a refresh is done: rows that the API did not have at any
 * time since the refresh was asked for.
 */

/** A row that should have gone. */
export interface Leftover {
  row: Row;
  stored: StoredRow;
}

export function leftovers(subject: Subject, read: Interval, claims: Claims): Leftover[] {
  const { level } = subject;
  const since = lastingSince(subject, read, claims);
  if (since === undefined || !rowsTellRange(level, claims)) return [];
  return subject.rows().flatMap((row) =>
    subject
      .stored(row)
      .filter((stored) => isGone(row, stored, { subject, since, to: read.to }))
      .filter((stored) => isInRange(row, stored, { subject, claims }))
      .filter(({ key }) => !subject.revenants.has(key))
      .map((stored) => ({ row, stored })),
  );
}

/**
 * Behind numbered pages two whole reads in a row have to miss a row before it goes: the later one counts
 * as the first of two where a run between them has left rows that nobody has counted.
 */
function lastingSince(subject: Subject, read: Interval, claims: Claims): number | undefined {
  if (!claims.mayCountAsNumbered(subject.level)) return read.from;
  const before = subject.wholeReads.filter(({ to }) => to <= read.from).at(-1);
  return before && subject.lastDoubt < before.to ? before.from : undefined;
}

function isGone(
  row: Row,
  stored: StoredRow,
  { subject, since, to }: { subject: Subject; since: number; to: number },
): boolean {
  if (ancestors(row).some((one) => isAbsentThroughout(one, since, to))) return true;
  if (isAbsentThroughout(row, since, to)) return true;
  if (isKeyed(subject.level)) return false;
  // Named by its content: another content is another row.
  const version = row.versions.find(({ n }) => n === stored.n);
  return version !== undefined && version.until <= since;
}

/** Below a range, a row has to tell where it stands in it, else nothing is swept. */
function rowsTellRange(level: Level, claims: Claims): boolean {
  for (let depth = level.depth - 1; depth > 0; depth--) {
    const above = claims.subjectAt(depth)?.level;
    if (!above || !isBoundedCursor(above)) continue;
    if (depth !== level.depth - 1 || !level.include.includes("updated_at")) return false;
  }
  return true;
}

function isInRange(
  row: Row,
  stored: StoredRow,
  { subject, claims }: { subject: Subject; claims: Claims },
): boolean {
  const version = row.versions.find(({ n }) => n === stored.n) as Version;
  if (placeInRange(version, subject.level) !== "in") return false;
  const above = claims.subjectAt(subject.level.depth - 1)?.level;
  if (!row.parent || !above || !isBoundedCursor(above)) return true;
  // It was stored with one of its parent's times; only if all of them are in range it must go.
  return row.parent.versions.every((one) => placeInRange(one, above) === "in");
}
