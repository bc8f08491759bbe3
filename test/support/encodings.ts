/*
 * The encodings in which an API may repeat a credential, written without the code that hides them.
 * Each takes a random source, for what an encoder may choose: the case of hexadecimal digits, where a
 * line ends, which characters are escaped.
 */

export type Random = (below: number) => number;
export type Encoding = (text: string, random: Random) => string;

/** A linear congruential generator: the same seed gives the same numbers, at no cost. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const anyCase = (digits: string, random: Random) =>
  random(2) === 0 ? digits.toLowerCase() : digits.toUpperCase();

const hexOf = (code: number, length: number) => code.toString(16).padStart(length, "0");

/** Escapes all characters or all that are no letters and digits. */
const escapeSome = (text: string, random: Random, write: (character: string) => string) =>
  text.replace(random(2) === 0 ? /./gsu : /[^0-9A-Za-z]/gu, write);

const percent: Encoding = (text, random) =>
  escapeSome(text, random, (character) =>
    [...Buffer.from(character)].map((byte) => `%${anyCase(hexOf(byte, 2), random)}`).join(""),
  );

const wrapLines = (text: string, random: Random) => {
  const length = [20, 60, 76][random(3)] ?? 76;
  const lineBreak = random(2) === 0 ? "\n" : "\r\n";
  return (text.match(new RegExp(`[^]{1,${length}}`, "g")) ?? []).join(lineBreak);
};

/** Puts a value behind none, one or two other bytes, so that it begins at any bit of a digit. */
const aligned = (text: string, random: Random) =>
  Buffer.from(["", "k", "k:"][random(3)] + text + ["", "!"][random(2)]);

const names: Record<string, string> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "/": "sol",
  "+": "plus",
  "=": "equals",
  "%": "percnt",
  ":": "colon",
  _: "lowbar",
  "\\": "bsol",
  é: "eacute",
  ß: "szlig",
};

const unseen = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"];

export const encodings: Record<string, Encoding> = {
  "as it is": (text) => text,
  URL: percent,
  "double URL": (text, random) => percent(percent(text, random), random),
  form: (text) => new URLSearchParams([["", text]]).toString().slice(1),
  base64: (text, random) => aligned(text, random).toString("base64"),
  base64url: (text, random) => aligned(text, random).toString("base64url"),
  "base64 in lines": (text, random) => wrapLines(aligned(text, random).toString("base64"), random),
  hexadecimal: (text, random) => anyCase(Buffer.from(text).toString("hex"), random),
  "decimal entities": (text, random) =>
    escapeSome(text, random, (character) => `&#${character.codePointAt(0)};`),
  "hexadecimal entities": (text, random) =>
    escapeSome(
      text,
      random,
      (character) => `&#x${anyCase(hexOf(character.codePointAt(0) ?? 0, 1), random)};`,
    ),
  "named entities": (text) =>
    text.replace(/[&<>"'/+=%:_\\éß]/g, (character) => `&${names[character]};`),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON of PHP": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "\\x": (text, random) =>
    escapeSome(text, random, (character) =>
      [...Buffer.from(character)].map((byte) => `\\x${anyCase(hexOf(byte, 2), random)}`).join(""),
    ),
  "\\u": (text, random) =>
    escapeSome(text, random, (character) =>
      Array.from(
        { length: character.length },
        (_, unit) => `\\u${anyCase(hexOf(character.charCodeAt(unit), 4), random)}`,
      ).join(""),
    ),
  "quoted-printable": (text, random) => {
    const escaped = text.replace(/[^ -<>-~]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `=${hexOf(byte, 2).toUpperCase()}`).join(""),
    );
    const length = 12 + random(60);
    // A soft line break does not part an escape.
    return (escaped.match(new RegExp(`(?:=..|[^=]){1,${length}}`, "g")) ?? []).join("=\r\n");
  },
  "characters that nobody sees": (text, random) =>
    [...text]
      .map((character) => (random(3) === 0 ? character + unseen[random(unseen.length)] : character))
      .join(""),
};

export const encodingNames = Object.keys(encodings);
