import type { IncrementalPlan } from "../config/plan-types.ts";
import { Decimal } from "../decimal.ts";
import { ConfigError, RequestError } from "../errors.ts";
import { compareNumbers, isNumeric, minus } from "../exact-number.ts";
import type { Cursor, JsonValue } from "../flow.ts";
import { compareTexts, compareTimes, readTime, type Time, writeTime } from "./iso-time.ts";
import { find } from "./select.ts";

/*
 * The cursor of an incremental resource. It comes from the records alone, is frozen while a run
 * reads, and moves when the run has ended: startValue → observe page by page → commit.
 *
 * A number that a double can not hold is kept as its text. A text of digits therefore counts as a
 * number everywhere, which also puts "9" before "10" where an API writes its ids as text.
 */

type Value = Exclude<Cursor, null>;

/** A value with what it takes to compare it. */
interface Mark {
  value: Value;
  kind: "number" | "time" | "text";
  time: Time | undefined;
}

/** Where a run starts: `lag` before the committed cursor, but never before `initial_value`. */
export function startValue(plan: IncrementalPlan, committed: Cursor): Cursor {
  const { initialValue = null, lag } = plan;
  if (committed === null) return initialValue;
  const start = lag === 0 ? committed : earlier(mark(committed), plan);
  return initialValue === null ? start : later(start, initialValue, plan);
}

/** The highest value of a run so far: of the pages before (`candidate`) and of this one. */
export function observe(
  candidate: Cursor,
  records: readonly JsonValue[],
  plan: IncrementalPlan,
): Cursor {
  const known = candidate ?? plan.initialValue;
  let kind = known === undefined ? undefined : mark(known).kind;
  let highest = candidate === null ? undefined : mark(candidate);
  for (const [index, record] of records.entries()) {
    const found = mark(cursorOf(record, index, plan));
    kind ??= found.kind;
    if (found.kind !== kind) throw changed(`records[${index}] of the page has`, found, kind, plan);
    if (!highest || compare(found, highest) > 0) highest = found;
  }
  return highest?.value ?? null;
}

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
  if (candidate === null) return before;
  const capped = apiTime === undefined ? candidate : cap(mark(candidate), apiTime, plan);
  return before === null ? capped : later(before, capped, plan);
}

/** It has to fit into a query and into the state item. */
const LONGEST = 1000;

function cursorOf(record: JsonValue, index: number, { path }: IncrementalPlan): Value {
  const found = find(record, path);
  const value = typeof found === "bigint" || found instanceof Decimal ? String(found) : found;
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.length <= LONGEST) return value;
  const there = typeof value === "string" ? `over ${LONGEST} characters` : missing(value);
  throw new RequestError({
    code: "extract.cursor",
    message: `records[${index}] of the page has ${there} at cursor_path "${path.text}"`,
    hint: "let cursor_path name a field that every record has",
    retryable: false,
  });
}

const missing = (value: JsonValue | undefined) =>
  value == null ? "no value" : "neither a number nor a text";

function mark(value: Value): Mark {
  const time = typeof value === "string" ? readTime(value) : undefined;
  if (time) return { value, kind: "time", time };
  const kind = typeof value === "number" || isNumeric(value) ? "number" : "text";
  return { value, kind, time };
}

/** Of one kind. What is equal goes by its text, so that the order of the records does not matter. */
function compare(a: Mark, b: Mark): number {
  return compareValues(a, b) || compareTexts(String(a.value), String(b.value));
}

function compareValues(a: Mark, b: Mark): number {
  if (a.time && b.time) return compareTimes(a.time, b.time);
  return a.kind === "number" ? compareNumbers(a.value, b.value) : 0;
}

function later(value: Value, other: Value, plan: IncrementalPlan): Value {
  const [a, b] = [mark(value), mark(other)];
  if (a.kind !== b.kind) throw changed("there is", b, a.kind, plan);
  return compare(a, b) >= 0 ? value : other;
}

function changed(where: string, { kind }: Mark, known: Mark["kind"], { path }: IncrementalPlan) {
  return new RequestError({
    code: "extract.cursor",
    message: `${where} a ${kind} at cursor_path "${path.text}", and the cursor is a ${known} so far`,
    hint: "initial_value and all records need one kind of value; tidetable reset forgets an old cursor",
    retryable: false,
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

function earlier({ value, kind, time }: Mark, { lag, path }: IncrementalPlan): Value {
  if (time) {
    const ms = Math.floor(time.ms - lag * (time.hasClock ? 1000 : DAY_MS));
    return writeTime({ ms, finer: time.finer }, String(value));
  }
  if (typeof value === "number") return value - lag;
  if (kind === "number") return minus(value, lag);
  throw new ConfigError({
    code: "config.lag",
    message: `lag can not be taken from the text at cursor_path "${path.text}"`,
    hint: "lag is for numbers, ISO dates and ISO times; remove it",
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
