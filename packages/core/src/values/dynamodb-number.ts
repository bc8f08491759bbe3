import type { Decimal } from "./decimal.ts";

/** What DynamoDB's N holds. A number beyond it is refused, never rounded. */
const limits = Object.freeze({
  digits: 38, // significant ones
  highest: 125, // 9.99…e125
  lowest: -130, // 1e-130
});

/**
 * Plain writing adds at most this many zeros: 1e21 is written out, 1e22 is not. It keeps an item's
 * JSON within a known multiple of its size, on which the size of a batch rests.
 */
const PLAIN_ZEROS = 21;

/** The one text of a number: equal numbers have equal texts (`1.0` is `1`, `1e3` is `1000`). */
export function numberText(value: number | bigint | Decimal): string | undefined {
  const text = String(value);
  // What JavaScript writes without an exponent has no needless zero, and is in range.
  if (typeof value === "number" && Number.isFinite(value) && !text.includes("e")) return text;
  return canonical(text);
}

/** The same for a number in text form. Undefined when it is none, or one that N does not hold. */
export function canonical(text: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;

  const all = whole + fraction;
  let start = 0;
  let end = all.length;
  while (all[start] === "0") start++;
  while (end > start && all[end - 1] === "0") end--;
  const digits = all.slice(start, end);
  if (digits === "") return "0";

  // The number is `digits` × 10^scale, its first digit stands for 10^top.
  const scale = Number(exponent) - fraction.length + (all.length - end);
  const top = scale + digits.length - 1;
  if (digits.length > limits.digits || top > limits.highest || top < limits.lowest) {
    return undefined;
  }
  return sign + written(digits, scale);
}

function written(digits: string, scale: number): string {
  const point = digits.length + scale;
  if (scale > PLAIN_ZEROS || -point > PLAIN_ZEROS) return `${digits}e${scale}`;
  if (scale >= 0) return digits + "0".repeat(scale);
  if (point > 0) return `${digits.slice(0, point)}.${digits.slice(point)}`;
  return `0.${"0".repeat(-point)}${digits}`;
}

/**
 * What DynamoDB counts for a number in canonical text: one byte, one more for each pair of digits
 * (paired from the decimal point) from the first to the last that is not zero, one for a minus.
 */
export function numberBytes(text: string): number {
  if (text === "0") return 1;
  const minus = text.charCodeAt(0) === 45 ? 1 : 0;
  const e = text.indexOf("e");
  const end = e < 0 ? text.length : e;
  const shift = e < 0 ? 0 : Number(text.slice(e + 1));
  const dot = text.indexOf(".");
  const units = dot < 0 ? end : dot;

  let first = minus;
  let last = end - 1;
  while (isZeroOrDot(text, first)) first++;
  while (isZeroOrDot(text, last)) last--;
  return 2 + minus + pair(first, units, shift) - pair(last, units, shift);
}

/** Which pair a digit belongs to. */
const pair = (at: number, units: number, shift: number) =>
  Math.floor(((at < units ? units - 1 - at : units - at) + shift) / 2);

const isZeroOrDot = (text: string, at: number) => {
  const code = text.charCodeAt(at);
  return code === 48 || code === 46;
};
