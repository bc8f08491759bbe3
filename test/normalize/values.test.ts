import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordError } from "../../packages/core/src/base/errors.ts";
import { utf8Bytes, writeItem } from "../../packages/core/src/normalize/values.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject, JsonValue } from "../../packages/core/src/values/json.ts";
import { itemOfRecord } from "../support/items.ts";

describe("the types of an item", () => {
  it.each<[string, JsonValue, object]>([
    ["a string", "é", { S: "é" }],
    ["an empty string", "", { S: "" }],
    ["a boolean", false, { BOOL: false }],
    ["an explicit null", null, { NULL: true }],
    ["a number", 1.5, { N: "1.5" }],
    ["minus zero", -0, { N: "0" }],
    ["an id beyond 2^53", 12345678901234567890n, { N: "12345678901234567890" }],
    ["a long fraction", new Decimal("0.12345678901234567890"), { N: "0.1234567890123456789" }],
    ["a list", [1, "a", [null]], { L: [{ N: "1" }, { S: "a" }, { L: [{ NULL: true }] }] }],
    ["a map", { a: { b: true } }, { M: { a: { M: { b: { BOOL: true } } } } }],
    ["an empty list", [], { L: [] }],
    ["an empty map", {}, { M: {} }],
  ])("the type of %s is kept in the item", (_, value, expected) => {
    expect(itemOfRecord({ value })).toEqual({ value: expected });
  });

  it("members named __proto__ and constructor are kept as data (P9)", () => {
    const record = JSON.parse('{"__proto__":"a","constructor":"b","in":{"__proto__":{"c":1}}}');
    const item = itemOfRecord(record);
    expect(Object.entries(item)).toEqual([
      ["__proto__", { S: "a" }],
      ["constructor", { S: "b" }],
      ["in", { M: expect.anything() }],
    ]);
    expect(Object.entries(item.in?.M ?? {})).toEqual([["__proto__", { M: { c: { N: "1" } } }]]);
    expect(Object.getPrototypeOf(item)).toBe(Object.prototype);
  });

  it("undefined members are dropped", () => {
    const record = { a: undefined, b: { c: undefined } } as unknown as JsonObject;
    expect(itemOfRecord(record)).toEqual({ b: { M: {} } });
  });
});

describe("a record that DynamoDB cannot hold", () => {
  it.each<[string, JsonObject, string, string]>([
    ["39 digits", { a: [{ n: 10n ** 38n + 1n }] }, "record.number", "a[0].n"],
    ["a number too great", { n: 1e126 }, "record.number", "n"],
    ["NaN", { n: Number.NaN }, "record.number", "n"],
    ["half a surrogate pair", { a: { t: "x\ud800y" } }, "record.text", "a.t"],
    ["a name of half a surrogate pair", { a: { "\udc00": 1 } }, "record.name", "a"],
    ["an empty name", { a: [{ "": 1 }] }, "record.name", "a[0]"],
    ["a name of 64 KB", { ["n".repeat(65_536)]: 1 }, "record.name", ""],
    ["33 levels", { a: nested(32) }, "record.depth", `a${".in".repeat(32)}`],
    ["more than 400 KB", { a: "x".repeat(409_600) }, "record.too_large", ""],
  ])("a record with %s is refused, and the error has the path", (_, record, code, path) => {
    const refusal = refusalOf(record);
    expect(refusal.code).toBe(code);
    expect(refusal.path).toBe(path);
  });

  it("32 levels, 38 digits, names of 65,535 bytes and exactly 400 KB are accepted", () => {
    expect(() => writeItem({ a: nested(31) })).not.toThrow();
    expect(() => writeItem({ a: 10n ** 38n - 1n })).not.toThrow();
    expect(() => writeItem({ ["n".repeat(65_535)]: 1 })).not.toThrow();
    expect(writeItem({ a: "x".repeat(409_599) }).bytes).toBe(409_600);
    expect(() => writeItem({ a: "é".repeat(204_800) })).toThrow(/409601 bytes/);
  });

  it("a record of 100,000 levels is refused without overflowing the stack", () => {
    expect(refusalOf({ a: nested(100_000) }).code).toBe("record.depth");
  });

  it("the message about a bad string does not quote the string", () => {
    expect(refusalOf({ a: "secret\ud800" }).message).toBe("a string is not valid Unicode");
  });
});

describe("the size of an item", () => {
  it("the size counts names and values, and one byte for each entry of a list or a map", () => {
    const { bytes } = writeItem({ id: "abc", n: 12345, flag: true, l: ["xy"], m: { k: null } });
    expect(bytes).toBe(5 + 5 + 5 + (1 + 3 + 1 + 2) + (1 + 3 + 1 + 1 + 1));
  });

  it("strings are counted in UTF-8, and ill-formed strings are found", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "grapheme" }),
        (anyText, validText) => {
          expect(utf8Bytes(validText)).toBe(Buffer.byteLength(validText));
          const isWellFormed = Buffer.from(anyText).toString() === anyText;
          expect(utf8Bytes(anyText)).toBe(isWellFormed ? Buffer.byteLength(anyText) : -1);
        },
      ),
    );
    expect(utf8Bytes("\udc00\ud800")).toBe(-1);
  });
});

function nested(levels: number): JsonValue {
  let value: JsonValue = {};
  for (let level = 1; level < levels; level++) value = { in: value };
  return { in: value };
}

function refusalOf(record: JsonObject): RecordError {
  try {
    writeItem(record);
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error("the record was accepted");
}
