import type { Decimal } from "./decimal.ts";
import { splitNumber } from "./number-parts.ts";

/** The range of DynamoDB's type N. Numbers outside the range are refused, never rounded. */
const limits = Object.freeze({
  digits: 38, // significant ones
  highest: 125, // 9.99…e125
  lowest: -130, // 1e-130
});

/**
 * Numbers are written out with at most this many zeros, so 1e21 is and 1e22 is not. The limit keeps
 * an item's JSON within a known multiple of the item's size, by which batches are cut.
 */
const PLAIN_ZEROS = 21;

/** Writes equal numbers as equal strings: `1.0` becomes `1`, `1e3` becomes `1000`. */
export function numberText(value: number | bigint | Decimal): string | undefined {
  const text = String(value);
  // JavaScript writes numbers without an exponent in canonical form, and they are in range.
  if (typeof value === "number" && Number.isFinite(value) && !text.includes("e")) return text;
  return canonicalNumber(text);
}

/** Does the same with a string. Undefined for no number, and for a number that N does not hold. */
export function canonicalNumber(text: string): string | undefined {
  const parts = splitNumber(text);
  if (!parts) return undefined;
  const { sign, digits, exponent } = parts;
  const firstDigitExponent = exponent + digits.length - 1;
  if (digits.length > limits.digits) return undefined;
  if (firstDigitExponent > limits.highest || firstDigitExponent < limits.lowest) return undefined;
  return `${sign < 0 ? "-" : ""}${writeDigits(digits, exponent)}`;
}

function writeDigits(digits: string, exponent: number): string {
  const point = digits.length + exponent;
  if (exponent > PLAIN_ZEROS || -point > PLAIN_ZEROS) return `${digits}e${exponent}`;
  if (exponent >= 0) return digits + "0".repeat(exponent);
  if (point > 0) return `${digits.slice(0, point)}.${digits.slice(point)}`;
  return `0.${"0".repeat(-point)}${digits}`;
}

/**
 * Counts the bytes of a canonical number as DynamoDB does: one, another for each pair of digits from
 * the first to the last non-zero digit (paired from the decimal point), and another for a minus.
 */
export function numberBytes(text: string): number {
  if (text === "0") return 1;
  const minus = text.charCodeAt(0) === 45 ? 1 : 0;
  const exponentIndex = text.indexOf("e");
  const end = exponentIndex < 0 ? text.length : exponentIndex;
  const shift = exponentIndex < 0 ? 0 : Number(text.slice(exponentIndex + 1));
  const pointIndex = text.indexOf(".");
  const wholeEnd = pointIndex < 0 ? end : pointIndex;

  let first = minus;
  let last = end - 1;
  while (isZeroOrPoint(text, first)) first++;
  while (isZeroOrPoint(text, last)) last--;
  return 2 + minus + digitPair(first, wholeEnd, shift) - digitPair(last, wholeEnd, shift);
}

/** Numbers the pairs of digits to the left from the decimal point; `shift` moves the point. */
const digitPair = (index: number, wholeEnd: number, shift: number) =>
  Math.floor(((index < wholeEnd ? wholeEnd - 1 - index : wholeEnd - index) + shift) / 2);

const isZeroOrPoint = (text: string, index: number) => {
  const code = text.charCodeAt(index);
  return code === 48 /* 0 */ || code === 46 /* . */;
};
