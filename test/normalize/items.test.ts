import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { Item, KeyedItem } from "../../packages/core/src/flow.ts";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject, JsonValue } from "../../packages/core/src/values/json.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { attributesIn } from "../support/items.ts";
import { rowNaming } from "../support/naming.ts";

const key: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const naming = rowNaming();
const writeMode = { kind: "batch" } as const;
const storage = { indexes: [] };
const prepare = (records: JsonValue[]) => toItems(records, { key, writeMode, storage }, naming);

describe("the items of a page", () => {
  it("the record with the newer version wins over another record with the same key", () => {
    const ordered = (type: "S" | "N") => ({ kind: "ordered", versionField: "v", type }) as const;
    const keptVersions = (records: JsonValue[], type: "S" | "N") => {
      const { items, superseded } = toItems(
        records,
        { key, writeMode: ordered(type), storage },
        naming,
      );
      expect(superseded).toBe(records.length - 1);
      return items.map((item) => attributesIn(item).v?.[type]);
    };
    const numbers = [10, 9].map((v) => ({ id: 1, v }));
    expect(keptVersions(numbers, "N")).toEqual(["10"]);
    expect(keptVersions(numbers.toReversed(), "N")).toEqual(["10"]);
    const times = ["2026-02-01T00:00:00Z", "2026-01-31T23:59:59Z"].map((v) => ({ id: 1, v }));
    expect(keptVersions(times, "S")).toEqual(["2026-02-01T00:00:00Z"]);
    expect(keptVersions(times.toReversed(), "S")).toEqual(["2026-02-01T00:00:00Z"]);
    // Of equal versions the later record wins, as without a version field.
    const equalVersions = ["a", "b"].map((name) => ({ id: 1, v: 1, name }));
    const { items } = toItems(equalVersions, { key, writeMode: ordered("N"), storage }, naming);
    expect(attributesIn(items[0] as KeyedItem).name).toEqual({ S: "b" });
  });

  it("a page has one item per key: the later record wins, and the earlier one is counted", () => {
    const { items, superseded } = prepare([
      { id: 1, v: "old" },
      { id: 2, v: "x" },
      { id: "1", v: "new" },
    ]);
    expect(items.map((item) => attributesIn(item).v)).toEqual([{ S: "x" }, { S: "new" }]);
    expect(superseded).toBe(1);
  });

  it("an item keeps the types of all fields except for the key", () => {
    const [keyed] = prepare([{ id: 7, other: 7 }]).items;
    expect(attributesIn(keyed as KeyedItem)).toEqual({ id: { S: "7" }, other: { N: "7" } });
  });

  it("every record of a page is an item, superseded or rejected (P8)", () => {
    const record = fc.oneof(
      fc.record({ id: fc.integer({ min: 0, max: 5 }), v: fc.jsonValue() }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const { items, superseded, rejections } = prepare(records as JsonValue[]);
        expect(items.length + superseded + rejections.length).toBe(records.length);
        expect(new Set(items.map((item) => item.key)).size).toBe(items.length);
      }),
    );
  });

  it.each([
    null,
    true,
    1,
    1n,
    "text",
    [[1]],
    new Decimal("1e400"),
  ])("the value %s is no record and is rejected", (record) => {
    expect(prepare([{ id: 1 }, record]).rejections).toEqual([
      {
        index: 1,
        code: "record.not_object",
        message: "the record is not an object",
        path: "",
        record,
      },
    ]);
  });

  it("a record that DynamoDB cannot hold is rejected with the reason, and other records are not", () => {
    const bad = { id: 2, a: { n: 1e200 } };
    const { items, rejections } = prepare([{ id: 1 }, bad, { id: 3 }]);
    expect(items.map((item) => item.key)).toEqual(["1", "3"]);
    expect(rejections).toMatchObject([
      { index: 1, code: "record.number", path: "a.n", record: bad },
    ]);
  });

  it("a rejected record does not supersede an earlier record with the same key", () => {
    const { items, superseded } = prepare([{ id: 1 }, { id: 1, n: 1e200 }]);
    expect(items).toHaveLength(1);
    expect(superseded).toBe(0);
  });
});

