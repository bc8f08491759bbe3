import { hash } from "node:crypto";
import type { WireItem, WireValue } from "../base/wire.ts";
import type { KeyedItem } from "../flow.ts";
import { parseWireItem } from "../values/wire-text.ts";

/*
 * A fingerprint stands for a row in 16 bytes: 8 bytes for the key, and 8 bytes for the whole item. Two
 * keys with the same 8 bytes only cause needless puts.
 */

export const FINGERPRINT_BYTES = 16;

/** The number of hexadecimal digits of 8 bytes. */
const HALF = 16;

/**
 * Returns the fingerprint of an item, or of a deleted row with `deletesRow`. A key without an item gets
 * a fingerprint that equals no item, because the content of the row is unknown.
 */
export function fingerprintOf({
  key,
  itemText,
  deletesRow,
}: Pick<KeyedItem, "key" | "deletesRow"> & Partial<Pick<KeyedItem, "itemText">>): Buffer {
  const keyDigest = hash("sha256", key);
  const content = deletesRow
    ? keyDigest.slice(HALF, 2 * HALF)
    : itemText
      ? hash("sha256", sortedText(itemText)).slice(0, HALF)
      : keyDigest.slice(2 * HALF, 3 * HALF);
  const fingerprint = Buffer.from(keyDigest.slice(0, HALF) + content, "hex");
  // No fingerprint begins with zeros, because these mark a free slot of the table below.
  fingerprint.writeUInt8(fingerprint.readUInt8(0) | 1, 0);
  return fingerprint;
}

/** Returns the text of the item with sorted members, because an API may change their order. */
const sortedText = (itemText: string): string =>
  JSON.stringify(/* planted: order-of-members */ sortedMap(parseWireItem(itemText)));

function sortedMap(map: WireItem): WireItem {
  const sorted: WireItem = {};
  for (const name of Object.keys(map).sort()) {
    const value = sortedValue(map[name] as WireValue);
    // Assigning to a member named __proto__ would set the prototype.
    if (name === "__proto__") Object.defineProperty(sorted, name, { value, enumerable: true });
    else sorted[name] = value;
  }
  return sorted;
}

function sortedValue(value: WireValue): WireValue {
  if (value.M) return { M: sortedMap(value.M) };
  return value.L ? { L: value.L.map(sortedValue) } : value;
}

/** The result of a lookup: the item is unchanged, is changed, or has a new key. */
export type Match = "same" | "changed" | "new";

/** Returns whether a key was seen. */
export type IsSeen = (key: string) => boolean;

export const isSeenIn =
  (table: FingerprintTable): IsSeen =>
  (key) =>
    table.match(fingerprintOf({ key })) !== "new";

/** The 32-bit words of a slot: two for the key, and two for the content if content is kept. */
const SLOT_WORDS = Object.freeze({ keys: 2, fingerprints: 4 });

/** The maximum load factor. A fuller table would need too many probes for a lookup. */
const MAX_FILL = 0.75;

const FEWEST_SLOTS = 1024;

/**
 * A hash table with open addressing in one typed array: 21 MB for a million expected rows, and half of
 * that when only keys are kept.
 */
export class FingerprintTable implements Iterable<Buffer> {
  readonly #keepsContent: boolean;
  readonly #slotWords: number;
  #slots: number;
  #words: Int32Array;
  #size = 0;

  constructor(expectedRows = 0, keeps: keyof typeof SLOT_WORDS = "fingerprints") {
    this.#keepsContent = keeps === "fingerprints";
    this.#slotWords = SLOT_WORDS[keeps];
    this.#slots = Math.max(FEWEST_SLOTS, Math.ceil(expectedRows / MAX_FILL) + 1);
    this.#words = new Int32Array(this.#slots * this.#slotWords);
  }

  get size(): number {
    return this.#size;
  }

  match(fingerprint: Buffer): Match {
    const at = this.#slotOf(fingerprint.readInt32LE(0), fingerprint.readInt32LE(4));
    if (this.#words[at] === 0) return "new";
    if (!this.#keepsContent) return "changed";
    const isSame =
      this.#words[at + 2] === fingerprint.readInt32LE(8) &&
      this.#words[at + 3] === fingerprint.readInt32LE(12);
    return isSame ? "same" : "changed";
  }

  /** Adds the fingerprint at `offset`, and replaces an earlier fingerprint of the same key. */
  add(bytes: Buffer, offset = 0): void {
    if (this.#size >= this.#slots * MAX_FILL) this.#grow();
    const first = bytes.readInt32LE(offset);
    const second = bytes.readInt32LE(offset + 4);
    const slot = this.#slotOf(first, second);
    if (this.#words[slot] === 0) this.#size += 1;
    this.#words[slot] = first;
    this.#words[slot + 1] = second;
    if (!this.#keepsContent) return;
    this.#words[slot + 2] = bytes.readInt32LE(offset + 8);
    this.#words[slot + 3] = bytes.readInt32LE(offset + 12);
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (let at = 0; at < this.#words.length; at += this.#slotWords) {
      if (this.#words[at] === 0) continue;
      const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
      for (let n = 0; n < this.#slotWords; n++) {
        fingerprint.writeInt32LE(this.#words[at + n] as number, n * 4);
      }
      yield fingerprint;
    }
  }

  /** Returns the position of a key, or the free slot for a new key. */
  #slotOf(first: number, second: number): number {
    let at = ((second >>> 0) % this.#slots) * this.#slotWords;
    while (this.#words[at] !== 0 && (this.#words[at] !== first || this.#words[at + 1] !== second)) {
      at += this.#slotWords;
      if (at === this.#words.length) at = 0;
    }
    return at;
  }

  #grow(): void {
    const old = this.#words;
    this.#slots *= 2;
    this.#words = new Int32Array(this.#slots * this.#slotWords);
    for (let from = 0; from < old.length; from += this.#slotWords) {
      const first = old[from] as number;
      if (first === 0) continue;
      const slot = this.#slotOf(first, old[from + 1] as number);
      this.#words.set(old.subarray(from, from + this.#slotWords), slot);
    }
  }
}
