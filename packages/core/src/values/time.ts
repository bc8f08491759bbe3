/** An ISO date or date-time as an instant, exact to the last digit of its fraction. */
export interface Time {
  /** Epoch milliseconds. */
  ms: number;
  /** The digits of the fraction below a millisecond. */
  finer: string;
  /** False for a date. */
  hasClock: boolean;
}

const iso =
  /^(?<date>\d{4}-\d\d-\d\d)(?:(?<separator>[Tt ])(?<minutes>\d\d:\d\d)(?::(?<seconds>\d\d)(?:(?<point>[.,])(?<fraction>\d+))?)?(?<zone> ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;

const MINUTE_MS = 60_000;

const FIRST_MS = Date.parse("0000-01-01");

const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** Undefined for any other text. A time without an offset is taken as UTC. */
export function readTime(text: string): Time | undefined {
  const parts = iso.exec(text)?.groups;
  if (!parts) return undefined;
  const { date, separator, minutes = "00:00", seconds = "00", fraction = "", zone } = parts;
  const wall = Date.parse(`${date}T${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
  if (Number.isNaN(wall)) return undefined;
  return { ms: wall - offsetOf(zone), finer: fraction.slice(3), hasClock: separator !== undefined };
}

/** An instant in the format of `like`: its parts, its offset, its digits. What they can not show is cut off. */
export function writeTime({ ms, finer }: Pick<Time, "ms" | "finer">, like: string): string {
  const { separator, seconds, point, fraction = "", zone } = iso.exec(like)?.groups ?? {};
  const shown = Math.min(Math.max(ms + offsetOf(zone), FIRST_MS), LAST_MS);
  const wall = new Date(shown).toISOString();
  const { length } = fraction;
  const digits = `${wall.slice(20, 23)}${finer}`.slice(0, length).padEnd(length, "0");
  return [
    wall.slice(0, 10),
    separator && separator + wall.slice(11, 16),
    seconds && `:${wall.slice(17, 19)}`,
    point && point + digits,
    zone,
  ].join("");
}

export function compareTimes(a: Time, b: Time): number {
  if (a.ms !== b.ms) return a.ms - b.ms;
  const digits = Math.max(a.finer.length, b.finer.length);
  return compareTexts(a.finer.padEnd(digits, "0"), b.finer.padEnd(digits, "0"));
}

export const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function offsetOf(zone: string | undefined): number {
  const [, sign, hours, minutes = "0"] = /([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "") ?? [];
  if (sign === undefined) return 0;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === "-" ? -offset : offset;
}
