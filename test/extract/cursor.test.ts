import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { IncrementalPlan } from "../../packages/core/src/config/plan-types.ts";
import {
  advanceCursor,
  commitCursor,
  isInConfiguredRange,
  nextWindow,
  readRange,
  startValue,
} from "../../packages/core/src/extract/cursor/cursor.ts";
import type { Cursor } from "../../packages/core/src/flow.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";

const incremental = (changes: Partial<IncrementalPlan> = {}): IncrementalPlan => ({
  path: parseJsonPath("at"),
  initialValue: undefined,
  relativeStart: undefined,
  endValue: undefined,
  step: undefined,
  lag: 0,
  furthest: "max",
  rowOrder: undefined,
  onMissing: "raise",
  rangeStart: "closed",
  rangeEnd: "open",
  perParent: false,
  convert: undefined,
  isTimestamp: false,
  ...changes,
});
const plan = incremental();
/** The candidate after a page, in a run that began where the plan says. */
const observePage = (
  candidate: Cursor,
  page: JsonValue[],
  incrementalPlan: IncrementalPlan,
): Cursor =>
  advanceCursor(page, incrementalPlan, readRange(incrementalPlan, null), candidate).candidate;
const recordsWith = (...values: JsonValue[]) => values.map((at) => ({ at }));
const highestOf = (...values: JsonValue[]) => observePage(null, recordsWith(...values), plan);
const parseUtc = (text: string) => Date.parse(text);

/** An instant and a way to write it, made without the code under test. */
interface WrittenTime {
  ns: bigint;
  text: string;
}

const arbitraryTime = (digits = fc.constantFrom(0, 3, 6, 9)): fc.Arbitrary<WrittenTime> =>
  fc
    .record({
      seconds: fc.integer({
        min: parseUtc("1990-01-01") / 1000,
        max: parseUtc("2035-01-01") / 1000,
      }),
      nanos: fc.oneof(fc.constantFrom(0, 1, 999, 1000), fc.nat(999_999_999)),
      offset: fc.constantFrom(null, 0, 60, -210, 345, 840),
      separator: fc.constantFrom("T", " "),
      colon: fc.constantFrom(":", ""),
      digits,
    })
    .map(({ seconds, nanos, offset, separator, colon, digits }) => {
      const fraction = String(nanos).padStart(9, "0").slice(0, digits);
      const wall = new Date((seconds + (offset ?? 0) * 60) * 1000).toISOString().slice(0, 19);
      const twoDigits = (count: number) => String(Math.floor(count)).padStart(2, "0");
      const size = Math.abs(offset ?? 0);
      const zone =
        offset === null
          ? "Z"
          : `${offset < 0 ? "-" : "+"}${twoDigits(size / 60)}${colon}${twoDigits(size % 60)}`;
      return {
        ns: BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0")),
        text: `${wall.replace("T", separator)}${fraction && `.${fraction}`}${zone}`,
      };
    });

const arbitraryInteger = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
/** The cursor of an integer: a number where a double is exact, or else the digits. */
const cursorOf = (n: bigint): string | number =>
  BigInt(Number(n)) === n ? Number(n) : n.toString();

