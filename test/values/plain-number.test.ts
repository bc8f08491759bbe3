import fc from "fast-check";
import { expect, it } from "vitest";
import { isPlainNumber, subtractFromPlain } from "../../packages/core/src/values/plain-number.ts";
import { scaleUp } from "./numbers.ts";

it.each([
  "0",
  "-7",
  "007",
  "1.50",
  "-0.5",
  "123456789012345678901234567890",
])("%s is a plain number", (text) => {
  expect(isPlainNumber(text)).toBe(true);
});

it.each([
  "",
  "1e3",
  "+1",
  "1.",
  ".5",
  " 1",
  "0x10",
  "Infinity",
])("%j is no plain number", (text) => {
  expect(isPlainNumber(text)).toBe(false);
});

it.each([
  ["10", 3, "7"],
  ["3", 10, "-7"],
  ["9007199254740993", 1, "9007199254740992"],
  ["1.50", 0.25, "1.25"],
  ["1.5", 0.25, "1.2"],
  ["0.05", 0.1, "-0.05"],
  ["5", -2, "7"],
])("%s minus %s is %s", (text, subtrahend, difference) => {
  expect(subtractFromPlain(text, subtrahend)).toBe(difference);
});

it("a difference of whole numbers is exact and keeps the decimal places", () => {
  const plainNumber = fc.stringMatching(/^-?\d{1,25}(\.\d{1,20})?$/);
  fc.assert(
    fc.property(plainNumber, fc.integer({ min: 0 }), (text, subtrahend) => {
      const difference = subtractFromPlain(text, subtrahend);
      expect(scaleUp(difference)).toBe(scaleUp(text) - scaleUp(String(subtrahend)));
      expect(difference.split(".")[1]?.length).toBe(text.split(".")[1]?.length);
    }),
  );
});
