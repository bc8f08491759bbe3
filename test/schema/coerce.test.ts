import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { DataType } from "../../packages/core/src/config/data-types.ts";
import { coerce } from "../../packages/core/src/schema/coerce.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import { numberText } from "../../packages/core/src/values/dynamodb-number.ts";

type Value = Parameters<typeof coerce>[0];

const types: DataType[] = [
  ...(["text", "bigint", "wei", "double", "decimal", "bool"] as const),
  ...(["timestamp", "date", "time", "binary", "json"] as const),
];
const exact = new Decimal("0.1234567890123456789");
const bytes = Buffer.from("hello");

/** What each declared type makes of a value. Types that are not named refuse it. */
const table: [value: Value, made: Partial<Record<DataType, Value>>][] = [
  [5, { text: "5", bigint: 5, wei: 5, double: 5, decimal: 5, timestamp: "1970-01-01T00:00:05Z" }],
  [-5, { text: "-5", bigint: -5, wei: -5, double: -5, decimal: -5 }],
  [1.5, { text: "1.5", double: 1.5, decimal: 1.5 }],
  [2n ** 64n, { text: "18446744073709551616", ...numbers(2n ** 64n), bigint: 2n ** 64n }],
  [exact, { text: exact.text, double: exact, decimal: exact }],
  [true, { text: "true", bool: true }],
  ["", { text: "", binary: Buffer.alloc(0) }],
  ["5", { text: "5", bigint: 5, ...numbers(5) }],
  ["-7", { text: "-7", bigint: -7, ...numbers(-7) }],
  ["007", { text: "007" }],
  ["+5", { text: "+5" }],
  [" 5", { text: " 5" }],
  ["5 ", { text: "5 " }],
  ["-0", { text: "-0", double: new Decimal("-0"), decimal: new Decimal("-0") }],
  ["0x1", { text: "0x1" }],
  ["1e3", { text: "1e3", double: new Decimal("1e3"), decimal: new Decimal("1e3") }],
  ["1.50", { text: "1.50", double: new Decimal("1.50"), decimal: new Decimal("1.50") }],
  ["1.5", { text: "1.5", double: 1.5, decimal: 1.5 }],
  [exact.text, { text: exact.text, double: exact, decimal: exact }],
  ["19007199254740993", { text: "19007199254740993", ...big("19007199254740993") }],
  ["9".repeat(38), { text: "9".repeat(38), ...big("9".repeat(38)) }],
  ["9".repeat(39), { text: "9".repeat(39) }],
  ["1e400", { text: "1e400" }],
  ["NaN", { text: "NaN" }],
  ["Infinity", { text: "Infinity", binary: Buffer.from("Infinity", "base64") }],
  ["true", { text: "true", bool: true, binary: Buffer.from("true", "base64") }],
  ["false", { text: "false", bool: false }],
  ["True", { text: "True", binary: Buffer.from("True", "base64") }],
  ["yes", { text: "yes" }],
  ["aGVsbG8=", { text: "aGVsbG8=", binary: bytes }],
  ["aGVsbG9=", { text: "aGVsbG9=" }],
  ["aGVsbG8", { text: "aGVsbG8" }],
  [
    "2024-01-01T00:00:00Z",
    { ...stamp("2024-01-01T00:00:00Z"), bigint: 1704067200, wei: 1704067200 },
  ],
  [
    "2024-01-01T00:00:00.000Z",
    { ...stamp("2024-01-01T00:00:00.000Z"), bigint: 1704067200, wei: 1704067200 },
  ],
  ["2024-01-01T00:00:00.5Z", stamp("2024-01-01T00:00:00.5Z")],
  ["2024-01-01T00:00:00.0001Z", stamp("2024-01-01T00:00:00.0001Z")],
  ["2024-01-01T00:00:00+00:00", stamp("2024-01-01T00:00:00+00:00")],
  ["2024-01-01T00:00:00", stamp("2024-01-01T00:00:00")],
  ["1969-12-31T23:59:59Z", stamp("1969-12-31T23:59:59Z")],
  ["2016-12-31T23:59:60Z", stamp("2016-12-31T23:59:60Z")],
  ["2024-02-30T00:00:00Z", { text: "2024-02-30T00:00:00Z" }],
  ["2024-01-01", { text: "2024-01-01", date: "2024-01-01" }],
  ["10:20:30", { text: "10:20:30", time: "10:20:30" }],
  [{ a: 1 }, {}],
  [[1], {}],
  [bytes, { binary: bytes }],
];

function numbers(value: Value) {
  return { wei: value, double: value, decimal: value };
}
function big(text: string) {
  return {
    bigint: BigInt(text),
    wei: BigInt(text),
    double: new Decimal(text),
    decimal: new Decimal(text),
  };
}
function stamp(text: string) {
  return { text, timestamp: text };
}

