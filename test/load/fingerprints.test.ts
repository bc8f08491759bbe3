import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../../packages/core/src/flow.ts";
import {
  FingerprintTable,
  fingerprintOf,
  isSeenIn,
} from "../../packages/core/src/load/fingerprints.ts";
import { itemOfRecord, textsOf } from "../support/items.ts";
import { sortedJson } from "../support/sorted-json.ts";

const item: Item = itemOfRecord({
  id: "7",
  text: "straße",
  amount: 12.5,
  big: 90071992547409931n,
  open: true,
  none: null,
  bytes: Uint8Array.of(1, 2),
  list: ["a", { deep: 1 }],
  map: { a: { b: "c" } },
});
const itemText = textsOf(item).itemText;
const fingerprintWith = (changes: Item = {}) =>
  fingerprintOf({ key: "7", ...textsOf({ ...item, ...changes }) });
const ofKey = (key: Buffer) => key.subarray(0, 8).toString("hex");

describe("a fingerprint", () => {
  it("a fingerprint has 16 bytes, the same for the same item", () => {
    expect(fingerprintWith()).toHaveLength(16);
    expect(fingerprintWith()).toEqual(fingerprintOf({ key: "7", itemText }));
  });

  it("a fingerprint does not depend on the order in which the API sends members", () => {
    const reversed = (value: Item): Item =>
      Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, member.M ? { M: reversed(member.M) } : member]),
      );
    expect(fingerprintOf({ key: "7", ...textsOf(reversed(item)) })).toEqual(fingerprintWith());
    const inList = (members: Item) => fingerprintWith({ list: { L: [{ M: members }] } });
    const [a, b] = [{ N: "1" }, { N: "2" }];
    expect(inList({ a, b })).toEqual(inList({ b, a }));
  });

  it.each<[string, Item]>([
    ["another string", { text: { S: "strasse" } }],
    ["a number that became a string", { amount: { S: "12.5" } }],
    ["the last digit of a number", { big: { N: "90071992547409932" } }],
    ["another boolean", { open: { BOOL: false } }],
    ["a null that became a string", { none: { S: "" } }],
    ["another byte", { bytes: { B: Uint8Array.of(1, 3) } }],
    ["another entry of a list", { list: { L: [{ S: "a" }, { M: { deep: { N: "2" } } }] } }],
    ["another nested name", { map: { M: { a: { M: { B: { S: "c" } } } } } }],
    ["a new attribute", { more: { NULL: true } }],
    ["a string that looks like the text after it", { text: { S: 'straße"},"amount":{"N":"1' } }],
    ["a member named __proto__", itemOfRecord(JSON.parse('{"map":{"__proto__":"x","a":1}}'))],
    ["an attribute named toJSON", { toJSON: { S: "x" } }],
  ])("a fingerprint changes with %s, and its half for the key does not", (_, changes) => {
    expect(fingerprintWith(changes)).not.toEqual(fingerprintWith());
    expect(ofKey(fingerprintWith(changes))).toBe(ofKey(fingerprintWith()));
  });

  it("a fingerprint changes whenever any value changes", () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.string({ minLength: 1 }), tie("tree"), { maxKeys: 3 }),
      ),
    }));
    const records = fc.dictionary(fc.string({ minLength: 1 }), tree as fc.Arbitrary<null>);
    fc.assert(
      fc.property(records, records, (first, second) => {
        const isSame = sortedJson(first) === sortedJson(second);
        const [a, b] = [first, second].map((record) =>
          fingerprintOf({ key: "k", ...textsOf(itemOfRecord(record)) }),
        );
        expect(a?.equals(b as Buffer)).toBe(isSame);
      }),
    );
  });

  it("the fingerprints of an item, of a deleted row and of a key alone differ", () => {
    const fingerprints = [
      fingerprintWith(),
      fingerprintOf({ key: "7", itemText, deletesRow: true }),
      fingerprintOf({ key: "7" }),
    ];
    expect(new Set(fingerprints.map(String)).size).toBe(3);
    expect(new Set(fingerprints.map(ofKey)).size).toBe(1);
    // The content of a row does not matter after the row is deleted.
    expect(fingerprintOf({ key: "7", itemText: "{}", deletesRow: true })).toEqual(fingerprints[1]);
  });

  it("the fingerprints of deleted rows differ from key to key", () => {
    const [first, second] = ["7", "8"].map((key) =>
      fingerprintOf({ key, itemText, deletesRow: true }),
    );
    expect(first?.subarray(8)).not.toEqual(second?.subarray(8));
  });
});

