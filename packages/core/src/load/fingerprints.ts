import { hash } from "node:crypto";
import type { Item, KeyedItem } from "../flow.ts";

/*
 * What a table holds, in 16 bytes for each row: half a digest's worth of its key, and as much of its
 * content, in which the key is as well. Two keys with the same half only cause needless puts.
 */

export const PRINT_BYTES = 16;

/** Hexadecimal digits of 8 bytes. */
const HALF = 16;

/**
 * The print of an item; with `remove`, of the gap that it is to leave. A key alone has a print that
 * equals none of these: nothing is known of its row.
 */
export function printOf({
  key,
  item,
  remove,
}: Pick<KeyedItem, "key" | "remove"> & Partial<Pick<KeyedItem, "item">>): Buffer {
  const ofKey = hash("sha256", key);
  const content = remove
    ? ofKey.slice(HALF, 2 * HALF)
    : item
      ? hash("sha256", itemText(item)).slice(0, HALF)
      : ofKey.slice(2 * HALF, 3 * HALF);
  const print = Buffer.from(ofKey.slice(0, HALF) + content, "hex");
  // So that no print begins with zeros: these are what a free slot is told by.
  print.writeUInt8(print.readUInt8(0) | 1, 0);
  return print;
}

/** The item as text, whatever the order of its members: an API may send them in another each time. */
const itemText = (item: Item): string =>
  JSON.stringify(/* planted: order-of-members */ sortedMap(item));

function sortedMap(map: Item): Item {
  const sorted: Item = {};
  for (const name of Object.keys(map).sort()) {
    // Not by assignment: a member may be named __proto__.
    const value = sortedValue(map[name] as Item[string]);
    if (name === "__proto__") Object.defineProperty(sorted, name, { value, enumerable: true });
    else sorted[name] = value;
  }
  return sorted;
}

function sortedValue(value: Item[string]): Item[string] {
  if (value.M) return { M: sortedMap(value.M) };
  return value.L ? { L: value.L.map(sortedValue) } : value;
}

/** What is known of the row that an item would become. */
export type Finding = "same" | "other" | "new";

export interface Prints extends Iterable<Buffer> {
  readonly size: number;
  find(print: Buffer): Finding;
  /** Takes the print at `at`, over an earlier one of its key. */
  add(prints: Buffer, at?: number): void;
}

/** Whether a key was there. */
export type Seen = (key: string) => boolean;

export const seenIn =
  (prints: Prints): Seen =>
  (key) =>
    prints.find(printOf({ key })) !== "new";

/** The words of a slot: two of the key, and two of the content where that is kept. */
const WORDS = Object.freeze({ keys: 2, prints: 4 });

/** How full it may be: with more, keys would be looked for in too many slots. */
const FILL = 0.75;

/** Open addressing over one typed array: 21 MB for a million expected rows, half for their keys. */
export function printTable(expected = 0, keep: keyof typeof WORDS = "prints"): Prints {
  const width = WORDS[keep];
  let slots = Math.max(1024, Math.ceil(expected / FILL) + 1);
  let words = new Int32Array(slots * width);
  let size = 0;

  /** Where the key is, or would be. */
  function slotOf(one: number, two: number): number {
    let at = ((two >>> 0) % slots) * width;
    while (words[at] !== 0 && (words[at] !== one || words[at + 1] !== two)) {
      at += width;
      if (at === words.length) at = 0;
    }
    return at;
  }

  function grow(): void {
    const old = words;
    slots *= 2;
    words = new Int32Array(slots * width);
    for (let from = 0; from < old.length; from += width) {
      const one = old[from] as number;
      if (one === 0) continue;
      words.set(old.subarray(from, from + width), slotOf(one, old[from + 1] as number));
    }
  }

  return {
    get size() {
      return size;
    },
    find(print) {
      const at = slotOf(print.readInt32LE(0), print.readInt32LE(4));
      if (words[at] === 0) return "new";
      if (keep === "keys") return "other";
      const isSame =
        words[at + 2] === print.readInt32LE(8) && words[at + 3] === print.readInt32LE(12);
      return isSame ? "same" : "other";
    },
    add(prints, at = 0) {
      if (size >= slots * FILL) grow();
      const one = prints.readInt32LE(at);
      const two = prints.readInt32LE(at + 4);
      const slot = slotOf(one, two);
      if (words[slot] === 0) size += 1;
      words[slot] = one;
      words[slot + 1] = two;
      if (keep === "keys") return;
      words[slot + 2] = prints.readInt32LE(at + 8);
      words[slot + 3] = prints.readInt32LE(at + 12);
    },
    *[Symbol.iterator]() {
      for (let at = 0; at < words.length; at += width) {
        if (words[at] === 0) continue;
        const print = Buffer.alloc(PRINT_BYTES);
        for (let n = 0; n < width; n++) print.writeInt32LE(words[at + n] as number, n * 4);
        yield print;
      }
    },
  };
}