describe("the highest cursor of the records", () => {
  test.each<[string, JsonValue[], Cursor]>([
    ["of numbers", [9, 10, 2], 10],
    ["of negative numbers", [-1, -2.5], -1],
    ["of strings of digits, as numbers", ["9", "10"], "10"],
    [
      "of strings with decimals, as numbers",
      ["1503435956.000247", "1503435956.00025"],
      "1503435956.00025",
    ],
    ["of other strings, as strings", ["b", "a9", "a10"], "b"],
    ["of dates", ["2024-02-29", "2024-03-01", "2023-12-31"], "2024-03-01"],
    ["of a date, as its midnight", ["2024-03-01", "2024-02-29T23:59:59Z"], "2024-03-01"],
    [
      "of times by instant, whatever their offset",
      ["2024-03-01T09:00:00Z", "2024-03-01T10:30:00+02:00", "2024-03-01T02:00:00-0800"],
      "2024-03-01T02:00:00-0800",
    ],
    [
      "of times, to the last digit",
      ["2024-03-01T09:00:00.123456788Z", "2024-03-01T09:00:00.1234567891Z"],
      "2024-03-01T09:00:00.1234567891Z",
    ],
    [
      "of equal instants, by their text",
      ["2024-03-01T10:00:00+01:00", "2024-03-01T09:00:00Z"],
      "2024-03-01T10:00:00+01:00",
    ],
  ])("the cursor is the highest %s (P3)", (_, values, expected) => {
    expect(highestOf(...values)).toBe(expected);
    expect(highestOf(...values.toReversed())).toBe(expected);
  });

  it("the highest cursor is exact where a double is not (P9)", () => {
    const readCursor = (json: string) => observePage(null, parseJson(json) as JsonValue[], plan);
    expect(readCursor('[{"at":9007199254740993},{"at":9007199254740992}]')).toBe(
      "9007199254740993",
    );
    expect(readCursor('[{"at":9007199254740993},{"at":9007199254740994}]')).toBe(9007199254740994);
    expect(readCursor('[{"at":0.1},{"at":0.10000000000000000001}]')).toBe("0.10000000000000000001");
    expect(readCursor('[{"at":-9007199254740993},{"at":-9007199254740992}]')).toBe(
      -9007199254740992,
    );
    expect(readCursor('[{"at":1e-7},{"at":1e-7}]')).toBe(1e-7);
  });

  it("the candidate of earlier pages stays where a page has no higher cursor (P3)", () => {
    expect(observePage(5, recordsWith(3), plan)).toBe(5);
    expect(observePage(5, recordsWith(7), plan)).toBe(7);
    expect(observePage("9007199254740993", recordsWith(9007199254740994), plan)).toBe(
      9007199254740994,
    );
    expect(observePage(5, [], plan)).toBe(5);
    expect(observePage(null, [], plan)).toBeNull();
  });

  it("a cursor is found inside of a record (P3)", () => {
    const nested = incremental({ path: parseJsonPath("meta.updated[0]") });
    expect(observePage(null, [{ meta: { updated: [4, 9] } }], nested)).toBe(4);
  });

  test.each<[string, JsonValue[], string]>([
    ["a missing value", [{ at: 1 }, {}], "records[1] of the page has no value"],
    ["a null", [{ at: null }], "records[0] of the page has no value"],
    ["a record that is no object", ["at"], "records[0] of the page has no value"],
    ["a boolean", [{ at: true }], "records[0] of the page has neither a number nor a string"],
    [
      "a very long string",
      [{ at: "x".repeat(1001) }],
      "records[0] of the page has over 1000 characters",
    ],
    ["an object", [{ at: {} }], "records[0] of the page has neither a number nor a string"],
    ["a value of another kind", recordsWith(1, "2024-01-01"), "records[1] of the page has a time"],
    [
      "a string among times",
      recordsWith("2024-01-01", "soon"),
      "records[1] of the page has a string",
    ],
    ["an impossible day", recordsWith("2024-01-01", "2024-13-01"), "has a date or time"],
  ])("%s at cursor_path is an error with position and path, and without the value", (_, page, message) => {
    expect(() => observePage(null, page, plan)).toThrow(
      expect.objectContaining({
        code: "extract.cursor",
        retryable: false,
        message: expect.stringMatching(
          `${message.replace(/[[\]]/g, "\\$&")}.* at cursor_path "at"`,
        ),
      }),
    );
  });

  it("a cursor of another kind than the candidate or initial_value is an error", () => {
    expect(() => observePage("2024-01-01", recordsWith(5), plan)).toThrow(
      /a number .* a time so far/,
    );
    const from = incremental({ initialValue: "2024-01-01" });
    expect(() => observePage(null, recordsWith(5), from)).toThrow(/a number .* a time so far/);
    expect(observePage(null, recordsWith("2024-03-01T00:00:00Z"), from)).toBe(
      "2024-03-01T00:00:00Z",
    );
  });

  test("the highest cursor does not depend on the order of records and pages (P3)", () => {
    const inPages = (values: JsonValue[], cut: number) =>
      observePage(
        observePage(null, recordsWith(...values.slice(0, cut)), plan),
        recordsWith(...values.slice(cut)),
        plan,
      );
    fc.assert(
      fc.property(fc.array(arbitraryTime(), { minLength: 1 }), fc.nat(), (times, cut) => {
        const values = times.map(({ text }) => text);
        const highest = highestOf(...values);
        expect(inPages(values.toReversed(), cut % values.length)).toBe(highest);
        const max = times.reduce((a, b) => (b.ns > a.ns ? b : a));
        expect(times.find(({ text }) => text === highest)?.ns).toBe(max.ns);
      }),
    );
    fc.assert(
      fc.property(fc.array(arbitraryInteger, { minLength: 1 }), fc.nat(), (numbers, cut) => {
        const values = numbers.map(cursorOf);
        const max = cursorOf(numbers.reduce((a, b) => (b > a ? b : a)));
        expect(inPages(values, cut % values.length)).toBe(max);
        expect(inPages(values.toReversed(), cut % values.length)).toBe(max);
      }),
    );
  });
});

