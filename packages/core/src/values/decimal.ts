/**
 * A number that neither a double nor a bigint can hold, as the API wrote it: `0.1234567890123456789`
 * or `1e400`. Integers above 2^53 are bigints.
 */
export class Decimal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}
