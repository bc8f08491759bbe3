/*
 * A reading is a text as an encoding shows it: `%2F` read as a slash, base64 read as what it holds.
 * Each reading knows where its bytes stand in the text that was given.
 */

export interface Reading {
  /** The bytes of UTF-8, one character for each. */
  readonly bytes: string;
  /** The begin of each byte in the given text. */
  readonly starts: Int32Array;
  /** The end of each byte in the given text. */
  readonly ends: Int32Array;
  /** Base64 or hexadecimal digits have been decoded: chance alone makes short values there. */
  readonly isBinary: boolean;
}

/** Stands where a secret cannot go on. UTF-8 has no such byte. */
export const BREAK = "\xff";

/** A rewritten reading has at most so many times the bytes: a character of Latin-1 becomes two. */
const MAX_GROWTH = 2;

/** The bytes of a character or a text, one character for each. */
export const toBytes = (text: string): string => Buffer.from(text).toString("latin1");

/** What nobody sees, or what only marks the letter before it. It separates no secret. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}\p{Me}\p{Zl}\p{Zp}\u2800]+/gu;

/**
 * The bytes that a character is compared by: the same for a wide or an accented form, and none for what
 * nobody sees. A C1 control character becomes the escape sequence that means the same.
 */
function foldCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0xa0) return `\x1b${String.fromCharCode(code - 0x40)}`;
  return toBytes(character.normalize("NFKD").replace(unseen, ""));
}

/** The folded characters so far, by their bytes. Texts repeat few. */
const foldedCharacters = new Map<string, string>();

const MAX_FOLDED = 10_000;

/** Characters, and the zeros of UTF-16. */
const foldable =
  /\0|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xfe]/g;

/** A byte that is no UTF-8 is a character of Latin-1. */
function fold(part: string): string {
  if (part === "\0") return "";
  const known = foldedCharacters.get(part);
  if (known !== undefined) return known;
  const character = part.length === 1 ? part : Buffer.from(part, "latin1").toString();
  const forms = [foldCharacter(character), toBytes(character), part];
  const folded = forms.find(({ length }) => length <= MAX_GROWTH * part.length) as string;
  if (foldedCharacters.size >= MAX_FOLDED) foldedCharacters.clear();
  foldedCharacters.set(part, folded);
  return folded;
}

/** The bytes of a secret as readings show them. */
export const foldText = (text: string): string => toBytes(text).replace(foldable, fold);

/** A reading with its characters folded. */
export const foldReading = (reading: Reading): Reading =>
  rewrite(reading, foldable, ([part]) => {
    const folded = fold(part);
    return folded === part ? undefined : folded;
  });

/** The reading of a text as it stands. `unread` stays out of it. */
export function readPlainly(text: string, unread: string): Reading {
  const buffer = Buffer.from(text);
  const starts = new Int32Array(buffer.length);
  const ends = new Int32Array(buffer.length);
  let [index, position] = [0, 0];
  while (index < buffer.length) {
    const lead = buffer[index] as number;
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    // Four bytes are two code units of a string.
    const end = position + (size === 4 ? 2 : 1);
    for (const next = index + size; index < next; index += 1) {
      starts[index] = position;
      ends[index] = end;
    }
    position = end;
  }
  const bytes = buffer.toString("latin1").replaceAll(unread, BREAK.repeat(unread.length));
  return foldReading({ bytes, starts, ends, isBinary: false });
}

/**
 * Rewrites every match of a pattern. `decode` returns the bytes in its place; undefined leaves it.
 * Returns the same reading where nothing changes.
 */
export function rewrite(
  reading: Reading,
  pattern: RegExp,
  decode: (match: RegExpExecArray) => string | undefined,
): Reading {
  let writer: ReadingWriter | undefined;
  for (const match of reading.bytes.matchAll(pattern)) {
    const decoded = decode(match);
    if (decoded === undefined) continue;
    writer ??= new ReadingWriter(reading);
    writer.replace(match.index, match[0].length, decoded);
  }
  return writer?.finish() ?? reading;
}

/** Writes a reading from another one, from its first byte to its last. */
class ReadingWriter {
  readonly #source: Reading;
  readonly #pieces: string[] = [];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** The bytes of the source that have been copied or replaced. */
  #read = 0;
  #size = 0;

  constructor(source: Reading) {
    this.#source = source;
    this.#starts = new Int32Array(MAX_GROWTH * source.bytes.length);
    this.#ends = new Int32Array(MAX_GROWTH * source.bytes.length);
  }

  replace(index: number, length: number, bytes: string): void {
    this.#copyUpTo(index);
    const end = this.#size + bytes.length;
    this.#starts.fill(this.#source.starts[index] as number, this.#size, end);
    this.#ends.fill(this.#source.ends[index + length - 1] as number, this.#size, end);
    this.#pieces.push(bytes);
    this.#size = end;
    this.#read = index + length;
  }

  finish(): Reading {
    this.#copyUpTo(this.#source.bytes.length);
    return {
      bytes: this.#pieces.join(""),
      starts: this.#starts.subarray(0, this.#size),
      ends: this.#ends.subarray(0, this.#size),
      isBinary: this.#source.isBinary,
    };
  }

  #copyUpTo(index: number): void {
    if (index === this.#read) return;
    const { bytes, starts, ends } = this.#source;
    this.#pieces.push(bytes.slice(this.#read, index));
    this.#starts.set(starts.subarray(this.#read, index), this.#size);
    this.#ends.set(ends.subarray(this.#read, index), this.#size);
    this.#size += index - this.#read;
    this.#read = index;
  }
}
