/**
 * A number that a double can not hold, as the API wrote it (`0.1234567890123456789`, `1e400`).
 * Integers beyond 2^53 are bigints; this is for the rest.
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
