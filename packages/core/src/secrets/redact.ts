/*
 * The last line before whatever can be read: what a secret's value has become, in any encoding that
 * APIs and clients use, reads `[secret]` there.
 */

const HIDDEN = "[secret]";

/**
 * Shorter values are hidden where words of an API are quoted, and nowhere else: in reports and logs
 * `42` would be hidden in every other number.
 */
const SHORTEST = 6;

/** As many as a container meets in its life; then the one that was longest not met goes. */
const MOST = 100;

function hider() {
  const patterns = new Map<string, RegExp>();
  // The longest first, or a short value would break a long one in two.
  let inOrder: RegExp[] = [];
  return {
    add(value: string): void {
      if (value === "") return;
      // A pattern for each: one for all would be too large to be compiled.
      const pattern = patterns.get(value) ?? new RegExp(formsOf(value).join("|"), "gi");
      patterns.delete(value);
      patterns.set(value, pattern);
      const [oldest = ""] = patterns.keys();
      if (patterns.size > MOST) patterns.delete(oldest);
      inOrder = [...patterns].sort(([a], [b]) => b.length - a.length).map(([, one]) => one);
    },
    hide: (text: string): string =>
      /* planted: hidden-secrets */ inOrder.reduce((all, one) => replaceBetween(all, one), text),
  };
}

/** Not in what is hidden already: `secret` may be a password. */
const replaceBetween = (text: string, pattern: RegExp) =>
  text
    .split(HIDDEN)
    .map((part) => part.replace(pattern, HIDDEN))
    .join(HIDDEN);

/** What is secret for one world is it for all that this process prints and stores. */
const everywhere = hider();

/** From now on this value is hidden. Returns it. */
export function learn(value: string): string {
  if (value.length >= SHORTEST) everywhere.add(value);
  return value;
}

export const hide = everywhere.hide;

/** Whether a text is a hidden value and nothing else. */
export const isSecret = (text: string): boolean => text !== HIDDEN && hide(text) === HIDDEN;

/** Whether a hidden value stands between two slashes of a path. It may have slashes itself. */
export const isSecretPath = (path: string): boolean =>
  !path.includes(HIDDEN) && hide(path).split("/").includes(HIDDEN);

/** Names that are ours to give, and that machines read. */
const ours = new Set(["app", "stage", "source", "resource", "table"]);

/** A copy with every text in it hidden, also in names. */
export function hideIn<T>(value: T): T {
  const hidden = (one: unknown): unknown => {
    if (typeof one === "string") return hide(one);
    if (Array.isArray(one)) return one.map(hidden);
    if (typeof one !== "object" || one === null) return one;
    const members = Object.entries(one);
    return Object.fromEntries(
      members.map(([name, member]) =>
        ours.has(name) ? [name, member] : [hide(name), hidden(member)],
      ),
    );
  };
  return hidden(value) as T;
}

/** The values that one resource's requests carry. */
export interface Redactor {
  learn(value: string): string;
  /** At most 200 printable characters in one line, without any of them. */
  quote(text: string): string;
}

const QUOTED_CHARACTERS = 200;

export function openRedactor(): Redactor {
  const here = hider();
  return {
    learn(value) {
      here.add(value);
      return learn(value);
    },
    // Hidden first, cut afterwards: a cut through the middle would leave half of a key.
    quote(text) {
      const line = hide(here.hide(text))
        .slice(0, 10_000)
        .replace(/[\p{C}\s]+/gu, " ")
        .trim();
      return [...line].slice(0, QUOTED_CHARACTERS).join("");
    },
  };
}

/** As patterns that ignore case: that of `%2F` may differ. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const whole = bytes.toString("base64").replace(/(?<!=)=+$/, "");
  // Within something larger, which may be JSON or a form.
  const form = new URLSearchParams([["", value]]).toString().slice(1);
  const written = new Set([value, JSON.stringify(value).slice(1, -1), form]);
  const inside = value.length < SHORTEST ? [] : [...written].flatMap(base64Within);
  return [
    inAnyText(value),
    `${inAnyText(whole)}(?:=|%3D){0,2}`,
    ...inside.map(inAnyText),
    bytes.toString("hex"),
  ];
}

/** What base64 makes of a text wherever it stands, behind 0, 1 or 2 others in its group of three bytes. */
function base64Within(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // The characters at either end also hold bits of what stands there.
    const first = Math.ceil((shift * 8) / 6);
    return encoded.slice(first, Math.floor(((shift + bytes.length) * 8) / 6));
  });
}

/** Each character as it is or as URLs, forms, JSON, JavaScript and HTML write it, also in a mixture. */
const inAnyText = (text: string): string =>
  (text.match(/\\+|./gsu) ?? []).map((piece) => `(?:${writings(piece).join("|")})`).join("");

function writings(character: string): string[] {
  // No encoding changes these, and the pattern stays small.
  if (/\w/.test(character)) return [character];
  // A row of backslashes in one go: it could be shared out in more ways than there is time for.
  const { length } = character;
  if (character[0] === "\\") return [`\\\\{${length},${4 * length}}`, `(?:%(?:25)?5c){${length}}`];
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  const percent = [...Buffer.from(character)].map((byte) => `%(?:25)?${hex(byte, 2)}`);
  return [
    // First, or of `&amp;` at the end of a value all but the `&` would stay.
    ...(others[character] ?? []),
    escaped(character),
    percent.join(""),
    units.map((unit) => `\\\\{1,3}u${hex(unit, 4)}`).join(""),
  ];
}

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

const others: Record<string, string[]> = {
  "&": ["&amp;", "&#38;"],
  "<": ["&lt;", "&#60;"],
  ">": ["&gt;", "&#62;"],
  // A bounded number of backslashes: any other would take its time on a long row of them.
  '"': ["&quot;", "&#34;", '\\\\{1,3}"'],
  "'": ["&#39;", "&#x27;", "&apos;", "\\\\{1,3}'"],
  "\n": ["\\\\{1,3}n"],
  "\r": ["\\\\{1,3}r"],
  "\t": ["\\\\{1,3}t"],
  " ": ["\\+"],
  // The other alphabet of base64, and how PHP writes a slash.
  "+": ["-"],
  "/": ["_", "\\\\{1,3}/"],
};
