import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { DataType } from "../../packages/core/src/config/data-types.ts";
import { coerceValue } from "../../packages/core/src/schema/coerce.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import { numberText } from "../../packages/core/src/values/dynamodb-number.ts";

type Value = Parameters<typeof coerceValue>[0];

const types: DataType[] = [
  ...(["text", "bigint", "wei", "double", "decimal", "bool"] as const),
  ...(["timestamp", "date", "time", "binary", "json"] as const),
];
const exactDecimal = new Decimal("0.1234567890123456789");
const bytes = Buffer.from("hello");

/** Each value with its conversions by declared type. A missing type refuses the value. */
const conversions: [value: Value, coerced: Partial<Record<DataType, Value>>][] = [
  [5, { text: "5", bigint: 5, wei: 5, double: 5, decimal: 5, timestamp: "1970-01-01T00:00:05Z" }],
  [-5, { text: "-5", bigint: -5, wei: -5, double: -5, decimal: -5 }],
  [1.5, { text: "1.5", double: 1.5, decimal: 1.5 }],
  [2n ** 64n, { text: "18446744073709551616", ...asNumber(2n ** 64n), bigint: 2n ** 64n }],
  [exactDecimal, { text: exactDecimal.text, double: exactDecimal, decimal: exactDecimal }],
  [true, { text: "true", bool: true }],
  ["", { text: "", binary: Buffer.alloc(0) }],
  ["5", { text: "5", bigint: 5, ...asNumber(5) }],
  ["-7", { text: "-7", bigint: -7, ...asNumber(-7) }],
  ["007", { text: "007" }],
  ["+5", { text: "+5" }],
  [" 5", { text: " 5" }],
  ["5 ", { text: "5 " }],
  ["-0", { text: "-0", double: new Decimal("-0"), decimal: new Decimal("-0") }],
  ["0x1", { text: "0x1" }],
  ["1e3", { text: "1e3", double: new Decimal("1e3"), decimal: new Decimal("1e3") }],
  ["1.50", { text: "1.50", double: new Decimal("1.50"), decimal: new Decimal("1.50") }],
  ["1.5", { text: "1.5", double: 1.5, decimal: 1.5 }],
  [exactDecimal.text, { text: exactDecimal.text, double: exactDecimal, decimal: exactDecimal }],
  ["19007199254740993", { text: "19007199254740993", ...asBigNumber("19007199254740993") }],
  ["9".repeat(38), { text: "9".repeat(38), ...asBigNumber("9".repeat(38)) }],
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
    { ...asTimestamp("2024-01-01T00:00:00Z"), bigint: 1704067200, wei: 1704067200 },
  ],
  [
    "2024-01-01T00:00:00.000Z",
    { ...asTimestamp("2024-01-01T00:00:00.000Z"), bigint: 1704067200, wei: 1704067200 },
  ],
  ["2024-01-01T00:00:00.5Z", asTimestamp("2024-01-01T00:00:00.5Z")],
  ["2024-01-01T00:00:00.0001Z", asTimestamp("2024-01-01T00:00:00.0001Z")],
  ["2024-01-01T00:00:00+00:00", asTimestamp("2024-01-01T00:00:00+00:00")],
  ["2024-01-01T00:00:00", asTimestamp("2024-01-01T00:00:00")],
  ["1969-12-31T23:59:59Z", asTimestamp("1969-12-31T23:59:59Z")],
  ["2016-12-31T23:59:60Z", asTimestamp("2016-12-31T23:59:60Z")],
  ["2024-02-30T00:00:00Z", { text: "2024-02-30T00:00:00Z" }],
  ["2024-01-01", { text: "2024-01-01", date: "2024-01-01" }],
  ["10:20:30", { text: "10:20:30", time: "10:20:30" }],
  [{ a: 1 }, {}],
  [[1], {}],
  [bytes, { binary: bytes }],
];

function asNumber(value: Value) {
  return { wei: value, double: value, decimal: value };
}
function asBigNumber(text: string) {
  return {
    bigint: BigInt(text),
    wei: BigInt(text),
    double: new Decimal(text),
    decimal: new Decimal(text),
  };
}
function asTimestamp(text: string) {
  return { text, timestamp: text };
}

