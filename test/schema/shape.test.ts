import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ShapeObserver } from "../../packages/core/src/schema/observer.ts";
import {
  emptyShape,
  mergeShape,
  parseShape,
  type Shape,
  shapeText,
} from "../../packages/core/src/schema/shape.ts";
import { registerSecret } from "../../packages/core/src/secrets/redact.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { Members } from "../../packages/core/src/values/json.ts";
import { columnsSeen, fieldOf, recordsOf, shapeOf } from "./support.ts";

describe("the type of a value", () => {
  const values: [description: string, value: unknown, type: string][] = [
    ["a whole number", 5, "bigint"],
    ["zero", 0, "bigint"],
    ["a number with a fraction", 1.5, "double"],
    ["an integer beyond 2^53", 9_007_199_254_740_993n, "bigint"],
    ["a number that a double does not hold", new Decimal("0.1234567890123456789"), "decimal"],
    ["true", true, "bool"],
    ["a word", "open", "text"],
    ["an empty string", "", "text"],
    ["an object", { a: 1 }, "json object"],
    ["an empty object", {}, "json object"],
    ["a list", [1], "json list"],
    ["an empty list", [], "json list"],
    ["bytes", Buffer.from("ab"), "binary"],
    ["a timestamp in UTC", "2024-02-29T10:20:30Z", "timestamp"],
    ["a timestamp with a fraction", "2024-01-02T10:20:30.123456789Z", "timestamp"],
    ["a timestamp with a comma", "2024-01-02T10:20:30,5Z", "timestamp"],
    ["a timestamp with an offset", "2024-01-02T10:20:30+05:30", "timestamp"],
    ["a timestamp with a short offset", "2024-01-02 10:20:30 +0530", "timestamp"],
    ["a timestamp with a blank", "2024-01-02 10:20:30", "timestamp"],
    ["a timestamp without a zone", "2024-01-02T10:20:30", "timestamp"],
    ["a timestamp without seconds", "2024-01-02T10:20Z", "timestamp"],
    ["a date", "2024-12-31", "date"],
    ["a leap day", "2000-02-29", "date"],
    ["a time", "10:20:30", "time"],
    ["a time with a fraction", "23:59:59.999", "time"],
    ["a date with a day that no month has", "2024-01-32", "text"],
    ["a date with a day that April does not have", "2024-04-31", "text"],
    ["a date with a day that February does not have", "2024-02-30", "text"],
    ["a leap day of a common year", "2023-02-29", "text"],
    ["a leap day of a century's common year", "1900-02-29T10:00:00Z", "text"],
    ["a date with a thirteenth month", "2024-13-01", "text"],
    ["a timestamp with hour 24", "2024-01-01T24:00:00Z", "text"],
    ["a time with hour 24", "24:00:00", "text"],
    ["a timestamp with minute 60", "2024-01-01T10:60:00Z", "text"],
    ["a timestamp with an offset of 25 hours", "2024-01-01T10:00:00+25:00", "text"],
    ["a date without dashes", "20240101", "text"],
    ["a year and a month", "2024-01", "text"],
    ["a string that begins with a date", "2024-01-01 to 2024-02-01", "text"],
    ["hours and minutes", "10:20", "text"],
    ["a version number", "1.2.3", "text"],
    ["digits in a string", "5", "text"],
    ["true in a string", "true", "text"],
  ];
  test.each(values)("%s has the type $2", (_, value, type) => {
    expect(fieldOf(value)).toMatchObject({ type, nullable: false });
  });
});

