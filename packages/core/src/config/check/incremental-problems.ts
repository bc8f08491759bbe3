import type { Problem } from "../../base/errors.ts";
import {
  compareCursors,
  type ParsedCursor,
  parseCursor,
  shiftValue,
} from "../../values/cursor-value.ts";
import { looksLikeDate } from "../../values/date-like.ts";
import { converters } from "../converters.ts";
import { findIncrementals, type LocatedIncremental } from "../incremental.ts";
import { looksRelative, parseRelativeTime } from "../relative-time.ts";
import type { SettledResource } from "../settle.ts";
import { walkConfig } from "../walk.ts";
import type { Locate } from "./locate.ts";

/** Problems between an endpoint's incrementals and the references to their values. */
export function incrementalProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const [first, second] = findIncrementals(endpoint);
  if (second) {
    return [
      {
        path: locate("endpoint", ...second.keys),
        message: "this endpoint has an incremental already, and a run has one cursor",
        hint: `keep one; "{incremental.start_value}" puts its start value into more places`,
      },
    ];
  }
  if (first) return cursorProblems(first, locate);
  const { path, params, headers, json, data } = endpoint;
  return [...walkConfig({ path, params, headers, json, data })]
    .filter(({ value }) => typeof value === "string" && value.includes("{incremental."))
    .map(({ keys }) => ({
      path: locate("endpoint", ...keys),
      message: "{incremental.…} needs an incremental, and the endpoint has none",
      hint: `add "incremental": { "cursor_path": "updated_at" } to the endpoint`,
    }));
}

/** Problems between the values of an incremental. Their types may be wrong as well. */
function cursorProblems({ keys, config }: LocatedIncremental, locate: Locate): Problem[] {
  const problemAt = (key: CursorKey, message: string, hint: string | undefined): Problem => ({
    path: locate("endpoint", ...keys, key),
    message,
    hint,
  });
  const { initial_value, end_value, step, last_value_func } = config;
  if (looksRelative(end_value)) {
    const hint = "leave it out: a cursor never goes beyond the API's own clock";
    return [problemAt("end_value", "an end cannot be counted from now", hint)];
  }
  if (looksRelative(initial_value)) {
    if (!parseRelativeTime(initial_value)) {
      const hint = `write it like "now - 30 days", "today - 1 month" or "today - 7 days as iso_date"`;
      return [problemAt("initial_value", "this time cannot be counted from now", hint)];
    }
    if (config.per_parent === true) {
      const hint = "write a fixed one: parents are read at different times";
      return [problemAt("initial_value", "per_parent has a fixed start", hint)];
    }
    if (end_value == null) return [];
    const hint = "write both as the API writes the cursor";
    return [problemAt("initial_value", "a backfill has a fixed start", hint)];
  }
  const initial = parseValue(initial_value);
  const end = parseValue(end_value);
  if (typeof last_value_func !== "function") {
    if (isUnknownDate(initial)) return [problemAt("initial_value", unknownDate, dateForms)];
    if (isUnknownDate(end)) return [problemAt("end_value", unknownDate, dateForms)];
  }
  if (end_value == null) {
    if (step == null) return [];
    const message = "step is for a backfill, and without an end_value this is none";
    return [problemAt("step", message, "add an end_value, or remove it")];
  }
  if (initial_value == null) {
    const hint = "a backfill reads from one to the other";
    return [problemAt("end_value", "an end_value needs an initial_value", hint)];
  }
  if (!initial || !end) return [];
  if (initial.kind !== end.kind || typeof initial_value !== typeof end_value) {
    const message = "end_value is of another type than initial_value";
    return [problemAt("end_value", message, orderHint)];
  }
  // A function alone knows its order. At run time a window that does not move on is an error.
  if (typeof last_value_func === "function") return [];
  const direction = last_value_func === "min" ? -1 : 1;
  if (direction * compareCursors(initial, end) > 0) {
    return [problemAt("end_value", "the end lies before the start", orderHint)];
  }
  if (typeof step !== "number" || step <= 0) return [];
  const problem = stepProblem({ initial, end, step: direction * step, convert: config.convert });
  return problem ? [problemAt("step", problem.message, problem.hint)] : [];
}

type CursorKey = "initial_value" | "end_value" | "step";

const parseValue = (value: unknown): ParsedCursor | undefined =>
  typeof value === "string" || typeof value === "number" ? parseCursor(value) : undefined;

const isUnknownDate = (cursor: ParsedCursor | undefined): boolean =>
  cursor?.kind === "string" && looksLikeDate(String(cursor.value));

const unknownDate = "this is a date or time in a form that cannot be compared";

const dateForms = `write it like "2026-01-31T12:00:00Z" or "Sat, 31 Jan 2026 12:00:00 GMT", as the records have it`;

const orderHint = "write both as the API writes the cursor, the start first";

/**
 * The windows of a backfill have borders with the precision of initial_value. A step below that
 * precision would ask for the same window for ever.
 */
function stepProblem({
  initial,
  end,
  step,
  convert,
}: {
  initial: ParsedCursor;
  end: ParsedCursor;
  step: number;
  convert: unknown;
}): Pick<Problem, "message" | "hint"> | undefined {
  if (initial.kind === "string") {
    return {
      message: "step cannot be counted from strings that are no numbers, dates or times",
      hint: "remove it",
    };
  }
  // Among numbers the largest has the least precision, and it may be at either end.
  const borders = initial.kind === "number" ? [initial, end] : [initial];
  if (borders.some((border) => !movesOn(border, step))) {
    return { message: "windows of this step would never move on", hint: precisionHint(initial) };
  }
  if (hasSameConverted(initial.value, shiftValue(initial.value, step), convert)) {
    return {
      message: "convert makes the same value of both ends of a window",
      hint: "set a larger step, so that the API is asked for two different values",
    };
  }
  return undefined;
}

/** Whether a border and the next one differ in the direction of the step. */
function movesOn(border: ParsedCursor, step: number): boolean {
  const next = shiftValue(border.value, step);
  return next !== undefined && compareCursors(parseCursor(next), border) * step > 0;
}

function precisionHint({ kind, time }: ParsedCursor): string {
  if (kind === "number") return "set a larger step: numbers of this size have no such digits";
  return time?.hasTimeOfDay
    ? "set a larger step, or write initial_value with seconds or with a fraction"
    : `dates move by whole days: set a step of at least 1, or write initial_value as a time, like "2026-01-31T00:00:00Z"`;
}

function hasSameConverted(
  start: string | number,
  end: string | number | undefined,
  convert: unknown,
): boolean {
  const isNamed = typeof convert === "string" && Object.hasOwn(converters, convert);
  if (!isNamed || end === undefined) return false;
  const converter = converters[convert as keyof typeof converters];
  try {
    return converter(start) === converter(end);
  } catch {
    // A value that cannot be converted is an error of the run, which names the value's place.
    return false;
  }
}
