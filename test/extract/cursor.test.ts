import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { IncrementalPlan } from "../../packages/core/src/config/plan-types.ts";
import {
  advanceCursor,
  commitCursor,
  startValue,
} from "../../packages/core/src/extract/cursor/cursor.ts";
import type { Cursor } from "../../packages/core/src/flow.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";

const incremental = (changes: Partial<IncrementalPlan> = {}): IncrementalPlan => ({
  path: parseJsonPath("at"),
  initialValue: undefined,
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
  boundary: undefined,
  isTimestamp: false,
  ...changes,
});
const plan = incremental();
/** The candidate behind a page, in a run that began where the plan says. */
const observe = (candidate: Cursor, page: JsonValue[], of: IncrementalPlan): Cursor =>
  advanceCursor(page, of, { start: of.initialValue ?? null, end: of.endValue }, candidate)
    .candidate;
const records = (...values: JsonValue[]) => values.map((at) => ({ at }));
const highest = (...values: JsonValue[]) => observe(null, records(...values), plan);
const utc = (text: string) => Date.parse(text);

/** An instant and one of the many ways to write it, made without the code under test. */
interface Written {
  ns: bigint;
  text: string;
}

const time = (digits = fc.constantFrom(0, 3, 6, 9)): fc.Arbitrary<Written> =>
  fc
    .record({
      seconds: fc.integer({ min: utc("1990-01-01") / 1000, max: utc("2035-01-01") / 1000 }),
      nanos: fc.oneof(fc.constantFrom(0, 1, 999, 1000), fc.nat(999_999_999)),
      offset: fc.constantFrom(null, 0, 60, -210, 345, 840),
      separator: fc.constantFrom("T", " "),
      colon: fc.constantFrom(":", ""),
      digits,
    })
    .map(({ seconds, nanos, offset, separator, colon, digits }) => {
      const fraction = String(nanos).padStart(9, "0").slice(0, digits);
      const wall = new Date((seconds + (offset ?? 0) * 60) * 1000).toISOString().slice(0, 19);
      const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
      const size = Math.abs(offset ?? 0);
      const zone =
        offset === null
          ? "Z"
          : `${offset < 0 ? "-" : "+"}${two(size / 60)}${colon}${two(size % 60)}`;
      return {
        ns: BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0")),
        text: `${wall.replace("T", separator)}${fraction && `.${fraction}`}${zone}`,
      };
    });

const whole = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
/** What JSON holds for an integer: a number where it fits, else its digits. */
const cursorOf = (n: bigint): string | number =>
  BigInt(Number(n)) === n ? Number(n) : n.toString();

