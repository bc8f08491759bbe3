import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareNumbers,
  isSameNumber,
  numberIdentity,
  splitNumber,
} from "../../packages/core/src/values/number-parts.ts";
import { cpuTime } from "../support/cpu.ts";
import { decimalText, scaleUp } from "./numbers.ts";

describe("the parts of a number", () => {
  it.each([
    ["1500", 1, "15", 2],
    ["-1.50e3", -1, "15", 2],
    ["0.007", 1, "7", -3],
    ["-0.00E9", 0, "0", 0],
  ])("%s has the sign %s, the digits %s and the exponent %s", (text, sign, digits, exponent) => {
    expect(splitNumber(text)).toEqual({ sign, digits, exponent });
  });

  it.each([
    "",
    " 1",
    "0x10",
    "1.",
    ".5",
    "1e",
    "--1",
    "NaN",
    "Infinity",
    "1,5",
  ])("the text %j is no number and has no parts", (text) => {
    expect(splitNumber(text)).toBeUndefined();
  });

  it("a number is split in a moment, even with a megabyte of zeros", () => {
    const text = `1${"0".repeat(500_000)}1${"0".repeat(500_000)}`;
    expect(cpuTime(() => expect(splitNumber(text)?.exponent).toBe(500_000))).toBeLessThan(1_000);
  });
});

describe("equal numbers", () => {
  it("two numbers have the same identity exactly if they are equal", () => {
    fc.assert(
      fc.property(numberPair, ([left, right]) => {
        const areEqual = scaleUp(left) === scaleUp(right);
        expect(isSameNumber(left, right)).toBe(areEqual);
        expect(numberIdentity(left) === numberIdentity(right)).toBe(areEqual);
      }),
    );
  });

  it("a text that is no number is the same as itself alone", () => {
    expect(isSameNumber("n/a", "n/a")).toBe(true);
    expect(isSameNumber("n/a", "N/A")).toBe(false);
  });
});

describe("the order of numbers", () => {
  it("numbers are ordered by their exact value, whatever their spelling", () => {
    fc.assert(
      fc.property(numberPair, ([left, right]) => {
        const [exactLeft, exactRight] = [scaleUp(left), scaleUp(right)];
        const expected = exactLeft < exactRight ? -1 : exactLeft > exactRight ? 1 : 0;
        expect(Math.sign(compareNumbers(left, right))).toBe(expected);
      }),
    );
  });

  it.each([
    ["9007199254740993", "9007199254740992"],
    ["-9007199254740992", "-9007199254740993"],
    ["0.10000000000000000000000000000000000001", "0.1"],
    ["1e400", "9e399"],
    ["-1e399", "-1e400"],
    [9007199254740992, "9007199254740991"],
    ["9007199254740993", 9007199254740992],
  ])("%s is greater than %s", (greater, smaller) => {
    expect(compareNumbers(greater, smaller)).toBeGreaterThan(0);
    expect(compareNumbers(smaller, greater)).toBeLessThan(0);
  });

  it.each([
    ["1.50", "15E-1"],
    ["-0", "0.000"],
    [1e21, "1000000000000000000000"],
    [0.1, "0.10"],
  ])("%s and %s are equal", (left, right) => {
    expect(compareNumbers(left, right)).toBe(0);
  });
});

/** Two numbers, or one number in two spellings that often write the same value. */
const numberPair = fc.oneof(
  fc.tuple(decimalText, decimalText),
  fc
    .tuple(decimalText, fc.integer({ min: 0, max: 5 }), fc.constantFrom("", "0", "1"))
    .map(([text, shift, digit]): [string, string] => {
      const [mantissa = "", exponent = "0"] = text.split("e");
      const point = mantissa.includes(".") ? "" : ".0";
      return [text, `${mantissa}${point}${"0".repeat(shift)}${digit}e${exponent}`];
    }),
);
