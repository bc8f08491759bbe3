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
import { faultyDynamodb } from "../support/faulty-dynamodb.ts";

const key: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const at = { runId: "run-1", page: 0 };
const writeMode = { kind: "batch" } as const;
const storage = { indexes: [] };
const prepare = (records: JsonValue[]) => toItems(records, { key, writeMode, storage }, at);

describe("a page becomes items", () => {
  it("of two records with one key, keeps the newer by the version field where there is one", () => {
    const ordered = (type: "S" | "N") => ({ kind: "ordered", versionField: "v", type }) as const;
    const kept = (records: JsonValue[], type: "S" | "N") => {
      const { items, superseded } = toItems(
        records,
        { key, writeMode: ordered(type), storage },
        at,
      );
      expect(superseded).toBe(records.length - 1);
      return items.map(({ item }) => item.v?.[type]);
    };
    const numbers = [10, 9].map((v) => ({ id: 1, v }));
    expect(kept(numbers, "N")).toEqual(["10"]);
    expect(kept(numbers.toReversed(), "N")).toEqual(["10"]);
    const times = ["2026-02-01T00:00:00Z", "2026-01-31T23:59:59Z"].map((v) => ({ id: 1, v }));
    expect(kept(times, "S")).toEqual(["2026-02-01T00:00:00Z"]);
    expect(kept(times.toReversed(), "S")).toEqual(["2026-02-01T00:00:00Z"]);
    // Equal versions: the later one, as without a version field.
    const equal = ["a", "b"].map((name) => ({ id: 1, v: 1, name }));
    const { items } = toItems(equal, { key, writeMode: ordered("N"), storage }, at);
    expect(items[0]?.item.name).toEqual({ S: "b" });
  });

  it("one for each key: the later record wins, and the earlier is counted", () => {
    const { items, superseded } = prepare([
      { id: 1, v: "old" },
      { id: 2, v: "x" },
      { id: "1", v: "new" },
    ]);
    expect(items.map(({ item }) => item.v)).toEqual([{ S: "x" }, { S: "new" }]);
    expect(superseded).toBe(1);
  });

  it("keeps the type of all fields but the key's", () => {
    const [keyed] = prepare([{ id: 7, other: 7 }]).items;
    expect(keyed?.item).toEqual({ id: { S: "7" }, other: { N: "7" } });
  });

  it("accounts for every record (P8)", () => {
    const record = fc.oneof(
      fc.record({ id: fc.integer({ min: 0, max: 5 }), v: fc.jsonValue() }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const { items, superseded, rejections } = prepare(records as JsonValue[]);
        expect(items.length + superseded + rejections.length).toBe(records.length);
        expect(new Set(items.map((one) => one.key)).size).toBe(items.length);
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
  ])("%s is not a record and is set aside", (record) => {
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

  it("a bad record is set aside with its reason, and the others go on", () => {
    const bad = { id: 2, a: { n: 1e200 } };
    const { items, rejections } = prepare([{ id: 1 }, bad, { id: 3 }]);
    expect(items.map((one) => one.key)).toEqual(["1", "3"]);
    expect(rejections).toMatchObject([
      { index: 1, code: "record.number", path: "a.n", record: bad },
    ]);
  });

  it("a bad later record leaves the earlier one of its key", () => {
    const { items, superseded } = prepare([{ id: 1 }, { id: 1, n: 1e200 }]);
    expect(items).toHaveLength(1);
    expect(superseded).toBe(0);
  });
});

describe("the engine agrees", () => {
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

  it("takes every item and gives it back as it was (P9)", async () => {
    // The SDK loses a top-level __proto__ when it reads; the next test looks at the wire.
    const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((n) => n !== "__proto__");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string({ unit: "grapheme" }), fc.double(), fc.integer(), fc.bigInt()),
        fc.constantFrom(null, true, false),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(name, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    const taken = new Map<string, Item>();
    const records = fc.sample(fc.dictionary(name, tree, { maxKeys: 6 }), 300) as JsonObject[];
    const { items } = toItems(
      records.map((record, id) => ({ ...record, id })),
      { key, writeMode, storage },
      at,
    );
    for (const { key: text, item } of items) {
      await put(item);
      taken.set(text, item);
    }
    expect(taken.size).toBeGreaterThan(100);
    for (const item of await engine.scan("text")) {
      expect(numbersOf(item)).toEqual(numbersOf(taken.get(item.id?.S ?? "")));
    }
  });

  it("is sent members named __proto__ (P9)", async () => {
    const proxy = await faultyDynamodb(engine.endpoint, () => undefined);
    const dynamodb = clientOf(proxy.endpoint);
    const text = '{"id":"p","__proto__":{"a":1},"in":{"__proto__":"b"}}';
    const [keyed] = prepare([JSON.parse(text)]).items as [KeyedItem];
    await dynamodb.send(new PutItemCommand({ TableName: "text", Item: keyed.item }));
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
    ["an item over 400 KB", { id: { S: "1" }, a: { S: "x".repeat(409_597) } }],
    ["no key", { a: { S: "1" } }],
    ["an empty key", { id: { S: "" } }],
    ["a key of another type", { id: { BOOL: true } }],
    ["a text for a number key", { id: { S: "x" } }, "number"],
    ["a key that is too long", { id: { S: "x".repeat(2049) } }],
  ])("refuses %s, as toItems does", async (_, item, table) => {
    await expect(put(item, table)).rejects.toMatchObject({ name: "ValidationException" });
    const plan = table === "number" ? number : key;
    const { rejections } = toItems([plain(item)], { key: plan, writeMode, storage }, at);
    expect(rejections).toHaveLength(1);
  });

  it("takes the greatest of everything, as toItems does", async () => {
    const { items } = prepare([
      { id: "x".repeat(2048) },
      { id: "1", a: "x".repeat(409_596) },
      { id: "2", n: 10n ** 38n - 1n, m: new Decimal("9.9e125"), l: new Decimal("1e-130") },
    ]);
    expect(items[1]?.bytes).toBe(409_600);
    for (const { item } of items) await put(item);
    expect(items).toHaveLength(3);
  });
});

/** An item as the record that it would have been made from. */
function plain(item: Item): JsonObject {
  const entries = Object.entries(item).map(([name, { S, N, BOOL }]): [string, JsonValue] => [
    name,
    S ?? BOOL ?? (N === "NaN" ? Number.NaN : new Decimal(N ?? "")),
  ]);
  return Object.fromEntries(entries);
}

/** Engines write numbers in their own way: compared as numbers, exactly. */
function numbersOf(value: unknown): unknown {
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
