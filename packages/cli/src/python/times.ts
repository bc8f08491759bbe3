import type { CallArgument } from "./arguments.ts";
import { type Node, positionText } from "./tree.ts";
import { unreadable } from "./unknown.ts";
import {
  type Context,
  evaluate,
  type RelativeStart,
  stringIn,
  type TimeShift,
  type TimeValue,
  type Value,
} from "./values.ts";

/*
 * Dates and times of Python's datetime and of pendulum. One that is counted from now stays so: it
 * becomes a start such as "now - 30 days". A fixed one is computed.
 */

const now = (base: "now" | "today", style: TimeValue["style"] = "time"): TimeValue => ({
  kind: "time",
  base,
  shifts: [],
  style,
  zone: "utc",
});

/** A function that makes a time or a duration. Undefined for any other. */
export function timeResult(
  context: Context,
  name: string,
  args: readonly CallArgument[],
): Value | undefined {
  const method = /[^.]*$/.exec(name)?.[0] ?? "";
  if (/^(\w+\.)*pendulum\.(now|today|yesterday|tomorrow)$/.test(name)) {
    const days = { yesterday: -1, tomorrow: 1 }[method];
    const base = now(method === "now" ? "now" : "today");
    return days === undefined ? base : { ...base, shifts: [{ amount: days, unit: "day" }] };
  }
  if (/^(datetime\.)?(datetime\.)(now|utcnow|today)$/.test(name)) return now("now");
  if (/^(datetime\.)?date\.today$/.test(name)) return now("today", "date");
  if (
    /^((datetime\.)?timedelta|(\w+\.)*pendulum\.duration|(dateutil\.)?(relativedelta\.)*relativedelta)$/.test(
      name,
    )
  ) {
    const shifts = shiftsOf(context, args, name.endsWith("timedelta") ? durationOrder : []);
    return shifts && { kind: "duration", shifts };
  }
  const style = { datetime: "time", date: "date" }[method] as TimeValue["style"] | undefined;
  if (style && /^(datetime\.)?(datetime|date)$|^(\w+\.)*pendulum\.(datetime|date)$/.test(name)) {
    return fixedTime(context, args, style, name.includes("pendulum"));
  }
  return undefined;
}

/** The order of timedelta's own parameters. */
const durationOrder = ["days", "seconds"];

function shiftsOf(
  context: Context,
  args: readonly CallArgument[],
  order: readonly string[] = [],
): TimeShift[] | undefined {
  const shifts = args.map(({ keyword, value }, i): TimeShift | undefined => {
    const [, unit] =
      /^(second|minute|hour|day|week|month|year)s$/.exec(keyword ?? order[i] ?? "") ?? [];
    const amount = evaluate(context, value);
    const isWhole = amount.kind === "scalar" && Number.isSafeInteger(amount.value);
    return unit && isWhole
      ? { amount: Number(amount.value), unit: unit as TimeShift["unit"] }
      : undefined;
  });
  const known = shifts.filter((shift) => shift !== undefined);
  return known.length === shifts.length ? known : undefined;
}

function fixedTime(
  context: Context,
  args: readonly CallArgument[],
  style: TimeValue["style"],
  isPendulum: boolean,
): TimeValue | undefined {
  const numbers = args
    .filter(({ keyword }) => keyword === undefined)
    .map(({ value }) => evaluate(context, value));
  const zones = args.filter(({ keyword }) => keyword !== undefined);
  const isKnown = numbers.every(
    (number) => number.kind === "scalar" && Number.isSafeInteger(number.value),
  );
  const zone = zones.length === 0 ? (isPendulum ? "utc" : "none") : zoneOf(context, zones);
  if (!isKnown || numbers.length < 3 || numbers.length > 6 || zone === undefined) return undefined;
  const [year = 0, month = 1, ...rest] = numbers.map((number) =>
    number.kind === "scalar" ? Number(number.value) : 0,
  );
  return { kind: "time", base: Date.UTC(year, month - 1, ...rest), shifts: [], style, zone };
}

