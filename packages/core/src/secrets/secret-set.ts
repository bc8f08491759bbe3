import { SearchTree } from "./search-tree.ts";

/**
 * Shorter values are hidden only where an API is quoted. In reports and logs, hiding `42` would spoil
 * every number with these digits.
 */
export const MIN_LENGTH = 6;

/**
 * A container meets fewer values, and shorter ones. Above the limits, the least recently learnt values
 * are dropped: an API that sends long tokens does not fill the memory.
 */
const MAX_LEARNT = Object.freeze({ values: 100, characters: 1024 * 1024 });

/** The values to hide. Private names keep them out of every printed object. */
export class SecretSet {
  /** In the order in which they were last learnt. */
  readonly #values = new Set<string>();
  /** Of all values. */
  #characters = 0;
  /** Finds the values. Undefined after a change, because most values are learnt before a search. */
  #tree: SearchTree | undefined;

  learn(value: string): void {
    if (value === "") return;
    const isKnown = this.#values.delete(value);
    this.#values.add(value);
    if (isKnown) return;
    this.#tree = undefined;
    this.#characters += value.length;
    for (const oldest of this.#values) {
      const isFull =
        this.#values.size > MAX_LEARNT.values || this.#characters > MAX_LEARNT.characters;
      if (!isFull || oldest === value) break;
      this.#values.delete(oldest);
      this.#characters -= oldest.length;
    }
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
