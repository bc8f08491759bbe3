import { ancestors, type Row, type Version, versionThroughout } from "../api/rows.ts";
import {
  isAppended,
  isKeyed,
  isNumbered,
  type Level,
  mayCountAsNumbered,
  movesOn,
} from "../draw/levels.ts";
import { isInAllRanges, type LevelsAt, placeInRange } from "./ranges.ts";
import { isWithin, type Subject } from "./subject.ts";

/*
 * What has to be in a table when a run is done: each row that the API showed for the whole run, and
 * whose ancestors it showed unchanged for as long. What the API or the config has kept from the run
 * is excused, each with its reason.
 */

/** An interval of a read, as far as the oracle is sure of it. */
export interface Interval {
  from: number;
  to: number;
}

/** A row that has to be there and is not. */
export interface Missing {
  row: Row;
  why: string;
}

export class Claims {
  readonly #subjects: ReadonlyMap<string, Subject>;

  constructor(subjects: ReadonlyMap<string, Subject>) {
    this.#subjects = subjects;
  }

  subjectAt(depth: number): Subject | undefined {
    return [...this.#subjects.values()].find(({ level }) => level.depth === depth);
  }

  readonly #levelsAt: LevelsAt = (depth) => this.subjectAt(depth)?.deployments ?? [];

  /** The rows of a resource that have to be in its table and are not. */
  missing(subject: Subject, read: Interval, { isWhole }: { isWhole: boolean }): Missing[] {
    const missing: Missing[] = [];
    for (const row of subject.rows()) {
      const version = this.claimed(subject, row, read);
      if (!version) {
        this.#passUnclaimed(subject, row, read);
        continue;
      }
      const why = missingText(subject, row, version);
      if (why === undefined) {
        subject.passed.delete(row);
        continue;
      }
      if (this.#excuse(subject, row, version, { read, isWhole })) continue;
      missing.push({ row, why });
    }
    return missing;
  }

  /**
   * A row that came while a read went on may have been hidden from it all the same: a child asks for
   * its first page long after its parent's pages were read, and its cursor goes up to that page's time.
   */
  #passUnclaimed(subject: Subject, row: Row, { from, to }: Interval): void {
    if (from === to || !this.isMoving(subject.level)) return;
    const version = versionThroughout(row, to, to);
    if (!version || missingText(subject, row, version) === undefined) return;
    if (this.isExcused(subject, row, { from, to })) subject.passed.set(row, version.n);
  }

  /** The content that a row had for the whole read, with all above it and in every range. */
  claimed(subject: Subject, row: Row, { from, to }: Interval): Version | undefined {
    const version = versionThroughout(row, from, to);
    if (!version) return undefined;
    if (!ancestors(row).every((one) => versionThroughout(one, from, to))) return undefined;
    const { deployments } = subject;
    const isIn = isInAllRanges(row, version, { deployments, levels: this.#levelsAt, from });
    return isIn ? version : undefined;
  }

  #excuse(
    subject: Subject,
    row: Row,
    version: Version,
    { read, isWhole }: { read: Interval; isWhole: boolean },
  ): boolean {
    const isMoving = this.isMoving(subject.level);
    if (isMoving && !isWhole && subject.passed.get(row) === version.n) return true;
    const isExcused = this.isExcused(subject, row, read);
    if (isExcused && isMoving) subject.passed.set(row, version.n);
    return isExcused || (!isWhole && this.#cameLate(subject, row));
  }

  /** A row that a done run need not have read, whatever the cursor. */
  isExcused(subject: Subject, row: Row, read: Interval): boolean {
    return this.isKeptOut(subject, row, read) || this.isHidden(subject, row, read);
  }

  /** The row's parent, or one above, could not be asked for in this read. */
  isKeptOut(subject: Subject, row: Row, read: Interval): boolean {
    const { parent } = row;
    if (!parent) return false;
    const { from, to } = read;
    const namesId = subject.level.include.includes("id");
    const isOdd = parent.versions.some(
      (one) =>
        (one.slug !== "good" || one.isGone || (namesId && one.fault === "no_key")) &&
        one.from <= to &&
        one.until > from,
    );
    const times = subject.notFound.get(parent) ?? [];
    const isNotFoundTwice = times.filter((at) => from <= at && at <= to).length > 1;
    const isAside = isWithin(subject.parentsAside.get(parent.uid), from, to);
    if (isOdd || isNotFoundTwice || isAside) return true;
    const above = this.subjectAt(parent.depth);
    return above !== undefined && this.isKeptOut(above, parent, read);
  }

  /** The row's parent, or one above, was set aside in this read. */
  isAside({ parentsAside }: Subject, { parent }: Row, { from, to }: Interval): boolean {
    if (!parent) return false;
    if (isWithin(parentsAside.get(parent.uid), from, to)) return true;
    const above = this.subjectAt(parent.depth);
    return above !== undefined && this.isAside(above, parent, { from, to });
  }

  /** Pages of the level, or of one above it, are numbered, or may be taken for it. */
  mayCountAsNumbered({ depth }: Level): boolean {
    return [...this.#subjects.values()].some(
      ({ level }) => level.depth <= depth && mayCountAsNumbered(level.paging),
    );
  }

  /** Rows that moved while numbered pages were read have hidden the row, or one above it. */
  isHidden(subject: Subject, row: Row, read: Interval): boolean {
    const wasShown = subject
      .showings(row)
      .filter(({ at, slot }) => read.from <= at && at <= read.to && slot === "own")
      .some(({ isKept }) => isKept());
    if (!wasShown && this.isDrifting(subject, row.parent, read)) return true;
    return this.#isHiddenAbove(row.parent, read);
  }

  /** Which of its reads has shown the parent to the child, or not, cannot be told from outside. */
  #isHiddenAbove(row: Row | undefined, read: Interval): boolean {
    const above = row && this.subjectAt(row.depth);
    if (!above) return false;
    return this.isDrifting(above, row.parent, read) || this.#isHiddenAbove(row.parent, read);
  }

  /** Whether rows of a list of numbered pages have moved in such a way that others may go unseen. */
  isDrifting(
    { level, dataset }: Subject,
    parent: Row | undefined,
    { from, to }: Interval,
  ): boolean {
    if (!isNumbered(level.paging)) return false;
    const rows = parent ? parent.children : dataset.level(level.depth);
    const ends = rows.flatMap(({ versions }) =>
      versions.filter((v) => v.until > from && v.until <= to),
    );
    const begins = rows.flatMap(({ versions }) =>
      versions.filter((v) => v.from > from && v.from <= to),
    );
    const isSortedByStamp = level.order === "stamp" || level.order === "stamp_desc";
    const gone = ends.filter(({ until }) => !begins.some((one) => one.from === until));
    const isBalanced = begins.length > 0;
    const isRepaired = level.paging.total === "always" && gone.length < 3;
    const isShrinking = gone.length > 0 && (isBalanced || !isRepaired);
    const isReadEarly = (level.parallelPages ?? 1) > 1;
    return (
      isShrinking || (isSortedByStamp && ends.length > 0) || (isReadEarly && begins.length > 0)
    );
  }

  /** One cursor for all parents has passed what a parent shows that could not be asked for before. */
  #cameLate(subject: Subject, row: Row): boolean {
    const { cursor, depth } = subject.level;
    if (!cursor || cursor.isPerParent || depth === 1) return false;
    return ancestors(row).some((one) => {
      const above = this.subjectAt(one.depth + 1);
      const isOdd = one.versions.some(({ slug, isGone }) => slug !== "good" || isGone);
      const wasOut = one.versions.some((version) =>
        this.#levelsAt(one.depth).some((level) => placeInRange(version, level) !== "in"),
      );
      return isOdd || wasOut || above?.notFound.has(one) || above?.parentsAside.has(one.uid);
    });
  }

  /** Whether runs of a level read changes only: by its own cursor, or by one above it. */
  isMoving(level: Level): boolean {
    const isAbove = [...this.#subjects.values()].some(
      (one) => one.level.depth < level.depth && movesOn(one.level),
    );
    return isAbove || movesOn(level);
  }
}

/** Why a version of a row is not safe. Undefined when it is. */
export function missingText(subject: Subject, row: Row, { n }: Version): string | undefined {
  const { level } = subject;
  const stored = subject.stored(row);
  if (subject.asideVersion(row) >= n) return undefined;
  const isThere = stored.some((one) => {
    if (level.rows === "insert_only") return true;
    if (subject.stale.has(one.key)) return true;
    return isKeyed(level) || level.rows === "append_keyed" ? one.n >= n : one.n === n;
  });
  if (isThere) return undefined;
  const versions = stored.map((one) => `v${one.n}`).join(", ");
  const what = isAppended(level) ? "has no copy" : "is not there";
  return `${row.uid} v${n} ${what} (the table has ${versions || "nothing"} of it)`;
}
