import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  emptyShape,
  merge,
  observer,
  parseShape,
  shapeText,
} from "../../packages/core/src/schema/shape.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { Members } from "../../packages/core/src/values/json.ts";
import { columnsSeen, fieldOf, recordsOf, shapeOf } from "./support.ts";

describe("what a value is", () => {
  const table: [what: string, value: unknown, type: string][] = [
    ["a whole number", 5, "bigint"],
    ["zero", 0, "bigint"],
    ["a number with a fraction", 1.5, "double"],
    ["an integer beyond 2^53", 9_007_199_254_740_993n, "bigint"],
    ["a number that a double does not hold", new Decimal("0.1234567890123456789"), "decimal"],
    ["true", true, "bool"],
    ["a text", "open", "text"],
    ["an empty text", "", "text"],
    ["an object", { a: 1 }, "json object"],
    ["an empty object", {}, "json object"],
    ["a list", [1], "json list"],
    ["an empty list", [], "json list"],
    ["bytes", Buffer.from("ab"), "binary"],
    ["a timestamp in UTC", "2024-02-29T10:20:30Z", "timestamp"],
    ["one with a fraction", "2024-01-02T10:20:30.123456789Z", "timestamp"],
    ["one with a comma", "2024-01-02T10:20:30,5Z", "timestamp"],
    ["one with an offset", "2024-01-02T10:20:30+05:30", "timestamp"],
    ["one with a short offset", "2024-01-02 10:20:30 +0530", "timestamp"],
    ["one with a blank", "2024-01-02 10:20:30", "timestamp"],
    ["one without a zone", "2024-01-02T10:20:30", "timestamp"],
    ["one without seconds", "2024-01-02T10:20Z", "timestamp"],
    ["a date", "2024-12-31", "date"],
    ["a leap day", "2000-02-29", "date"],
    ["a time", "10:20:30", "time"],
    ["a time with a fraction", "23:59:59.999", "time"],
    ["a day that no month has", "2024-01-32", "text"],
    ["a day that April has not", "2024-04-31", "text"],
    ["a day that February has not", "2024-02-30", "text"],
    ["a leap day in another year", "2023-02-29", "text"],
    ["a leap day in a century's year", "1900-02-29T10:00:00Z", "text"],
    ["a thirteenth month", "2024-13-01", "text"],
    ["hour 24", "2024-01-01T24:00:00Z", "text"],
    ["hour 24 of a time", "24:00:00", "text"],
    ["minute 60", "2024-01-01T10:60:00Z", "text"],
    ["an offset of 25 hours", "2024-01-01T10:00:00+25:00", "text"],
    ["a date without dashes", "20240101", "text"],
    ["a year and a month", "2024-01", "text"],
    ["a text that begins with a date", "2024-01-01 to 2024-02-01", "text"],
    ["hours and minutes", "10:20", "text"],
    ["a version number", "1.2.3", "text"],
    ["digits in a text", "5", "text"],
    ["true in a text", "true", "text"],
  ];
  test.each(table.map(([what, value, type]) => ({ what, value, type })))("$what is $type", ({
    value,
    type,
  }) => {
    expect(fieldOf(value)).toMatchObject({ type, nullable: false });
  });
});

