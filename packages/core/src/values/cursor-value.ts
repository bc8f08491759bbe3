import { DAY_MS } from "../base/timing.ts";
import { compareNumbers } from "./number-parts.ts";
import { isPlainNumber, subtractFromPlain } from "./plain-number.ts";
import { compareStrings, compareTimes, formatTime, parseTime, type Time } from "./time.ts";

/*
 * Cursor values are compared as what they are: numbers, times or other strings. Numbers beyond a
 * double's precision are kept as strings of digits, so strings of digits count as numbers everywhere.
 * That also puts "9" before "10" where an API writes ids as strings.
 */

/** A cursor value, parsed once for many comparisons. */
export interface ParsedCursor {
  value: string | number;
  kind: "number" | "time" | "string";
  time: Time | undefined;
}

export function parseCursor(value: string | number): ParsedCursor {
  const time = typeof value === "string" ? parseTime(value) : undefined;
  if (time) return { value, kind: "time", time };
  const kind = typeof value === "number" || isPlainNumber(value) ? "number" : "string";
  return { value, kind, time };
}

/** Orders two values of one kind. */
export function compareCursors(first: ParsedCursor, second: ParsedCursor): number {
  if (first.time && second.time) return compareTimes(first.time, second.time);
  if (first.kind === "number" && second.kind === "number") {
    return compareNumbers(first.value, second.value);
  }
  return compareStrings(String(first.value), String(second.value));
}

/**
 * Adds a distance, which may be negative: seconds to a time, days to a date, units to a number. The
 * result has the format and the precision of the value. Undefined for other strings.
 */
export function shiftValue(value: string | number, distance: number): string | number | undefined {
  const { kind, time } = parseCursor(value);
  if (time) {
    const ms = Math.floor(time.ms + distance * (time.hasTimeOfDay ? 1000 : DAY_MS));
    return formatTime({ ms, digitsBelowMs: time.digitsBelowMs }, String(value));
  }
  if (typeof value === "number") return value + distance;
  return kind === "number" ? subtractFromPlain(value, -distance) : undefined;
}
