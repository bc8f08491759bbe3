import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordError } from "../../packages/core/src/base/errors.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { KeyPlan, RowIdPlan } from "../../packages/core/src/config/plan-types.ts";
import { keyMaker, type RowNaming } from "../../packages/core/src/normalize/keys.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject, JsonValue } from "../../packages/core/src/values/json.ts";
import { rowNaming } from "../support/naming.ts";

type KeyType = "S" | "N" | "B";
const naming = rowNaming();

const singleKey = (type: KeyType): KeyPlan => ({
  fields: ["id"],
  hash: { name: "id", type },
  range: undefined,
});
const twoFieldKey: KeyPlan = {
  fields: ["a", "b"],
  hash: { name: "a", type: "S" },
  range: { name: "b", type: "N" },
};
const threeFieldKey: KeyPlan = {
  fields: ["a", "b", "c"],
  hash: { name: "a", type: "S" },
  range: { name: "_key", type: "S" },
};
const rowIdKey: KeyPlan = {
  fields: [],
  rowId: { kind: "content", isPerRead: true },
  hash: { name: "_row_id", type: "S" },
  range: undefined,
};

describe("a key of type S", () => {
  it.each<[JsonValue, string]>([
    ["as it is", "as it is"],
    ["1.0", "1.0"],
    [1, "1"],
    [1e3, "1000"],
    [new Decimal("1.0"), "1"],
    [12345678901234567890n, "12345678901234567890"],
  ])("a key of type S is made from %s as the string %s", (id, text) => {
    expect(keyMaker(singleKey("S"), naming)({ id })).toEqual({ text, members: { id: text } });
  });
});

describe("a key of type N", () => {
  it.each<[JsonValue, string]>([
    [1.0, "1"],
    ["1.0", "1"],
    ["1e3", "1000"],
    [10n ** 20n, "100000000000000000000"],
  ])("a key of type N is made from %s as the number %s", (id, text) => {
    expect(keyMaker(singleKey("N"), naming)({ id })).toEqual({
      text,
      members: { id: new Decimal(text) },
    });
  });
});

it("a key of type B has the bytes of the base64 string", () => {
  const { members } = keyMaker(singleKey("B"), naming)({ id: "aGk=" });
  expect(members.id).toEqual(Buffer.from("hi"));
});

it("two key fields are the hash key and the range key", () => {
  const { members } = keyMaker(twoFieldKey, naming)({ a: "x", b: 7 });
  expect(members).toEqual({ a: "x", b: new Decimal("7") });
});

it("three key fields are the hash key and _key, which joins the other two", () => {
  const { members } = keyMaker(threeFieldKey, naming)({ a: "x", b: 7, c: "y" });
  expect(members).toEqual({ a: "x", _key: '["7","y"]' });
});

describe("keys of different records", () => {
  const part = fc.string({ minLength: 1, unit: "grapheme" });
  const texts: KeyPlan = { ...twoFieldKey, range: { name: "b", type: "S" } };

  it("random records have the same key exactly when their key fields are equal", () => {
    const values = fc.tuple(part, part, part);
    fc.assert(
      fc.property(values, values, ([a, b, c], [d, e, f]) => {
        const keyOf = keyMaker(threeFieldKey, naming);
        const [first, second] = [keyOf({ a, b, c }), keyOf({ a: d, b: e, c: f })];
        expect(first.text === second.text).toBe(a === d && b === e && c === f);
        expect(first.members._key === second.members._key).toBe(b === e && c === f);
      }),
    );
  });

  it("fields that contain separators do not make equal keys of different fields", () => {
    const separator = fc.constantFrom(",", "-", "#", '","', "\u0000", "|");
    fc.assert(
      fc.property(part, part, part, separator, (x, y, z, s) => {
        const left = { a: `${x}${s}${y}`, b: z };
        const right = { a: x, b: `${y}${s}${z}` };
        const pairOf = keyMaker(texts, naming);
        expect(pairOf(left).text).not.toBe(pairOf(right).text);
        const joined = ({ a, b }: typeof left) =>
          keyMaker(threeFieldKey, naming)({ a: "same", b: a, c: b }).members._key;
        expect(joined(left)).not.toBe(joined(right));
      }),
    );
  });
});

describe("a record without a usable key", () => {
  it.each<[string, KeyPlan, JsonObject, string, string]>([
    ["a missing key field", singleKey("S"), {}, "key_missing", 'the key field "id" is missing'],
    [
      "a null in the key",
      singleKey("S"),
      { id: null },
      "key_missing",
      'the key field "id" is null',
    ],
    ["an empty key", singleKey("S"), { id: "" }, "key_empty", 'the key field "id" is empty'],
    ["a list as key", singleKey("S"), { id: [1] }, "key_type", 'the key field "id" is a list'],
    ["an object as key", singleKey("N"), { id: {} }, "key_type", 'the key field "id" is an object'],
    [
      "a boolean as key",
      singleKey("S"),
      { id: true },
      "key_type",
      'the key field "id" is a boolean',
    ],
    [
      "letters in a number key",
      singleKey("N"),
      { id: "x1" },
      "key_type",
      "cannot hold as a number",
    ],
    [
      "a binary key that is not base64",
      singleKey("B"),
      { id: "a-b_" },
      "key_type",
      "is not a base64 string",
    ],
    [
      "a hash key that is too long",
      singleKey("S"),
      { id: "é".repeat(1025) },
      "key_too_long",
      "has 2050 bytes",
    ],
    [
      "a range key that is too long",
      threeFieldKey,
      { a: "x", b: "y".repeat(1024), c: "z" },
      "key_too_long",
      '"b, c"',
    ],
    [
      "one of three key fields missing",
      threeFieldKey,
      { a: "x", b: "y" },
      "key_missing",
      'the key field "c" is missing',
    ],
    ["a key of too many digits", singleKey("S"), { id: 10n ** 40n + 1n }, "number", "38 digits"],
    [
      "a field named _key",
      threeFieldKey,
      { a: "x", b: "y", c: "z", _key: 1 },
      "key_reserved",
      '"_key"',
    ],
    ["a field named _row_id", rowIdKey, { _row_id: "mine" }, "key_reserved", '"_row_id"'],
  ])("a record with %s is refused, and the error names the field", (_, plan, record, code, message) => {
    const refusal = refusalOf(plan, record);
    expect(refusal.code).toBe(`record.${code}`);
    expect(refusal.message).toContain(message);
  });

  it("a name that objects inherit does not count as a key field", () => {
    const plan: KeyPlan = {
      ...singleKey("S"),
      fields: ["constructor"],
      hash: { name: "constructor", type: "S" },
    };
    expect(refusalOf(plan, {}).code).toBe("record.key_missing");
  });
});

