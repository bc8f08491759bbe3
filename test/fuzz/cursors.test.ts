import fc from "fast-check";
import { describe, expect } from "vitest";
import { converters } from "../../packages/core/src/config/converters.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { IncrementalPlan } from "../../packages/core/src/config/plan-types.ts";
import {
  advanceCursor,
  commitCursor,
  readRange,
} from "../../packages/core/src/extract/cursor/cursor.ts";
import { isAtOrAfter } from "../../packages/core/src/extract/cursor/cursor-values.ts";
import { incrementalValues } from "../../packages/core/src/extract/fill-request.ts";
import type { Cursor } from "../../packages/core/src/flow.ts";
import { compareTimes, formatTime, parseTime } from "../../packages/core/src/values/time.ts";
import { anyText, fuzz, mutated, refusalOf, repeated } from "../support/fuzz.ts";

// Arbitrary values in the place of a cursor.

const times = [
  "2026-01-02",
  "2026-01-02T03:04:05Z",
  "2026-02-28 23:59:59.999999999+05:30",
  "0000-01-01T00:00:00+14:00",
  "9999-12-31T23:59:59.9-14:00",
];
const timeWords = [..."0123456789-:+.,TZ ", "60", "24", "00"];
const texts = fc.oneof(
  fc.constantFrom(...times),
  fc
    .date({ min: new Date("0001-01-01"), max: new Date("9998-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  mutated(times, timeWords),
  repeated([..."0123456789.-:T", "2026-01-02T03:04:05."]).map((text) => text.slice(0, 1000)),
  fc.bigInt().map(String),
  fc.nat(900).map((length) => `0.${"7".repeat(length + 1)}`),
  anyText,
);
const cursors: fc.Arbitrary<string | number> = fc.oneof(
  texts,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

describe("times", () => {
  fuzz("a time is written as it was read", 4000, texts, (text) => {
    const time = parseTime(text);
    if (!time) return;
    const reread = parseTime(formatTime(time, text));
    expect(reread && compareTimes(reread, time)).toBe(0);
  });

  fuzz(
    "a time is written in the format of any other time",
    3000,
    fc.tuple(texts, texts),
    ([text, format]) => {
      const time = parseTime(text);
      if (time && parseTime(format)) expect(parseTime(formatTime(time, format))).toBeDefined();
    },
  );
});

const plans = fc.record({
  initialValue: fc.option(cursors, { nil: undefined }),
  endValue: fc.option(cursors, { nil: undefined }),
  step: fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined }),
  lag: fc.oneof(fc.constant(0), fc.nat(1e9), fc.double({ min: 0, max: 1e6, noNaN: true })),
  furthest: fc.constantFrom("max" as const, "min" as const),
  isTimestamp: fc.boolean(),
});

const incremental: IncrementalPlan = {
  path: parseJsonPath("at"),
  initialValue: undefined,
  relativeStart: undefined,
  endValue: undefined,
  step: undefined,
  lag: 0,
  furthest: "max",
  rowOrder: undefined,
  onMissing: "include",
  rangeStart: "closed",
  rangeEnd: "open",
  perParent: false,
  convert: undefined,
  isTimestamp: false,
};

describe("a cursor", () => {
  const settings = fc.record({
    plan: plans,
    before: fc.option(cursors),
    page: fc.array(fc.oneof(cursors, fc.jsonValue()), { maxLength: 5 }),
    apiTime: fc.option(fc.nat(4_000_000_000_000), { nil: undefined }),
  });
  fuzz("a cursor never goes back, whatever the records hold", 5000, settings, (setting) => {
    const { before, page, apiTime } = setting;
    const plan = { ...incremental, ...setting.plan };
    let after: Cursor = before;
    const refusal = refusalOf(() => {
      const range = readRange(plan, before);
      const records = page.map((at) => ({ at })) as { at: string }[];
      const { candidate } = advanceCursor(records, plan, range, null);
      after = commitCursor(before, candidate, apiTime, plan);
    });
    if (refusal) expect(refusal.code).toMatch(/^(extract\.cursor|extract\.window|config\.lag)$/);
    else if (before !== null && after !== null) expect(isAtOrAfter(after, before, plan)).toBe(true);
  });

  const converted = fc.tuple(fc.constantFrom(...Object.values(converters)), cursors);
  fuzz("a cursor is converted or refused with a message", 2000, converted, ([convert, start]) => {
    const plan = { ...incremental, convert, lag: 0, furthest: "max" as const };
    let sent: unknown;
    const refusal = refusalOf(() => {
      const of = incrementalValues(plan, { start, last: null });
      sent = of({ of: "incremental", name: "start_value" });
    });
    if (refusal) expect(refusal.code).toBe("extract.convert");
    else expect(String(sent)).not.toMatch(/NaN|undefined/);
  });
});