describe("the common type of several values", () => {
  const table: [description: string, values: unknown[], type: string][] = [
    ["integers and fractions", [1, 1.5], "double"],
    ["a double and an exact number", [1.5, new Decimal("1e400")], "decimal"],
    ["a timestamp and plain text", ["2024-01-01T00:00:00Z", "soon"], "text"],
    ["a timestamp and a date", ["2024-01-01T00:00:00Z", "2024-01-01"], "text"],
    ["a number and a string", [5, "5"], "bigint | text"],
    ["a string, a number and a boolean", ["a", 1, true], "bigint | text | bool"],
    ["an object and a list", [{ a: 1 }, [1]], "json"],
    ["an object and a string", [{ a: 1 }, "a"], "text | json object"],
    ["two nulls", [null, null], "null"],
  ];
  test.each(table)("%s have the common type $2", (_, values, type) => {
    expect(fieldOf(...values).type).toBe(type);
    expect(fieldOf(...values.toReversed()).type).toBe(type);
  });

  const missing = undefined;
  test.each([
    ["a leading null", [null, 5]],
    ["a trailing null", [5, null]],
    ["a first record without the field", [missing, 5]],
    ["a last record without the field", [5, missing]],
    ["a record without the field in between", [5, missing, 5]],
    ["a null and a record without the field", [null, missing, 5]],
  ])("%s makes a field nullable and leaves its type", (_, values) => {
    expect(fieldOf(...values)).toMatchObject({ type: "bigint", nullable: true });
  });

  it("a field of a nested object is missing only where the object is there without it", () => {
    const seen = columnsSeen([{ a: { x: 1, y: 1 } }, { a: null }, {}, { a: { x: 2 } }]);
    expect(seen.a?.fields).toMatchObject({ x: { nullable: false }, y: { nullable: true } });
  });

  it("the elements of a list have one description, also objects, nulls and lists", () => {
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
  it("any name can be a field, also names from JavaScript's own objects, and numbers", () => {
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

  it("64 names of an object are fields, and 65 names are data", () => {
    expect(Object.keys(columnsSeen([{ a: numbered(64, (n) => n) }]).a?.fields ?? {})).toHaveLength(
      64,
    );
    expect(columnsSeen([{ a: numbered(65, (n) => n) }]).a).toEqual({
      data_type: "json",
      nullable: false,
      values: { data_type: "bigint", nullable: false },
    });
  });

  it("the values under names that are data have one description", () => {
    const values = (n: number) => (n % 2 ? { score: n } : { score: n / 7, note: null });
    const seen = columnsSeen([{ a: numbered(40, values) }, { a: numbered(90, values) }]);
    expect(seen.a?.values?.fields).toMatchObject({
      score: { data_type: "double", nullable: false },
      note: { nullable: true },
    });
  });

  it("objects whose names are data leave room for the fields after them", () => {
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

  it("a value below the eighth level is described as json", () => {
    const text = shapeText(shapeOf([{ a: nest(50, (a) => ({ a })) as never }]));
    expect(text.match(/"fields"/g)).toHaveLength(8);
    expect(shapeText(shapeOf([{ a: nest(2000, (a) => [a]) as never }])).length).toBeLessThan(1000);
  });

  const wideRecords = (names: (n: number) => string, value: (n: number) => unknown) =>
    Array.from({ length: 60 }, (_, n) =>
      Object.fromEntries(Array.from({ length: 16 }, (_, m) => [names(n * 16 + m), value(m)])),
    ) as Members[];
  const everything = [null, 1, 0.5, new Decimal("1e400"), "x", true, {}, [], Buffer.of(1)];
  const inner = Object.fromEntries(everything.map((_, n) => [String(n), everything]));

  test.each([
    ["short names", wideRecords(String, () => inner)],
    [
      "long names",
      wideRecords(
        (n) => `${n}`.padEnd(1000, "x"),
        () => inner,
      ),
    ],
    [
      "names that JSON escapes",
      wideRecords(
        (n) => `${n}`.padEnd(300, "\u0001"),
        () => inner,
      ),
    ],
    [
      "names of four bytes a character",
      wideRecords(
        (n) => `${n}${"😀".repeat(200)}`,
        () => inner,
      ),
    ],
    [
      "lone surrogates",
      wideRecords(
        (n) => `${n}${"\ud800".repeat(200)}`,
        () => inner,
      ),
    ],
    [
      "names of one character",
      wideRecords(
        (n) => String.fromCharCode(200 + n),
        () => inner,
      ),
    ],
  ])("the stored text of a shape with %s stays under 160 KB", (_, records) => {
    const shape = shapeOf([...records, {}, ...records]);
    const bytes = Buffer.byteLength(shapeText(shape));
    expect(bytes).toBeGreaterThan(70_000);
    expect(bytes).toBeLessThan(160_000);
    expect(shapeText(parseShape(shapeText(shape)))).toBe(shapeText(shape));
    expect(changesShape(shape, records)).toBe(false);
  });

  it("a field whose name is too long for a shape leaves room for others", () => {
    const shape = shapeOf([{ ["x".repeat(200_000)]: 1, id: 1 }]);
    expect([...(shape.fields?.keys() ?? [])]).toEqual(["id"]);
  });
});

/** Whether at least one record shows something that the shape has not had. */
function changesShape(shape: Shape, records: readonly Members[]): boolean {
  const observer = new ShapeObserver(shape);
  return records.some((record) => observer.observe(record));
}

const CASES = 1000;
const checkAll = <T>(records: fc.Arbitrary<T>, assertion: (value: T) => void) =>
  fc.assert(fc.property(records, assertion), { numRuns: CASES, seed: 6 });

describe(`shapes of any records (${CASES} cases each)`, () => {
  it("the order of records makes no difference to their shape", () => {
    checkAll(fc.tuple(recordsOf(), fc.infiniteStream(fc.nat())), ([records, numbers]) => {
      const shuffled = records
        .map((record) => ({ record, position: numbers.next().value as number }))
        .sort((left, right) => left.position - right.position)
        .map(({ record }) => record);
      expect(shapeText(shapeOf(shuffled))).toBe(shapeText(shapeOf(records)));
    });
  });

  it("merging the shapes of two parts gives the shape of the whole, wherever it is cut", () => {
    checkAll(recordsOf(), (records) => {
      const whole = shapeText(shapeOf(records));
      for (let cut = 0; cut <= records.length; cut++) {
        const shape = shapeOf(records.slice(0, cut));
        mergeShape(shape, shapeOf(records.slice(cut)));
        expect(shapeText(shape)).toBe(whole);
      }
    });
  });

  it("a shape that is stored and read again grows as if it had not been stored", () => {
    checkAll(recordsOf(), (records) => {
      const whole = shapeText(shapeOf(records));
      for (let cut = 0; cut <= records.length; cut++) {
        const stored = shapeText(shapeOf(records.slice(0, cut)));
        expect(shapeText(parseShape(stored))).toBe(stored);
        expect(shapeText(shapeOf(records.slice(cut), parseShape(stored)))).toBe(whole);
      }
    });
  });

  it("an observer reports a change exactly when the shape changes, and a second reading changes nothing", () => {
    checkAll(recordsOf(), (records) => {
      const shape = emptyShape();
      const observer = new ShapeObserver(shape);
      for (const record of records) {
        const before = shapeText(shape);
        expect(observer.observe(record)).toBe(shapeText(shape) !== before);
      }
      expect(records.some((record) => observer.observe(record))).toBe(false);
      expect(changesShape(parseShape(shapeText(shape)), records)).toBe(false);
    });
  });
});

it("a credential that the API repeats as the name of a field is no part of the schema", () => {
  registerSecret("key-of-the-schema-1");
  registerSecret("customer");
  const shape = shapeOf([
    {
      id: 1,
      "key-of-the-schema-1": true,
      by_key: { "key-of-the-schema-1": 1, "a%6bey": 2 },
      "key%2Dof-the-schema-1": 1,
      customer_name: "A",
    },
  ]);
  expect(shapeText(shape)).not.toContain("of-the-schema");
  expect([...(shape.fields?.keys() ?? [])]).toEqual(["id", "by_key", "customer_name"]);
});