describe("a value as its declared type has it", () => {
  const rows = table.flatMap(([value, made]) =>
    types.map((type) => ({ value, type, made: type === "json" ? value : made[type] })),
  );
  test.each(
    rows.map((row) => ({ ...row, shown: shown(row.value), is: shown(row.made) })),
  )("$type makes of $shown: $is", ({ value, type, made }) =>
    expect(coerce(value, type)).toStrictEqual(made));

  it("has the value itself where there is nothing to do", () => {
    for (const [value] of table) {
      for (const type of types) {
        const made = coerce(value, type);
        if (typeof made === typeof value && typeof made === "object") expect(made).toBe(value);
      }
    }
  });
});

function shown(value: Value | undefined): string {
  if (value === undefined) return "nothing";
  if (value instanceof Decimal) return `exactly ${value.text}`;
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "bigint" ? `${value}n` : JSON.stringify(value).slice(0, 45);
}

describe("a number that counts from 1970, as a timestamp", () => {
  test.each([
    [1_700_000_000, undefined, "2023-11-14T22:13:20Z"],
    [1_700_000_000, 0, "2023-11-14T22:13:20Z"],
    [1_700_000_000_007, 3, "2023-11-14T22:13:20.007Z"],
    [1_700_000_000_000_001, 6, "2023-11-14T22:13:20.000001Z"],
    [9_007_199_253_999_999, 6, "2255-06-05T23:47:33.999999Z"],
    [1_700_000_000_000_000_001n, 9, "2023-11-14T22:13:20.000000001Z"],
    [0, 3, "1970-01-01T00:00:00.000Z"],
    [253_402_300_799, 0, "9999-12-31T23:59:59Z"],
    [253_402_300_800, 0, undefined],
    [1_700_000_000_000_007, 0, undefined],
    [-1, 0, undefined],
    [1.5, 0, undefined],
    [5, 4, undefined],
  ])("%s with precision %s is %s", (value, precision, made) => {
    expect(coerce(value, "timestamp", precision)).toBe(made);
  });
});

const CASES = 2000;
const parameters = { numRuns: CASES, seed: 6 };
const check = <T>(values: fc.Arbitrary<T>, holds: (value: T) => void) =>
  fc.assert(fc.property(values, holds), parameters);

const like = (...patterns: RegExp[]) =>
  fc.oneof(...patterns.map((pattern) => fc.stringMatching(pattern)));

describe(`of any value (${CASES} cases each)`, () => {
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    // With an exponent of two digits.
    fc.double({ noNaN: true, min: -1e99, max: 1e99 }).filter((one) => !/e-\d{3}/.test(`${one}`)),
    fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
  );

  it("a number that is made a text is made the same number again, and the other way round", () => {
    check(number, (value) => {
      const text = coerce(value, "text") as string;
      const again = coerce(text, "decimal");
      expect(Number(again)).toBe(Number(value) + 0);
    });
    check(like(/^-?\d{1,40}$/), (text) => {
      const made = coerce(text, "bigint");
      if (made !== undefined) expect(coerce(made, "text")).toBe(text);
      else expect(text).toMatch(/^-?0\d|^-0$|.{39}/);
    });
  });

  it("a text that is made a number is that number to the last digit, and DynamoDB holds it", () => {
    const numeric = like(
      /^-?\d{1,4}(\.\d{1,40})?$/,
      /^-?\d{1,40}$/,
      /^-?\d{1,2}(\.\d{1,30})?e[+-]?\d{1,3}$/,
    );
    check(numeric, (text) => {
      const made = coerce(text, "decimal");
      if (made === undefined) return;
      const stored = numberText(made as number | bigint | Decimal);
      expect(stored).toBe(numberText(new Decimal(text)));
      expect(stored).toBeDefined();
    });
  });

  it("a number that is made a timestamp is the number of seconds that this timestamp is made", () => {
    check(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      const text = coerce(seconds, "timestamp") as string;
      expect(coerce(text, "timestamp")).toBe(text);
      expect(coerce(text, "bigint")).toBe(seconds);
    });
  });

  it("bytes and flags are made the same text again", () => {
    check(like(/^[A-Za-z0-9+/]{0,12}={0,2}$/), (text) => {
      const made = coerce(text, "binary") as Buffer | undefined;
      if (made) expect(Buffer.from(made).toString("base64")).toBe(text);
    });
    for (const flag of [true, false]) {
      expect(coerce(coerce(flag, "text") as string, "bool")).toBe(flag);
    }
  });

  it("nothing throws, and what is made is of the declared type", () => {
    const unlikely = /^[-+]?[\d.e]{1,50}$/;
    const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/;
    const json = fc.jsonValue().filter((value) => value !== null) as fc.Arbitrary<Value>;
    const value = fc.oneof(json, number, like(unlikely, time));
    const precision = fc.constantFrom(undefined, 0, 3, 6, 9, 12);
    check(fc.tuple(value, fc.constantFrom(...types), precision), ([one, type, digits]) => {
      const made = coerce(one, type, digits);
      if (made !== undefined) expect(coerce(made, type, digits)).toBe(made);
    });
  });
});