describe("observe: the highest cursor of the records (P3)", () => {
  test.each<[string, JsonValue[], Cursor]>([
    ["numbers as numbers", [9, 10, 2], 10],
    ["negative ones too", [-1, -2.5], -1],
    ["texts of digits as numbers", ["9", "10"], "10"],
    ["and of decimals", ["1503435956.000247", "1503435956.00025"], "1503435956.00025"],
    ["other texts as texts", ["b", "a9", "a10"], "b"],
    ["dates", ["2024-02-29", "2024-03-01", "2023-12-31"], "2024-03-01"],
    ["a date as its midnight", ["2024-03-01", "2024-02-29T23:59:59Z"], "2024-03-01"],
    [
      "times by instant, whatever their offset",
      ["2024-03-01T09:00:00Z", "2024-03-01T10:30:00+02:00", "2024-03-01T02:00:00-0800"],
      "2024-03-01T02:00:00-0800",
    ],
    [
      "to the last digit",
      ["2024-03-01T09:00:00.123456788Z", "2024-03-01T09:00:00.1234567891Z"],
      "2024-03-01T09:00:00.1234567891Z",
    ],
    [
      "the same instant by its text",
      ["2024-03-01T10:00:00+01:00", "2024-03-01T09:00:00Z"],
      "2024-03-01T10:00:00+01:00",
    ],
  ])("%s", (_, values, expected) => {
    expect(highest(...values)).toBe(expected);
    expect(highest(...values.toReversed())).toBe(expected);
  });

  it("is exact where a double is not (P9)", () => {
    const read = (json: string) => observe(null, parseJson(json) as JsonValue[], plan);
    expect(read('[{"at":9007199254740993},{"at":9007199254740992}]')).toBe("9007199254740993");
    expect(read('[{"at":9007199254740993},{"at":9007199254740994}]')).toBe(9007199254740994);
    expect(read('[{"at":0.1},{"at":0.10000000000000000001}]')).toBe("0.10000000000000000001");
    expect(read('[{"at":-9007199254740993},{"at":-9007199254740992}]')).toBe(-9007199254740992);
    expect(read('[{"at":1e-7},{"at":1e-7}]')).toBe(1e-7);
  });

  it("goes on from the pages before, and stays without records", () => {
    expect(observe(5, records(3), plan)).toBe(5);
    expect(observe(5, records(7), plan)).toBe(7);
    expect(observe("9007199254740993", records(9007199254740994), plan)).toBe(9007199254740994);
    expect(observe(5, [], plan)).toBe(5);
    expect(observe(null, [], plan)).toBeNull();
  });

  it("finds it inside of a record", () => {
    const nested = incremental({ path: parseJsonPath("meta.updated[0]") });
    expect(observe(null, [{ meta: { updated: [4, 9] } }], nested)).toBe(4);
  });

  test.each<[string, JsonValue[], string]>([
    ["missing", [{ at: 1 }, {}], "records[1] of the page has no value"],
    ["null", [{ at: null }], "records[0] of the page has no value"],
    ["in no object", ["at"], "records[0] of the page has no value"],
    ["true", [{ at: true }], "records[0] of the page has neither a number nor a text"],
    [
      "a whole story",
      [{ at: "x".repeat(1001) }],
      "records[0] of the page has over 1000 characters",
    ],
    ["an object", [{ at: {} }], "records[0] of the page has neither a number nor a text"],
    ["of another kind", records(1, "2024-01-01"), "records[1] of the page has a time"],
    ["no time for once", records("2024-01-01", "soon"), "records[1] of the page has a text"],
    ["a day that is none", records("2024-01-01", "2024-13-01"), "has a text"],
  ])("a value that is %s fails the run by position and path, without the value", (_, page, message) => {
    expect(() => observe(null, page, plan)).toThrow(
      expect.objectContaining({
        code: "extract.cursor",
        retryable: false,
        message: expect.stringMatching(
          `${message.replace(/[[\]]/g, "\\$&")}.* at cursor_path "at"`,
        ),
      }),
    );
  });

  it("a kind that the pages before or initial_value do not have fails too", () => {
    expect(() => observe("2024-01-01", records(5), plan)).toThrow(/a number .* a time so far/);
    const from = incremental({ initialValue: "2024-01-01" });
    expect(() => observe(null, records(5), from)).toThrow(/a number .* a time so far/);
    expect(observe(null, records("2024-03-01T00:00:00Z"), from)).toBe("2024-03-01T00:00:00Z");
  });

  test("the order of the records and the cut into pages do not matter", () => {
    const inPages = (values: JsonValue[], cut: number) =>
      observe(
        observe(null, records(...values.slice(0, cut)), plan),
        records(...values.slice(cut)),
        plan,
      );
    fc.assert(
      fc.property(fc.array(time(), { minLength: 1 }), fc.nat(), (times, cut) => {
        const values = times.map(({ text }) => text);
        const found = highest(...values);
        expect(inPages(values.toReversed(), cut % values.length)).toBe(found);
        const max = times.reduce((a, b) => (b.ns > a.ns ? b : a));
        expect(times.find(({ text }) => text === found)?.ns).toBe(max.ns);
      }),
    );
    fc.assert(
      fc.property(fc.array(whole, { minLength: 1 }), fc.nat(), (numbers, cut) => {
        const values = numbers.map(cursorOf);
        const max = cursorOf(numbers.reduce((a, b) => (b > a ? b : a)));
        expect(inPages(values, cut % values.length)).toBe(max);
        expect(inPages(values.toReversed(), cut % values.length)).toBe(max);
      }),
    );
  });
});

