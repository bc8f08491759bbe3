import { isDeepStrictEqual } from "node:util";
import { isThere, type Row, type Version } from "../api/rows.ts";
import type { Author } from "../container.ts";
import { isAppended, isKeyed, isNumbered } from "../draw/levels.ts";
import type { Change } from "../dynamodb.ts";
import type { Item } from "../expressions.ts";
import type { Stage } from "../stage.ts";
import type { Claims, Interval } from "./claims.ts";
import { wrongItem } from "./expected.ts";
import { type Known, type KnownProcesses, leaseName, leaseOf } from "./known.ts";
import { placeInRange } from "./ranges.ts";
import { isWithin, type Subject } from "./subject.ts";

/* What the oracle checks at each change of a row of a table. */

export class TableWatch {
  /** Nothing has changed since the last run. */
  expectsNoRewrites = false;
  readonly #stage: Stage;
  readonly #known: KnownProcesses;
  readonly #claims: Claims;

  constructor(stage: Stage, known: KnownProcesses, claims: Claims) {
    this.#stage = stage;
    this.#known = known;
    this.#claims = claims;
  }

  change({ process, late }: Author, { key, before, after }: Change, subject: Subject): void {
    this.#stage.count("writes");
    const known = this.#known.of(process);
    const lease = leaseOf(known, leaseName(subject.name, "own"));
    const isOutside = lease.token !== subject.slots.own.token;
    if (isOutside) this.#stage.count("late_writes");
    if (isOutside && !late && !known.isReset) {
      this.#stage.violated("I3", `${process.name} writes ${subject.name} in another's lease`);
    }
    if (known.resource !== subject.name || known.slot === "for_children") {
      this.#stage.violated("I8", `${process.name} writes ${subject.name}, which it does not store`);
    }
    if (!after) {
      this.#deleted(key, before, { subject, known });
      return;
    }
    const shown = this.#rowOf(after, subject);
    if (!shown) return;
    this.#put(key, { before, after, late }, { subject, ...shown });
    const at = late ? undefined : this.#stage.time.now();
    subject.put(shown.row.uid, { key, n: shown.version.n, item: after, at });
  }

