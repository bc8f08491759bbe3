import { MINUTE_MS } from "../base/timing.ts";
import { internetDateFormat } from "./internet-date.ts";
import { isoFormat } from "./iso-date.ts";
import type { TimeFormat, WrittenTime } from "./time-format.ts";

/** A date or date-time as an instant, exact to the last digit of the fraction. */
export interface Time {
  /** Epoch milliseconds. */
  ms: number;
  /** The digits of the fraction below a millisecond. */
  digitsBelowMs: string;
  /** False for a date. */
  hasTimeOfDay: boolean;
}

const formats: readonly TimeFormat[] = [isoFormat, internetDateFormat];

const FIRST_MS = Date.parse("0000-01-01");

const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** Reads a date or date-time; undefined for any other string. A time without an offset is in UTC. */
export function parseTime(text: string): Time | undefined {
  const written = readTime(text)?.written;
  if (!written) return undefined;
  const { year, month, day, hours, minutes, seconds, fraction, zone, hasTimeOfDay } = written;
  const offsetMs = parseOffset(zone);
  const localMs = Date.parse(
    `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}Z`,
  );
  if (Number.isNaN(localMs) || offsetMs === undefined) return undefined;
  return {
    ms: localMs - offsetMs,
    digitsBelowMs: fraction.slice(3),
    hasTimeOfDay,
  };
}

/** Writes an instant in the format of another time, with its offset and as many digits. */
export function formatTime(
  { ms, digitsBelowMs }: Pick<Time, "ms" | "digitsBelowMs">,
  model: string,
): string {
  const { format = isoFormat, written } = readTime(model) ?? {};
  const localMs = Math.min(Math.max(ms + (parseOffset(written?.zone) ?? 0), FIRST_MS), LAST_MS);
  const localTime = new Date(localMs).toISOString();
  return format.write(
    {
      year: localTime.slice(0, 4),
      month: localTime.slice(5, 7),
      day: localTime.slice(8, 10),
      hours: localTime.slice(11, 13),
      minutes: localTime.slice(14, 16),
      seconds: localTime.slice(17, 19),
      fraction: `${localTime.slice(20, 23)}${digitsBelowMs}`,
    },
    model,
  );
}

function readTime(text: string): { format: TimeFormat; written: WrittenTime } | undefined {
  for (const format of formats) {
    const written = format.read(text);
    if (written) return { format, written };
  }
  return undefined;
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

/** The zones that RFC 822 names, in hours from UTC. */
const zoneHours: Record<string, number> = {
  Z: 0,
  UT: 0,
  UTC: 0,
  GMT: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

/** Reads an offset such as `+02:00` as milliseconds. Undefined for an unknown zone. */
function parseOffset(zone: string | undefined): number | undefined {
  if (zone === undefined) return 0;
  const [, sign, hours, minutes = "0"] = /([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) {
    const named = zoneHours[zone.trim().toUpperCase()];
    return named === undefined ? undefined : named * 60 * MINUTE_MS;
  }
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === "-" ? -offset : offset;
}
