import { ConfigError, RequestError } from "../../base/errors.ts";
import type { CursorValue } from "../../config/endpoint-types.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import {
  compareCursors,
  type ParsedCursor,
  parseCursor,
  shiftValue,
} from "../../values/cursor-value.ts";
import { looksLikeDate } from "../../values/date-like.ts";
import { compareNumbers } from "../../values/number-parts.ts";
import { compareStrings, compareTimes, formatTime } from "../../values/time.ts";

/*
 * The order of cursor values in the direction that the plan says.
 */

/** The value to commit when the records have reached `candidate`: a time at most the API's clock. */
export function capCursor(
  candidate: CursorValue,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): CursorValue {
  if (apiTime === undefined || plan.furthest === "min") return candidate;
  return /* planted: cursor-cap */ capAtTime(parseCursor(candidate), apiTime, plan);
}

export const isAtOrAfter = (
  value: CursorValue,
  reference: CursorValue,
  plan: IncrementalPlan,
): boolean => !isBefore(parseCursor(value), parseCursor(reference), plan);

/** Whether `a` comes before `b` in the direction in which the cursor moves. */
export function isBefore(a: ParsedCursor, b: ParsedCursor, { furthest }: IncrementalPlan): boolean {
  if (isSameCursor(a, b)) return false;
  if (furthest === "max") return compareCursors(a, b) < 0;
  if (furthest === "min") return compareCursors(a, b) > 0;
  return furthest([a.value, b.value]) === b.value;
}

export const isSameCursor = (a: ParsedCursor, b: ParsedCursor): boolean =>
  compareCursors(a, b) === 0;

/** Among equal values the greatest string wins, whatever the order of the records. */
export const isLaterString = (
  a: ParsedCursor,
  b: ParsedCursor,
  { furthest }: IncrementalPlan,
): boolean =>
  furthest !== "min" && isSameCursor(a, b) && compareStrings(String(a.value), String(b.value)) > 0;

export function furtherCursor(
  first: CursorValue,
  second: CursorValue,
  plan: IncrementalPlan,
): CursorValue {
  const [a, b] = [parseCursor(first), parseCursor(second)];
  if (a.kind !== b.kind) throw otherKindError("there is", b, a.kind, plan);
  return isBefore(a, b, plan) || isLaterString(b, a, plan) ? second : first;
}

/** `subject` says where the value of another kind stands. */
export function otherKindError(
  subject: string,
  { kind }: ParsedCursor,
  cursorKind: ParsedCursor["kind"],
  { path }: IncrementalPlan,
): RequestError {
  return new RequestError({
    code: "extract.cursor",
    message: `${subject} a ${kind} at cursor_path "${path.text}", and the cursor is a ${cursorKind} so far`,
    hint: "initial_value and all records need one kind of value; tidetable reset forgets an old cursor",
    retryable: false,
  });
}

/**
 * Whether a value is a date in a form that has no order here. A function as last_value_func brings
 * an order of its own.
 */
export const isUnknownDate = (
  { kind, value }: ParsedCursor,
  { furthest }: Pick<IncrementalPlan, "furthest">,
): boolean => kind === "string" && typeof furthest !== "function" && looksLikeDate(String(value));

export const unknownDateError = (subject: string, { path }: IncrementalPlan): RequestError =>
  new RequestError({
    code: "extract.cursor",
    message: `${subject} a date or time at cursor_path "${path.text}" in a form that cannot be compared`,
    hint: "dates of ISO 8601 and RFC 1123 can: let processing_steps rewrite this one, name another field in cursor_path, or remove the incremental",
    retryable: false,
  });

/** Moves a value forwards in the direction of the cursor, or backwards: seconds, days or units. */
export function shiftCursor(
  value: CursorValue,
  distance: number,
  plan: IncrementalPlan,
): CursorValue {
  const shifted = shiftValue(value, plan.furthest === "min" ? -distance : distance);
  if (shifted !== undefined) return shifted;
  throw new ConfigError({
    code: "config.lag",
    message: `lag and step cannot be counted from the string at cursor_path "${plan.path.text}"`,
    hint: "they are for numbers, dates and times; remove them",
  });
}

function capAtTime(
  { value, kind, time }: ParsedCursor,
  apiTime: number,
  { isTimestamp }: IncrementalPlan,
): CursorValue {
  if (time) {
    const cap = { ms: apiTime, digitsBelowMs: "", hasTimeOfDay: true };
    return compareTimes(time, cap) > 0 ? formatTime(cap, String(value)) : value;
  }
  if (kind !== "number" || !isTimestamp) return value;
  const cap = BigInt(Math.floor(apiTime / 1000)) * 1000n ** BigInt(epochUnitOf(Number(value)));
  if (compareNumbers(value, String(cap)) <= 0) return value;
  return typeof value === "number" ? Number(cap) : String(cap);
}

/** 0 for an epoch in seconds, 1 in milli-, 2 in micro-, 3 in nanoseconds: today's differ in length. */
function epochUnitOf(value: number): number {
  if (value < 1e11) return 0;
  if (value < 1e14) return 1;
  return value < 1e17 ? 2 : 3;
}

/** A time as the API counts it: in the unit of another value of its own. */
export const toEpoch = (ms: number, like: CursorValue): number =>
  ms * 1000 ** (epochUnitOf(Number(like)) - 1);
