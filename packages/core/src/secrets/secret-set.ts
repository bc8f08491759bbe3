import { SearchTree } from "./search-tree.ts";

/**
 * Shorter values are hidden only where an API is quoted. In reports and logs, hiding `42` would spoil
 * every number with these digits.
 */
export const MIN_LENGTH = 6;

/** A container meets fewer values. Above the limit, the least recently learnt value is dropped. */
const MAX_VALUES = 100;

/** The values to hide. Private names keep them out of every printed object. */
export class SecretSet {
  /** In the order in which they were last learnt. */
  readonly #values = new Set<string>();
  /** Finds the values. Undefined after a change, because most values are learnt before a search. */
  #tree: SearchTree | undefined;

  learn(value: string): void {
    if (value === "") return;
    const isKnown = this.#values.delete(value);
    this.#values.add(value);
    if (isKnown) return;
    this.#tree = undefined;
    const [oldest = ""] = this.#values;
    if (this.#values.size > MAX_VALUES) this.#values.delete(oldest);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  get longest(): number {
    return Math.max(0, ...[...this.#values].map(({ length }) => length));
  }

  get tree(): SearchTree {
    this.#tree ??= new SearchTree([...this.#values].flatMap(searchedForms));
    return this.#tree;
  }
}

/** Says whether a value may be hidden in every output. Blanks do not make a value longer. */
export const isLongEnough = (value: string): boolean =>
  value.replace(/\s+/g, "").length >= MIN_LENGTH;

/** The texts to search for: in a form, a space is written as `+`, which may be read as a space. */
function searchedForms(value: string): string[] {
  if (!isLongEnough(value)) return shortForms(value);
  const forms = new Set([value, value.replaceAll(" ", "+"), value.replaceAll("+", "")]);
  return [...forms].filter(isLongEnough);
}

/** In decoded digits, chance makes short values. So their own digits are searched for instead. */
function shortForms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [value, bytes.toString("base64").replace(/=/g, ""), bytes.toString("hex")];
}
