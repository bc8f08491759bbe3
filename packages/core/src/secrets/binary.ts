import { BREAK, foldReading, type Reading } from "./reading.ts";

/*
 * Base64 and hexadecimal digits, as a text or a part of one. Line breaks and spaces may stand between
 * the digits, as MIME and Ruby wrap their lines, and other characters as well between hexadecimal ones. A run of digits may begin before the encoded value,
 * so it is read from each of its first digits on.
 */

const SEPARATOR = -1;
const FOREIGN = -2;

interface Alphabet {
  /** What may stand between the digits, besides control characters and spaces. */
  separators: string;
  /** The value of each byte as a digit, or SEPARATOR, or FOREIGN. */
  values: Int8Array;
  bitsPerDigit: number;
  /** The number of digits at which a value may begin. */
  offsets: number;
  /** The shortest run of digits that is worth decoding. */
  run: RegExp;
}

/** Each string lists the spellings of one digit. */
function createAlphabet(digits: readonly string[], facts: Omit<Alphabet, "values">): Alphabet {
  const values = new Int8Array(256).fill(FOREIGN).fill(SEPARATOR, 0, 0x21);
  for (const separator of facts.separators) values[separator.charCodeAt(0)] = SEPARATOR;
  for (const [value, spellings] of digits.entries()) {
    for (const spelling of spellings) values[spelling.charCodeAt(0)] = value;
  }
  return { values, ...facts };
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const alphabets: readonly Alphabet[] = [
  // base64url has other last digits.
  createAlphabet([...base64Digits, "+-", "/_"], {
    separators: "",
    bitsPerDigit: 6,
    offsets: 4,
    run: /[\w+/-](?:[\0- ]*[\w+/-]){7}/,
  }),
  createAlphabet([..."0123456789", "aA", "bB", "cC", "dD", "eE", "fF"], {
    separators: ":-_.,|+",
    bitsPerDigit: 4,
    offsets: 2,
    run: /[\da-f](?:[\0- :_.,|+-]*[\da-f]){11}/i,
  }),
];

/** The readings of a text as digits, as far as they hold text. */
export function* decodeDigits(reading: Reading): Generator<Reading> {
  for (const alphabet of alphabets) {
    if (!alphabet.run.test(reading.bytes)) continue;
    for (let offset = 0; offset < alphabet.offsets; offset += 1) {
      const text = keepText(new RunDecoder(reading, alphabet, offset).decode());
      if (text) yield foldReading(text);
    }
  }
}

const PADDING = "=".charCodeAt(0);

/** Decodes all runs of digits in a reading, each without its first digits, with a BREAK after each. */
class RunDecoder {
  readonly #source: Reading;
  readonly #alphabet: Alphabet;
  readonly #offset: number;
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #size = 0;
  /** The digits of the run so far. */
  #digits = 0;
  /** The padding after the run. */
  #paddings = 0;
  /** Bits that are not part of a byte yet, and where the first of them stands. */
  #bits = 0;
  #bitCount = 0;
  #bitStart = 0;

  constructor(source: Reading, alphabet: Alphabet, offset: number) {
    this.#source = source;
    this.#alphabet = alphabet;
    this.#offset = offset;
    this.#bytes = new Uint8Array(source.bytes.length);
    this.#starts = new Int32Array(source.bytes.length);
    this.#ends = new Int32Array(source.bytes.length);
  }

  decode(): Reading {
    const { bytes } = this.#source;
    for (let index = 0; index < bytes.length; index += 1) {
      const code = bytes.charCodeAt(index);
      const value = this.#alphabet.values[code] as number;
      if (value >= 0) this.#addDigit(value, index);
      else if (value === FOREIGN) this.#endRun(code, index);
    }
    return {
      bytes: Buffer.from(this.#bytes.buffer, 0, this.#size).toString("latin1"),
      starts: this.#starts,
      ends: this.#ends,
      isBinary: true,
    };
  }

  #addDigit(value: number, index: number): void {
    if (this.#paddings > 0) this.#endRun();
    this.#digits += 1;
    if (this.#digits <= this.#offset) return;
    const { bitsPerDigit } = this.#alphabet;
    const start = this.#source.starts[index] as number;
    if (this.#bitCount === 0) this.#bitStart = start;
    this.#bits = ((this.#bits << bitsPerDigit) | value) & 0xffff;
    this.#bitCount += bitsPerDigit;
    if (this.#bitCount < 8) return;
    this.#bitCount -= 8;
    this.#bytes[this.#size] = this.#bits >> this.#bitCount;
    this.#starts[this.#size] = this.#bitStart;
    this.#ends[this.#size] = this.#source.ends[index] as number;
    this.#size += 1;
    this.#bitStart = start;
  }

  /** Padding belongs to the last byte of the run. */
  #endRun(code?: number, index = 0): void {
    if (this.#digits <= this.#offset) {
      this.#digits = 0;
      return;
    }
    if (code === PADDING && this.#paddings < 2 && this.#size > 0) {
      this.#paddings += 1;
      this.#ends[this.#size - 1] = this.#source.ends[index] as number;
      return;
    }
    this.#bytes[this.#size] = BREAK.charCodeAt(0);
    this.#size += 1;
    this.#digits = 0;
    this.#paddings = 0;
    this.#bitCount = 0;
  }
}

/** Most bytes of a run are no text, because most runs are words and not encoded. UTF-16 has zeros. */
const textPart =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
  /(?:\0?[\x07\t\n\r\x1b\x20-\x7e]|\0?[\x80-\xff]\0|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){4,}/g;

/** The parts of a reading that are text, with a BREAK after each. */
function keepText({ bytes, starts, ends, isBinary }: Reading): Reading | undefined {
  const parts: string[] = [];
  let size = 0;
  for (const { 0: part, index } of bytes.matchAll(textPart)) {
    parts.push(part, BREAK);
    // The target stands before the source, so no position is overwritten before it is read.
    starts.copyWithin(size, index, index + part.length);
    ends.copyWithin(size, index, index + part.length);
    size += part.length + 1;
  }
  if (size === 0) return undefined;
  return {
    bytes: parts.join(""),
    starts: starts.slice(0, size),
    ends: ends.slice(0, size),
    isBinary,
  };
}