describe("_row_id", () => {
  const rowIdPlan = (rowId: RowIdPlan): KeyPlan => ({ ...rowIdKey, rowId });
  const perRead = rowIdPlan({ kind: "content", isPerRead: true });
  const byContent = rowIdPlan({ kind: "content", isPerRead: false });
  const at = parseJsonPath("meta.at");
  const byVersion = rowIdPlan({ kind: "version", fields: ["id", "org"], cursor: at });

  const rowIds = (records: JsonObject[], plan: KeyPlan, changes: Partial<RowNaming> = {}) =>
    records.map(keyMaker(plan, rowNaming(changes))).map((key) => key.text);
  const records = [{ a: 1, b: 2 }, { a: 2 }, { b: 2, a: 1 }];

  it.each([
    ["a row per read", perRead],
    ["a row per content", byContent],
  ])("with %s, a _row_id is the same when its page is read again in the same read", (_, plan) => {
    expect(rowIds(records, plan)).toEqual(rowIds(records, plan));
  });

  it("with a row per content, a _row_id is the same in every read", () => {
    expect(rowIds(records, byContent, { readId: "read-2" })).toEqual(rowIds(records, byContent));
  });

  it("with a row per read, a _row_id is another one in each read", () => {
    const all = [rowIds(records, perRead), rowIds(records, perRead, { readId: "read-2" })];
    expect(new Set(all.flat()).size).toBe(6);
  });

  it("equal records of one page have different _row_ids, and on two pages the same", () => {
    expect(new Set(rowIds(records, byContent)).size).toBe(3);
    const [first, , second] = rowIds(records, byContent);
    expect(rowIds([{ a: 1, b: 2 }], byContent)).toEqual([first]);
    expect(first).not.toBe(second);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["the order of members", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ["members that are null", { a: 1, b: null, c: { d: null } }, { a: 1, c: {} }],
    ["how a number is written", { a: 1, b: 1000 }, { a: new Decimal("1.0"), b: 1000n }],
  ])("a _row_id does not depend on %s", (_, one, other) => {
    expect(rowIds([one], byContent)).toEqual(rowIds([other], byContent));
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a number that became a string", { a: 1 }, { a: "1" }],
    ["a null in a list", { a: [null] }, { a: [] }],
    ["the order of a list", { a: [1, 2] }, { a: [2, 1] }],
    ["a nested member", { a: { b: 1 } }, { a: { c: 1 } }],
    ["false for a member that is not there", { a: 1, b: false }, { a: 1 }],
  ])("a _row_id changes with %s", (_, one, other) => {
    expect(rowIds([one], byContent)).not.toEqual(rowIds([other], byContent));
  });

  it("a _row_id names the parent by what the request names of it, and by no other field of it", () => {
    const record = { text: "x", post: 1, author: "a" };
    const ofPost = { parent: { id: 1 }, added: ["post", "author"] };
    const [id] = rowIds([record], byContent, ofPost);
    expect(rowIds([{ ...record, author: "b" }], byContent, ofPost)).toEqual([id]);
    expect(rowIds([record], byContent, { ...ofPost, parent: { id: 2 } })).not.toEqual([id]);
    expect(rowIds([{ ...record, text: "y" }], byContent, ofPost)).not.toEqual([id]);
  });

  it("a version's _row_id is made from its key, its cursor value and its parent alone", () => {
    const record = { id: 7, org: "o", meta: { at: "2026-01-01" }, title: "x" };
    const [id] = rowIds([record], byVersion);
    const other = { ...record, title: "y" };
    expect(rowIds([other], byVersion, { readId: "read-2" })).toEqual([id]);
    // Two equal records of a page are one version.
    expect(new Set(rowIds([record, other], byVersion)).size).toBe(1);
    const changes = [{ id: 8 }, { org: "p" }, { meta: { at: "2026-01-02" } }, { meta: {} }];
    const changed = changes.map((change) => rowIds([{ ...record, ...change }], byVersion)[0]);
    const ofParent = rowIds([record], byVersion, { parent: { id: 1 } })[0];
    expect(new Set([id, ...changed, ofParent]).size).toBe(6);
  });

  it("a version needs each field of its key", () => {
    expect(refusalOf(byVersion, { id: 7, meta: { at: 1 } })).toMatchObject({
      code: "record.key_missing",
      path: "org",
    });
  });
});

function refusalOf(plan: KeyPlan, record: JsonObject): RecordError {
  try {
    keyMaker(plan, naming)(record);
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error("the record was accepted");
}