describe("a value in its declared type", () => {
  const rows = conversions.flatMap(([value, coerced]) =>
    types.map((type) => ({ value, type, expected: type === "json" ? value : coerced[type] })),
  );
  test.each(
    rows.map((row) => ({ ...row, from: valueText(row.value), to: valueText(row.expected) })),
  )("$from in a column of type $type becomes $to", ({ value, type, expected }) =>
    expect(coerceValue(value, type)).toStrictEqual(expected));

  it("a value of the declared type is returned as the same object", () => {
    for (const [value] of conversions) {
      for (const type of types) {
        const coerced = coerceValue(value, type);
        if (typeof coerced === typeof value && typeof coerced === "object") {
          expect(coerced).toBe(value);
        }
      }
    }
  });
});

function valueText(value: Value | undefined): string {
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
  ])("the number %s in a timestamp of precision %s becomes %s", (value, precision, timestamp) => {
    expect(coerceValue(value, "timestamp", precision)).toBe(timestamp);
  });
});

const CASES = 2000;
const parameters = { numRuns: CASES, seed: 6 };
const checkAll = <T>(values: fc.Arbitrary<T>, assertion: (value: T) => void) =>
  fc.assert(fc.property(values, assertion), parameters);

const matching = (...patterns: RegExp[]) =>
  fc.oneof(...patterns.map((pattern) => fc.stringMatching(pattern)));

describe(`conversions of any value (${CASES} cases each)`, () => {
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    // DynamoDB holds no exponent of three digits.
    fc
      .double({ noNaN: true, min: -1e99, max: 1e99 })
      .filter((double) => !/e-\d{3}/.test(`${double}`)),
    fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
  );

  it("a number survives the way to text and back, and digits survive the way to bigint and back", () => {
    checkAll(number, (value) => {
      const text = coerceValue(value, "text") as string;
      const number = coerceValue(text, "decimal");
      expect(Number(number)).toBe(Number(value) + 0);
    });
    checkAll(matching(/^-?\d{1,40}$/), (text) => {
      const integer = coerceValue(text, "bigint");
      if (integer !== undefined) expect(coerceValue(integer, "text")).toBe(text);
      else expect(text).toMatch(/^-?0\d|^-0$|.{39}/);
    });
  });

  it("a number that is made from text keeps its last digit, and DynamoDB holds the number", () => {
    const numeric = matching(
      /^-?\d{1,4}(\.\d{1,40})?$/,
      /^-?\d{1,40}$/,
      /^-?\d{1,2}(\.\d{1,30})?e[+-]?\d{1,3}$/,
    );
    checkAll(numeric, (text) => {
      const number = coerceValue(text, "decimal");
      if (number === undefined) return;
      const stored = numberText(number as number | bigint | Decimal);
      expect(stored).toBe(numberText(new Decimal(text)));
      expect(stored).toBeDefined();
    });
  });

  it("seconds survive the way to a timestamp and back to bigint", () => {
    checkAll(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      const text = coerceValue(seconds, "timestamp") as string;
      expect(coerceValue(text, "timestamp")).toBe(text);
      expect(coerceValue(text, "bigint")).toBe(seconds);
    });
  });

  it("base64 text survives the way to bytes and back, and a boolean the way to text and back", () => {
    checkAll(matching(/^[A-Za-z0-9+/]{0,12}={0,2}$/), (text) => {
      const bytes = coerceValue(text, "binary") as Buffer | undefined;
      if (bytes) expect(Buffer.from(bytes).toString("base64")).toBe(text);
    });
    for (const flag of [true, false]) {
      expect(coerceValue(coerceValue(flag, "text") as string, "bool")).toBe(flag);
    }
  });

  it("no conversion throws, and a converted value is not converted again", () => {
    const unlikely = /^[-+]?[\d.e]{1,50}$/;
    const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/;
    const json = fc.jsonValue().filter((value) => value !== null) as fc.Arbitrary<Value>;
    const value = fc.oneof(json, number, matching(unlikely, time));
    const precision = fc.constantFrom(undefined, 0, 3, 6, 9, 12);
    checkAll(fc.tuple(value, fc.constantFrom(...types), precision), ([input, type, digits]) => {
      const coerced = coerceValue(input, type, digits);
      if (coerced !== undefined) expect(coerceValue(coerced, type, digits)).toBe(coerced);
    });
  });
});
