import { findEntity } from "./html-entities.ts";
import { foldReading, type Reading, rewrite, toBytes } from "./reading.ts";

/*
 * The escapes of URLs, of JSON and programming languages, of HTML, of mail and of terminals. Each undoes
 * one layer: after `%2526` comes `%26`.
 */

interface EscapeFamily {
  /** Found in every text that has an escape of the family. */
  sign: RegExp;
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
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const anyBackslash =
  /\\(?:u(d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,8})\}|U([\da-f]{8})|x([\da-f]{2})|([0-3][0-7]{2})|([abefnrtv])|([^\da-z]))/gi;

/**
 * The escapes of `anyBackslash` but those of one letter or three digits, and CSS's: another backslash may
 * belong to the text, as in `C:\name\x2Fpart`.
 */
const codeOfBackslash =
  /\\(?:u(d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,8})\}|U([\da-f]{8})|x([\da-f]{2})|()()([^\da-z\\]))/gi;

/** A blank ends the digits, or what a form makes of it. */
const escapeOfCss = /\\(?:([\da-f]{6})|([\da-f]{2,5})(?![\da-f]))(?:\r\n|[ \t\r\n+])?/gi;

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

/** What a URL has to escape. Another percent sign may belong to the text, as in `%ab%2Fcd`. */
const neededPercent =
  /%(?:2[\da-f]|3[a-f]|40|5[b-f]|60|7[b-e]|(?:c[2-9a-f]|d[\da-f]|e[\da-f]|f[0-4])(?:%[89ab][\da-f]){1,3})/gi;

const decodePercent = (escapes: string): string =>
  escapes.replace(/%(..)/g, (_, byte) => fromByte(byte));

const entity =
  /&[ \t]{0,2}(?:#[ \t]{0,2}(?:(\d{1,16})|x([\da-f]{1,16}))(?:[ \t]{0,4};|[ \t]{1,4}(?=&#))?|([a-z][a-z\d]{1,31});)/gi;

/** Without a semicolon, the digits of the text may follow those of a character of ASCII. */
const openEntity =
  /&(?:#(?:(3[2-9]|[4-9]\d|1[01]\d|12[0-6]|\d{1,7})|x([2-7][\da-f]|[\da-f]{1,6}))(?![\da-f]{0,16};)(?:[ \t]{1,4}(?=&#))?|(amp|gt|lt|quot|shy)(?!;))/gi;

function decodeEntity([, decimal, hex, name = ""]: RegExpExecArray): string | undefined {
  if (decimal) return fromCode(Number(decimal));
  return hex ? fromHex(hex) : findEntity(name);
}

/** At least six codes of bytes, as programming languages write a list of them. */
const codeList = /(?:(?:0x[\da-f]{1,2}|\d{1,3})[\s,;]{1,8}){5}(?:0x|\d)/i;

const codeInList = /(?:0x([\da-f]{1,2})|(?<!\d)(\d{1,3})(?!\d))(?:[\s,;]{1,8}(?=\d))?/gi;

/** What colours a terminal, moves its cursor or makes a link there. A tag may part it, and it a tag. */
const terminalSequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
  /\x1b(?:\[[0-;=-?]{0,64}[ -/]{0,8}[@-~]|[\]PX^_][^\x07\x1b<]{0,1000}(?:\x07|\x1b\\)|[ -/]{0,8}[0-;=-OQ-WYZ`-~])/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
const tag = /<[/!a-z][^<>\x1b]{0,200}>/gi;

/** An escape, or a number in a list, that goes on in the next line. */
const splitEscape =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
  /(?:[%\\&=][^\s;]{0,8}|\x1b\S{0,16})(?:\r\n?|\n)[ \t]{0,8}\S|<(?:\r\n?|\n)|[\dx](?:\r\n?|\n)[ \t]{0,8}(?:[\da-f]{1,2}\s{0,8})?[,\]]/i;

const escapeFamilies: readonly EscapeFamily[] = [
  {
    sign: /%/,
    pattern: /%(?:u([\da-f]{4})|([\da-f]{2}))/gi,
    decode: ([, code, byte = ""]) => (code ? fromHex(code) : fromByte(byte)),
  },
  {
    sign: /%[\da-f]{2}[^\s%+]{0,32}\+|\+[^\s%+]{0,32}%[\da-f]{2}/i,
    pattern: /\+|%([\da-f]{2})/gi,
    decode: ([, byte]) => (byte ? fromByte(byte) : " "),
  },
  { sign: /%/, pattern: neededPercent, decode: ([escapes]) => decodePercent(escapes) },
  { sign: /\\/, pattern: anyBackslash, decode: decodeBackslash },
  { sign: /\\/, pattern: codeOfBackslash, decode: decodeBackslash },
  {
    sign: /\\[\da-f]{2}/i,
    pattern: escapeOfCss,
    decode: ([, six, fewer = ""]) => fromHex(six ?? fewer),
  },
  { sign: /&/, pattern: entity, decode: decodeEntity },
  { sign: /&/, pattern: openEntity, decode: decodeEntity },
  {
    sign: /=/,
    pattern: /=(?:([\da-f]{2})|[ \t]{0,8}\r?\n)/gi,
    decode: ([, byte]) => (byte ? fromByte(byte) : ""),
  },
  { sign: /=/, pattern: mailEscape, decode: ([escapes]) => decodeMail(escapes) },
  { sign: /=\r\n/, pattern: /=\r\n/g, decode: () => "" },
  { sign: splitEscape, pattern: /(?:\r\n?|\n)[ \t]*/g, decode: () => "" },
  {
    sign: codeList,
    pattern: codeInList,
    decode: ([, hex, decimal]) => {
      const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
      return code < 0x100 ? String.fromCharCode(code) : undefined;
    },
  },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
  { sign: /\x1b/, pattern: terminalSequence, decode: () => "" },
  { sign: /</, pattern: tag, decode: () => "" },
];

/** The readings of a text with one layer of one family of escapes undone. */
export function* undoEscapes(reading: Reading): Generator<Reading> {
  for (const { sign, pattern, decode } of escapeFamilies) {
    if (!sign.test(reading.bytes)) continue;
    const undone = rewrite(reading, pattern, decode);
    if (undone !== reading) yield foldReading(undone);
  }
}
