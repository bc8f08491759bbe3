import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import {
  canonicalNumber,
  numberBytes,
  numberText,
} from "../../packages/core/src/values/dynamodb-number.ts";
import { cpuTime } from "../support/cpu.ts";
import { decimalText, scaleUp } from "./numbers.ts";

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
  ])("the canonical text of %s is %s", (text, expected) => {
    expect(canonicalNumber(text)).toBe(expected);
  });

  it.each([
    ["a number of 39 digits", "123456789012345678901234567890123456789"],
    ["a number above DynamoDB's range", "1e126"],
    ["a number below DynamoDB's range", "1e-131"],
    ["an absurd exponent", "1e999999999999999999999"],
    ["a text that is no number", "0x10"],
    ["an empty text", ""],
    ["a number with a space", " 1"],
  ])("%s has no canonical text", (_, text) => {
    expect(canonicalNumber(text)).toBeUndefined();
  });

  it.each([
    NaN,
    Infinity,
    -Infinity,
    1e126,
    1e-200,
  ])("the number %s, which DynamoDB does not hold, has no canonical text", (value) => {
    expect(numberText(value)).toBeUndefined();
  });

  it("equal numbers of any type have the same canonical text", () => {
    expect(numberText(-0)).toBe("0");
    expect(numberText(1e21)).toBe(numberText(10n ** 21n));
    expect(numberText(1e-7)).toBe(numberText(new Decimal("0.0000001")));
    expect(numberText(0.25)).toBe(numberText(new Decimal("2.500e-1")));
  });

  it("the canonical text of a number is numerically equal to the number (P9)", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const canonical = canonicalNumber(text);
        if (canonical !== undefined) expect(scaleUp(canonical)).toBe(scaleUp(text));
      }),
    );
  });

  it("a number with a megabyte of zeros is refused in a moment", () => {
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
