import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../../packages/core/src/flow.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import { readNumber, rowReader } from "../../packages/reader/src/rows.ts";
import { itemOfRecord } from "../support/items.ts";

describe("a number", () => {
  it.each<[string, unknown]>([
    ["7", 7],
    ["1.50", 1.5],
    ["1e3", 1000],
    ["0.1", 0.1],
    ["9007199254740991", 9007199254740991],
    // A whole number beyond 2^53 is a bigint, even if a double happens to hold it.
    ["9007199254740992", 9007199254740992n],
    ["-12345678901234567890", -12345678901234567890n],
    ["1E+25", 10n ** 25n],
    ["12e30", 12n * 10n ** 30n],
    ["0.1234567890123456789", new Decimal("0.1234567890123456789")],
    ["1.0000000000000000001", new Decimal("1.0000000000000000001")],
    ["9007199254740993.5", new Decimal("9007199254740993.5")],
    ["1e-130", 1e-130],
  ])("the number %s is read with every digit", (text, expected) => {
    expect(readNumber(text)).toEqual(expected);
  });

  it("any number that was written is read with the same text", () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{0,16}[1-9])?$/);
    fc.assert(
      fc.property(digits, (text) => {
        const written = itemOfRecord({ n: new Decimal(text) }).n?.N;
        expect(itemOfRecord({ n: readNumber(text) }).n?.N).toBe(written);
      }),
    );
  });
});

const accessWith = (columns: object) => ({
  plan: {
    columns,
    key: { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined },
  },
});
const rowOf = (item: Item, columns = {}, fields?: string[]) =>
  rowReader(accessWith(columns) as never, fields)(item);

describe("a row", () => {
  it("a row keeps a member named __proto__ as data (P9)", () => {
    const item = itemOfRecord(JSON.parse('{"in":{"__proto__":{"a":1},"constructor":2}}'));
    const row = rowOf({ id: { S: "1" }, ...item });
    expect(JSON.stringify(row)).toBe('{"id":"1","in":{"__proto__":{"a":1},"constructor":2}}');
    expect(Object.getPrototypeOf(row.in)).toBe(Object.prototype);

    const itemFromSdk = Object.defineProperty({ id: { S: "1" } }, "__proto__", {
      value: undefined,
      enumerable: true,
    });
    expect(rowOf(itemFromSdk)).toEqual({ id: "1" });
  });

  it("a row has null for each absent declared field that is not declared `nullable: false`", () => {
    const columns = { id: {}, a: {}, b: { nullable: true }, c: { nullable: false }, toString: {} };
    expect(rowOf({ id: { S: "1" } }, columns)).toEqual({
      id: "1",
      a: null,
      b: null,
      toString: null,
    });
    expect(rowOf({ id: { S: "1" } }, columns, ["a", "x"])).toEqual({ a: null });
    expect(rowOf({}, columns)).not.toHaveProperty("id");
  });
});
