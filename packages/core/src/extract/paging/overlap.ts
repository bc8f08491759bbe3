import { hash } from "node:crypto";
import { isObject, type JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";

/*
 * How offset paging sees that rows have moved: each page begins with the last rows of the one before
 * it. Where these are found again, everything behind them is new, and nothing was skipped.
 */

/** What a page shows of the rows that should stand at its head. */
export type Sight =
  /**
   * `behind`: the index after the known rows. `inPlace`: they stand where they were expected. `fresh`:
   * the records that were not read before.
   */
  | { kind: "found"; behind: number; inPlace: boolean; fresh: JsonValue[] }
  /** The page begins at the multiple of the limit below the offset that was asked for. */
  | { kind: "rounded" }
  | { kind: "lost" };

/** What was asked for when the page came. */
interface Asked {
  offset: number;
  limit: number;
  /** How many of the tail's rows the page should begin with. */
  overlap: number;
  /** The tail may stand anywhere. */
  isSearch: boolean;
  mayRound: boolean;
}

/**
 * `key:content` where all of the fields are there, so that a row is known again after a change;
 * else the content is all that a record can be known by.
 */
export function fingerprint(record: JsonValue, fields: readonly string[]): string {
  const content = short(record);
  if (fields.length === 0 || !isObject(record)) return content;
  const key = fields.map((name) => record[name] ?? null);
  return key.includes(null) ? content : `${short(key)}:${content}`;
}

const short = (value: JsonValue): string => hash("sha256", textOf(value), "base64url").slice(0, 10);

/** Equal for a row that is shown twice. As it stands: an API writes its members in one order. */
function textOf(value: JsonValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    // A bigint, or what is nested too deeply.
    return jsonText(value);
  }
}

/** What stays the same when a row changes. */
export const identity = (print: string): string => print.split(":", 1)[0] as string;

/** Pure: where a page has the rows of `tail`. */
export function sight(
  records: readonly JsonValue[],
  tail: readonly string[],
  fields: readonly string[],
  { offset, limit, overlap, isSearch, mayRound }: Asked,
): Sight {
  const known = tail.slice(-overlap);
  const standsAt = (start: number): boolean =>
    start + known.length <= records.length &&
    known.every((print, index) => {
      const record = records[start + index] as JsonValue;
      return identity(fingerprint(record, fields)) === identity(print);
    });
  if (!isSearch && standsAt(0)) {
    const changed = records.slice(0, known.length).filter((record, index) => {
      return fingerprint(record, fields) !== known[index];
    });
    const fresh = [...changed, ...records.slice(known.length)];
    return { kind: "found", behind: known.length, inPlace: true, fresh };
  }
  const rounding = offset % limit;
  if (mayRound && !isSearch && rounding > 0 && standsAt(rounding)) return { kind: "rounded" };

  const prints = records.map((record) => fingerprint(record, fields));
  const identities = new Set(tail.map(identity));
  const isKnown = prints.map((print) => identities.has(identity(print)));
  const first = isKnown.indexOf(true);
  // One row alone may have moved by a change; an unchanged one, or most of them, have not.
  const isSure =
    prints.some((print) => tail.includes(print)) ||
    isKnown.filter(Boolean).length * 2 > tail.length;
  if (first < 0 || !isSure) return { kind: "lost" };
  const end = isKnown.indexOf(false, first);
  const behind = end < 0 ? records.length : end;
  // What stands before the tail was read before it. With a key, to read it again does no harm.
  const again = fields.length > 0 && !isSearch ? records.slice(0, behind) : [];
  const fresh = [
    ...again.filter((_, index) => !tail.includes(prints[index] as string)),
    ...records.slice(behind),
  ];
  return { kind: "found", behind, inPlace: false, fresh };
}