describe("what values have in common", () => {
  const table: [what: string, values: unknown[], type: string][] = [
    ["integers and fractions", [1, 1.5], "double"],
    ["a double and an exact number", [1.5, new Decimal("1e400")], "decimal"],
    ["a timestamp and a text", ["2024-01-01T00:00:00Z", "soon"], "text"],
    ["a timestamp and a date", ["2024-01-01T00:00:00Z", "2024-01-01"], "text"],
    ["a number and a text", [5, "5"], "bigint | text"],
    ["a text, a number and a flag", ["a", 1, true], "bigint | text | bool"],
    ["an object and a list", [{ a: 1 }, [1]], "json"],
    ["an object and a text", [{ a: 1 }, "a"], "text | json object"],
    ["nothing but null", [null, null], "null"],
  ];
  test.each(table)("%s are %s", (_, values, type) => {
    expect(fieldOf(...values).type).toBe(type);
    expect(fieldOf(...values.toReversed()).type).toBe(type);
  });

  const missing = undefined;
  test.each([
    ["null first", [null, 5]],
    ["null last", [5, null]],
    ["missing first", [missing, 5]],
    ["missing last", [5, missing]],
    ["missing in between", [5, missing, 5]],
    ["null and missing", [null, missing, 5]],
  ])("%s makes a field nullable and leaves its type", (_, values) => {
    expect(fieldOf(...values)).toMatchObject({ type: "bigint", nullable: true });
  });

  it("a field of a nested object is missing only where the object is there without it", () => {
    const seen = columnsSeen([{ a: { x: 1, y: 1 } }, { a: null }, {}, { a: { x: 2 } }]);
    expect(seen.a?.fields).toMatchObject({ x: { nullable: false }, y: { nullable: true } });
  });

  it("all elements of a list are described as one, also objects, nulls and lists in it", () => {
    const seen = columnsSeen([{ a: [{ x: 1 }, { x: "1", y: [] }] }, { a: [null] }, { a: [] }]);
    expect(seen.a).toMatchObject({
      nullable: false,
      items: {
        nullable: true,
        fields: {
          x: { variants: ["bigint", "text"], nullable: false },
          y: { data_type: "json", nullable: true, items: { nullable: false } },
        },
      },
    });
  });
});

describe("names", () => {
  it("any name is a field: those of JavaScript's own objects and numbers, too", () => {
    const names = ["__proto__", "constructor", "toString", "10", "2", "", "ä.b[]"];
    const record = Object.fromEntries(names.map((name) => [name, 1]));
    const seen = columnsSeen([record, record]);
    expect(Object.keys(seen).sort()).toEqual(names.toSorted());
    expect(Object.values(seen).every(({ nullable }) => !nullable)).toBe(true);
    const shape = shapeOf([record]);
    expect(shapeText(parseShape(shapeText(shape)))).toBe(shapeText(shape));
    expect(shapeText(shape)).toContain('"__proto__"');
  });

  const numbered = (count: number, value: (n: number) => unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`u${n}`, value(n)])) as Members;

  it("64 names of an object are fields; with one more they are data", () => {
    expect(Object.keys(columnsSeen([{ a: numbered(64, (n) => n) }]).a?.fields ?? {})).toHaveLength(
      64,
    );
    expect(columnsSeen([{ a: numbered(65, (n) => n) }]).a).toEqual({
      data_type: "json",
      nullable: false,
      values: { data_type: "bigint", nullable: false },
    });
  });

  it("what is under names that are data is described as one value", () => {
    const values = (n: number) => (n % 2 ? { score: n } : { score: n / 7, note: null });
    const seen = columnsSeen([{ a: numbered(40, values) }, { a: numbered(90, values) }]);
    expect(seen.a?.values?.fields).toMatchObject({
      score: { data_type: "double", nullable: false },
      note: { nullable: true },
    });
  });

  it("dictionaries take no room from the fields behind it", () => {
    const values = () => ({ first: 1, second: { third: 1 } });
    const dictionaries = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [`d${n}`, numbered(n ? 65 : 5000, values)]),
    );
    const seen = columnsSeen([{ ...dictionaries, name: "a" }]);
    expect(seen.name).toEqual({ data_type: "text", nullable: false });
  });

  it("a record with more than a thousand names has names that are data", () => {
    expect(Object.keys(columnsSeen([numbered(1000, (n) => n)]))).toHaveLength(1000);
    expect(columnsSeen([numbered(1001, (n) => n)])).toEqual({
      "*": { data_type: "bigint", nullable: false },
    });
  });
});

