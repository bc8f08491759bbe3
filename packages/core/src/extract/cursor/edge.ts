import { hash } from "node:crypto";
import { RequestError } from "../../base/errors.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { isObject, type JsonObject, type JsonValue } from "../../values/json.ts";
import { jsonText } from "../../values/json-text.ts";
import { frontier, isAtLeast } from "./marks.ts";

/*
 * A run reads the records at its start again. Where rows are merged that does no harm; where they
 * are appended, what is known has to be left out.
 */

/** The records from the cursor on that have been stored, each with its value. */
export type Edge = [id: string, value: string | number][];

/** They stand in the state item, which moves with every page. */
const MOST = 1000;

/** Tells a record again: by some of its fields, or as a whole. */
export function identity(record: JsonValue, fields: readonly string[]): string {
  const known =
    fields.length > 0 && isObject(record)
      ? fields.map((name) => (record as JsonObject)[name] ?? null)
      : record;
  return hash("sha256", jsonText(known, { sorted: true }), "base64url").slice(0, 11);
}

/** Of what a run has found so far, that which the next one will find again. */
export function keepEdge(
  found: Edge,
  candidate: Cursor,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): Edge {
  if (candidate === null) return found;
  const from = frontier(candidate, apiTime, plan);
  const kept = new Map(found.filter(([, value]) => isAtLeast(value, from, plan)));
  if (kept.size > MOST) throw tooMany(kept.size, plan);
  return [...kept];
}

const tooMany = (count: number, { path }: IncrementalPlan) =>
  new RequestError({
    code: "extract.cursor",
    message: `${count} records share the last value at cursor_path "${path.text}", too many to tell which are stored`,
    hint: `add a "primary_key" and merge, or set "range_start": "open" if none comes in later with the same value`,
    retryable: false,
  });
