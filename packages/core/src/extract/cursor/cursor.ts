import { RequestError } from "../../base/errors.ts";
import type { CursorValue } from "../../config/endpoint-types.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { type ParsedCursor, parseCursor } from "../../values/cursor-value.ts";
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
  isUnknownDate,
  otherKindError,
  shiftCursor,
  toEpoch,
  unknownDateError,
} from "./cursor-values.ts";

/*
 * The cursor of an incremental resource comes from the records alone. It is frozen while a run reads,
 * and moves at the end: readRange → advanceCursor for each page → commitCursor.
 */

/** The values that a series asks for. Records outside are dropped. */
export interface CursorRange {
  start: Cursor;
  /** Undefined: everything from the start on. */
  end: CursorValue | undefined;
  /** Whether records whose cursor is the start belong to the range. */
  hasStart: boolean;
  hasEnd: boolean;
}

/** The range of a resource without a cursor. */
export const wholeRange: CursorRange = Object.freeze({
  start: null,
  end: undefined,
  hasStart: true,
  hasEnd: true,
});

/**
 * The range of a series: everything from the committed cursor on, or one window of a backfill.
 * `windowStart` is null in the first window. A border between two windows belongs to the later one,
 * whatever range_start and range_end say about the ends of the whole range.
 */
export function readRange(
  plan: IncrementalPlan,
  committed: Cursor,
  windowStart: Cursor = null,
): CursorRange {
  const start = windowStart ?? startValue(plan, committed);
  const end = windowEnd(plan, start);
  return {
    start,
    end,
    hasStart: windowStart !== null || plan.rangeStart === "closed",
    hasEnd: end === plan.endValue && plan.rangeEnd === "closed",
  };
}

/** The start of the window after a range. Undefined after the last. */
export const nextWindow = (plan: IncrementalPlan, { end }: CursorRange): CursorValue | undefined =>
  end === plan.endValue ? undefined : end;

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
function windowEnd(plan: IncrementalPlan, start: Cursor): CursorValue | undefined {
  const { step, endValue } = plan;
  if (step === undefined || endValue === undefined || start === null) return endValue;
  const end = shiftCursor(start, step, plan);
  if (!isBefore(parseCursor(start), parseCursor(end), plan)) throw stuckWindowError(start, plan);
  return isBefore(parseCursor(end), parseCursor(endValue), plan) ? end : endValue;
}

const stuckWindowError = (start: CursorValue, { path }: IncrementalPlan): RequestError =>
  new RequestError({
    code: "extract.window",
    message: `a window of "${path.text}" that begins at ${start} would end where it begins: step is below the precision of this value`,
    hint: "set a larger step, or write initial_value with more digits",
    retryable: false,
  });

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
  const bounds = parseBounds(range);
  let furthest = candidate === null ? undefined : parseCursor(candidate);
  let kind = bounds.start?.kind ?? furthest?.kind;
  let isOver = false;
  const records: JsonValue[] = [];
  for (const [index, record] of page.entries()) {
    const value = readCursor(record, index, plan);
    if (value === undefined) {
      if (plan.onMissing === "include") records.push(record);
      continue;
    }
    const cursor = parseCursor(value);
    kind ??= cursor.kind;
    assertComparable(cursor, kind, index, plan);
    const place = placeInRange(cursor, bounds, plan);
    if (place === "after" || place === "before") {
      isOver ||= plan.rowOrder === (place === "after" ? "asc" : "desc");
      continue;
    }
    if (!furthest || isBefore(furthest, cursor, plan) || isLaterString(cursor, furthest, plan)) {
      furthest = cursor;
    }
    if (place === "inside") records.push(record);
  }
  assertStorable([furthest?.value], `the cursor at "${plan.path.text}"`);
  return { records, candidate: furthest?.value ?? null, isOver };
}

/** Whether a stored value lies in the range that the config bounds. One of another kind does not. */
export function isInConfiguredRange(value: CursorValue, plan: IncrementalPlan): boolean {
  const { initialValue = null, endValue, rangeStart, rangeEnd } = plan;
  const cursor = inUnitOf(parseCursor(value), initialValue ?? endValue, plan);
  const bounds = parseBounds({
    start: initialValue,
    end: endValue,
    hasStart: rangeStart === "closed",
    hasEnd: rangeEnd === "closed",
  });
  const isComparable = [bounds.start, bounds.end].every(
    (bound) => bound === undefined || bound.kind === cursor.kind,
  );
  return isComparable && placeInRange(cursor, bounds, plan) === "inside";
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

/** The ends of a range, parsed once for all records of a page. */
interface Bounds extends Pick<CursorRange, "hasStart" | "hasEnd"> {
  start: ParsedCursor | undefined;
  end: ParsedCursor | undefined;
}

const parseBounds = ({ start, end, hasStart, hasEnd }: CursorRange): Bounds => ({
  start: start === null ? undefined : parseCursor(start),
  end: end === undefined ? undefined : parseCursor(end),
  hasStart,
  hasEnd,
});

/** "at_start" is a record at an open start: it is not kept, and its value has been reached. */
function placeInRange(
  cursor: ParsedCursor,
  { start, end, hasStart, hasEnd }: Bounds,
  plan: IncrementalPlan,
): "before" | "at_start" | "inside" | "after" {
  if (end && (isBefore(end, cursor, plan) || (!hasEnd && isSameCursor(cursor, end)))) {
    return "after";
  }
  if (start && isBefore(cursor, start, plan)) return "before";
  return start && !hasStart && isSameCursor(cursor, start) ? "at_start" : "inside";
}

function assertComparable(
  cursor: ParsedCursor,
  kind: ParsedCursor["kind"],
  index: number,
  plan: IncrementalPlan,
): void {
  const subject = `records[${index}] of the page has`;
  if (isUnknownDate(cursor, plan)) throw unknownDateError(subject, plan);
  if (cursor.kind !== kind) throw otherKindError(subject, cursor, kind, plan);
}

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
function readCursor(
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