function zoneOf(context: Context, zones: readonly CallArgument[]): "utc" | undefined {
  const [zone] = zones;
  if (!zone || zones.length > 1 || !/^tz(info)?$/.test(zone.keyword ?? "")) return undefined;
  const value = evaluate(context, zone.value);
  const name = value.kind === "named" ? value.name : (stringIn(value) ?? "");
  return /(^|\.)(utc|UTC)$/.test(name) ? "utc" : undefined;
}

/** A method of a time. Undefined for anything else. */
export function timeMethod(
  context: Context,
  node: Node,
  object: Value,
  method: string,
  args: readonly CallArgument[],
): Value | undefined {
  if (object.kind !== "time") return undefined;
  const time = changedTime(context, object, method, args);
  if (time) return time;
  const form = formOf(context, object, method, args);
  if (!form) return unreadable(context.file, node);
  return typeof form === "object"
    ? relativeStart(context, node, form)
    : { kind: "scalar", value: form };
}

function changedTime(
  context: Context,
  time: TimeValue,
  method: string,
  args: readonly CallArgument[],
): TimeValue | undefined {
  switch (method) {
    case "add":
    case "subtract": {
      const shifts = shiftsOf(context, args);
      return shifts && shifted(time, shifts, method === "add" ? 1 : -1);
    }
    case "start_of":
      return stringIn(args[0] && evaluate(context, args[0].value)) === "day"
        ? startOfDay(time)
        : undefined;
    case "replace": {
      const isMidnight =
        args.some(({ keyword }) => keyword === "hour") &&
        args.every(({ keyword, value }) => {
          const amount = evaluate(context, value);
          const isZero = amount.kind === "scalar" && amount.value === 0;
          return isZero && /^(hour|minute|second|microsecond)$/.test(keyword ?? "");
        });
      return isMidnight ? startOfDay(time) : undefined;
    }
    case "date": {
      const day = startOfDay(time);
      return day && { ...day, style: "date" };
    }
    case "in_timezone":
    case "astimezone": {
      const zone = args[0] && zoneOf(context, [{ ...args[0], keyword: "tz" }]);
      return zone && { ...time, zone };
    }
    default:
      return undefined;
  }
}

const shifted = (time: TimeValue, shifts: readonly TimeShift[], sign: number): TimeValue => ({
  ...time,
  shifts: [...time.shifts, ...shifts.map(({ amount, unit }) => ({ amount: sign * amount, unit }))],
});

/** The day on which a time lies. Only whole days may have been counted before. */
function startOfDay(time: TimeValue): TimeValue | undefined {
  if (time.shifts.some(({ unit }) => /^(second|minute|hour)$/.test(unit))) return undefined;
  if (typeof time.base === "number") return { ...time, base: time.base - (time.base % DAY_MS) };
  return { ...time, base: "today" };
}

const DAY_MS = 86_400_000;

type Form = RelativeStart["form"];
type WrittenTime = { time: TimeValue; form: Form };

const relative = (time: TimeValue | undefined, form: Form): WrittenTime | undefined =>
  time && { time, form };

/** How a method writes a time: a text for a fixed one, the form for one that is counted from now. */
function formOf(
  context: Context,
  time: TimeValue,
  method: string,
  args: readonly CallArgument[],
): WrittenTime | string | number | undefined {
  const isFixed = typeof time.base === "number";
  const plainForm: Form = time.style === "date" ? "iso_date" : "iso_datetime";
  switch (method) {
    case "isoformat":
    case "to_iso8601_string":
    case "to_rfc3339_string":
      if (!isFixed) return relative(time, plainForm);
      return fixedText(time, method === "to_iso8601_string" ? "Z" : "+00:00");
    case "to_date_string":
      return isFixed ? fixedText(time, "")?.slice(0, 10) : relative(startOfDay(time), "iso_date");
    case "timestamp":
      if (!isFixed) return relative(time, "epoch_s");
      return time.zone === "utc" ? (fixedMs(time) ?? Number.NaN) / 1000 : undefined;
    case "strftime":
    case "format": {
      const pattern = stringIn(args[0] && evaluate(context, args[0].value));
      return pattern === undefined ? undefined : patternForm(time, pattern);
    }
    default:
      return undefined;
  }
}

