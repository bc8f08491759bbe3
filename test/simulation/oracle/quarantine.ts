import { keyFaults, type Row } from "../api/rows.ts";
import type { Change } from "../dynamodb.ts";
import type { Claims, Interval } from "./claims.ts";
import { isWithin, type Subject } from "./subject.ts";

/** Follows what is set aside: records of the API, and records of a parent that no request can name. */
export class QuarantineWatch {
  /** True when the entry is new. */
  add({ before, after }: Change, subject: Subject, at: number): boolean {
    if (!after) return false;
    const text = after.record?.S ?? "";
    if (after.code?.S?.startsWith("extract.") || !text.includes(`"uid"`)) {
      const [, slug = ""] = /"slug":"([^"]*)"/.exec(text) ?? [];
      const times = subject.parentsAside.get(slug) ?? [];
      subject.parentsAside.set(slug, [...times, at]);
      return false;
    }
    const [, uid = ""] = /"uid":"([^"]+)"/.exec(text) ?? [];
    const [, version] = /"version":(\d+)/.exec(text) ?? [];
    const entries = subject.quarantined.get(uid) ?? [];
    subject.quarantined.set(uid, [...entries, { at, n: Number(version) }]);
    return !before;
  }

  /** Whether something was set aside, here or above, that keeps a read from sweeping. */
  couldNotSweep(subject: Subject, { from, to }: Interval, claims: Claims): boolean {
    const isParentAside = [...subject.parentsAside.values()].some((times) =>
      isWithin(times, from, to),
    );
    const isKeyless = subject.rows().some((row) => hasKeyFault(row, { from, to }));
    const above = claims.subjectAt(subject.level.depth - 1);
    const isAsideAbove = above !== undefined && this.couldNotSweep(above, { from, to }, claims);
    return isParentAside || isKeyless || isAsideAbove;
  }
}

const hasKeyFault = ({ versions }: Row, { from, to }: Interval): boolean =>
  versions.some(
    (one) => keyFaults.some((fault) => fault === one.fault) && one.from <= to && one.until > from,
  );
