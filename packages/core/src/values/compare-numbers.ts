/*
 * Numbers as a cursor has them: a double, or the text of what a double can not hold.
 */

type Numeric = number | string;

/** Digits with at most a minus and a point. */
export const isNumeric = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

export function compareNumbers(a: Numeric, b: Numeric): number {
  // Rounding to a double keeps the order: the digits decide only between two of the same double.
  const rounded = Number(a) - Number(b);
  if (rounded) return rounded;
  const [one, other] = [plain(a), plain(b)];
  // What still has an exponent is a double next to zero.
  if (!isNumeric(one) || !isNumeric(other)) return 0;
  const places = Math.max(placesOf(one), placesOf(other));
  const difference = scaled(one, places) - scaled(other, places);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** `by` is rounded up to the places that `text` has. */
export function minus(text: string, by: number): string {
  const places = placesOf(text);
  const difference = scaled(text, places) - roundedUp(by, places);
  const digits = String(difference)
    .replace("-", "")
    .padStart(places + 1, "0");
  const sign = difference < 0n ? "-" : "";
  if (places === 0) return sign + digits;
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** A double holds 15 digits, and is infinite long before a fraction of an API ends. */
function roundedUp(by: number, places: number): bigint {
  const whole = Math.trunc(by);
  const digits = Math.min(places, 15);
  const fraction = BigInt(Math.ceil((by - whole) * 10 ** digits));
  return BigInt(whole) * 10n ** BigInt(places) + fraction * 10n ** BigInt(places - digits);
}

const plain = (value: Numeric): string =>
  Number.isInteger(value) ? String(BigInt(value)) : String(value);

const placesOf = (text: string): number => text.split(".")[1]?.length ?? 0;

/** The number times 10^places. */
function scaled(text: string, places: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0"));
}
