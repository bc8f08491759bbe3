import { isExactNumber } from "../sources/literal.ts";

/*
 * Decodes Python's strings and numbers. The results are undefined where JavaScript has no equal.
 */

const singleCharacterEscapes: Record<string, string> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const escapePattern = /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|[\s\S])/g;

/** Undefined for bytes, and for a string that names a character (`\N{…}`). */
export function decodeString(token: string): string | undefined {
  const [, prefix = "", , body = ""] = /^(\w*)('''|"""|'|")([\s\S]*)\2$/.exec(token) ?? [];
  if (/b/i.test(prefix)) return undefined;
  if (/r/i.test(prefix)) return body;
  let isDecodable = true;
  const decoded = body.replace(escapePattern, (sequence, code: string) => {
    const character = singleCharacterEscapes[code];
    if (character !== undefined) return character;
    const codePoint = escapedCodePoint(code);
    if (codePoint !== undefined && codePoint <= 0x10ffff) return String.fromCodePoint(codePoint);
    // Python keeps the backslash of an unknown escape. An incomplete \x, \u, \U or \N is an error.
    if (/[xuUN]/.test(code)) isDecodable = false;
    return sequence;
  });
  return isDecodable ? decoded : undefined;
}

function escapedCodePoint(code: string): number | undefined {
  if (/^[0-7]+$/.test(code)) return Number.parseInt(code, 8);
  return /^[xuU]./.test(code) ? Number.parseInt(code.slice(1), 16) : undefined;
}

/** Undefined for a number beyond a double's precision, like an integer above 2^53. */
export function decodeNumber(token: string): number | undefined {
  const digits = token.replaceAll("_", "");
  if (/^0\d*[1-9]/.test(digits) && !/[.ej]/i.test(digits)) return undefined;
  return isExactNumber(digits) ? Number(digits) : undefined;
}
