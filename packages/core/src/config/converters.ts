import { parseTime } from "../values/time.ts";
import type { CursorValue } from "./endpoint-types.ts";

/**
 * A `.json` config cannot hold a function, so `convert` can name these. They are for an API that
 * filters by a different notation of time than its records have.
 */
export const converters = {
  /** `"2026-01-01T00:00:00Z"` becomes 1767225600. */
  epoch_s: (value) => Math.floor(epochMs(value) / 1000),
  /** `"2026-01-01T00:00:00Z"` becomes 1767225600000. */
  epoch_ms: (value) => epochMs(value),
  /** 1767225600 and `"2026-01-01T00:00:00Z"` become `"2026-01-01"`. */
  iso_date: (value) => isoTime(value).slice(0, 10),
  /** 1767225600 becomes `"2026-01-01T00:00:00.000Z"`. */
  iso_datetime: (value) => isoTime(value),
} satisfies Record<string, (value: CursorValue) => CursorValue>;

/** A time without an offset is in UTC, on every machine: `Date.parse` would take the local zone. */
function epochMs(value: CursorValue): number {
  return typeof value === "number" ? value : (parseTime(value)?.ms ?? Date.parse(value));
}

// As seconds, 1e11 is the year 5138; as milliseconds, 1973. Smaller numbers are taken for seconds.
function isoTime(value: CursorValue): string {
  const isSeconds = typeof value === "number" && value < 1e11;
  return new Date(isSeconds ? value * 1000 : epochMs(value)).toISOString();
}
