import { compareStrings } from "./time.ts";

/**
 * A decimal number as sign × digits × 10^exponent, exact and with one form per number: the digits
 * neither begin nor end with a zero, except for the number zero itself.
 */
export interface NumberParts {
  sign: -1 | 0 | 1;
  digits: string;
  exponent: number;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

const zero: NumberParts = Object.freeze({ sign: 0, digits: "0", exponent: 0 });

/** Splits a number in decimal notation; undefined for any other string. */
export function splitNumber(text: string): NumberParts | undefined {
  const match = decimal.exec(text);
  if (!match) return undefined;
  const [, minus, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  // Loops, because patterns take quadratic time for a megabyte of zeros.
  let start = 0;
  let end = digits.length;
  while (digits[start] === "0") start += 1;
  while (end > start && digits[end - 1] === "0") end -= 1;
  if (start === end) return zero;
  return {
    sign: minus ? -1 : 1,
    digits: digits.slice(start, end),
    exponent: Number(exponent) - fraction.length + digits.length - end,
  };
}

/** Writes equal numbers as equal strings: `1.50e3` and `1500` become `15e2`. */
export function numberIdentity(text: string): string {
  const parts = splitNumber(text);
  return parts ? `${parts.sign < 0 ? "-" : ""}${parts.digits}e${parts.exponent}` : text;
}

/** Says whether two strings write the same number. */
export const isSameNumber = (first: string, second: string): boolean =>
  first === second || numberIdentity(first) === numberIdentity(second);

/** Orders numbers, or numbers in decimal notation, exactly to the last digit. */
export function compareNumbers(first: number | string, second: number | string): number {
  // Rounding to doubles keeps the order, so the digits decide only between equal doubles.
  const difference = Number(first) - Number(second);
  if (difference) return difference;
  const firstParts = splitNumber(String(first));
  const secondParts = splitNumber(String(second));
  return firstParts && secondParts ? compareParts(firstParts, secondParts) : 0;
}

function compareParts(first: NumberParts, second: NumberParts): number {
  if (first.sign !== second.sign) return first.sign - second.sign;
  return first.sign < 0 ? compareSizes(second, first) : compareSizes(first, second);
}

const compareSizes = (first: NumberParts, second: NumberParts): number =>
  orderOfMagnitude(first) - orderOfMagnitude(second) || compareStrings(first.digits, second.digits);

/** The number of digits before the decimal point; negative for zeros after the point. */
const orderOfMagnitude = ({ digits, exponent }: NumberParts): number => exponent + digits.length;
