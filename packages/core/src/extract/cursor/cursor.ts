import { RequestError } from "../../base/errors.ts";
import type { CursorValue } from "../../config/endpoint-types.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { Decimal } from "../../values/decimal.ts";
import type { JsonValue } from "../../values/json.ts";
import { findValue } from "../select.ts";
import { assertStorable } from "../storable.ts";
import {
  capCursor,
  furtherCursor,
  isBefore,
  isLaterString,
  isSameCursor,
  otherKindError,
  type ParsedCursor,
  parseCursor,
  shiftCursor,
  toEpoch,
} from "./cursor-values.ts";

/*
 * The cursor of an incremental resource comes from the records alone. It is frozen while a run reads,
 * and moves at the end: startValue → advanceCursor for each page → commitCursor.
 */

/** The values that a run asks for. Records outside are dropped. */
export interface CursorRange {
  start: Cursor;
  /** Undefined: everything from the start on. */
  end: CursorValue | undefined;
}

/**
 * The cursor at which a run starts: `lag` before the committed one, but never before `initial_value`.
 * A backfill has no committed cursor.
 */
export function startValue(plan: IncrementalPlan, committed: Cursor): Cursor {
  const { initialValue = null, endValue, lag } = plan;
  if (committed === null || endValue !== undefined) return initialValue;
  const start = /* planted: lag */ lag === 0 ? committed : shiftCursor(committed, -lag, plan);
  return initialValue === null ? start : furtherCursor(start, initialValue, plan);
}

/** The end of the window of a backfill that begins at `start`. */
export function windowEnd(plan: IncrementalPlan, start: Cursor): CursorValue | undefined {
  const { step, endValue } = plan;
  if (step === undefined || endValue === undefined || start === null) return endValue;
  const end = shiftCursor(start, step, plan);
  return isBefore(parseCursor(end), parseCursor(endValue), plan) ? end : endValue;
}

/** The result of a page for the cursor. */
export interface CursorAdvance {
  /** The records in range. */
  records: JsonValue[];
  /** The furthest value that the run has read. */
  candidate: Cursor;
  /** The API sends its records in order, and every later record is out of range. */
  isOver: boolean;
}

/** Takes the records in range from a page. */
export function advanceCursor(
  page: readonly JsonValue[],
  plan: IncrementalPlan,
  range: CursorRange,
  candidate: Cursor,
): CursorAdvance {
  const start = range.start === null ? undefined : parseCursor(range.start);
  const end = range.end === undefined ? undefined : parseCursor(range.end);
  let furthest = candidate === null ? undefined : parseCursor(candidate);
  let kind = start?.kind ?? furthest?.kind;
  let isOver = false;
  const records: JsonValue[] = [];
  for (const [index, record] of page.entries()) {
    const value = cursorOf(record, index, plan);
    if (value === undefined) {
      if (plan.onMissing === "include") records.push(record);
      continue;
    }
    const cursor = parseCursor(value);
    kind ??= cursor.kind;
    if (cursor.kind !== kind) {
      throw otherKindError(`records[${index}] of the page has`, cursor, kind, plan);
    }
    if (end && isPastEnd(cursor, end, plan)) {
      isOver ||= plan.rowOrder === "asc";
      continue;
    }
    if (start && isBefore(cursor, start, plan)) {
      isOver ||= plan.rowOrder === "desc";
      continue;
    }
    if (!furthest || isBefore(furthest, cursor, plan) || isLaterString(cursor, furthest, plan)) {
      furthest = cursor;
    }
    if (start && plan.rangeStart === "open" && isSameCursor(cursor, start)) continue;
    records.push(record);
  }
  assertStorable([furthest?.value], `the cursor at "${plan.path.text}"`);
  return { records, candidate: furthest?.value ?? null, isOver };
}

/** Whether a stored value lies in the range that the config bounds. One of another kind does not. */
export function isInConfiguredRange(value: CursorValue, plan: IncrementalPlan): boolean {
  const { initialValue: first, endValue: last } = plan;
  const cursor = inUnitOf(parseCursor(value), first ?? last, plan);
  const start = first === undefined ? undefined : parseCursor(first);
  const end = last === undefined ? undefined : parseCursor(last);
  if (start && (start.kind !== cursor.kind || isBefore(cursor, start, plan))) return false;
  return !end || (end.kind === cursor.kind && !isPastEnd(cursor, end, plan));
}

/** A column that is declared a timestamp is stored as text, where the API counts from 1970. */
function inUnitOf(
  stored: ParsedCursor,
  bound: CursorValue | undefined,
  { isTimestamp }: IncrementalPlan,
): ParsedCursor {
  if (bound === undefined || !isTimestamp || !stored.time) return stored;
  const unit = parseCursor(bound);
  return unit.kind === "number" ? parseCursor(toEpoch(stored.time.ms, unit.value)) : stored;
}

const isPastEnd = (cursor: ParsedCursor, end: ParsedCursor, plan: IncrementalPlan): boolean =>
  isBefore(end, cursor, plan) || (plan.rangeEnd === "open" && isSameCursor(cursor, end));

/**
 * The cursor after a run. It never moves back, and a time never moves beyond the API's own clock at
 * the first page (`apiTime`): a record on a page already read may change while later pages show later
 * times, and the next run has to ask for it again. A number counts as a time where its column is
 * declared a timestamp.
 */
export function commitCursor(
  before: Cursor,
  candidate: Cursor,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): Cursor {
  // A backfill does not move the cursor.
  if (candidate === null || plan.endValue !== undefined) return before;
  const capped = capCursor(candidate, apiTime, plan);
  return before === null ? capped : furtherCursor(before, capped, plan);
}

/** A cursor has to fit into a query and into the state item. */
const MAX_CHARACTERS = 1000;

/** Undefined: the record has no cursor, and the config accepts that. */
function cursorOf(
  record: JsonValue,
  index: number,
  { path, onMissing }: IncrementalPlan,
): CursorValue | undefined {
  const raw = findValue(record, path);
  const value = typeof raw === "bigint" || raw instanceof Decimal ? String(raw) : raw;
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.length <= MAX_CHARACTERS) return value;
  if (value == null && onMissing !== "raise") return undefined;
  throw new RequestError({
    code: "extract.cursor",
    message: `records[${index}] of the page has ${describeMisfit(value)} at cursor_path "${path.text}"`,
    hint: `let cursor_path name a field that every record has, or set "on_cursor_value_missing"`,
    retryable: false,
  });
}

function describeMisfit(value: JsonValue | undefined): string {
  if (value == null) return "no value";
  if (typeof value === "string") return `over ${MAX_CHARACTERS} characters`;
  return "neither a number nor a string";
}
