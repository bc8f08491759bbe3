import { ConfigError } from "../base/errors.ts";
import { MINUTE_MS } from "../base/timing.ts";
import { cronFirings } from "./cron.ts";
import { nearestWord } from "./suggest.ts";

const minutesByUnit = { minute: 1, hour: 60, day: 24 * 60 } as const;

const units = Object.keys(minutesByUnit) as (keyof typeof minutesByUnit)[];

/**
 * The longest time between two firings of an EventBridge schedule, in milliseconds; Infinity for a
 * schedule that fires once. Throws a ConfigError for an expression that EventBridge Scheduler
 * refuses.
 *
 * Every day counts as 24 hours. When the clocks change, a firing can come an hour early or late, be
 * left out or come twice, so no decision may rely on the result to the hour.
 *
 * @example longestGap("cron(0 6 ? * MON-FRI *)") // from Friday to Monday: 72 hours
 */
export function longestGap(expression: string): number {
  const { kind, fields } = parseSchedule(expression);
  return (kind === "rate" ? rateMinutes(fields) : longestCronGap(fields)) * MINUTE_MS;
}

const daysPerYear = 365.25;

/** AWS counts a month as 730 hours in its prices. */
export const hoursPerMonth = 730;

/** The mean over the years that the expression names. */
export function firingsPerMonth(expression: string): number {
  const { kind, fields } = parseSchedule(expression);
  if (kind === "rate") return (hoursPerMonth * 60) / rateMinutes(fields);
  const { days, minutes, yearCount } = cronFirings(fields);
  return ((days.length * minutes.length) / (yearCount * daysPerYear * 24)) * hoursPerMonth;
}

function parseSchedule(expression: string): { kind: "rate" | "cron"; fields: string } {
  const [, kind, fields = ""] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === "rate" || kind === "cron") return { kind, fields };
  throw new ConfigError({
    code: "config.schedule",
    message: "not a schedule: a source runs at a rate, or by cron",
    hint: `for example "rate(1 hour)", "rate(7 days)" or "cron(0 6 ? * MON-FRI *)"`,
  });
}

function rateMinutes(fields: string): number {
  const [, digits = "", word = ""] = /^([1-9]\d*) +(\w+)$/.exec(fields) ?? [];
  const count = Number(digits);
  const inNumber = (unit: string) => (count === 1 ? unit : `${unit}s`);
  const unit = units.find((candidate) => word === inNumber(candidate));
  if (unit) return count * minutesByUnit[unit];
  const meantUnit = nearestWord(word.replace(/s$/, ""), units);
  throw new ConfigError({
    code: "config.schedule",
    message:
      "not a rate: that is a number above 0 with minutes, hours or days, and 1 with minute, hour or day",
    hint: meantUnit
      ? `write "rate(${digits} ${inNumber(meantUnit)})"`
      : `for example "rate(1 hour)" or "rate(7 days)"`,
  });
}

function longestCronGap(fields: string): number {
  const { days, minutes } = cronFirings(fields);
  const gapWithinDay = longestStep(minutes);
  if (days.length === 1) return minutes.length === 1 ? Number.POSITIVE_INFINITY : gapWithinDay;
  const firstToLastMinute = (minutes.at(-1) ?? 0) - (minutes[0] ?? 0);
  return Math.max(gapWithinDay, longestStep(days) * minutesByUnit.day - firstToLastMinute);
}

const longestStep = (sorted: number[]) =>
  sorted.reduce((longest, value, n) => Math.max(longest, value - (sorted[n - 1] ?? value)), 0);
