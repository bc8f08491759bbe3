import fc from "fast-check";

/** Texts of decimal numbers, as APIs and DynamoDB write them. */
export const decimalText = fc
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
export function scaleUp(text: string): bigint {
  const [mantissa = "", exponent = "0"] = text.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
}
