/*
 * A plain number is a string of digits with at most a minus and a point. Cursors keep numbers in
 * plain form if a double cannot hold them.
 */

export const isPlainNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

/** Subtracts a double from a plain number; the double is rounded up to the number's decimal places. */
export function subtractFromPlain(text: string, subtrahend: number): string {
  const places = text.split(".")[1]?.length ?? 0;
  const difference = BigInt(text.replace(".", "")) - scaleRoundedUp(subtrahend, places);
  const digits = String(difference)
    .replace("-", "")
    .padStart(places + 1, "0");
  const sign = difference < 0n ? "-" : "";
  if (places === 0) return sign + digits;
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** A double times 10^places, rounded up at its 15th digit after the point, the last that is exact. */
function scaleRoundedUp(double: number, places: number): bigint {
  const whole = Math.trunc(double);
  const exactPlaces = Math.min(places, 15);
  const fraction = BigInt(Math.ceil((double - whole) * 10 ** exactPlaces));
  return BigInt(whole) * 10n ** BigInt(places) + fraction * 10n ** BigInt(places - exactPlaces);
}
