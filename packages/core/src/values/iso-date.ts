import type { TimeFormat } from "./time-format.ts";

/*
 * The formats of ISO 8601, extended and basic, and their usual variants: a space for the T, slashes
 * for the dashes, a month without a day.
 */

const monthPattern = /^(?<year>\d{4})(?<mark>[-/])(?<month>\d\d)$/;

const dayPattern =
  /^(?<year>\d{4})(?<mark>[-/]?)(?<month>\d\d)\k<mark>(?<day>\d\d)(?:(?<separator>[Tt ])(?<hours>\d\d)(?<colon>:?)(?<minutes>\d\d)(?:\k<colon>(?<seconds>\d\d)(?:(?<point>[.,])(?<fraction>\d+))?)?(?<zone> ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;

const matchIso = (text: string) => (dayPattern.exec(text) ?? monthPattern.exec(text))?.groups;

export const isoFormat: TimeFormat = {
  read(text) {
    const parts = matchIso(text);
    if (!parts) return undefined;
    const { year = "", month = "", day = "01", mark, separator, zone } = parts;
    // Digits alone are a number.
    if (mark === "" && separator === undefined) return undefined;
    const { hours = "00", minutes = "00", seconds = "00", fraction = "" } = parts;
    const hasTimeOfDay = separator !== undefined;
    return { year, month, day, hours, minutes, seconds, fraction, zone, hasTimeOfDay };
  },

  write({ year, month, day, hours, minutes, seconds, fraction }, model) {
    const parts = matchIso(model) ?? {};
    const { mark = "-", separator, colon = ":", point, zone = "" } = parts;
    const date = [year, month, ...(parts.day === undefined ? [] : [day])].join(mark);
    if (separator === undefined) return date;
    const { length } = parts.fraction ?? "";
    const digits = point === undefined ? "" : point + fraction.slice(0, length).padEnd(length, "0");
    const time = [hours, minutes, ...(parts.seconds === undefined ? [] : [seconds])].join(colon);
    return `${date}${separator}${time}${digits}${zone}`;
  },
};
