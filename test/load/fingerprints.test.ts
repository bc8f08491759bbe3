import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../../packages/core/src/flow.ts";
import { printOf, printTable, seenIn } from "../../packages/core/src/load/fingerprints.ts";
import { toItem } from "../../packages/core/src/normalize/values.ts";

const item: Item = toItem({
  id: "7",
  text: "straße",
  amount: 12.5,
  big: 90071992547409931n,
  open: true,
  none: null,
  bytes: Uint8Array.of(1, 2),
  list: ["a", { deep: 1 }],
  map: { a: { b: "c" } },
}).item;
const print = (changes: Item = {}) => printOf({ key: "7", item: { ...item, ...changes } });
const ofKey = (key: Buffer) => key.subarray(0, 8).toString("hex");

describe("a print", () => {
  it("is 16 bytes, the same for the same item", () => {
    expect(print()).toHaveLength(16);
    expect(print()).toEqual(printOf({ key: "7", item: structuredClone(item) }));
  });

  it.each<[string, Item]>([
    ["a text", { text: { S: "strasse" } }],
    ["a text that was a number", { amount: { S: "12.5" } }],
    ["the last digit of a number", { big: { N: "90071992547409932" } }],
    ["a truth", { open: { BOOL: false } }],
    ["a null", { none: { S: "" } }],
    ["a byte", { bytes: { B: Uint8Array.of(1, 3) } }],
    ["an entry of a list", { list: { L: [{ S: "a" }, { M: { deep: { N: "2" } } }] } }],
    ["a name inside", { map: { M: { a: { M: { B: { S: "c" } } } } } }],
    ["a new attribute", { more: { NULL: true } }],
    ["a text that looks like what comes behind it", { text: { S: 'straße"},"amount":{"N":"1' } }],
    ["a member named __proto__", toItem(JSON.parse('{"map":{"__proto__":"x","a":1}}')).item],
    ["one named toJSON", { toJSON: { S: "x" } }],
  ])("changes with %s, and its key's half does not", (_, changes) => {
    expect(print(changes)).not.toEqual(print());
    expect(ofKey(print(changes))).toBe(ofKey(print()));
  });

  it("changes whenever any value does", () => {
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
      fc.property(records, records, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        const [a, b] = [one, other].map((record) =>
          printOf({ key: "k", item: toItem(record).item }),
        );
        expect(a?.equals(b as Buffer)).toBe(isSame);
      }),
    );
  });

  it("of an item, of a row that is gone and of a key alone are three", () => {
    const prints = [print(), printOf({ key: "7", item, deletesRow: true }), printOf({ key: "7" })];
    expect(new Set(prints.map(String)).size).toBe(3);
    expect(new Set(prints.map(ofKey)).size).toBe(1);
    // What a row was like does not matter any more when it is gone.
    expect(printOf({ key: "7", item: {}, deletesRow: true })).toEqual(prints[1]);
  });

  it("of a row that is gone is its own for each key", () => {
    const [one, other] = ["7", "8"].map((key) => printOf({ key, item, deletesRow: true }));
    expect(one?.subarray(8)).not.toEqual(other?.subarray(8));
  });
});

describe("a table of prints", () => {
  const content = (n: number): Item => ({ n: { N: String(n) } });

  it("behaves as a Map from keys to contents", () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4000, size: "max" }), (steps) => {
        const prints = printTable();
        const map = new Map<number, number>();
        for (const [key, value] of steps) {
          const print = printOf({ key: String(key), item: content(value) });
          const known = map.get(key);
          const expected = known === undefined ? "new" : known === value ? "same" : "other";
          if (prints.find(print) !== expected) expect(prints.find(print)).toBe(expected);
          prints.add(print);
          map.set(key, value);
        }
        expect(prints.size).toBe(map.size);
        const all = [...prints].map((one) => one.toString("hex")).sort();
        const expected = [...map].map(([key, n]) =>
          printOf({ key: String(key), item: content(n) }).toString("hex"),
        );
        expect(all).toEqual(expected.sort());
      }),
      { numRuns: 20 },
    );
  });

  it("tells prints apart that belong into one slot, also behind the last, by each of their words", () => {
    const print = (...words: number[]) => {
      const bytes = Buffer.alloc(16);
      for (const [n, word] of words.entries()) bytes.writeInt32LE(word, n * 4);
      return bytes;
    };
    const prints = printTable();
    // All have their place in the last of the first 1,024 slots.
    const keys = [1, 3, 5].flatMap((one) => [1023, 2047, -1].map((two) => [one, two]));
    for (const [n, key] of keys.entries()) prints.add(print(...key, n, 7));
    for (const [n, key] of keys.entries()) {
      expect(prints.find(print(...key, n, 7))).toBe("same");
      expect(prints.find(print(...key, n, 8))).toBe("other");
      expect(prints.find(print(...key, n + 1, 7))).toBe("other");
    }
    expect(prints.find(print(7, -1))).toBe("new");
    expect(prints.size).toBe(9);
  });

  it("takes prints out of a block", () => {
    const block = Buffer.concat([1, 2, 3].map((n) => printOf({ key: "k", item: content(n) })));
    const prints = printTable();
    for (const at of [0, 16, 32]) prints.add(block, at);
    expect(prints.size).toBe(1);
    expect(prints.find(printOf({ key: "k", item: content(3) }))).toBe("same");
    expect(prints.find(printOf({ key: "k", item: content(2) }))).toBe("other");
  });

  it("of keys alone takes half the memory, and knows each of them", () => {
    const keys = printTable(3, "keys");
    const numbered = (from: number) => Array.from({ length: 5_000 }, (_, n) => String(from + n));
    for (const key of numbered(0)) keys.add(printOf({ key, item }));
    expect(keys.size).toBe(5_000);
    const seen = seenIn(keys);
    expect(numbered(0).every(seen)).toBe(true);
    expect(numbered(5_000).some(seen)).toBe(false);
  });

  it("knows which keys it has, whatever is known of their rows", () => {
    const prints = printTable();
    prints.add(printOf({ key: "stored", item }));
    prints.add(printOf({ key: "gone", item, deletesRow: true }));
    prints.add(printOf({ key: "set aside" }));
    const seen = seenIn(prints);
    expect(["stored", "gone", "set aside", "never"].map(seen)).toEqual([true, true, true, false]);
    expect(prints.find(printOf({ key: "set aside", item }))).toBe("other");
    expect(prints.find(printOf({ key: "gone", item }))).toBe("other");
    expect(prints.find(printOf({ key: "gone", item: {}, deletesRow: true }))).toBe("same");
  });
});