describe("startValue", () => {
  const startOf = (committed: Cursor, lag: number, initialValue?: string | number) =>
    startValue(incremental({ lag, initialValue }), committed);

  it("a run starts at initial_value first, and then at the committed cursor (P3)", () => {
    expect(startOf(null, 5)).toBeNull();
    expect(startOf(null, 5, "2024-01-01")).toBe("2024-01-01");
    expect(startOf("2024-02-01", 0, "2024-01-01")).toBe("2024-02-01");
    expect(startOf("9007199254740993", 0)).toBe("9007199254740993");
  });

  test.each<[string, Cursor, number, Cursor]>([
    ["seconds off a time", "2024-03-01T00:00:30Z", 60, "2024-02-29T23:59:30Z"],
    [
      "seconds off a time, in its offset",
      "2024-03-01T00:00:30+05:30",
      60,
      "2024-02-29T23:59:30+05:30",
    ],
    [
      "seconds off a time, in its digits",
      "2024-03-01 10:00:00.123456",
      1,
      "2024-03-01 09:59:59.123456",
    ],
    [
      "fractions of a second off a time",
      "2024-03-01T10:00:00.500Z",
      0.25,
      "2024-03-01T10:00:00.250Z",
    ],
    [
      "seconds off a time without seconds, rounded down",
      "2024-03-01T10:00Z",
      1,
      "2024-03-01T09:59Z",
    ],
    ["days off a date", "2024-03-01", 1, "2024-02-29"],
    ["a whole day off a date where lag is half a day", "2024-03-01", 0.5, "2024-02-29"],
    ["units off a number", 100, 30, 70],
    ["units off a number beyond 2^53", "9007199254740995", 1, "9007199254740994"],
    ["units off a string of digits", "1000", 1, "999"],
    ["units off a string with decimals", "10.50", 0.25, "10.25"],
    ["units off a string, rounded up to its decimal places", "10.5", 0.25, "10.2"],
    ["units off a string, to below zero", "0.50", 0.75, "-0.25"],
    ["no time before the first day of the calendar off a date", "2024-03-01", 1e9, "0000-01-01"],
  ])("lag takes %s (P3)", (_, committed, lag, expected) => {
    expect(startOf(committed, lag)).toBe(expected);
  });

  it("a run never starts before initial_value (P3)", () => {
    expect(startOf("2024-01-02", 5, "2024-01-01")).toBe("2024-01-01");
    expect(startOf("2024-01-02T00:00:00Z", 86_401, "2024-01-01")).toBe("2024-01-01");
    expect(startOf(10, 5, 8)).toBe(8);
    expect(startOf("2023-12-31", 0, "2024-01-01")).toBe("2024-01-01");
  });

  it("a lag or an initial_value of another kind than the cursor is an error", () => {
    expect(() => startOf("abc", 5)).toThrow(expect.objectContaining({ code: "config.lag" }));
    expect(() => startOf(5, 0, "2024-01-01")).toThrow(
      expect.objectContaining({ code: "extract.cursor" }),
    );
  });

  test("lag is taken off exactly, and the format of the cursor stays (P3)", () => {
    const times = arbitraryTime(fc.constantFrom(3, 9));
    fc.assert(
      fc.property(times, fc.nat(10_000_000), (committed, seconds) => {
        const begun = String(startOf(committed.text, seconds));
        const formatOf = (text: string) => text.replace(/\d/g, "0");
        expect(formatOf(begun)).toBe(formatOf(committed.text));
        const milliseconds = Date.parse(withMillis(begun)) + seconds * 1000;
        expect(BigInt(milliseconds)).toBe(floorMs(committed.ns));
        expect(digitsOf(begun)).toBe(digitsOf(committed.text));
      }),
    );
    fc.assert(
      fc.property(arbitraryInteger, fc.nat(), (committed, lag) => {
        const begun = startOf(committed.toString(), lag);
        expect(BigInt(String(begun)) + BigInt(lag)).toBe(committed);
      }),
    );
  });

  // Date.parse reads milliseconds at most, and only offsets with a colon.
  const withMillis = (text: string) =>
    text.replace(/(\.\d{3})\d*/, "$1").replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
  const floorMs = (ns: bigint) => ns / 1_000_000n;
  const digitsOf = (text: string) => /\.\d+/.exec(text)?.[0];
});