describe("the embedded engine and toItems agree", () => {
  let engine: Engine;
  const number: KeyPlan = { ...key, hash: { name: "id", type: "N" } };
  beforeAll(async () => {
    engine = await startDynamodb();
    await engine.createTables({
      text: tableDefinition({ key }),
      number: tableDefinition({ key: number }),
    });
  });
  afterAll(() => engine.close());

  const put = (item: Item, table = "text") =>
    engine.dynamodb.send(new PutItemCommand({ TableName: table, Item: item }));

  it("the engine takes every item and returns it unchanged (P9)", async () => {
    // The SDK loses a top-level __proto__ when it reads, so the next test looks at the request.
    const name = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((candidate) => candidate !== "__proto__");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string({ unit: "grapheme" }), fc.double(), fc.integer(), fc.bigInt()),
        fc.constantFrom(null, true, false),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(name, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    const putItems = new Map<string, Item>();
    const records = fc.sample(fc.dictionary(name, tree, { maxKeys: 6 }), 300) as JsonObject[];
    const { items } = toItems(
      records.map((record, id) => ({ ...record, id })),
      { key, writeMode, storage },
      naming,
    );
    for (const keyedItem of items) {
      const { key: text } = keyedItem;
      const item = attributesIn(keyedItem);
      await put(item);
      putItems.set(text, item);
    }
    expect(putItems.size).toBeGreaterThan(100);
    for (const item of await engine.scan("text")) {
      expect(scaleNumbers(item)).toEqual(scaleNumbers(putItems.get(item.id?.S ?? "")));
    }
  });

  it("members named __proto__ are sent to the engine (P9)", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => undefined);
    const dynamodb = clientOf(proxy.endpoint);
    const text = '{"id":"p","__proto__":{"a":1},"in":{"__proto__":"b"}}';
    const [keyed] = prepare([JSON.parse(text)]).items as [KeyedItem];
    await dynamodb.send(new PutItemCommand({ TableName: "text", Item: attributesIn(keyed) }));
    expect(JSON.stringify(proxy.calls[0]?.body.Item)).toBe(
      '{"id":{"S":"p"},"__proto__":{"M":{"a":{"N":"1"}}},"in":{"M":{"__proto__":{"S":"b"}}}}',
    );
    dynamodb.destroy();
    await proxy.close();
  });

  it.each<[string, Item, string?]>([
    ["39 digits", { id: { S: "1" }, n: { N: String(10n ** 38n + 1n) } }],
    ["a number too great", { id: { S: "1" }, n: { N: "1e126" } }],
    ["a number too small", { id: { S: "1" }, n: { N: "1e-131" } }],
    ["NaN", { id: { S: "1" }, n: { N: "NaN" } }],
    ["more than 400 KB", { id: { S: "1" }, a: { S: "x".repeat(409_597) } }],
    ["no key", { a: { S: "1" } }],
    ["an empty key", { id: { S: "" } }],
    ["a key of another type", { id: { BOOL: true } }],
    ["a string for a number key", { id: { S: "x" } }, "number"],
    ["a key that is too long", { id: { S: "x".repeat(2049) } }],
  ])("the engine and toItems both refuse an item with %s", async (_, item, table) => {
    await expect(put(item, table)).rejects.toMatchObject({ name: "ValidationException" });
    const plan = table === "number" ? number : key;
    const { rejections } = toItems([toRecord(item)], { key: plan, writeMode, storage }, naming);
    expect(rejections).toHaveLength(1);
  });

  it("the engine and toItems both take the largest key, item and numbers", async () => {
    const { items } = prepare([
      { id: "x".repeat(2048) },
      { id: "1", a: "x".repeat(409_596) },
      { id: "2", n: 10n ** 38n - 1n, m: new Decimal("9.9e125"), l: new Decimal("1e-130") },
    ]);
    expect(items[1]?.bytes).toBe(409_600);
    for (const item of items) await put(attributesIn(item));
    expect(items).toHaveLength(3);
  });
});

/** The record from which the item would be made. */
function toRecord(item: Item): JsonObject {
  const entries = Object.entries(item).map(([name, { S, N, BOOL }]): [string, JsonValue] => [
    name,
    S ?? BOOL ?? (N === "NaN" ? Number.NaN : new Decimal(N ?? "")),
  ]);
  return Object.fromEntries(entries);
}

/** Replaces numbers by scaled integers, because engines write equal numbers differently. */
function scaleNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, inner) =>
    name === "N" ? toScaled(inner) : inner,
  );
}

function toScaled(text: unknown): unknown {
  if (typeof text !== "string") return text;
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const power = BigInt(400 + Number(exponent) - fraction.length);
  return String(BigInt(whole + fraction) * 10n ** power);
}
