import type { Row } from "../api/rows.ts";
import type { Stage } from "../stage.ts";
import type { Claims, Interval } from "./claims.ts";
import type { Subject } from "./subject.ts";

/*
 * How often a record may stand in a table whose rows have no key: once, or where each run reads and
 * appends everything, once for each whole read.
 */

export class CopyCounts {
  readonly #stage: Stage;
  readonly #claims: Claims;

  constructor(stage: Stage, claims: Claims) {
    this.#stage = stage;
    this.#claims = claims;
  }

  runIsDone(subject: Subject, read: Interval, { started_at }: { started_at: string }): void {
    const isNew = !subject.doneReads.has(started_at);
    subject.doneReads.add(started_at);
    if (!this.isPerRead(subject)) {
      for (const row of subject.rows()) this.#notDoubled(subject, row);
      return;
    }
    if (!isNew) return;
    for (const row of subject.rows()) this.#oneMore(subject, row, read);
  }

  /** Each run appends all rows anew: it has no cursor, and none above it has. */
  isPerRead({ level }: Subject): boolean {
    const isAppend = level.rows === "append" || level.rows === "append_keyed";
    const depths = [1, 2, 3].filter((depth) => depth <= level.depth);
    return isAppend && depths.every((depth) => !this.#claims.subjectAt(depth)?.level.cursor);
  }

  #notDoubled(subject: Subject, row: Row): void {
    const { level } = subject;
    const stored = subject.stored(row);
    const isNamedByCursor = level.rows === "append_keyed" && level.cursor !== undefined;
    const most = row.isTwin && !isNamedByCursor ? 2 : 1;
    for (const { n } of stored) {
      const copies = stored.filter((one) => one.n === n).length;
      if (copies > most) {
        this.#stage.violated("I11", `${subject.name} has ${row.uid} v${n} ${copies} times`);
      }
    }
  }

  #oneMore(subject: Subject, row: Row, read: Interval): void {
    const version = this.#claims.claimed(subject, row, read);
    const stored = subject.stored(row);
    // What was read before a reset, and had not ended, is there beside what runs have put.
    const reads = subject.doneReads.size + subject.resets;
    for (const { n } of stored) {
      const copies = stored.filter((one) => one.n === n).length;
      if (copies > reads * (row.isTwin ? 2 : 1)) {
        this.#stage.violated("I11", `${subject.name} has ${row.uid} v${n} ${copies} times`);
      }
    }
    if (!version || version.fault || this.#claims.isExcused(subject, row, read)) return;
    const before = subject.copies.get(row);
    const count = before?.n === version.n ? before.count + 1 : 1;
    subject.copies.set(row, { n: version.n, count });
    const copies = stored.filter((one) => one.n === version.n).length;
    if (copies < count) {
      const what = `${row.uid} v${version.n} ${copies} times, and ${count} runs have read it`;
      this.#stage.violated("I5", `${subject.name} has ${what}`);
    }
  }
}
