import { RequestError } from "../../base/errors.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { Decimal } from "../../values/decimal.ts";
import type { JsonValue } from "../../values/json.ts";
import { assertStorable } from "../echo.ts";
import { find } from "../select.ts";
import {
  changed,
  direction,
  frontier,
  further,
  isBehind,
  isEqual,
  isLaterText,
  type Mark,
  mark,
  shifted,
  type Value,
} from "./marks.ts";

/*
 * The cursor of an incremental resource. It comes from the records alone, is frozen while a run
 * reads, and moves when the run has ended: startValue → advance page by page → commit.
 */

/** What a run asks for, and keeps of what it gets. */
export interface Range {
  start: Cursor;
  /** Undefined: everything from the start on. */
  end: Value | undefined;
}

/**
 * Where a run starts: `lag` before the committed cursor, but never before `initial_value`. A backfill
 * knows no cursor.
 */
export function startValue(plan: IncrementalPlan, committed: Cursor): Cursor {
  const { initialValue = null, endValue, lag } = plan;
  if (committed === null || endValue !== undefined) return initialValue;
  const start =
    /* planted: lag */ lag === 0
      ? committed
      : shifted(mark(committed), -lag * direction(plan), plan);
  return initialValue === null ? start : further(start, initialValue, plan);
}

/** The end of the window of a backfill that begins at `start`. */
export function windowEnd(plan: IncrementalPlan, start: Cursor): Value | undefined {
  const { step, endValue } = plan;
  if (step === undefined || endValue === undefined || start === null) return endValue;
  const end = shifted(mark(start), step * direction(plan), plan);
  return isBehind(mark(end), mark(endValue), plan) ? end : endValue;
}

/** What a page means to the cursor. */
export interface Advance {
  /** The records that are in range. */
  records: JsonValue[];
  /** The furthest value of the run so far. */
  candidate: Cursor;
  /** The API sends its records in order, and the rest of them is out of range. */
  isOver: boolean;
}

/** Takes what is in range from a page. */
export function advance(
  page: readonly JsonValue[],
  plan: IncrementalPlan,
  { start, end }: Range,
  candidate: Cursor,
): Advance {
  const first = start === null ? undefined : mark(start);
  const last = end === undefined ? undefined : mark(end);
  let kind = first?.kind ?? (candidate === null ? undefined : mark(candidate).kind);
  let furthest = candidate === null ? undefined : mark(candidate);
  let isOver = false;
  const records: JsonValue[] = [];
  for (const [index, record] of page.entries()) {
    const value = cursorOf(record, index, plan);
    if (value === undefined) {
      if (plan.onMissing === "include") records.push(record);
      continue;
    }
    const found = mark(value);
    kind ??= found.kind;
    if (found.kind !== kind) throw changed(`records[${index}] of the page has`, found, kind, plan);
    if (last && isBeyond(found, last, plan)) {
      isOver ||= plan.rowOrder === "asc";
      continue;
    }
    if (first && isBehind(found, first, plan)) {
      isOver ||= plan.rowOrder === "desc";
      continue;
    }
    if (!furthest || isBehind(furthest, found, plan) || isLaterText(found, furthest, plan)) {
      furthest = found;
    }
    const atStart = first !== undefined && isEqual(found, first);
    if (atStart && plan.rangeStart === "open") continue;
    records.push(record);
  }
  assertStorable([furthest?.value], `the cursor at "${plan.path.text}"`);
  return { records, candidate: furthest?.value ?? null, isOver };
}

/** Whether a stored value lies in the range that the config bounds. One of another kind does not. */
export function isInRange(value: Value, plan: IncrementalPlan): boolean {
  const place = mark(value);
  for (const border of [plan.initialValue, plan.endValue]) {
    if (border !== undefined && mark(border).kind !== place.kind) return false;
  }
  const { initialValue: first, endValue: last } = plan;
  if (first !== undefined && isBehind(place, mark(first), plan)) return false;
  return last === undefined || !isBeyond(place, mark(last), plan);
}

const isBeyond = (found: Mark, last: Mark, plan: IncrementalPlan): boolean =>
  isBehind(last, found, plan) || (plan.rangeEnd === "open" && isEqual(found, last));

/**
 * The cursor after a run. It never moves back, and a time in it never goes beyond the API's own clock
 * at the first page (`apiTime`): a record that changes while the run reads may stand on a page that
 * has been read, while later pages show later times. The next run has to ask for it again. A number
 * is taken as a time where its column is declared a timestamp.
 */
export function commit(
  before: Cursor,
  candidate: Cursor,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): Cursor {
  // A backfill remembers nothing.
  if (candidate === null || plan.endValue !== undefined) return before;
  const capped = frontier(candidate, apiTime, plan);
  return before === null ? capped : further(before, capped, plan);
}

/** It has to fit into a query and into the state item. */
const LONGEST = 1000;

/** Undefined: the record has none, and the config says what to do with it. */
function cursorOf(
  record: JsonValue,
  index: number,
  { path, onMissing }: IncrementalPlan,
): Value | undefined {
  const found = find(record, path);
  const value = typeof found === "bigint" || found instanceof Decimal ? String(found) : found;
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.length <= LONGEST) return value;
  if (value == null && onMissing !== "raise") return undefined;
  const there = typeof value === "string" ? `over ${LONGEST} characters` : missing(value);
  throw new RequestError({
    code: "extract.cursor",
    message: `records[${index}] of the page has ${there} at cursor_path "${path.text}"`,
    hint: `let cursor_path name a field that every record has, or set "on_cursor_value_missing"`,
    retryable: false,
  });
}

const missing = (value: JsonValue | undefined) =>
  value == null ? "no value" : "neither a number nor a text";