describe("startValue: where a run begins (P3)", () => {
  const start = (committed: Cursor, lag: number, initialValue?: string | number) =>
    startValue(incremental({ lag, initialValue }), committed);

  it("is initial_value at first, then the committed cursor", () => {
    expect(start(null, 5)).toBeNull();
    expect(start(null, 5, "2024-01-01")).toBe("2024-01-01");
    expect(start("2024-02-01", 0, "2024-01-01")).toBe("2024-02-01");
    expect(start("9007199254740993", 0)).toBe("9007199254740993");
  });

  test.each<[string, Cursor, number, Cursor]>([
    ["seconds from a time", "2024-03-01T00:00:30Z", 60, "2024-02-29T23:59:30Z"],
    ["in its offset", "2024-03-01T00:00:30+05:30", 60, "2024-02-29T23:59:30+05:30"],
    ["with its digits", "2024-03-01 10:00:00.123456", 1, "2024-03-01 09:59:59.123456"],
    ["parts of one", "2024-03-01T10:00:00.500Z", 0.25, "2024-03-01T10:00:00.250Z"],
    ["cut where its format ends", "2024-03-01T10:00Z", 1, "2024-03-01T09:59Z"],
    ["days from a date", "2024-03-01", 1, "2024-02-29"],
    ["half a day is a whole one there", "2024-03-01", 0.5, "2024-02-29"],
    ["units from a number", 100, 30, 70],
    ["from one beyond 2^53", "9007199254740995", 1, "9007199254740994"],
    ["from a text of digits", "1000", 1, "999"],
    ["and of decimals", "10.50", 0.25, "10.25"],
    ["rounded up to its places", "10.5", 0.25, "10.2"],
    ["down to below zero", "0.50", 0.75, "-0.25"],
    ["not beyond the first day of the calendar", "2024-03-01", 1e9, "0000-01-01"],
  ])("lag takes %s", (_, committed, lag, expected) => {
    expect(start(committed, lag)).toBe(expected);
  });

  it("is never before initial_value", () => {
    expect(start("2024-01-02", 5, "2024-01-01")).toBe("2024-01-01");
    expect(start("2024-01-02T00:00:00Z", 86_401, "2024-01-01")).toBe("2024-01-01");
    expect(start(10, 5, 8)).toBe(8);
    expect(start("2023-12-31", 0, "2024-01-01")).toBe("2024-01-01");
  });

  it("can not be known where lag or initial_value make no sense for the cursor", () => {
    expect(() => start("abc", 5)).toThrow(expect.objectContaining({ code: "config.lag" }));
    expect(() => start(5, 0, "2024-01-01")).toThrow(
      expect.objectContaining({ code: "extract.cursor" }),
    );
  });

  test("what lag takes away, a lag later gives it back, in the same format", () => {
    const same = time(fc.constantFrom(3, 9));
    fc.assert(
      fc.property(same, fc.nat(10_000_000), (committed, seconds) => {
        const begun = String(start(committed.text, seconds));
        const shape = (text: string) => text.replace(/\d/g, "0");
        expect(shape(begun)).toBe(shape(committed.text));
        const milliseconds = Date.parse(withMillis(begun)) + seconds * 1000;
        expect(BigInt(milliseconds)).toBe(floorMs(committed.ns));
        expect(digitsOf(begun)).toBe(digitsOf(committed.text));
      }),
    );
    fc.assert(
      fc.property(whole, fc.nat(), (committed, lag) => {
        const begun = start(committed.toString(), lag);
        expect(BigInt(String(begun)) + BigInt(lag)).toBe(committed);
      }),
    );
  });

  // JavaScript reads milliseconds only, and an offset with a colon only.
  const withMillis = (text: string) =>
    text.replace(/(\.\d{3})\d*/, "$1").replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
  const floorMs = (ns: bigint) => ns / 1_000_000n;
  const digitsOf = (text: string) => /\.\d+/.exec(text)?.[0];
});

