import type { TimeFormat } from "./time-format.ts";

/*
 * Dates as in mail and HTTP headers: `Thu, 01 Jan 2026 10:00:00 GMT` (RFC 1123), and with an offset
 * (RFC 2822).
 */

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const pattern =
  /^(?:(?<weekday>[a-z]{3})(?<comma>,?) )?(?<day>\d{1,2}) (?<month>[a-z]{3}) (?<year>\d{4})(?: (?<hours>\d\d):(?<minutes>\d\d)(?::(?<seconds>\d\d))?(?<zone> (?:[a-z]{1,3}|[+-]\d{4}))?)?$/i;

const capitalize = (word: string): string =>
  word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();

export const internetDateFormat: TimeFormat = {
  read(text) {
    const parts = pattern.exec(text)?.groups;
    if (!parts) return undefined;
    const { weekday, day = "", year = "", hours, minutes = "00", seconds = "00", zone } = parts;
    const month = months.indexOf(capitalize(parts.month ?? "")) + 1;
    const isWeekday =
      weekday === undefined || weekdays.some((name) => name === capitalize(weekday));
    if (month === 0 || !isWeekday) return undefined;
    return {
      year,
      month: String(month).padStart(2, "0"),
      day: day.padStart(2, "0"),
      hours: hours ?? "00",
      minutes,
      seconds,
      fraction: "",
      zone,
      hasTimeOfDay: hours !== undefined,
    };
  },

  write({ year, month, day, hours, minutes, seconds }, model) {
    const parts = pattern.exec(model)?.groups ?? {};
    const weekday = weekdays[new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDay()];
    // RFC 1123 has two digits for a day, and only a day with one digit shows another custom.
    const isPadded = parts.day?.length !== 1;
    const time = [hours, minutes, ...(parts.seconds === undefined ? [] : [seconds])].join(":");
    return [
      parts.weekday === undefined ? "" : `${weekday}${parts.comma} `,
      `${isPadded ? day : Number(day)} ${months[Number(month) - 1]} ${year}`,
      parts.hours === undefined ? "" : ` ${time}${parts.zone ?? ""}`,
    ].join("");
  },
};
