/*
 * The last line of defence before every output: `[secret]` takes the place of a secret's value, in
 * every encoding that APIs and clients use.
 */

const HIDDEN = "[secret]";

/**
 * Shorter values are hidden only where an API is quoted. In reports and logs, hiding `42` would spoil
 * every number with these digits.
 */
const MIN_LENGTH = 6;

/** A container meets fewer values. Above the limit, the least recently registered value is dropped. */
const MAX_VALUES = 100;

/** Hides a set of values in strings. */
class SecretFilter {
  /** The pattern of each value, in the order of the last registration. */
  private readonly patterns = new Map<string, RegExp>();
  /** The patterns by falling length of the value, because a short value could break a long one in two. */
  private longestFirst: RegExp[] = [];

  addValue(value: string): void {
    if (value === "") return;
    // Each value has its own pattern, because a pattern of all values would be too large to compile.
    const pattern = this.patterns.get(value) ?? new RegExp(encodedForms(value).join("|"), "gi");
    this.patterns.delete(value);
    this.patterns.set(value, pattern);
    const [oldest = ""] = this.patterns.keys();
    if (this.patterns.size > MAX_VALUES) this.patterns.delete(oldest);
    this.longestFirst = [...this.patterns]
      .sort(([a], [b]) => b.length - a.length)
      .map(([, sortedPattern]) => sortedPattern);
  }

  hideIn(text: string): string {
    return /* planted: hidden-secrets */ this.longestFirst.reduce(replaceOutsideHidden, text);
  }
}

/** Leaves hidden parts unchanged, because `secret` may be a password. */
const replaceOutsideHidden = (text: string, pattern: RegExp) =>
  text
    .split(HIDDEN)
    .map((part) => part.replace(pattern, HIDDEN))
    .join(HIDDEN);

/** Hides the secrets of every world in everything that this process prints and stores. */
const processFilter = new SecretFilter();

/** Hides a value from now on. Returns the value. */
export function registerSecret(value: string): string {
  if (value.length >= MIN_LENGTH) processFilter.addValue(value);
  return value;
}

export const hideSecrets = (text: string): string => processFilter.hideIn(text);

/** Says whether a string consists of a hidden value and nothing else. */
export const isHiddenValue = (text: string): boolean =>
  text !== HIDDEN && hideSecrets(text) === HIDDEN;

/** Says whether a hidden value fills the space between two slashes. The value may contain slashes. */
export const hasHiddenSegment = (path: string): boolean =>
  !path.includes(HIDDEN) && hideSecrets(path).split("/").includes(HIDDEN);

/** Members that tidetable itself names, and that machines read. */
const trustedMembers = new Set(["app", "stage", "source", "resource", "table"]);

/** Copies a value and hides secrets in every string, including the names of members. */
export function hideSecretsIn<T>(value: T): T {
  const hideDeep = (inner: unknown): unknown => {
    if (typeof inner === "string") return hideSecrets(inner);
    if (Array.isArray(inner)) return inner.map(hideDeep);
    if (typeof inner !== "object" || inner === null) return inner;
    const members = Object.entries(inner);
    return Object.fromEntries(
      members.map(([name, member]) =>
        trustedMembers.has(name) ? [name, member] : [hideSecrets(name), hideDeep(member)],
      ),
    );
  };
  return hideDeep(value) as T;
}

/** Hides the values that the requests of one resource carry. */
export interface Redactor {
  /** Hides a value from now on. Returns the value. */
  addSecret(value: string): string;
  /** Quotes at most 200 printable characters in one line, without a secret. */
  quoteText(text: string): string;
}

const MAX_QUOTE = 200;

export function openRedactor(): Redactor {
  const resourceFilter = new SecretFilter();
  return {
    addSecret(value) {
      resourceFilter.addValue(value);
      return registerSecret(value);
    },
    // Secrets are hidden before the cut, because a cut through a key would leave half of the key.
    quoteText(text) {
      const line = hideSecrets(resourceFilter.hideIn(text))
        .slice(0, 10_000)
        .replace(/[\p{C}\s]+/gu, " ")
        .trim();
      return [...line].slice(0, MAX_QUOTE).join("");
    },
  };
}

/** Lists a value's encodings as patterns. They ignore case, because `%2F` and `%2f` are the same. */
function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = bytes.toString("base64").replace(/(?<!=)=+$/, "");
  // JSON or a form may carry the value inside a larger text that is encoded as a whole.
  const form = new URLSearchParams([["", value]]).toString().slice(1);
  const embeddedForms = new Set([value, JSON.stringify(value).slice(1, -1), form]);
  const partialBase64 = value.length < MIN_LENGTH ? [] : [...embeddedForms].flatMap(base64Within);
  return [
    matchEncoded(value),
    `${matchEncoded(base64)}(?:=|%3D){0,2}`,
    ...partialBase64.map(matchEncoded),
    bytes.toString("hex"),
  ];
}

/**
 * Lists the base64 of a value inside a larger text: base64 encodes groups of three bytes, and the
 * value may begin at each of the three.
 */
function base64Within(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // The characters at either end also hold bits of the neighbouring bytes.
    const first = Math.ceil((shift * 8) / 6);
    return encoded.slice(first, Math.floor(((shift + bytes.length) * 8) / 6));
  });
}

/** Matches every character as URLs, forms, JSON, JavaScript and HTML write it, in any mixture. */
const matchEncoded = (text: string): string =>
  (text.match(/\\+|./gsu) ?? []).map((piece) => `(?:${spellings(piece).join("|")})`).join("");

/** Lists the patterns of a character's spellings. The character may also be a row of backslashes. */
function spellings(character: string): string[] {
  // No encoding changes word characters, and the pattern stays small.
  if (/\w/.test(character)) return [character];
  // A row of backslashes is matched as a whole, because its parts could match in too many ways.
  const { length } = character;
  if (character[0] === "\\") return [`\\\\{${length},${4 * length}}`, `(?:%(?:25)?5c){${length}}`];
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  const percentEncoded = [...Buffer.from(character)].map((byte) => `%(?:25)?${formatHex(byte, 2)}`);
  return [
    // These stand first, or only the `&` of an `&amp;` at the end of a value would be hidden.
    ...(namedSpellings[character] ?? []),
    escapePattern(character),
    percentEncoded.join(""),
    units.map((unit) => `\\\\{1,3}u${formatHex(unit, 4)}`).join(""),
  ];
}

const formatHex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");

const escapePattern = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** Patterns allow at most three backslashes, because an unbounded number takes quadratic time. */
const namedSpellings: Record<string, string[]> = {
  "&": ["&amp;", "&#38;"],
  "<": ["&lt;", "&#60;"],
  ">": ["&gt;", "&#62;"],
  '"': ["&quot;", "&#34;", '\\\\{1,3}"'],
  "'": ["&#39;", "&#x27;", "&apos;", "\\\\{1,3}'"],
  "\n": ["\\\\{1,3}n"],
  "\r": ["\\\\{1,3}r"],
  "\t": ["\\\\{1,3}t"],
  " ": ["\\+"],
  // Base64 has a second alphabet for URLs, and PHP escapes slashes.
  "+": ["-"],
  "/": ["_", "\\\\{1,3}/"],
};
