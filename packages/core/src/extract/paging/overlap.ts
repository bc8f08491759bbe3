import { hash } from "node:crypto";
import { isObject, type JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";

/*
 * Offset paging notices that rows have moved because each page begins with the last rows of the page
 * before, the tail. Where the tail is found again, everything after it is new, and no row was skipped.
 */

/** Where a page has the rows that it should begin with. */
export type OverlapMatch =
  /**
   * `end`: the index after the known rows. `inPlace`: they stand at the head of the page. `fresh`:
   * the records that were not read before.
   */
  | { kind: "found"; end: number; inPlace: boolean; fresh: JsonValue[] }
  /** The page begins at the multiple of the limit below the offset that was asked for. */
  | { kind: "rounded" }
  | { kind: "lost" };

/**
 * `key:content` where the record has all key fields, so that a row is recognised after a change.
 * Otherwise only its content can identify a record.
 */
export function fingerprintRecord(record: JsonValue, keyFields: readonly string[]): string {
  const content = shortHash(record);
  if (keyFields.length === 0 || !isObject(record)) return content;
  const key = keyFields.map((name) => record[name] ?? null);
  return key.includes(null) ? content : `${shortHash(key)}:${content}`;
}

const shortHash = (value: JsonValue): string =>
  hash("sha256", recordText(value), "base64url").slice(0, 10);

/** Equal for a row that is shown twice. Members are not sorted: an API writes them in one order. */
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
  const known = tail.slice(-overlap);
  const standsAt = (start: number): boolean =>
    start + known.length <= records.length &&
    known.every((fingerprint, index) => {
      const record = records[start + index] as JsonValue;
      return keyPart(fingerprintRecord(record, keyFields)) === keyPart(fingerprint);
    });
  if (standsAt(0)) {
    const changed = records.slice(0, known.length).filter((record, index) => {
      return fingerprintRecord(record, keyFields) !== known[index];
    });
    const fresh = [...changed, ...records.slice(known.length)];
    return { kind: "found", end: known.length, inPlace: true, fresh };
  }
  if (rounding > 0 && standsAt(rounding)) return { kind: "rounded" };

  const end = findTail(records, tail, keyFields);
  if (end === undefined) return { kind: "lost" };
  // Rows before the tail were read before it. With a key, reading them again does no harm.
  const earlier = keyFields.length > 0 ? records.slice(0, end) : [];
  const changed = earlier.filter((record) => !tail.includes(fingerprintRecord(record, keyFields)));
  return { kind: "found", end, inPlace: false, fresh: [...changed, ...records.slice(end)] };
}

/** Pure: the index after the rows of the tail, wherever they stand; undefined where they do not. */
export function findTail(
  records: readonly JsonValue[],
  tail: readonly string[],
  keyFields: readonly string[],
): number | undefined {
  const fingerprints = records.map((record) => fingerprintRecord(record, keyFields));
  const knownKeys = new Set(tail.map(keyPart));
  const isKnown = fingerprints.map((fingerprint) => knownKeys.has(keyPart(fingerprint)));
  const first = isKnown.indexOf(true);
  // One changed row proves little: in a list sorted by time of change it has moved by itself.
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