/** `strftime` and pendulum's `format`, as far as APIs have such times. */
function patternForm(time: TimeValue, pattern: string): WrittenTime | string | undefined {
  const plain = pattern
    .replace(/YYYY/g, "%Y")
    .replace(/MM/g, "%m")
    .replace(/DD/g, "%d")
    .replace(/HH/g, "%H")
    .replace(/mm/g, "%M")
    .replace(/ss/g, "%S")
    .replace(/\[([TZ])\]/g, "$1");
  if (typeof time.base === "number") {
    const text = fixedText({ ...time, style: "time" }, "");
    const [year = "", month = "", day = "", hour = "", minute = "", second = ""] =
      text?.split(/\D/) ?? [];
    const written = plain.replace(/%([YmdHMS])/g, (_, letter: string) => {
      return { Y: year, m: month, d: day, H: hour, M: minute, S: second }[letter] ?? "";
    });
    return text === undefined || written.includes("%") ? undefined : written;
  }
  if (plain === "%Y-%m-%d") return relative(time, "iso_date");
  if (/^%Y-%m-%dT%H:%M:%S(\.000)?(Z|\+00:00|%z)?$/.test(plain))
    return relative(time, "iso_datetime");
  if (/^%Y-%m-%dT00:00:00(\.000)?(Z|\+00:00)?$/.test(plain)) {
    return relative(startOfDay(time), "iso_datetime");
  }
  return plain === "%s" ? relative(time, "epoch_s") : undefined;
}

function fixedMs({ base, shifts }: TimeValue): number | undefined {
  const date = new Date(base);
  for (const { amount, unit } of shifts) {
    const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }[
      unit as "day"
    ];
    if (seconds === undefined) return undefined;
    date.setTime(date.getTime() + amount * seconds * 1000);
  }
  return Number.isNaN(date.getTime()) ? undefined : date.getTime();
}

function fixedText(time: TimeValue, utcSuffix: string): string | undefined {
  const ms = fixedMs(time);
  if (ms === undefined) return undefined;
  const text = new Date(ms).toISOString();
  if (time.style === "date") return text.slice(0, 10);
  return `${text.slice(0, 19)}${time.zone === "utc" ? utcSuffix : ""}`;
}

/** `time + duration` and `time - duration`. */
export function timeArithmetic(
  { file }: Context,
  node: Node,
  left: Value,
  operator: "+" | "-",
  right: Value,
): Value {
  if (left.kind === "time" && right.kind === "duration") {
    return shifted(left, right.shifts, operator === "+" ? 1 : -1);
  }
  return unreadable(file, node);
}

function relativeStart(context: Context, node: Node, { time, form }: WrittenTime): Value {
  const { file, session } = context;
  const shifts = time.shifts.filter(({ amount }) => amount !== 0);
  const text = [
    time.base,
    ...shifts.map(({ amount, unit }) => {
      const size = Math.abs(amount);
      return `${amount < 0 ? "-" : "+"} ${size} ${unit}${size === 1 ? "" : "s"}`;
    }),
  ].join(" ");
  const start: RelativeStart = { kind: "relative", text, form };
  session.note({
    path: positionText(file.arg, file.text, node.from),
    message: `this start is counted from the first read, in UTC: "${relativeText(start)}"`,
  });
  return start;
}

/** The text of an `initial_value`. */
export const relativeText = ({ text, form }: RelativeStart): string =>
  form === "iso_datetime" ? text : `${text} as ${form}`;

/** `x.timestamp() * 1000`, also inside of `int(…)`. */
export const inMilliseconds = (value: Value, factor: Value): Value | undefined =>
  value.kind === "relative" && factor.kind === "scalar" && factor.value === 1000
    ? { ...value, form: "epoch_ms" }
    : undefined;
