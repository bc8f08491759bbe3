import { MINUTE_MS } from "../base/timing.ts";

/** An ISO date or date-time as an instant, exact to the last digit of the fraction. */
export interface Time {
  /** Epoch milliseconds. */
  ms: number;
  /** The digits of the fraction below a millisecond. */
  digitsBelowMs: string;
  /** False for a date. */
  hasTimeOfDay: boolean;
}

const isoTime =
  /^(?<date>\d{4}-\d\d-\d\d)(?:(?<separator>[Tt ])(?<minutes>\d\d:\d\d)(?::(?<seconds>\d\d)(?:(?<point>[.,])(?<fraction>\d+))?)?(?<zone> ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;

const FIRST_MS = Date.parse("0000-01-01");

const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** Reads a date or date-time; undefined for any other string. A time without an offset is in UTC. */
export function parseTime(text: string): Time | undefined {
  const parts = isoTime.exec(text)?.groups;
  if (!parts) return undefined;
  const { date, separator, minutes = "00:00", seconds = "00", fraction = "", zone } = parts;
  const localMs = Date.parse(
    `${date}T${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}Z`,
  );
  if (Number.isNaN(localMs)) return undefined;
  return {
    ms: localMs - parseOffset(zone),
    digitsBelowMs: fraction.slice(3),
    hasTimeOfDay: separator !== undefined,
  };
}

/** Writes an instant in the format of another string, with its offset and as many digits. */
export function formatTime(
  { ms, digitsBelowMs }: Pick<Time, "ms" | "digitsBelowMs">,
  format: string,
): string {
  const { separator, seconds, point, fraction = "", zone } = isoTime.exec(format)?.groups ?? {};
  const localMs = Math.min(Math.max(ms + parseOffset(zone), FIRST_MS), LAST_MS);
  const localTime = new Date(localMs).toISOString();
  const { length } = fraction;
  const digits = `${localTime.slice(20, 23)}${digitsBelowMs}`.slice(0, length).padEnd(length, "0");
  return [
    localTime.slice(0, 10),
    separator && separator + localTime.slice(11, 16),
    seconds && `:${localTime.slice(17, 19)}`,
    point && point + digits,
    zone,
  ].join("");
}

export function compareTimes(first: Time, second: Time): number {
  if (first.ms !== second.ms) return first.ms - second.ms;
  const length = Math.max(first.digitsBelowMs.length, second.digitsBelowMs.length);
  return compareStrings(
    first.digitsBelowMs.padEnd(length, "0"),
    second.digitsBelowMs.padEnd(length, "0"),
  );
}

export const compareStrings = (first: string, second: string): number =>
  first < second ? -1 : first > second ? 1 : 0;

/** Reads an offset such as `+02:00` as milliseconds; `Z` and a missing offset are 0. */
function parseOffset(zone: string | undefined): number {
  const [, sign, hours, minutes = "0"] = /([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "") ?? [];
  if (sign === undefined) return 0;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === "-" ? -offset : offset;
}
