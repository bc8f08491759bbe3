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

/** Of each kind some: zero width, soft hyphens, tags, variation selectors, Hangul fillers, marks. */
const unseen = [
  ..."\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u202e\u2066\u2800\u0301",
  ..."\u115f\u1160\u3164\uffa0\ufe00\ufe0f\ufff9\u17b4\u{e0001}\u{e0041}\u{e007f}\u{e0100}\u{1d173}",
];

const terminalSequences = [
  "\x1b[0m",
  "\x1b[1;31m",
  "\x1b[38;2;1;2;3m",
  "\x1b(B",
  "\x1b]0;title\x07",
  "\x1b]8;;http://a\x1b\\",
  "\x9b32m",
];

const tags = ["<wbr>", "<b>", "</b>", "<br/>", '<span class="s">', "<!-- c -->"];

const pickOf = (values: readonly string[], random: Random) => values[random(values.length)] ?? "";

/** Puts something behind one of so many characters, but not behind the last one. */
const insert = (
  text: string,
  random: Random,
  { write, isPlace = () => true, oneIn = 3 }: Insertion,
) =>
  [...text]
    .map((character, index, all) => {
      const isChosen = random(oneIn) === 0 && index < all.length - 1;
      return isChosen && isPlace(character, all[index + 1] ?? "") ? character + write() : character;
    })
    .join("");

interface Insertion {
  write: () => string;
  /** Whether something may be put between two characters. */
  isPlace?: (before: string, after: string) => boolean;
  oneIn?: number;
}

const bytesIn = (text: string) => [...Buffer.from(text)];

/** An escape without its end is followed by nothing that would belong to it. */
const isClosedBefore = (next = "") => /^[ -/:<-@g-z[-`{-~]?$/i.test(next);

/** Entities without a semicolon, where a reader sees the end of their digits. */
const openEntities = (text: string, random: Random, write: (code: number) => string) => {
  const [hasAll, between] = [random(2) === 0, pickOf(["", " "], random)];
  const writeCharacter = (character: string, index: number, all: string[]) => {
    const next = all[index + 1];
    if (!hasAll && (/[0-9A-Za-z]/.test(character) || !isClosedBefore(next))) return character;
    const entity = write(character.codePointAt(0) ?? 0);
    if (next === undefined) return `${entity};`;
    return hasAll ? entity + between : entity;
  };
  return [...text].map(writeCharacter).join("");
};

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
    insert(text, random, { write: () => pickOf(unseen, random) }),
  "indented lines": (text, random) =>
    insert(text, random, {
      write: () => pickOf(["\n", "\r\n"], random) + pickOf([" ", "    ", "\t", ""], random),
      // A line break behind `=` belongs to mail, and CSS reads a blank.
      isPlace: (before, after) => !/[=\s]/.test(before) && !/\s/.test(after),
      oneIn: 8,
    }),
  "terminal colours": (text, random) =>
    insert(text, random, { write: () => pickOf(terminalSequences, random) }),
  // A text that looks like a tag would be dropped with the others.
  tags: (text, random) =>
    /<[/!a-z]/i.test(text) ? text : insert(text, random, { write: () => pickOf(tags, random) }),
  "hexadecimal with separators": (text, random) => {
    const digits = bytesIn(text).map((byte) => anyCase(hexOf(byte, 2), random));
    return digits.join(pickOf([":", " ", "-", ", ", "_"], random));
  },
  "open decimal entities": (text, random) => openEntities(text, random, (code) => `&#${code}`),
  "open hexadecimal entities": (text, random) =>
    openEntities(text, random, (code) => `&#x${anyCase(hexOf(code, 1), random)}`),
  "list of bytes": (text, random) =>
    random(2) === 0
      ? JSON.stringify(bytesIn(text))
      : bytesIn(text)
          .map((byte) => `0x${hexOf(byte, 2)}`)
          .join(", "),
  // Other characters of UTF-16 are not looked for.
  "base64 of UTF-16": (text) =>
    Buffer.from(text, /^[\0-\xff]*$/.test(text) ? "utf16le" : "utf8").toString("base64"),
  // Before an escape, a wide backslash reads as one that is escaped.
  "wide letters": (text) =>
    text.replace(/[!-[\]-~]/g, (character) =>
      String.fromCharCode(character.charCodeAt(0) + 0xfee0),
    ),
  CSS: (text, random) =>
    escapeSome(text, random, (character) => {
      const code = hexOf(character.codePointAt(0) ?? 0, 2);
      return random(2) === 0 ? `\\${code} ` : `\\${code.padStart(6, "0")}`;
    }),
};

export const encodingNames = Object.keys(encodings);