describe("commitCursor", () => {
  const clock = parseUtc("2024-03-01T10:00:00Z");

  test.each<[string, string, string]>([
    ["an earlier time stays", "2024-03-01T09:59:59.9Z", "2024-03-01T09:59:59.9Z"],
    ["the same time stays", "2024-03-01T10:00:00.000Z", "2024-03-01T10:00:00.000Z"],
    [
      "a later time becomes the clock, in the time's digits",
      "2024-03-01T10:00:00.000001Z",
      "2024-03-01T10:00:00.000000Z",
    ],
    [
      "a later time becomes the clock, in the time's offset",
      "2024-03-01T21:00:00+09:00",
      "2024-03-01T19:00:00+09:00",
    ],
    [
      "a later time becomes the clock, without an offset",
      "2024-03-01 10:00:01",
      "2024-03-01 10:00:00",
    ],
    ["a later date becomes the clock's", "2024-03-02", "2024-03-01"],
    ["the clock's date stays", "2024-03-01", "2024-03-01"],
    ["a string that is no time stays", "3024", "3024"],
  ])("at the API's clock, %s (P3)", (_, candidate, expected) => {
    expect(commitCursor(null, candidate, clock, plan)).toBe(expected);
  });

  test.each<[Cursor, Cursor]>([
    [clock / 1000 + 5, clock / 1000],
    [clock / 1000 - 5, clock / 1000 - 5],
    [clock / 1000 + 0.5, clock / 1000],
    [clock + 1, clock],
    [(clock + 1) * 1000, clock * 1000],
    [`${clock + 1}000001`, `${clock}000000`],
    [`${clock / 1000 + 5}.000247`, `${clock / 1000}`],
  ])("the number %s is capped to %s where its column is a timestamp (P3)", (candidate, expected) => {
    expect(commitCursor(null, candidate, clock, incremental({ isTimestamp: true }))).toBe(expected);
    expect(commitCursor(null, candidate, clock, plan)).toBe(candidate);
  });

  it("the committed cursor is the candidate where the API sends no time (P3)", () => {
    expect(commitCursor(null, "2999-01-01T00:00:00Z", undefined, plan)).toBe(
      "2999-01-01T00:00:00Z",
    );
    expect(commitCursor("2024-01-01", null, clock, plan)).toBe("2024-01-01");
    expect(commitCursor(null, null, clock, plan)).toBeNull();
  });

  it("the committed cursor never moves back, not even to the API's clock (P3)", () => {
    expect(commitCursor(7, 5, undefined, plan)).toBe(7);
    expect(commitCursor("2024-03-01T12:00:00Z", "2024-03-01T13:00:00Z", clock, plan)).toBe(
      "2024-03-01T12:00:00Z",
    );
  });

  it("a candidate of another kind than the cursor is an error", () => {
    expect(() => commitCursor("2024-03-01", 5, clock, plan)).toThrow(
      expect.objectContaining({
        code: "extract.cursor",
        message: 'there is a number at cursor_path "at", and the cursor is a time so far',
        hint: expect.stringContaining("tidetable reset"),
      }),
    );
  });

  test("the committed cursor lies between the old one and the candidate, and not beyond the clock (P3)", () => {
    const seconds = fc.integer({
      min: parseUtc("1990-01-01") / 1000,
      max: parseUtc("2035-01-01") / 1000,
    });
    const nanosecondsOf = (times: WrittenTime[], text: Cursor) =>
      times.find((time) => time.text === text)?.ns;
    fc.assert(
      fc.property(arbitraryTime(), arbitraryTime(), seconds, (before, candidate, now) => {
        const after = commitCursor(before.text, candidate.text, now * 1000, plan);
        const api = BigInt(now) * 1_000_000_000n;
        const limit = candidate.ns < api ? candidate.ns : api;
        const expected = before.ns > limit ? before.ns : limit;
        // A time of the clock is in neither list. It has no fraction, so Date.parse reads it.
        const ns =
          nanosecondsOf([before, candidate], after) ??
          BigInt(Date.parse(String(after).replace(" ", "T").replace(/\.0+/, ""))) * 1_000_000n;
        expect(ns).toBe(expected);
        expect(observePage(before.text, recordsWith(after), plan)).toBe(after);
      }),
    );
  });
});

