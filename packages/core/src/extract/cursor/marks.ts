import { ConfigError, RequestError } from "../../base/errors.ts";
import type { IncrementalPlan } from "../../config/plan-types.ts";
import type { Cursor } from "../../flow.ts";
import { compareNumbers, isNumeric, minus } from "../../values/compare-numbers.ts";
import { compareTexts, compareTimes, readTime, type Time, writeTime } from "../../values/time.ts";

/*
 * Values of a cursor against each other. A number that a double can not hold is kept as its text. A
 * text of digits therefore counts as a number everywhere, which also puts "9" before "10" where an
 * API writes its ids as text.
 */

export type Value = Exclude<Cursor, null>;

/** A value with what it takes to compare it. */
export interface Mark {
  value: Value;
  kind: "number" | "time" | "text";
  time: Time | undefined;
}

/** The furthest that a cursor may go when its records have reached `candidate`. */
export function frontier(
  candidate: Value,
  apiTime: number | undefined,
  plan: IncrementalPlan,
): Value {
  if (apiTime === undefined || plan.furthest === "min") return candidate;
  return /* planted: cursor-cap */ cap(mark(candidate), apiTime, plan);
}

/** Whether a value lies before another on the way that the cursor goes. */
export const isFurtherBack = (value: Value, other: Value, plan: IncrementalPlan): boolean =>
  isBehind(mark(value), mark(other), plan);

export function mark(value: Value): Mark {
  const time = typeof value === "string" ? readTime(value) : undefined;
  if (time) return { value, kind: "time", time };
  const kind = typeof value === "number" || isNumeric(value) ? "number" : "text";
  return { value, kind, time };
}

/** Whether `a` lies before `b` on the way that the cursor goes. */
export function isBehind(a: Mark, b: Mark, { furthest }: IncrementalPlan): boolean {
  if (isEqual(a, b)) return false;
  if (furthest === "max") return compareValues(a, b) < 0;
  if (furthest === "min") return compareValues(a, b) > 0;
  return furthest([a.value, b.value]) === b.value;
}

export const isEqual = (a: Mark, b: Mark): boolean => compareValues(a, b) === 0;

/** Of values that are equal the greatest text counts, so that the order of the records does not. */
export const isLaterText = (a: Mark, b: Mark, { furthest }: IncrementalPlan): boolean =>
  furthest !== "min" && isEqual(a, b) && compareTexts(String(a.value), String(b.value)) > 0;

function compareValues(a: Mark, b: Mark): number {
  if (a.time && b.time) return compareTimes(a.time, b.time);
  if (a.kind === "number" && b.kind === "number") return compareNumbers(a.value, b.value);
  return compareTexts(String(a.value), String(b.value));
}

export const direction = ({ furthest }: IncrementalPlan) => (furthest === "min" ? -1 : 1);

export function further(value: Value, other: Value, plan: IncrementalPlan): Value {
  const [a, b] = [mark(value), mark(other)];
  if (a.kind !== b.kind) throw changed("there is", b, a.kind, plan);
  return isBehind(a, b, plan) || isLaterText(b, a, plan) ? other : value;
}

export function changed(
  where: string,
  { kind }: Mark,
  known: Mark["kind"],
  { path }: IncrementalPlan,
) {
  return new RequestError({
    code: "extract.cursor",
    message: `${where} a ${kind} at cursor_path "${path.text}", and the cursor is a ${known} so far`,
    hint: "initial_value and all records need one kind of value; tidetable reset forgets an old cursor",
    retryable: false,
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function shifted({ value, kind, time }: Mark, by: number, { path }: IncrementalPlan): Value {
  if (time) {
    const ms = Math.floor(time.ms + by * (time.hasClock ? 1000 : DAY_MS));
    return writeTime({ ms, finer: time.finer }, String(value));
  }
  if (typeof value === "number") return value + by;
  if (kind === "number") return minus(value, -by);
  throw new ConfigError({
    code: "config.lag",
    message: `lag and step can not be counted from the text at cursor_path "${path.text}"`,
    hint: "they are for numbers, ISO dates and ISO times; remove them",
  });
}

function cap(
  { value, kind, time }: Mark,
  apiTime: number,
  { isTimestamp }: IncrementalPlan,
): Value {
  if (time) {
    const clock = { ms: apiTime, finer: "", hasClock: true };
    return compareTimes(time, clock) > 0 ? writeTime(clock, String(value)) : value;
  }
  if (kind !== "number" || !isTimestamp) return value;
  const clock = BigInt(Math.floor(apiTime / 1000)) * 1000n ** BigInt(epochUnit(Number(value)));
  if (compareNumbers(value, String(clock)) <= 0) return value;
  return typeof value === "number" ? Number(clock) : String(clock);
}

/** 0 for an epoch in seconds, 1 in milli-, 2 in micro-, 3 in nanoseconds: today's differ in length. */
function epochUnit(value: number): number {
  if (value < 1e11) return 0;
  if (value < 1e14) return 1;
  return value < 1e17 ? 2 : 3;
}
