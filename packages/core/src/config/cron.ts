import { ConfigError } from "../base/errors.ts";
import { DAY_MS } from "../base/timing.ts";

/*
 * EventBridge's cron has six fields: minutes, hours, day of month, month, day of week, year. Days
 * of the week count from 1, which is Sunday.
 */

interface Field {
  name: string;
  min: number;
  max: number;
  /** Words for min, min + 1, …, in capital letters. */
  words?: string[];
  hint: string;
}

const minutesField: Field = { name: "minutes", min: 0, max: 59, hint: '"0", "0,30" or "0/15"' };

const hoursField: Field = { name: "hours", min: 0, max: 23, hint: '"6", "6,18", "8-17" or "*"' };

const dayField: Field = {
  name: "day of month",
  min: 1,
  max: 31,
  hint: '"1", "1,15", "L" (the last), "15W" or "?"',
};

const monthField: Field = {
  name: "month",
  min: 1,
  max: 12,
  words: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  hint: '"1", "JAN,JUL", "1-6" or "*"',
};

const weekdayField: Field = {
  name: "day of week",
  min: 1,
  max: 7,
  words: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
  hint: '"MON-FRI", "FRI,SAT,SUN", "MON#1" (the first), "FRIL" (the last) or "?"',
};

const yearField: Field = { name: "year", min: 1970, max: 2199, hint: '"*" or "2030-2035"' };

/**
 * The years that stand for `*`. After 28 years the days of the week fall on the same dates again,
 * and twice 28 years have even the rarest day twice. (2100, which has no February 29, is left out.)
 */
const typicalYears = Array.from({ length: 56 }, (_, n) => 2001 + n);

/** A schedule fires on each of the days, at each of the minutes of the day. */
interface Firings {
  /** Days since 1970, in order. */
  days: number[];
  minutes: number[];
  /** The number of years that the days are from. */
  yearCount: number;
}

/** @example cronFirings("0 6 ? * MON-FRI *") */
export function cronFirings(text: string): Firings {
  const fields = text.trim().split(/ +/);
  if (fields.length !== 6) {
    throw cronError(
      "it has six fields: minutes, hours, day of month, month, day of week, year",
      `for example "cron(0 6 ? * MON-FRI *)"`,
    );
  }
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if ((day === "?") === (weekday === "?")) {
    throw cronError(
      "of day of month and day of week, one has to be ? and the other not",
      `"cron(0 6 * * ? *)" is every day at 6, "cron(0 6 ? * MON-FRI *)" every weekday`,
    );
  }

  const hours = parseValues(hour, hoursField);
  const minutes = parseValues(minute, minutesField);
  const months = parseValues(month, monthField);
  const years = year === "*" ? typicalYears : parseValues(year, yearField);
  const datesIn = day === "?" ? parseWeekdays(weekday) : parseDates(day);
  const days = years.flatMap((y) =>
    months.flatMap((m) => {
      const firstDay = Date.UTC(y, m - 1) / DAY_MS;
      return datesIn(monthOf(y, m)).map((date) => firstDay + date - 1);
    }),
  );
  if (days.length === 0)
    throw cronError("no year has such a day", `"L" is the last day of any month`);
  return {
    days,
    minutes: hours.flatMap((h) => minutes.map((m) => h * 60 + m)),
    yearCount: years.length,
  };
}

// ── Days ─────────────────────────────────────────────────────────────────────────────────────────

interface Month {
  dates: number[];
  /** 1 is Sunday. */
  weekdayOf: (date: number) => number;
}

/** Picks the dates of a month on which the schedule fires, in order. */
type DatesIn = (month: Month) => number[];

function monthOf(year: number, month: number): Month {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const offset = new Date(Date.UTC(year, month - 1)).getUTCDay() - 1;
  return {
    dates: Array.from({ length }, (_, n) => n + 1),
    weekdayOf: (date) => ((offset + date) % 7) + 1,
  };
}

function parseDates(text: string): DatesIn {
  if (text === "L") return ({ dates }) => dates.slice(-1);
  if (text === "LW") return (month) => nearestWorkday(month, month.dates.length);
  if (/W$/.test(text)) {
    const date = parseValue(text.slice(0, -1), dayField);
    return (month) => nearestWorkday(month, date);
  }
  const namedDates = new Set(parseValues(text, dayField));
  return ({ dates }) => dates.filter((date) => namedDates.has(date));
}

/** The Monday to Friday that is nearest to a date in the same month. */
function nearestWorkday({ dates, weekdayOf }: Month, date: number): number[] {
  if (date > dates.length) return [];
  const weekday = weekdayOf(date);
  if (weekday === 7) return [date === 1 ? 3 : date - 1];
  if (weekday === 1) return [date === dates.length ? date - 2 : date + 1];
  return [date];
}

function parseWeekdays(text: string): DatesIn {
  // An L alone is the last day of the week: Saturday.
  if (text === "L") return parseWeekdays("7");
  const [, last] = /^(\w+)L$/.exec(text) ?? [];
  if (last) {
    const weekday = parseValue(last, weekdayField);
    return (month) => datesOn(month, [weekday]).slice(-1);
  }
  const [, day, nth] = /^(\w+)#([1-5])$/.exec(text) ?? [];
  if (day) {
    const weekday = parseValue(day, weekdayField);
    return (month) => datesOn(month, [weekday]).slice(Number(nth) - 1, Number(nth));
  }
  if (text.includes("/")) throw fieldError(weekdayField);
  const weekdays = parseValues(text, weekdayField);
  return (month) => datesOn(month, weekdays);
}

const datesOn = ({ dates, weekdayOf }: Month, weekdays: number[]) =>
  dates.filter((date) => weekdays.includes(weekdayOf(date)));

// ── Fields ───────────────────────────────────────────────────────────────────────────────────────

/** The values that a list of values, ranges and steps stands for, in order. */
function parseValues(text: string, field: Field): number[] {
  const values = text.split(",").flatMap((part) => {
    const [, from, to, by] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || (from === "*" && to !== undefined)) throw fieldError(field);
    const step = Number(by ?? 1);
    const low = from === "*" ? field.min : parseValue(from, field);
    const isSingle = from !== "*" && to === undefined && by === undefined;
    const high = isSingle ? low : to === undefined ? field.max : parseValue(to, field);
    if (low > high || step < 1 || step > field.max) throw fieldError(field);
    return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, n) => low + n * step);
  });
  return [...new Set(values)].sort((a, b) => a - b);
}

function parseValue(text: string, field: Field): number {
  const { min, max, words = [] } = field;
  const wordIndex = words.indexOf(text.toUpperCase());
  const value =
    wordIndex >= 0 ? wordIndex + min : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw fieldError(field);
  return value;
}

function fieldError({ name, min, max, words, hint }: Field): ConfigError {
  const wordRange = words ? ` or ${words[0]} to ${words.at(-1)}` : "";
  return cronError(`its ${name} can be ${min} to ${max}${wordRange}`, `for example ${hint}`);
}

function cronError(message: string, hint: string): ConfigError {
  return new ConfigError({
    code: "config.schedule",
    message: `not a cron expression that EventBridge takes: ${message}`,
    hint,
  });
}
