import { BREAK, foldText } from "./reading.ts";

/** Called with each place of a secret: its first byte, the one after its last, and its symbols. */
export type OnMatch = (first: number, afterLast: number, symbols: number) => void;

const SKIPPED = 0;
const SYMBOLS = 256;

/**
 * The comparison of bytes. Encodings change the case of letters, and base64 has two alphabets. Blanks,
 * line breaks and other control characters do not count: whoever breaks a line may indent the next one.
 */
const symbolOf: Uint8Array = Uint8Array.from({ length: SYMBOLS }, (_, code) => {
  const character = String.fromCharCode(code);
  if (code <= 0x20 || code === 0x7f) return SKIPPED;
  if (character === "+") return "-".charCodeAt(0);
  if (character === "_") return "/".charCodeAt(0);
  return /[A-Z]/.test(character) ? character.toLowerCase().charCodeAt(0) : code;
});

const symbolsOf = (text: string): Uint8Array =>
  Uint8Array.from(foldText(text), (byte) => symbolOf[byte.charCodeAt(0)] as number).filter(
    (symbol) => symbol !== SKIPPED,
  );

/** A match at the end of a text that was cut may lack some symbols, which an encoding has in pieces. */
const CUT_SYMBOLS = 12;
const CUT_LENGTH = 6;

/**
 * Finds many secrets at once in time that is linear in the text (Aho and Corasick, 1975). A node
 * stands for the beginning of a secret; node 0 for the empty one.
 */
export class SearchTree {
  /** The symbol that leads to each node. */
  readonly #symbols: Uint8Array;
  /** The length of the beginning that each node stands for. */
  readonly #depths: Int32Array;
  /** The node of the longest proper end of that beginning which begins a secret as well. */
  readonly #fallbacks: Int32Array;
  /** The length of the longest secret that ends at each node. */
  readonly #found: Int32Array;
  /** Whether a node's first child is the node after it: so the memory of a long secret stays small. */
  readonly #hasNext: Uint8Array;
  /** All further children, by node and symbol. */
  readonly #branches = new Map<number, number>();
  #size = 1;

  constructor(secrets: readonly string[]) {
    const texts = secrets.map(symbolsOf);
    const nodes = texts.reduce((sum, { length }) => sum + length, 1);
    this.#symbols = new Uint8Array(nodes);
    this.#depths = new Int32Array(nodes);
    this.#fallbacks = new Int32Array(nodes);
    this.#found = new Int32Array(nodes);
    this.#hasNext = new Uint8Array(nodes);
    for (const symbols of texts) this.#add(symbols);
    this.#linkFallbacks();
  }

  #add(symbols: Uint8Array): void {
    let node = 0;
    for (const symbol of symbols) node = this.#child(node, symbol) || this.#append(node, symbol);
    if (node > 0) this.#found[node] = symbols.length;
  }

  #append(parent: number, symbol: number): number {
    const node = this.#size;
    this.#size += 1;
    if (parent === node - 1) this.#hasNext[parent] = 1;
    else this.#branches.set(parent * SYMBOLS + symbol, node);
    this.#symbols[node] = symbol;
    this.#depths[node] = (this.#depths[parent] as number) + 1;
    return node;
  }

  /** The child of a node; 0 where there is none. */
  #child(node: number, symbol: number): number {
    if (this.#hasNext[node] === 1 && this.#symbols[node + 1] === symbol) return node + 1;
    return this.#branches.get(node * SYMBOLS + symbol) ?? 0;
  }

  /** The node after a symbol. */
  #step(from: number, symbol: number): number {
    for (let node = from; ; node = this.#fallbacks[node] as number) {
      const child = this.#child(node, symbol);
      if (child > 0 || node === 0) return child;
    }
  }

  #linkFallbacks(): void {
    const parents = new Int32Array(this.#size);
    for (let node = 1; node < this.#size; node += 1) {
      if (this.#hasNext[node - 1] === 1) parents[node] = node - 1;
    }
    for (const [key, node] of this.#branches) parents[node] = Math.floor(key / SYMBOLS);
    // Fallbacks are shorter, so the nodes are linked by their length.
    const byDepth = Uint32Array.from({ length: this.#size - 1 }, (_, index) => index + 1).sort(
      (a, b) => (this.#depths[a] as number) - (this.#depths[b] as number),
    );
    for (const node of byDepth) {
      const parent = parents[node] as number;
      const symbol = this.#symbols[node] as number;
      const fallback = parent === 0 ? 0 : this.#step(this.#fallbacks[parent] as number, symbol);
      this.#fallbacks[node] = fallback;
      this.#found[node] ||= this.#found[fallback] as number;
    }
  }

  /**
   * Calls `onMatch` with the secrets in the bytes. `isCut`: a secret may go on after their end. Returns
   * where a secret begins that the bytes end in the midst of, or their length.
   */
  search(bytes: string, isCut: boolean, onMatch: OnMatch): number {
    const cutFrom = isCut ? placeOfLastSymbols(bytes) : bytes.length;
    const places = new Int32Array(bytes.length);
    let [count, node] = [0, 0];
    for (let index = 0; index < bytes.length; index += 1) {
      const symbol = symbolOf[bytes.charCodeAt(index)] as number;
      if (symbol === SKIPPED) continue;
      places[count] = index;
      count += 1;
      node = this.#step(node, symbol);
      const length = this.#found[node] as number;
      if (length > 0) onMatch(places[count - length] as number, index + 1, length);
      const depth = this.#depths[node] as number;
      if (index >= cutFrom && depth >= CUT_LENGTH) {
        onMatch(places[count - depth] as number, bytes.length, depth);
      }
    }
    const depth = this.#depths[node] as number;
    return depth > 0 ? (places[count - depth] as number) : bytes.length;
  }
}

function placeOfLastSymbols(bytes: string): number {
  let place = bytes.length;
  for (let count = 0; place > 0 && count < CUT_SYMBOLS; place -= 1) {
    if (symbolOf[bytes.charCodeAt(place - 1)] !== SKIPPED) count += 1;
  }
  return place;
}

/** Asserts that no secret goes on after a BREAK. */
if (symbolOf[BREAK.charCodeAt(0)] === SKIPPED) throw new Error("a BREAK has to be a symbol");
