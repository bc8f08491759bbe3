import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordError } from "../../packages/core/src/base/errors.ts";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { type At, keysOf } from "../../packages/core/src/normalize/keys.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject, JsonValue } from "../../packages/core/src/values/json.ts";

type Type = "S" | "N" | "B";
const at: At = { runId: "run-1", page: 0 };

const one = (type: Type): KeyPlan => ({
  fields: ["id"],
  hash: { name: "id", type },
  range: undefined,
});
const two: KeyPlan = {
  fields: ["a", "b"],
  hash: { name: "a", type: "S" },
  range: { name: "b", type: "N" },
};
const three: KeyPlan = {
  fields: ["a", "b", "c"],
  hash: { name: "a", type: "S" },
  range: { name: "_key", type: "S" },
};
const append: KeyPlan = { fields: [], hash: { name: "_row_id", type: "S" }, range: undefined };

describe("a key of type S", () => {
  it.each<[JsonValue, string]>([
    ["as it is", "as it is"],
    ["1.0", "1.0"],
    [1, "1"],
    [1e3, "1000"],
    [new Decimal("1.0"), "1"],
    [12345678901234567890n, "12345678901234567890"],
  ])("of %s is the text %s", (id, text) => {
    expect(keysOf(one("S"), at)({ id })).toEqual({ text, members: { id: text } });
  });
});

describe("a key of type N", () => {
  it.each<[JsonValue, string]>([
    [1.0, "1"],
    ["1.0", "1"],
    ["1e3", "1000"],
    [10n ** 20n, "100000000000000000000"],
  ])("of %s is the number %s", (id, text) => {
    expect(keysOf(one("N"), at)({ id })).toEqual({ text, members: { id: new Decimal(text) } });
  });
});

it("a key of type B is what the base64 text stands for", () => {
  const { members } = keysOf(one("B"), at)({ id: "aGk=" });
  expect(members.id).toEqual(Buffer.from("hi"));
});

it("two fields are hash and range key", () => {
  const { members } = keysOf(two, at)({ a: "x", b: 7 });
  expect(members).toEqual({ a: "x", b: new Decimal("7") });
});

it("three fields are the hash key and _key, which joins the rest", () => {
  const { members } = keysOf(three, at)({ a: "x", b: 7, c: "y" });
  expect(members).toEqual({ a: "x", _key: '["7","y"]' });
});

describe("different keys never meet, whatever stands in their fields", () => {
  const part = fc.string({ minLength: 1, unit: "grapheme" });
  const texts: KeyPlan = { ...two, range: { name: "b", type: "S" } };

  it("at random", () => {
    const values = fc.tuple(part, part, part);
    fc.assert(
      fc.property(values, values, ([a, b, c], [d, e, f]) => {
        const keyOf = keysOf(three, at);
        const [left, right] = [keyOf({ a, b, c }), keyOf({ a: d, b: e, c: f })];
        expect(left.text === right.text).toBe(a === d && b === e && c === f);
        expect(left.members._key === right.members._key).toBe(b === e && c === f);
      }),
    );
  });

  it("nor where a plain separator would let them", () => {
    const separator = fc.constantFrom(",", "-", "#", '","', "\u0000", "|");
    fc.assert(
      fc.property(part, part, part, separator, (x, y, z, s) => {
        const one = { a: `${x}${s}${y}`, b: z };
        const other = { a: x, b: `${y}${s}${z}` };
        const pairOf = keysOf(texts, at);
        expect(pairOf(one).text).not.toBe(pairOf(other).text);
        const joined = ({ a, b }: typeof one) =>
          keysOf(three, at)({ a: "same", b: a, c: b }).members._key;
        expect(joined(one)).not.toBe(joined(other));
      }),
    );
  });
});

describe("a record without a usable key is refused by name", () => {
  it.each<[string, KeyPlan, JsonObject, string, string]>([
    ["missing", one("S"), {}, "key_missing", 'the key field "id" is missing'],
    ["null", one("S"), { id: null }, "key_missing", 'the key field "id" is null'],
    ["empty", one("S"), { id: "" }, "key_empty", 'the key field "id" is empty'],
    ["a list", one("S"), { id: [1] }, "key_type", 'the key field "id" is a list'],
    ["an object", one("N"), { id: {} }, "key_type", 'the key field "id" is an object'],
    ["a boolean", one("S"), { id: true }, "key_type", 'the key field "id" is a boolean'],
    ["no number", one("N"), { id: "x1" }, "key_type", "can not hold as a number"],
    ["no base64", one("B"), { id: "a-b_" }, "key_type", "is not base64 text"],
    ["too long", one("S"), { id: "é".repeat(1025) }, "key_too_long", "has 2050 bytes"],
    ["a long range", three, { a: "x", b: "y".repeat(1024), c: "z" }, "key_too_long", '"b, c"'],
    ["part missing", three, { a: "x", b: "y" }, "key_missing", 'the key field "c" is missing'],
    ["too many digits", one("S"), { id: 10n ** 40n + 1n }, "number", "38 digits"],
    ["_key taken", three, { a: "x", b: "y", c: "z", _key: 1 }, "key_reserved", '"_key"'],
    ["_row_id taken", append, { _row_id: "mine" }, "key_reserved", '"_row_id"'],
  ])("%s", (_, plan, record, code, message) => {
    const refusal = refusalOf(plan, record);
    expect(refusal.code).toBe(`record.${code}`);
    expect(refusal.message).toContain(message);
  });

  it("an inherited name is not a field", () => {
    const plan: KeyPlan = {
      ...one("S"),
      fields: ["constructor"],
      hash: { name: "constructor", type: "S" },
    };
    expect(refusalOf(plan, {}).code).toBe("record.key_missing");
  });
});

describe("_row_id", () => {
  const ids = (records: JsonObject[], where: At) =>
    records.map(keysOf(append, where)).map((key) => key.text);
  const page = [{ a: 1, b: 2 }, { a: 2 }, { b: 2, a: 1 }];

  it("is the same when a page is replayed within its run", () => {
    expect(ids(page, at)).toEqual(ids(page, { ...at }));
  });

  it("does not depend on the order of a record's members", () => {
    expect(ids([{ a: 1, b: 2 }], at)).toEqual(ids([{ b: 2, a: 1 }], at));
  });

  it("differs between equal records of one page", () => {
    expect(new Set(ids(page, at)).size).toBe(3);
  });

  it("differs in another run and on another page", () => {
    const all = [
      ids(page, at),
      ids(page, { ...at, page: 1 }),
      ids(page, { ...at, runId: "run-2" }),
    ];
    expect(new Set(all.flat()).size).toBe(9);
  });
});

function refusalOf(plan: KeyPlan, record: JsonObject): RecordError {
  try {
    keysOf(plan, at)(record);
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error("it was taken");
}
