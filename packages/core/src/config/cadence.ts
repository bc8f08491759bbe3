import { ConfigError } from "../base/errors.ts";
import { firings } from "./cron.ts";
import { nearest } from "./suggest.ts";

const minutesIn = { minute: 1, hour: 60, day: 24 * 60 } as const;

const units = Object.keys(minutesIn) as (keyof typeof minutesIn)[];

/**
 * The longest time between two firings of an EventBridge schedule, in milliseconds; Infinity for
 * one that fires once. Throws a ConfigError for what EventBridge Scheduler would not take.
 *
 * Every day counts as 24 hours. Where the clocks change, one time a year is an hour off or left out
 * and another comes twice, so nothing that hangs on this may be exact to the hour.
 *
 * @example longestGap("cron(0 6 ? * MON-FRI *)") // from Friday to Monday: 72 hours
 */
export function longestGap(expression: string): number {
  const { kind, inside } = parts(expression);
  return (kind === "rate" ? rateMinutes(inside) : cronMinutes(inside)) * 60_000;
}

const daysInYear = 365.25;

/** Hours of a month, as AWS counts them. */
export const monthHours = 730;

/** How often it fires in a month, in the mean of the years that it names. */
export function firingsPerMonth(expression: string): number {
  const { kind, inside } = parts(expression);
  if (kind === "rate") return (monthHours * 60) / rateMinutes(inside);
  const { days, minutes, years } = firings(inside);
  return ((days.length * minutes.length) / (years * daysInYear * 24)) * monthHours;
}

function parts(expression: string): { kind: "rate" | "cron"; inside: string } {
  const [, kind, inside = ""] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === "rate" || kind === "cron") return { kind, inside };
  throw new ConfigError({
    code: "config.schedule",
    message: "not a schedule: a source runs at a rate, or by cron",
    hint: `for example "rate(1 hour)", "rate(7 days)" or "cron(0 6 ? * MON-FRI *)"`,
  });
}

function rateMinutes(inside: string): number {
  const [, digits = "", word = ""] = /^([1-9]\d*) +(\w+)$/.exec(inside) ?? [];
  const count = Number(digits);
  const unit = units.find((one) => word === (count === 1 ? one : `${one}s`));
  if (unit) return count * minutesIn[unit];
  const meant = nearest(word.replace(/s$/, ""), units);
  throw new ConfigError({
    code: "config.schedule",
    message:
      "not a rate: that is a number above 0 with minutes, hours or days, and 1 with minute, hour or day",
    hint: meant
      ? `write "rate(${digits} ${count === 1 ? meant : `${meant}s`})"`
      : `for example "rate(1 hour)" or "rate(7 days)"`,
  });
}

function cronMinutes(inside: string): number {
  const { days, minutes } = firings(inside);
  const inDay = longestStep(minutes);
  if (days.length === 1) return minutes.length === 1 ? Number.POSITIVE_INFINITY : inDay;
  const span = (minutes.at(-1) ?? 0) - (minutes[0] ?? 0);
  return Math.max(inDay, longestStep(days) * minutesIn.day - span);
}

const longestStep = (sorted: number[]) =>
  sorted.reduce((longest, value, n) => Math.max(longest, value - (sorted[n - 1] ?? value)), 0);