describe("a table of fingerprints", () => {
  const itemWith = (n: number): Item => ({ n: { N: String(n) } });

  it("a table of fingerprints behaves as a Map from keys to contents", () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4000, size: "max" }), (steps) => {
        const fingerprints = new FingerprintTable();
        const map = new Map<number, number>();
        for (const [key, value] of steps) {
          const fingerprint = fingerprintOf({ key: String(key), ...textsOf(itemWith(value)) });
          const stored = map.get(key);
          const expected = stored === undefined ? "new" : stored === value ? "same" : "changed";
          if (fingerprints.match(fingerprint) !== expected)
            expect(fingerprints.match(fingerprint)).toBe(expected);
          fingerprints.add(fingerprint);
          map.set(key, value);
        }
        expect(fingerprints.size).toBe(map.size);
        const inTable = [...fingerprints].map((fingerprint) => fingerprint.toString("hex")).sort();
        const expected = [...map].map(([key, n]) =>
          fingerprintOf({ key: String(key), ...textsOf(itemWith(n)) }).toString("hex"),
        );
        expect(inTable).toEqual(expected.sort());
      }),
      { numRuns: 20 },
    );
  });

  it("a table of fingerprints distinguishes entries of the same slot, including the last slot, by each of their words", () => {
    const fingerprintOfWords = (...words: number[]) => {
      const bytes = Buffer.alloc(16);
      for (const [n, word] of words.entries()) bytes.writeInt32LE(word, n * 4);
      return bytes;
    };
    const fingerprints = new FingerprintTable();
    // All have their place in the last of the first 1,024 slots.
    const keys = [1, 3, 5].flatMap((first) => [1023, 2047, -1].map((two) => [first, two]));
    for (const [n, key] of keys.entries()) fingerprints.add(fingerprintOfWords(...key, n, 7));
    for (const [n, key] of keys.entries()) {
      expect(fingerprints.match(fingerprintOfWords(...key, n, 7))).toBe("same");
      expect(fingerprints.match(fingerprintOfWords(...key, n, 8))).toBe("changed");
      expect(fingerprints.match(fingerprintOfWords(...key, n + 1, 7))).toBe("changed");
    }
    expect(fingerprints.match(fingerprintOfWords(7, -1))).toBe("new");
    expect(fingerprints.size).toBe(9);
  });

  it("a table of fingerprints reads entries from a block", () => {
    const block = Buffer.concat(
      [1, 2, 3].map((n) => fingerprintOf({ key: "k", ...textsOf(itemWith(n)) })),
    );
    const fingerprints = new FingerprintTable();
    for (const at of [0, 16, 32]) fingerprints.add(block, at);
    expect(fingerprints.size).toBe(1);
    expect(fingerprints.match(fingerprintOf({ key: "k", ...textsOf(itemWith(3)) }))).toBe("same");
    expect(fingerprints.match(fingerprintOf({ key: "k", ...textsOf(itemWith(2)) }))).toBe(
      "changed",
    );
  });

  it("a table of keys alone takes half the memory and has each key", () => {
    const keys = new FingerprintTable(3, "keys");
    const keysFrom = (from: number) => Array.from({ length: 5_000 }, (_, n) => String(from + n));
    for (const key of keysFrom(0)) keys.add(fingerprintOf({ key, itemText }));
    expect(keys.size).toBe(5_000);
    const isSeen = isSeenIn(keys);
    expect(keysFrom(0).every(isSeen)).toBe(true);
    expect(keysFrom(5_000).some(isSeen)).toBe(false);
  });

  it("a table of fingerprints has a key whatever is known of its row", () => {
    const fingerprints = new FingerprintTable();
    fingerprints.add(fingerprintOf({ key: "stored", itemText }));
    fingerprints.add(fingerprintOf({ key: "gone", itemText, deletesRow: true }));
    fingerprints.add(fingerprintOf({ key: "set aside" }));
    const isSeen = isSeenIn(fingerprints);
    expect(["stored", "gone", "set aside", "never"].map(isSeen)).toEqual([true, true, true, false]);
    expect(fingerprints.match(fingerprintOf({ key: "set aside", itemText }))).toBe("changed");
    expect(fingerprints.match(fingerprintOf({ key: "gone", itemText }))).toBe("changed");
    expect(
      fingerprints.match(fingerprintOf({ key: "gone", itemText: "{}", deletesRow: true })),
    ).toBe("same");
  });
});
