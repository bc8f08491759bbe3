import { DAY_MS } from "../base/timing.ts";
import type { CursorValue } from "./endpoint-types.ts";

/*
 * A start that moves with the day on which it is first needed: "now - 30 days", "today - 1 month as
 * iso_date". A read that starts from nothing resolves it, and its state remembers the result.
 */

const unitSeconds = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const;

type Unit = keyof typeof unitSeconds | "month" | "year";

export interface RelativeTime {
  /** As it was written. */
  text: string;
  /** "today" is the beginning of the day in UTC. */
  base: "now" | "today";
  shifts: { amount: number; unit: Unit }[];
  form: keyof typeof forms;
}

/** How the time is written. The names are those of `convert`. */
const forms = {
  iso_datetime: (time: Date): CursorValue => time.toISOString().replace(/\.\d+Z$/, "Z"),
  iso_date: (time: Date): CursorValue => time.toISOString().slice(0, 10),
  epoch_s: (time: Date): CursorValue => Math.floor(time.getTime() / 1000),
  epoch_ms: (time: Date): CursorValue => time.getTime(),
};

const wholePattern =
  /^(now|today)((?:\s*[-+]\s*\d+\s*(?:second|minute|hour|day|week|month|year)s?)*)(?:\s+as\s+(iso_datetime|iso_date|epoch_s|epoch_ms))?$/;
const shiftPattern = /([-+])\s*(\d+)\s*(second|minute|hour|day|week|month|year)/g;

/** Whether a text was meant as a relative time. No API writes its cursors like this. */
export const looksRelative = (value: unknown): value is string =>
  typeof value === "string" && /^(now|today)\b/i.test(value);

/** Undefined for a value that is no relative time, or a wrong one. */
export function parseRelativeTime(value: unknown): RelativeTime | undefined {
  const [text, base, shifts = "", form = "iso_datetime"] =
    typeof value === "string" ? (wholePattern.exec(value.trim()) ?? []) : [];
  if (text === undefined || base === undefined) return undefined;
  return {
    text,
    base: base as RelativeTime["base"],
    shifts: [...shifts.matchAll(shiftPattern)].map(([, sign, amount, unit]) => ({
      amount: Number(`${sign}${amount}`),
      unit: unit as Unit,
    })),
    form: form as RelativeTime["form"],
  };
}

export function resolveRelativeTime(
  { base, shifts, form }: RelativeTime,
  now: number,
): CursorValue {
  const start = base === "today" ? now - (now % DAY_MS) : now;
  return forms[form](new Date(shifts.reduce(shiftTime, start)));
}

function shiftTime(time: number, { amount, unit }: RelativeTime["shifts"][number]): number {
  if (unit !== "month" && unit !== "year") return time + amount * unitSeconds[unit] * 1000;
  const date = new Date(time);
  const day = date.getUTCDate();
  // The 31st of a shorter month is its last day.
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + amount * (unit === "year" ? 12 : 1));
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
