import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import {
  canonicalNumber,
  numberBytes,
  numberText,
} from "../../packages/core/src/values/dynamodb-number.ts";
import { cpuTime } from "../support/cpu.ts";

describe("the canonical text of a number", () => {
  it.each([
    ["1.0", "1"],
    ["1e3", "1000"],
    ["-0", "0"],
    ["0.000e9", "0"],
    ["007", "7"],
    ["120.50", "120.5"],
    ["1E-3", "0.001"],
    ["-12.5e1", "-125"],
    ["1e21", "1000000000000000000000"],
    ["10e21", "1e22"],
    ["1.5e-30", "15e-31"],
    ["12345678901234567890", "12345678901234567890"],
    ["99999999999999999999999999999999999999", "99999999999999999999999999999999999999"],
  ])("of %s is %s", (text, expected) => {
    expect(canonicalNumber(text)).toBe(expected);
  });

  it.each([
    ["39 digits", "123456789012345678901234567890123456789"],
    ["too great", "1e126"],
    ["too small", "1e-131"],
    ["an absurd exponent", "1e999999999999999999999"],
    ["not a number", "0x10"],
    ["an empty text", ""],
    ["spaces", " 1"],
  ])("does not exist for %s", (_, text) => {
    expect(canonicalNumber(text)).toBeUndefined();
  });

  it.each([NaN, Infinity, -Infinity, 1e126, 1e-200])("does not exist for %s", (value) => {
    expect(numberText(value)).toBeUndefined();
  });

  it("is the same for equal numbers of any kind", () => {
    expect(numberText(-0)).toBe("0");
    expect(numberText(1e21)).toBe(numberText(10n ** 21n));
    expect(numberText(1e-7)).toBe(numberText(new Decimal("0.0000001")));
    expect(numberText(0.25)).toBe(numberText(new Decimal("2.500e-1")));
  });

  it("is numerically equal to what it was made from (P9)", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const made = canonicalNumber(text);
        if (made !== undefined) expect(scaled(made)).toBe(scaled(text));
      }),
    );
  });

  it("does not take long for a megabyte of zeros", () => {
    const text = `1${"0".repeat(500_000)}1${"0".repeat(500_000)}`;
    expect(cpuTime(() => expect(canonicalNumber(text)).toBeUndefined())).toBeLessThan(1_000);
  });
});

test("a number has the bytes that DynamoDB counts", () => {
  const expected = { "0": 1, "1": 2, "12": 2, "120": 3, "123": 3, "1000000": 2, "-1": 3 };
  for (const [text, bytes] of Object.entries(expected)) expect(numberBytes(text)).toBe(bytes);
  expect(numberBytes("0.001")).toBe(2);
  expect(numberBytes("1.5")).toBe(3);
  expect(numberBytes("1e30")).toBe(2);
  expect(numberBytes("99999999999999999999999999999999999999")).toBe(20);
});

const decimalText = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.stringMatching(/^\d{1,25}$/),
    fc.stringMatching(/^\d{0,15}$/),
    fc.option(fc.integer({ min: -140, max: 140 }), { nil: undefined }),
  )
  .map(([sign, whole, fraction, exponent]) => {
    const point = fraction === "" ? "" : `.${fraction}`;
    return `${sign}${whole}${point}${exponent === undefined ? "" : `e${exponent}`}`;
  });

/** The number times 10^400: exact, and by other means than the code under test. */
function scaled(text: string): bigint {
  const [mantissa = "", exponent = "0"] = text.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
}
