import { ConfigError } from "../base/errors.ts";

/*
 * EventBridge's cron: minutes, hours, day of month, month, day of week, year. Days of the week count
 * from 1, which is Sunday.
 */

interface Field {
  name: string;
  min: number;
  max: number;
  /** Other words for min, min + 1, …, in capital letters. */
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
 * Years that stand for all: twice the 28 after which the days of the week fall on the same dates,
 * so that the rarest day is there twice. (That 2100 has no February 29 is left out.)
 */
const typicalYears = Array.from({ length: 56 }, (_, n) => 2001 + n);

/** When it fires: on all of these days (counted from 1970), at all of these minutes of the day. */
interface Firings {
  days: number[];
  minutes: number[];
  /** In how many years these days are. */
  years: number;
}

/** @example firings("0 6 ? * MON-FRI *") */
export function firings(text: string): Firings {
  const fields = text.trim().split(/ +/);
  if (fields.length !== 6) {
    throw notCron(
      "it has six fields: minutes, hours, day of month, month, day of week, year",
      `for example "cron(0 6 ? * MON-FRI *)"`,
    );
  }
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if ((day === "?") === (weekday === "?")) {
    throw notCron(
      "of day of month and day of week, one has to be ? and the other not",
      `"cron(0 6 * * ? *)" is every day at 6, "cron(0 6 ? * MON-FRI *)" every weekday`,
    );
  }

  const hours = values(hour, hoursField);
  const minutes = values(minute, minutesField);
  const months = values(month, monthField);
  const years = year === "*" ? typicalYears : values(year, yearField);
  const daysOf = day === "?" ? byWeekday(weekday) : byDate(day);
  const days = years.flatMap((y) =>
    months.flatMap((m) => {
      const first = Date.UTC(y, m - 1) / msPerDay;
      return daysOf(monthOf(y, m)).map((date) => first + date - 1);
    }),
  );
  if (days.length === 0)
    throw notCron("no year has such a day", `"L" is the last day of any month`);
  return {
    days,
    minutes: hours.flatMap((h) => minutes.map((m) => h * 60 + m)),
    years: years.length,
  };
}

const msPerDay = 24 * 60 * 60 * 1000;

// ── Days ─────────────────────────────────────────────────────────────────────────────────────────

interface Month {
  dates: number[];
  /** 1 is Sunday. */
  weekdayOf: (date: number) => number;
}

/** The dates of a month on which it fires, in order. */
type DaysOf = (month: Month) => number[];

function monthOf(year: number, month: number): Month {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const before = new Date(Date.UTC(year, month - 1)).getUTCDay() - 1;
  return {
    dates: Array.from({ length }, (_, n) => n + 1),
    weekdayOf: (date) => ((before + date) % 7) + 1,
  };
}

function byDate(text: string): DaysOf {
  if (text === "L") return ({ dates }) => dates.slice(-1);
  if (text === "LW") return (month) => nearestWeekday(month, month.dates.length);
  if (/W$/.test(text)) {
    const date = valueIn(text.slice(0, -1), dayField);
    return (month) => nearestWeekday(month, date);
  }
  const wanted = new Set(values(text, dayField));
  return ({ dates }) => dates.filter((date) => wanted.has(date));
}

/** The Monday to Friday that is nearest to a date, and in the same month. */
function nearestWeekday({ dates, weekdayOf }: Month, date: number): number[] {
  if (date > dates.length) return [];
  const weekday = weekdayOf(date);
  if (weekday === 7) return [date === 1 ? 3 : date - 1];
  if (weekday === 1) return [date === dates.length ? date - 2 : date + 1];
  return [date];
}

function byWeekday(text: string): DaysOf {
  // On its own: the last day of the week.
  if (text === "L") return byWeekday("7");
  const [, last] = /^(\w+)L$/.exec(text) ?? [];
  if (last) {
    const weekday = valueIn(last, weekdayField);
    return (month) => datesOn(month, [weekday]).slice(-1);
  }
  const [, day, nth] = /^(\w+)#([1-5])$/.exec(text) ?? [];
  if (day) {
    const weekday = valueIn(day, weekdayField);
    return (month) => datesOn(month, [weekday]).slice(Number(nth) - 1, Number(nth));
  }
  if (text.includes("/")) throw wrong(weekdayField);
  const weekdays = values(text, weekdayField);
  return (month) => datesOn(month, weekdays);
}

const datesOn = ({ dates, weekdayOf }: Month, weekdays: number[]) =>
  dates.filter((date) => weekdays.includes(weekdayOf(date)));

// ── Fields ───────────────────────────────────────────────────────────────────────────────────────

/** What a list of values, ranges and steps stands for, in order. */
function values(text: string, field: Field): number[] {
  const found = text.split(",").flatMap((part) => {
    const [, from, to, by] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || (from === "*" && to !== undefined)) throw wrong(field);
    const step = Number(by ?? 1);
    const low = from === "*" ? field.min : valueIn(from, field);
    const alone = from !== "*" && to === undefined && by === undefined;
    const high = alone ? low : to === undefined ? field.max : valueIn(to, field);
    if (low > high || step < 1 || step > field.max) throw wrong(field);
    return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, n) => low + n * step);
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

function valueIn(text: string, field: Field): number {
  const { min, max, words = [] } = field;
  const word = words.indexOf(text.toUpperCase());
  const value = word >= 0 ? word + min : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw wrong(field);
  return value;
}

const wrong = ({ name, min, max, words, hint }: Field): ConfigError => {
  const alsoWords = words ? ` or ${words[0]} to ${words.at(-1)}` : "";
  return notCron(`its ${name} can be ${min} to ${max}${alsoWords}`, `for example ${hint}`);
};

const notCron = (message: string, hint: string): ConfigError =>
  new ConfigError({
    code: "config.schedule",
    message: `not a cron expression that EventBridge takes: ${message}`,
    hint,
  });