test("a record that changes while a run reads is asked for by the next run (P3)", () => {
  // The record on page 1 changes at 10:00:05, after it was read; page 2 shows 10:00:09 already.
  const pages = [recordsWith("2024-03-01T09:00:00Z"), recordsWith("2024-03-01T10:00:09Z")];
  const candidate = pages.reduce(
    (candidateSoFar, page) => observePage(candidateSoFar, page, plan),
    null as Cursor,
  );
  const cursor = commitCursor(null, candidate, parseUtc("2024-03-01T10:00:00Z"), plan);
  const next = String(startValue(plan, cursor));
  expect(next <= "2024-03-01T10:00:05Z").toBe(true);
});

describe("dates in other forms than ISO 8601", () => {
  it("dates of RFC 1123 and RFC 2822 are compared as times, not as strings (P3)", () => {
    const values = [
      "Wed, 31 Dec 2025 10:00:00 GMT",
      "Thu, 1 Jan 2026 01:00:00 +0200",
      "Mon, 05 Jan 2026 10:00:00 GMT",
      "Fri, 6 Feb 2026 10:00:00 -0500",
    ];
    expect(highestOf(...values)).toBe(values.at(-1));
    expect(highestOf(...values.toReversed())).toBe(values.at(-1));
    const { records } = advanceCursor(
      recordsWith(...values),
      plan,
      readRange(plan, "Thu, 01 Jan 2026 00:00:00 GMT"),
      null,
    );
    expect(records).toEqual(recordsWith(...values.slice(2)));
  });

  it("lag goes back within a date of RFC 1123, and the form stays (P3)", () => {
    const late = incremental({ lag: 86_400 });
    expect(startValue(late, "Thu, 01 Jan 2026 10:00:00 GMT")).toBe("Wed, 31 Dec 2025 10:00:00 GMT");
    expect(startValue(late, "Thu, 1 Jan 2026 10:00:00 +0200")).toBe(
      "Wed, 31 Dec 2025 10:00:00 +0200",
    );
  });

  it("a date of RFC 1123 never moves the cursor beyond the API's clock (P3)", () => {
    const clock = parseUtc("2024-03-01T10:00:00Z");
    expect(commitCursor(null, "Sat, 02 Mar 2024 10:00:00 GMT", clock, plan)).toBe(
      "Fri, 01 Mar 2024 10:00:00 GMT",
    );
    expect(commitCursor(null, "Sat, 2 Mar 2024 10:00:00 -0500", clock, plan)).toBe(
      "Fri, 1 Mar 2024 05:00:00 -0500",
    );
  });

  test.each([
    "31.12.2025",
    "12/31/2025",
    "2026-01-01 09:00 AM",
    "2 hours ago",
  ])("a date written like %s fails the run by name and is never compared as a string (P3)", (value) => {
    expect(() => highestOf(value)).toThrow(
      expect.objectContaining({
        code: "extract.cursor",
        retryable: false,
        message: expect.stringMatching(/records\[0\] .* a date or time .* cannot be compared/),
        hint: expect.stringContaining("processing_steps"),
      }),
    );
  });

  it("a function as last_value_func may order dates in any form (P3)", () => {
    const german = (text: unknown) => String(text).split(".").reverse().join();
    const byGermanDate = incremental({
      furthest: ([a, b]) => (german(a) > german(b) ? a : b) ?? 0,
    });
    const values = ["31.12.2025", "01.02.2026", "15.01.2026"];
    expect(observePage(null, recordsWith(...values), byGermanDate)).toBe("01.02.2026");
  });
});