describe("a shape stays small", () => {
  const nest = (depth: number, make: (inner: unknown) => unknown): unknown =>
    depth === 0 ? 1 : make(nest(depth - 1, make));

  it("what is deeper than eight levels is json", () => {
    const text = shapeText(shapeOf([{ a: nest(50, (a) => ({ a })) as never }]));
    expect(text.match(/"fields"/g)).toHaveLength(8);
    expect(shapeText(shapeOf([{ a: nest(2000, (a) => [a]) as never }])).length).toBeLessThan(1000);
  });

  const wide = (names: (n: number) => string, value: (n: number) => unknown) =>
    Array.from({ length: 60 }, (_, n) =>
      Object.fromEntries(Array.from({ length: 16 }, (_, m) => [names(n * 16 + m), value(m)])),
    ) as Members[];
  const everything = [null, 1, 0.5, new Decimal("1e400"), "x", true, {}, [], Buffer.of(1)];
  const inner = Object.fromEntries(everything.map((_, n) => [String(n), everything]));

  test.each([
    ["short names", wide(String, () => inner)],
    [
      "long names",
      wide(
        (n) => `${n}`.padEnd(1000, "x"),
        () => inner,
      ),
    ],
    [
      "names that JSON escapes",
      wide(
        (n) => `${n}`.padEnd(300, "\u0001"),
        () => inner,
      ),
    ],
    [
      "names of four bytes a character",
      wide(
        (n) => `${n}${"😀".repeat(200)}`,
        () => inner,
      ),
    ],
    [
      "lone surrogates",
      wide(
        (n) => `${n}${"\ud800".repeat(200)}`,
        () => inner,
      ),
    ],
    [
      "names of one character",
      wide(
        (n) => String.fromCharCode(200 + n),
        () => inner,
      ),
    ],
  ])("with %s its text stays under 160 KB", (_, records) => {
    const shape = shapeOf([...records, {}, ...records]);
    const bytes = Buffer.byteLength(shapeText(shape));
    expect(bytes).toBeGreaterThan(70_000);
    expect(bytes).toBeLessThan(160_000);
    expect(shapeText(parseShape(shapeText(shape)))).toBe(shapeText(shape));
    expect(records.some(observer(shape))).toBe(false);
  });

  it("a name that is too long for it leaves room for others", () => {
    const shape = shapeOf([{ ["x".repeat(200_000)]: 1, id: 1 }]);
    expect([...(shape.fields?.keys() ?? [])]).toEqual(["id"]);
  });
});

const CASES = 1000;
const check = <T>(records: fc.Arbitrary<T>, holds: (value: T) => void) =>
  fc.assert(fc.property(records, holds), { numRuns: CASES, seed: 6 });

describe(`of any records (${CASES} cases each)`, () => {
  it("their order makes no difference", () => {
    check(fc.tuple(recordsOf(), fc.infiniteStream(fc.nat())), ([records, numbers]) => {
      const shuffled = records
        .map((record) => ({ record, at: numbers.next().value as number }))
        .sort((a, b) => a.at - b.at);
      const other = shuffled.map(({ record }) => record);
      expect(shapeText(shapeOf(other))).toBe(shapeText(shapeOf(records)));
    });
  });

  it("a shape of all is the shapes of two parts merged, wherever they are cut", () => {
    check(recordsOf(), (records) => {
      const whole = shapeText(shapeOf(records));
      for (let cut = 0; cut <= records.length; cut++) {
        const shape = shapeOf(records.slice(0, cut));
        merge(shape, shapeOf(records.slice(cut)));
        expect(shapeText(shape)).toBe(whole);
      }
    });
  });

  it("a shape that was stored in between goes on as if it had not been", () => {
    check(recordsOf(), (records) => {
      const whole = shapeText(shapeOf(records));
      for (let cut = 0; cut <= records.length; cut++) {
        const stored = shapeText(shapeOf(records.slice(0, cut)));
        expect(shapeText(parseShape(stored))).toBe(stored);
        expect(shapeText(shapeOf(records.slice(cut), parseShape(stored)))).toBe(whole);
      }
    });
  });

  it("a page that comes twice shows nothing new, and what shows nothing new changes nothing", () => {
    check(recordsOf(), (records) => {
      const shape = emptyShape();
      const see = observer(shape);
      for (const record of records) {
        const before = shapeText(shape);
        expect(see(record)).toBe(shapeText(shape) !== before);
      }
      expect(records.some(see)).toBe(false);
      expect(records.some(observer(parseShape(shapeText(shape))))).toBe(false);
    });
  });
});
