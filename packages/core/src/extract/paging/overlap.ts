import { hash } from "node:crypto";
import { isObject, type JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";

/*
 * Each page of offset paging begins with the tail: the last rows of the page before. Where the tail is
 * found again, every row after it is new, and no row was skipped. Elsewhere, rows have moved.
 */

/** The place of the tail in a page that should begin with it. */
export type OverlapMatch =
  /**
   * `end`: the index after the tail. `inPlace`: the tail stands at the head of the page. `fresh`: the
   * records to pass on, new or changed.
   */
  | { kind: "found"; end: number; inPlace: boolean; fresh: JsonValue[] }
  /** The page begins at the multiple of the limit below the offset that was asked for. */
  | { kind: "rounded" }
  | { kind: "lost" };

/**
 * `key:content` where the record has every key field: the key recognises a changed row. Otherwise the
 * content alone identifies a record.
 */
export function fingerprintRecord(record: JsonValue, keyFields: readonly string[]): string {
  const content = shortHash(record);
  if (keyFields.length === 0 || !isObject(record)) return content;
  const key = keyFields.map((name) => record[name] ?? null);
  return key.includes(null) ? content : `${shortHash(key)}:${content}`;
}

/** Stands for a whole page. */
export const fingerprintPage = (records: readonly JsonValue[]): string =>
  shortHash(records as JsonValue);

const shortHash = (value: JsonValue): string =>
  hash("sha256", recordText(value), "base64url").slice(0, 10);

/** Members are not sorted: an API writes the members of a row in the same order each time. */
function recordText(value: JsonValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    // JSON.stringify refuses a bigint and very deep nesting.
    return jsonText(value);
  }
}

/** The part of a fingerprint that stays the same when the row changes. */
export const keyPart = (fingerprint: string): string => fingerprint.split(":", 1)[0] as string;

/** Pure: where a page has the last `overlap` rows of the tail, which it was asked to begin with. */
export function matchOverlap(
  records: readonly JsonValue[],
  expected: {
    tail: readonly string[];
    overlap: number;
    /** Rows between the multiple of the limit and the offset; 0 where the server does not round. */
    rounding: number;
  },
  keyFields: readonly string[],
): OverlapMatch {
  const { tail, overlap, rounding } = expected;
  const expectedRows = tail.slice(-overlap);
  const standsAt = (start: number): boolean =>
    start + expectedRows.length <= records.length &&
    expectedRows.every((fingerprint, index) => {
      const record = records[start + index] as JsonValue;
      return keyPart(fingerprintRecord(record, keyFields)) === keyPart(fingerprint);
    });
  if (standsAt(0)) {
    const changed = records.slice(0, expectedRows.length).filter((record, index) => {
      return fingerprintRecord(record, keyFields) !== expectedRows[index];
    });
    const fresh = [...changed, ...records.slice(expectedRows.length)];
    return { kind: "found", end: expectedRows.length, inPlace: true, fresh };
  }
  if (rounding > 0 && standsAt(rounding)) return { kind: "rounded" };

  const end = findTail(records, tail, keyFields);
  if (end === undefined) return { kind: "lost" };
  // Rows before the tail were read earlier. Rows with a key can be read again without harm.
  const earlier = keyFields.length > 0 ? records.slice(0, end) : [];
  const changed = earlier.filter((record) => !tail.includes(fingerprintRecord(record, keyFields)));
  return { kind: "found", end, inPlace: false, fresh: [...changed, ...records.slice(end)] };
}

/** Pure: the index after the tail, wherever it stands; undefined where it is missing. */
export function findTail(
  records: readonly JsonValue[],
  tail: readonly string[],
  keyFields: readonly string[],
): number | undefined {
  const fingerprints = records.map((record) => fingerprintRecord(record, keyFields));
  const knownKeys = new Set(tail.map(keyPart));
  const isKnown = fingerprints.map((fingerprint) => knownKeys.has(keyPart(fingerprint)));
  const first = isKnown.indexOf(true);
  // A single changed row proves little: in a list sorted by change time it has moved alone.
  const isSure =
    fingerprints.some((fingerprint) => tail.includes(fingerprint)) ||
    isKnown.filter(Boolean).length * 2 > tail.length;
  if (first < 0 || !isSure) return undefined;
  const end = isKnown.indexOf(false, first);
  return end < 0 ? records.length : end;
}

/** Whether the last rows of a page are those of the tail, unchanged. */
export function endsWithTail(
  records: readonly JsonValue[],
  tail: readonly string[],
  keyFields: readonly string[],
): boolean {
  if (records.length < tail.length) return false;
  const last = records.slice(-tail.length);
  return last.every((record, index) => fingerprintRecord(record, keyFields) === tail[index]);
}
