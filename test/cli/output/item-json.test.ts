import type { Item } from "@tidetable/core/internal";
import type { KeyPlan } from "@tidetable/core/plan";
import { describe, expect, it } from "vitest";
import { compareByKey, itemJson } from "../../../packages/cli/src/output/item-json.ts";

const createKey = (type: "S" | "N" | "B", range?: "S" | "N"): KeyPlan => ({
  fields: ["id"],
  hash: { name: "id", type },
  range: range && { name: "at", type: range },
});

describe("an item as JSON", () => {
  it("the JSON of an item keeps all digits of numbers and has a text for every type of value (P9)", () => {
    const item: Item = {
      z: { N: "1234567890123456789.0123456789" },
      id: { N: "1234567890123456789" },
      text: { S: 'a "quoted" line\n' },
      none: { NULL: true },
      yes: { BOOL: true },
      no: { BOOL: false },
      list: { L: [{ N: "1E+100" }, { S: "" }, { L: [] }] },
      map: { M: { b: { N: "2" }, a: { N: "1" } } },
      bytes: { B: new Uint8Array([1, 2, 255]) },
      numbers: { NS: ["1", "2"] },
      words: { SS: ["a", "b"] },
    };
    const text = itemJson(item, createKey("N"));
    expect(text).toBe(
      '{"id":1234567890123456789,"bytes":"AQL/","list":[1E+100,"",[]],"map":{"a":1,"b":2},"no":false,' +
        '"none":null,"numbers":[1,2],"text":"a \\"quoted\\" line\\n","words":["a","b"],"yes":true,' +
        '"z":1234567890123456789.0123456789}',
    );
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it("the JSON of an item begins with its key", () => {
    const item: Item = { a: { S: "x" }, at: { S: "2026" }, id: { S: "7" } };
    expect(itemJson(item, createKey("S", "S"))).toBe('{"id":"7","at":"2026","a":"x"}');
  });
});

describe("the order of items", () => {
  it.each([
    ["N", ["-10", "-9.5", "0", "0.001", "2", "9.5", "10", "1E+2"]],
    ["S", ["", "1", "10", "2", "B", "a", "z", "ä", "\uffee", "😀"]],
  ] as const)("items with a key of type %s are sorted in DynamoDB's order", (type, sorted) => {
    const items = [...sorted]
      .reverse()
      .map((value): Item => ({ id: type === "N" ? { N: value } : { S: value } }));
    const ids = items.sort(compareByKey(createKey(type))).map(({ id }) => id?.N ?? id?.S);
    expect(ids).toEqual(sorted);
  });

  it("items are sorted by hash key, then by range key", () => {
    const createItem = (id: string, at: string): Item => ({ id: { S: id }, at: { N: at } });
    const items = [createItem("b", "1"), createItem("a", "10"), createItem("a", "9")].sort(
      compareByKey(createKey("S", "N")),
    );
    expect(items).toEqual([createItem("a", "9"), createItem("a", "10"), createItem("b", "1")]);
  });
});