describe("the windows of a backfill", () => {
  const backfill = (changes: Partial<IncrementalPlan>) =>
    incremental({ initialValue: 1, endValue: 10, step: 3, ...changes });

  const windowsOf = (windowPlan: IncrementalPlan) => {
    const ranges = [readRange(windowPlan, null)];
    for (let next = nextWindow(windowPlan, ranges[0] as (typeof ranges)[0]); next !== undefined; ) {
      const range = readRange(windowPlan, null, next);
      ranges.push(range);
      if (ranges.length > 1000) throw new Error("the windows have no end");
      next = nextWindow(windowPlan, range);
    }
    return ranges;
  };

  test.each([
    ["closed", "closed", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["closed", "open", [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ["open", "closed", [2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["open", "open", [2, 3, 4, 5, 6, 7, 8, 9]],
  ] as const)("each border belongs to exactly one of two windows, with a start that is %s and an end that is %s", (rangeStart, rangeEnd, expected) => {
    const windowPlan = backfill({ rangeStart, rangeEnd });
    const all = recordsWith(...Array.from({ length: 12 }, (_, index) => index));
    const kept = windowsOf(windowPlan).flatMap(
      (range) => advanceCursor(all, windowPlan, range, null).records,
    );
    expect(kept).toEqual(recordsWith(...expected));
  });

  it("windows that go down have each border once, too", () => {
    const windowPlan = backfill({
      initialValue: 10,
      endValue: 1,
      furthest: "min",
      rangeStart: "open",
    });
    expect(windowsOf(windowPlan).map(({ start, end }) => [start, end])).toEqual([
      [10, 7],
      [7, 4],
      [4, 1],
    ]);
    const all = recordsWith(...Array.from({ length: 12 }, (_, index) => index));
    const kept = windowsOf(windowPlan).flatMap(
      (range) => advanceCursor(all, windowPlan, range, null).records,
    );
    expect(kept.map((record) => (record as { at: number }).at).sort((a, b) => a - b)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it("a window that ends in another form of end_value's own instant is the last", () => {
    const windowPlan = backfill({
      initialValue: "2026-01-01T00:00:00Z",
      endValue: "2026-01-02T00:00:00+00:00",
      step: 43_200,
    });
    expect(windowsOf(windowPlan).map(({ end }) => end)).toEqual([
      "2026-01-01T12:00:00Z",
      "2026-01-02T00:00:00+00:00",
    ]);
  });

  test.each([
    ["of dates", { initialValue: "2026-01-01", endValue: "2026-01-08", step: 0.5 }],
    ["of times", { initialValue: "2026-01-01T00:01Z", endValue: "2026-01-01T00:09Z", step: 29 }],
    ["of large numbers", { initialValue: 2 ** 53, endValue: 2 ** 53 + 100, step: 1 }],
    ["of strings of digits", { initialValue: "1", endValue: "9", step: 0.5 }],
    [
      "of a function that does not find it further",
      {
        initialValue: 1,
        endValue: 9,
        step: 1,
        furthest: ([first = 0]: unknown[]) => first as number,
      },
    ],
  ])("a window that would not move on is an error by name: %s", (_, changes) => {
    expect(() => windowsOf(backfill(changes))).toThrow(
      expect.objectContaining({
        code: "extract.window",
        retryable: false,
        message: expect.stringContaining("step is below the precision"),
      }),
    );
  });

  it("rows at an open start of the configured range are not in the range that a sweep may touch", () => {
    const open = backfill({ rangeStart: "open", rangeEnd: "open" });
    expect([1, 2, 9, 10].map((value) => isInConfiguredRange(value, open))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isInConfiguredRange("2026-01-01", open)).toBe(false);
  });
});
