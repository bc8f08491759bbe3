import type { CursorValue } from "./endpoint-types.ts";

const milliseconds = (value: CursorValue): number =>
  typeof value === "number" ? value : Date.parse(value);

/**
 * What `convert` can name, for a config that is data and can hold no function: an API that filters
 * by another notation than its records have.
 */
export const converters = {
  /** `"2026-01-01T00:00:00Z"` becomes 1767225600. */
  epoch_s: (value) => Math.floor(milliseconds(value) / 1000),
  /** … becomes 1767225600000. */
  epoch_ms: milliseconds,
  /** 1767225600 becomes `"2026-01-01"`, and so does a time. */
  iso_date: (value) => isoOf(value).slice(0, 10),
  /** 1767225600 becomes `"2026-01-01T00:00:00.000Z"`. */
  iso_datetime: (value) => isoOf(value),
} satisfies Record<string, (value: CursorValue) => CursorValue>;

// Seconds until the year 5138, milliseconds since 1973.
const isoOf = (value: CursorValue): string =>
  new Date(typeof value === "number" && value < 1e11 ? value * 1000 : value).toISOString();