describe("commit: the cursor after a run (P3)", () => {
  const clock = utc("2024-03-01T10:00:00Z");

  test.each<[string, string, string]>([
    ["an earlier one stays", "2024-03-01T09:59:59.9Z", "2024-03-01T09:59:59.9Z"],
    ["the same one too", "2024-03-01T10:00:00.000Z", "2024-03-01T10:00:00.000Z"],
    [
      "a later one is the clock, in its digits",
      "2024-03-01T10:00:00.000001Z",
      "2024-03-01T10:00:00.000000Z",
    ],
    ["in its offset", "2024-03-01T21:00:00+09:00", "2024-03-01T19:00:00+09:00"],
    ["without one", "2024-03-01 10:00:01", "2024-03-01 10:00:00"],
    ["a date", "2024-03-02", "2024-03-01"],
    ["the clock's own date stays", "2024-03-01", "2024-03-01"],
    ["no text that is no time", "3024", "3024"],
  ])("a time is capped at the API's clock: %s", (_, candidate, expected) => {
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
  ])("a number, here %s, is when its column is a timestamp: %s", (candidate, expected) => {
    expect(commitCursor(null, candidate, clock, incremental({ isTimestamp: true }))).toBe(expected);
    expect(commitCursor(null, candidate, clock, plan)).toBe(candidate);
  });

  it("is the candidate where the API tells no time, and stays without one", () => {
    expect(commitCursor(null, "2999-01-01T00:00:00Z", undefined, plan)).toBe(
      "2999-01-01T00:00:00Z",
    );
    expect(commitCursor("2024-01-01", null, clock, plan)).toBe("2024-01-01");
    expect(commitCursor(null, null, clock, plan)).toBeNull();
  });

  it("never moves back, not even to the API's clock", () => {
    expect(commitCursor(7, 5, undefined, plan)).toBe(7);
    expect(commitCursor("2024-03-01T12:00:00Z", "2024-03-01T13:00:00Z", clock, plan)).toBe(
      "2024-03-01T12:00:00Z",
    );
  });

  it("fails where the kind is another one than before", () => {
    expect(() => commitCursor("2024-03-01", 5, clock, plan)).toThrow(
      expect.objectContaining({
        code: "extract.cursor",
        message: 'there is a number at cursor_path "at", and the cursor is a time so far',
        hint: expect.stringContaining("tidetable reset"),
      }),
    );
  });

  test("whatever comes, it lies between before and the candidate, and not beyond the clock", () => {
    const seconds = fc.integer({ min: utc("1990-01-01") / 1000, max: utc("2035-01-01") / 1000 });
    const nanoseconds = (times: Written[], text: Cursor) =>
      times.find((one) => one.text === text)?.ns;
    fc.assert(
      fc.property(time(), time(), seconds, (before, candidate, now) => {
        const after = commitCursor(before.text, candidate.text, now * 1000, plan);
        const api = BigInt(now) * 1_000_000_000n;
        const limit = candidate.ns < api ? candidate.ns : api;
        const expected = before.ns > limit ? before.ns : limit;
        // What the clock wrote is in neither list; it has no fraction, so Date reads it.
        const ns =
          nanoseconds([before, candidate], after) ??
          BigInt(Date.parse(String(after).replace(" ", "T").replace(/\.0+/, ""))) * 1_000_000n;
        expect(ns).toBe(expected);
        expect(observe(before.text, records(after), plan)).toBe(after);
      }),
    );
  });
});

test("P3: what changes while a run reads is asked for by the next one", () => {
  // The record on page 1 changes at 10:00:05, behind the reader; page 2 shows 10:00:09 already.
  const pages = [records("2024-03-01T09:00:00Z"), records("2024-03-01T10:00:09Z")];
  const candidate = pages.reduce((so, page) => observe(so, page, plan), null as Cursor);
  const cursor = commitCursor(null, candidate, utc("2024-03-01T10:00:00Z"), plan);
  const next = String(startValue(plan, cursor));
  expect(next <= "2024-03-01T10:00:05Z").toBe(true);
});