  /** The API's row and version that an item was made from. */
  #rowOf(item: Item, subject: Subject): { row: Row; version: Version } | undefined {
    const row = subject.rows().find(({ uid }) => uid === item.uid?.S);
    const version = row?.versions.find(({ n }) => String(n) === item.version?.N);
    if (row && version && subject.wasShown(row, version)) return { row, version };
    this.#stage.violated("I1", `${subject.name} gets a row that was never shown: ${text(item)}`);
    return undefined;
  }

  #put(
    key: string,
    { before, after, late }: { before: Item | undefined; after: Item; late: boolean },
    { subject, row, version }: { subject: Subject; row: Row; version: Version },
  ): void {
    const { level } = subject;
    const parentLevel = this.#claims.subjectAt(level.depth - 1)?.level;
    const wrong = wrongItem(after, { row, version }, { level, parentLevel });
    if (wrong) this.#stage.violated("I1", `${subject.name} ${row.uid}: ${wrong}`);
    if (subject.deployments.every((one) => placeInRange(version, one) === "out")) {
      const what = `${row.uid} v${version.n} at ${new Date(version.stamp).toISOString()}`;
      this.#stage.violated("I1", `${subject.name} gets ${what}, which is out of its range`);
    }
    if (!before) {
      if (late) subject.revenants.add(key);
      return;
    }
    const isSifted = level.writes && (level.rows === "merge" || level.rows === "replace");
    const isExpected = this.expectsNoRewrites && isSifted && subject.hasDoneRun;
    if (isExpected && isDeepStrictEqual(before, after)) {
      this.#stage.violated("I13", `${subject.name} ${row.uid} is put again as it is`);
    }
    const [old, now] = [Number(before.version?.N), version.n];
    if (before.uid?.S !== row.uid) {
      const what = `${text(before)} is overwritten by ${text(after)}`;
      this.#stage.violated("I11", `${subject.name}: one name for two records: ${what}`);
    }
    if (level.rows === "insert_only" && !isDeepStrictEqual(before, after)) {
      this.#stage.violated("I8", `${subject.name} ${row.uid}: a row that was there is replaced`);
    }
    const isNamedByContent = level.rows === "append" || level.rows === "replace_keyless";
    if (isNamedByContent && old !== now) {
      this.#stage.violated("I11", `${subject.name} ${row.uid}: one name for v${old} and v${now}`);
    }
    if (now > old) subject.stale.delete(key);
    else if (now < old) this.#older(key, { row, late }, subject);
  }

  #older(key: string, { row, late }: { row: Row; late: boolean }, subject: Subject): void {
    const { level } = subject;
    const isReadEarly = isNumbered(level.paging) && (level.parallelPages ?? 1) > 1;
    if ((!late && !isReadEarly) || level.rows === "ordered") {
      this.#stage.violated("I3", `${subject.name} ${row.uid}: an older version over a newer`);
      return;
    }
    // The residual of a batch, which nothing can fence: counted, and healed by the next run.
    subject.stale.add(key);
    this.#stage.count("stale_rows");
  }

  #deleted(
    key: string,
    before: Item | undefined,
    { subject, known }: { subject: Subject; known: Known },
  ): void {
    if (!before) return;
    this.#stage.count("deletes");
    const uid = before.uid?.S ?? "";
    subject.remove(uid, key);
    const row = subject.rows().find((one) => one.uid === uid);
    if (!row || known.isReset) return;
    const n = Number(before.version?.N);
    const why = this.#whyItStays(row, n, { subject, known });
    if (why) this.#stage.violated("I8", `${subject.name} ${uid} v${n} is deleted, but ${why}`);
  }

  /** Why a row must not go; undefined when it may. */
  #whyItStays(
    row: Row,
    n: number,
    { subject, known }: { subject: Subject; known: Known },
  ): string | undefined {
    const { level } = subject;
    const read = { from: subject.slots.own.readFrom, to: this.#stage.time.now() };
    // A twin whose copies stand on two pages is one row, and two where they stand on one.
    if (row.isTwin && subject.stored(row).some((one) => one.n === n)) return undefined;
    if (isAppended(level)) return "appended rows are kept for ever";
    const version = row.versions.find((one) => one.n === n);
    if (version && placeInRange(version, known.level) === "out") {
      return "it lies out of the range that was read";
    }
    const isNewerAside = subject.wasAside(row, { above: n, from: read.from });
    if (isKeyed(level) && isNewerAside && isThere(row)) return "a newer version of it is set aside";
    if (this.#needsTwoReads(subject, read) && this.#wasSeenLately(subject, row, n)) {
      return "only one whole read has not seen it";
    }
    const current = this.#claims.claimed(subject, row, read);
    if (!current || (!isKeyed(level) && current.n !== n)) return undefined;
    if (this.#claims.isKeptOut(subject, row, read)) {
      return this.#claims.isAside(subject, row, read) ? "its parent was set aside" : undefined;
    }
    const isHidden = this.#unseenIn(subject, read).every((one) =>
      this.#claims.isHidden(subject, row, one),
    );
    return isHidden ? undefined : "the API showed it for the whole read";
  }

  /** Pages are numbered, here or above, and a list had several of them. */
  #needsTwoReads({ level }: Subject, { from, to }: Interval): boolean {
    for (let depth = level.depth as number; depth > 0; depth--) {
      const above = this.#claims.subjectAt(depth);
      const hadSeveral = above && isWithin(above.laterPages, from, to);
      if (hadSeveral && isNumbered(above.level.paging)) return true;
    }
    return false;
  }

  /** Whether one of the last two whole reads has seen a row, or it was put since the first of them. */
  #wasSeenLately(subject: Subject, row: Row, n: number): boolean {
    const before = subject.wholeReads.at(-1);
    const { startedAt } = subject.slots.own;
    if (!before) return true;
    const isNamedByContent = !isKeyed(subject.level);
    const wasShown = subject.showings(row).some(({ at, slot, isKept, n: shown }) => {
      const isInRead = (at >= before.startedAt && at <= before.to) || at >= startedAt;
      return isInRead && slot === "own" && isKept() && (!isNamedByContent || shown === n);
    });
    return wasShown || subject.stored(row).some((one) => one.n === n && (one.at ?? 0) > before.to);
  }

  /** The reads that have not to have seen a row which goes. */
  #unseenIn(subject: Subject, read: Interval): Interval[] {
    if (!this.#needsTwoReads(subject, read)) return [read];
    const before = subject.wholeReads.at(-1);
    return before ? [read, { from: before.from, to: read.from }] : [read];
  }
}

const text = (item: Item): string => `${item.uid?.S} v${item.version?.N}`;
