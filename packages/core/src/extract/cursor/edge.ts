import { hash } from "node:crypto";
import { RequestError } from "../../base/errors.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { isObject, type JsonObject, type JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";
import { capCursor, isAtOrAfter } from "./cursor-values.ts";

/*
 * A run reads the records at its start again. Merged rows suffer no harm. Where rows are appended, the
 * edge keeps the identities of the stored records, and the next run leaves them out.
 */

/** The stored records from the cursor on, each with its cursor value. */
export type CursorEdge = [id: string, value: string | number][];

/** The edge stands in the state item, which is written after each page. */
const MAX_EDGE_RECORDS = 1000;

/** Identifies a record by the given fields, or by its whole content. */
export function recordIdentity(record: JsonValue, fields: readonly string[]): string {
  const identifying =
    fields.length > 0 && isObject(record)
      ? fields.map((name) => (record as JsonObject)[name] ?? null)
      : record;
  return hash("sha256", jsonText(identifying, { sorted: true }), "base64url").slice(0, 11);
}

/** The part of the edge that the next run will read again. */
export function keepEdge(
  edge: CursorEdge,
  candidate: Cursor,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): CursorEdge {
  if (candidate === null) return edge;
  const nextStart = capCursor(candidate, apiTime, plan);
  const kept = new Map(edge.filter(([, value]) => isAtOrAfter(value, nextStart, plan)));
  if (kept.size > MAX_EDGE_RECORDS) throw edgeError(kept.size, plan);
  return [...kept];
}

const edgeError = (count: number, { path }: IncrementalPlan) =>
  new RequestError({
    code: "extract.cursor",
    message: `${count} records share the last value at cursor_path "${path.text}", too many to tell which are stored`,
    hint: `add a "primary_key" and merge, or set "range_start": "open" if none comes in later with the same value`,
    retryable: false,
  });
