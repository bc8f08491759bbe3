import { printableLine } from "../values/printable.ts";
import { HIDDEN, hideValues } from "./hide.ts";
import { isLongEnough, SecretSet } from "./secret-set.ts";

export { printable } from "../values/printable.ts";

/*
 * The last line of defence before every output: `[secret]` takes the place of a secret's value, in
 * every encoding that APIs and clients use.
 */

/** The secrets of every world. They are hidden in all output and storage of this process. */
const processSecrets = new SecretSet();

/** Secrets that are no words. A user name may well be the name of a field, as in `customer`. */
const processKeys = new SecretSet();

const isWord = (value: string): boolean => /^[a-z_]{1,11}$/i.test(value);

/** Hides a value from now on. Returns the value. */
export function registerSecret(value: string): string {
  if (isLongEnough(value)) processSecrets.learn(value);
  if (isLongEnough(value) && !isWord(value)) processKeys.learn(value);
  return value;
}

export const hideSecrets = (text: string): string =>
  /* planted: hidden-secrets */ hideValues(text, [processSecrets]);

/** The beginning of a text without secrets. The rest of the text is not read. */
export const hideSecretsUpTo = (text: string, maxLength: number): string =>
  hideValues(text, [processSecrets], { maxLength });

/** Says whether the name of a field has a secret, so that the name must not be stored or shown. */
export const isNameWithSecret = (name: string): boolean => hideValues(name, [processKeys]) !== name;

/** Says whether a string consists of a hidden value and nothing else. */
export const isHiddenValue = (text: string): boolean =>
  text !== HIDDEN && hideSecrets(text).trim() === HIDDEN;

/** Says whether a hidden value fills the space between two slashes. The value may contain slashes. */
export const hasHiddenSegment = (path: string): boolean =>
  !path.includes(HIDDEN) && hideSecrets(path).split("/").includes(HIDDEN);

/** Members that tidetable itself names, and that machines read. */
const trustedMembers = new Set(["app", "stage", "source", "resource", "table"]);

/** A line of a log or a report: without secrets, and without characters that steer a terminal. */
export const safeLine = (text: string): string => printableLine(hideSecrets(text));

/** Copies a value and makes every string a safe line, including the names of members. */
export function hideSecretsIn<T>(value: T): T {
  const hideDeep = (inner: unknown): unknown => {
    if (typeof inner === "string") return safeLine(inner);
    if (Array.isArray(inner)) return inner.map(hideDeep);
    if (typeof inner !== "object" || inner === null) return inner;
    const members = Object.entries(inner);
    return Object.fromEntries(
      members.map(([name, member]) =>
        trustedMembers.has(name) ? [name, member] : [safeLine(name), hideDeep(member)],
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
  quoteText(text: string | Uint8Array): string;
}

const MAX_QUOTE = 200;

/** White space and control characters come off before the quote is cut. */
const MAX_READ = 10_000;

export function openRedactor(): Redactor {
  const resourceSecrets = new SecretSet();
  return {
    addSecret(value) {
      resourceSecrets.learn(value);
      return registerSecret(value);
    },
    // Secrets are hidden before the cut, because a cut through a key would leave half of the key.
    quoteText(source) {
      const sets = [resourceSecrets, processSecrets];
      const line = hideValues(beginningOf(source), sets, { maxLength: MAX_READ })
        .replace(/[\p{C}\s]+/gu, " ")
        .trim();
      return [...line].slice(0, MAX_QUOTE).join("");
    },
  };
}

/** A body of 64 MiB is not made a string for a quote. More than the longest secret is left after it. */
const beginningOf = (source: string | Uint8Array): string =>
  typeof source === "string"
    ? source
    : Buffer.from(source.buffer, source.byteOffset, Math.min(source.length, 2 ** 20)).toString();
