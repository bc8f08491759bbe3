import { findEntity } from "./html-entities.ts";
import { dropInvisible, type Reading, rewrite, toBytes } from "./reading.ts";

/*
 * The escapes of URLs, of JSON and programming languages, of HTML and of mail. Each undoes one layer:
 * after `%2526` comes `%26`.
 */

interface EscapeFamily {
  /** Every escape of the family begins with it. */
  sign: string;
  pattern: RegExp;
  decode(match: RegExpExecArray): string | undefined;
}

const fromHex = (digits: string): string => fromCode(Number.parseInt(digits, 16));

const fromCode = (code: number): string | (undefined & string) =>
  (code <= 0x10ffff ? toBytes(String.fromCodePoint(code)) : undefined) as string;

/** A byte: whether it is UTF-8 or Latin-1, its neighbours decide. */
const fromByte = (digits: string): string => String.fromCharCode(Number.parseInt(digits, 16));

const controls: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const anyBackslash =
  /\\(?:u(d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,8})\}|U([\da-f]{8})|x([\da-f]{2})|([0-3][0-7]{2})|([abfnrtv])|([^\da-z]))/gi;

/** The escapes of `anyBackslash` that name a code: before one, another backslash may belong to the text. */
const codeOfBackslash =
  /\\(?:u(d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,8})\}|U([\da-f]{8})|x([\da-f]{2}))/gi;

function decodeBackslash(match: RegExpExecArray): string | undefined {
  const [, pair, code, braced, long, byte, octal, control, character] = match;
  if (pair) return toBytes(JSON.parse(`"\\u${pair}"`));
  const digits = code ?? braced ?? long;
  if (digits) return fromHex(digits);
  if (byte) return fromByte(byte);
  if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
  return control ? controls[control.toLowerCase()] : character;
}

/** Bytes that mail programs escape, unless a name precedes: the `=` of `?key=2Fab` is no escape. */
const mailEscape =
  /(?<!(?:^|[?&;, \t"'{(<])[\w.-]{1,32})=(?:[C-F][\dA-F](?:=[89AB][\dA-F]){1,3}|0[9AD]|2[\dA-F]|3[A-F]|40|5[B-F]|60|7[B-F]|[ \t]{0,8}\r?\n)/g;

const decodeMail = (escapes: string): string =>
  escapes.replace(/=([\dA-F]{2})|=\s+/g, (_, byte) => (byte ? fromByte(byte) : ""));

const escapeFamilies: readonly EscapeFamily[] = [
  {
    sign: "%",
    pattern: /%(?:u([\da-f]{4})|([\da-f]{2}))/gi,
    decode: ([, code, byte = ""]) => (code ? fromHex(code) : fromByte(byte)),
  },
  { sign: "\\", pattern: anyBackslash, decode: decodeBackslash },
  { sign: "\\", pattern: codeOfBackslash, decode: decodeBackslash },
  {
    sign: "&",
    pattern: /&(?:#(\d{1,16});?|#x([\da-f]{1,16});?|([a-z][a-z\d]{1,31});)/gi,
    decode: ([, decimal, hex, name = ""]) => {
      if (decimal) return fromCode(Number(decimal));
      return hex ? fromHex(hex) : findEntity(name);
    },
  },
  {
    sign: "=",
    pattern: /=(?:([\da-f]{2})|[ \t]{0,8}\r?\n)/gi,
    decode: ([, byte]) => (byte ? fromByte(byte) : ""),
  },
  { sign: "=", pattern: mailEscape, decode: ([escapes]) => decodeMail(escapes) },
  { sign: "=\r\n", pattern: /=\r\n/g, decode: () => "" },
];

/** The readings of a text with one layer of one family of escapes undone. */
export function* undoEscapes(reading: Reading): Generator<Reading> {
  for (const { sign, pattern, decode } of escapeFamilies) {
    if (!reading.bytes.includes(sign)) continue;
    const undone = rewrite(reading, pattern, decode);
    if (undone !== reading) yield dropInvisible(undone);
  }
}

/** The number of looks of `undoEscapes` at each byte. */
export const ESCAPE_FAMILIES = escapeFamilies.length;
