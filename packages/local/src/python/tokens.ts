import { isExact } from "../literal.ts";

/*
 * Texts and numbers as Python writes them. Undefined: what JavaScript has no equal of.
 */

const simple: Record<string, string> = {
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

const escapes = /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|[\s\S])/g;

/** Of bytes and of a character by its name (`\N{…}`) there is no text. */
export function textOf(token: string): string | undefined {
  const [, prefix = "", , body = ""] = /^(\w*)('''|"""|'|")([\s\S]*)\2$/.exec(token) ?? [];
  if (/b/i.test(prefix)) return undefined;
  if (/r/i.test(prefix)) return body;
  let known = true;
  const text = body.replace(escapes, (whole, code: string) => {
    const plain = simple[code];
    if (plain !== undefined) return plain;
    const point = codeOf(code);
    if (point !== undefined && point <= 0x10ffff) return String.fromCodePoint(point);
    // Python keeps the backslash of what means nothing, but these always mean something.
    if (/[xuUN]/.test(code)) known = false;
    return whole;
  });
  return known ? text : undefined;
}

function codeOf(code: string): number | undefined {
  if (/^[0-7]+$/.test(code)) return Number.parseInt(code, 8);
  return /^[xuU]./.test(code) ? Number.parseInt(code.slice(1), 16) : undefined;
}

/** Whole numbers beyond 2^53 and what is infinite as a double are not exact. */
export function numberOf(token: string): number | undefined {
  const digits = token.replaceAll("_", "");
  if (/^0\d*[1-9]/.test(digits) && !/[.ej]/i.test(digits)) return undefined;
  return isExact(digits) ? Number(digits) : undefined;
}
