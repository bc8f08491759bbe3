import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { Item, KeyedItem } from "../../packages/core/src/flow.ts";
import { agreesWithTable, isSameMap, unchangedOf } from "../../packages/core/src/load/compare.ts";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { virtualClock } from "../support/clock.ts";
import { batches, clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import {
  type Call,
  type Fault,
  type FaultyDynamodb,
  openFaultyDynamodb,
} from "../support/faulty-dynamodb.ts";
import { attributesIn, textsOf } from "../support/items.ts";
import { rowNaming } from "../support/naming.ts";
import { sortedJson } from "../support/sorted-json.ts";

const byText: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const itemsOf = (records: JsonValue[], key = byText) =>
  toItems(records, { key, writeMode: { kind: "batch" }, storage: { indexes: [] } }, rowNaming())
    .items;
const numberedItems = (count: number, fields = {}) =>
  itemsOf(Array.from({ length: count }, (_, id) => ({ id, ...fields })));
const deletesOf = (items: KeyedItem[]): KeyedItem[] =>
  items.map((item) => ({ ...item, deletesRow: true }));

let engine: Engine;
let table: string;
let tables = 0;
let opened: [FaultyDynamodb, DynamoDBClient][] = [];

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
beforeEach(() => createTable(byText));
afterEach(async () => {
  for (const [proxy, client] of opened) {
    client.destroy();
    await proxy.close();
  }
  opened = [];
});

async function createTable(key: KeyPlan): Promise<void> {
  tables += 1;
  table = `items-${tables}`;
  await engine.createTables({ [table]: tableDefinition({ key }) });
}

async function putItems(...items: Item[]): Promise<void> {
  for (const Item of items) {
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  }
}

/** Opens a scripted proxy before the table, with the options to compare through it. */
async function openComparison(
  script: (call: Call) => Fault | undefined = () => undefined,
  key = byText,
) {
  const proxy = await openFaultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(proxy.endpoint);
  opened.push([proxy, dynamodb]);
  const clock = virtualClock();
  const stop = new AbortController();
  const deadline = clock.monotonic() + 60_000;
  const { calls } = proxy;
  const options = { dynamodb, clock, deadline, table, key, random: () => 0.5, signal: stop.signal };
  return { options, clock, calls, stop };
}

/** The keys of the items whose rows need no write. */
async function unchangedKeys(items: KeyedItem[], key = byText): Promise<string[]> {
  const { options } = await openComparison(undefined, key);
  return [...(await unchangedOf(items, options))].sort();
}

const record = {
  id: 1,
  text: "straße 🌊",
  empty: "",
  whole: 42,
  part: -0.000125,
  huge: 1e22,
  tiny: 1e-25,
  exact: new Decimal("12345678901234567890.123456789012345678"),
  precise: 12345678901234567890123456789012345678n,
  yes: true,
  no: false,
  none: null,
  list: [1, "1", null, [], { deep: [1.5] }],
  map: { a: {}, b: { c: null, "d.e": "f" }, constructor: 1, toString: "x" },
  hasOwnProperty: true,
} as unknown as JsonValue;

describe("items that a table has already", () => {
  it("an item that the table has needs no put, whatever the types of its values", async () => {
    const items = itemsOf([record]);
    await putItems(...items.map(attributesIn));
    expect(await unchangedKeys(items)).toEqual(["1"]);
  });

  it("an item whose attributes have another order in the table needs no put", async () => {
    await putItems({
      id: { S: "1" },
      a: { M: { x: { N: "1" }, y: { N: "2" } } },
      b: { NULL: true },
    });
    expect(await unchangedKeys(itemsOf([{ b: null, a: { y: 2, x: 1 }, id: 1 }]))).toEqual(["1"]);
  });

  it.each<[string, (item: Item) => Item]>([
    ["another string", (item) => ({ ...item, text: { S: "strasse 🌊" } })],
    ["a number's last digit", (item) => ({ ...item, precise: { N: `${"1".repeat(37)}9` } })],
    ["a number's sign", (item) => ({ ...item, whole: { N: "-42" } })],
    ["a number's size", (item) => ({ ...item, whole: { N: "420" } })],
    ["a number that became a string", (item) => ({ ...item, whole: { S: "42" } })],
    ["a string that became a number", (item) => ({ ...item, empty: { N: "0" } })],
    ["another boolean", (item) => ({ ...item, yes: { BOOL: false } })],
    ["a false that became null", (item) => ({ ...item, no: { NULL: true } })],
    ["a null that became an empty string", (item) => ({ ...item, none: { S: "" } })],
    [
      "a missing entry of a list",
      (item) => ({ ...item, list: { L: item.list?.L?.slice(1) ?? [] } }),
    ],
    [
      "an additional entry of a list",
      (item) => ({ ...item, list: { L: [...(item.list?.L ?? []), { NULL: true }] } }),
    ],
    [
      "another order in a list",
      (item) => ({ ...item, list: { L: item.list?.L?.toReversed() ?? [] } }),
    ],
    ["a set instead of a list", (item) => ({ ...item, list: { SS: ["1"] } })],
    [
      "an additional nested member",
      (item) => ({ ...item, map: { M: { ...item.map?.M, z: { S: "" } } } }),
    ],
    ["an additional attribute", (item) => ({ ...item, z: { NULL: true } })],
    ["a missing attribute", ({ none, ...others }) => others],
    [
      "another name of an attribute",
      ({ none, ...others }) => ({ ...others, nil: none as AttributeValue }),
    ],
    [
      "an attribute named like a method of every object",
      ({ none, ...others }) => ({ ...others, valueOf: { S: "" } }),
    ],
  ])("an item differs from its row by %s", async (_, change) => {
    const items = itemsOf([record]);
    await putItems(...items.map((item) => change(attributesIn(item))));
    expect(await unchangedKeys(items)).toEqual([]);
  });

  it("a binary item differs from its row by one byte", async () => {
    const binaryItem = (...values: number[]) => ({
      id: { S: "1" },
      bytes: { B: Uint8Array.from(values) },
    });
    const [prepared] = itemsOf([{ id: 1 }]) as [KeyedItem];
    await putItems(binaryItem(0, 255));
    expect(await unchangedKeys([{ ...prepared, ...textsOf(binaryItem(0, 255)) }])).toEqual(["1"]);
    for (const changedItem of [binaryItem(0, 254), binaryItem(0), binaryItem(0, 255, 0)]) {
      expect(await unchangedKeys([{ ...prepared, ...textsOf(changedItem) }])).toEqual([]);
    }
  });

  it("an item without a row needs a put", async () => {
    await putItems({ id: { S: "2" } });
    expect(await unchangedKeys(itemsOf([{ id: 1 }, { id: 2 }, { id: 3 }]))).toEqual(["2"]);
  });

  it("an item is unchanged exactly when the table has the same item", async () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom<JsonValue>(null, true, "", "a", 0, 1, 1e22, "1"),
        fc.array(tie("any"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b"), tie("any")),
      ),
    })).any as fc.Arbitrary<JsonValue>;
    const { options } = await openComparison();
    await fc.assert(
      fc.asyncProperty(value, value, async (oldValue, newValue) => {
        const [before, now] = [oldValue, newValue].map(
          (v) => itemsOf([{ id: 1, v }])[0] as KeyedItem,
        );
        await putItems(attributesIn(before as KeyedItem));
        const unchanged = await unchangedOf([now as KeyedItem], options);
        expect(unchanged.has("1")).toBe(sortedJson(oldValue) === sortedJson(newValue));
      }),
      { numRuns: 150 },
    );
  });
});

describe("numbers", () => {
  it.each([
    ["1e22", "10000000000000000000000", true],
    ["-15e29", "-1500000000000000000000000000000", true],
    ["1e-25", "0.0000000000000000000000001", true],
    ["1.5", "1.50", true],
    ["0", "-0.0", true],
    ["100", "1E+2", true],
    ["1e22", "10000000000000000000001", false],
    ["12345678901234567890123456789e9", "12345678901234567890123456788000000000", false],
    ["1e22", "1e23", false],
    ["1", "-1", false],
    ["10", "1", false],
    ["0.1", "0.01", false],
    ["NaN", "Infinity", false],
  ])("the numbers %s and %s are the same: %s", (first, second, expected) => {
    expect(isSameMap({ n: { N: first } }, { n: { N: second } })).toBe(expected);
  });
});

describe("rows that are to go", () => {
  it("a row that does not exist needs no delete", async () => {
    await putItems({ id: { S: "0" } });
    expect(await unchangedKeys(deletesOf(numberedItems(2)))).toEqual(["1"]);
  });

  it("a row is deleted when the key in DynamoDB's answer cannot be matched", async () => {
    const key: KeyPlan = { ...byText, hash: { name: "id", type: "N" } };
    await createTable(key);
    const items = deletesOf(itemsOf([{ id: 1 }, { id: 2 }], key));
    const body = JSON.stringify({ Responses: { [table]: [{ other: { N: "1" } }] } });
    const { options } = await openComparison(() => ({ kind: "answer", status: 200, body }), key);
    expect([...(await unchangedOf(items, options))]).toEqual([]);
  });

  it("a row is found under a number that DynamoDB writes differently", async () => {
    const key: KeyPlan = { ...byText, hash: { name: "id", type: "N" } };
    await createTable(key);
    const items = itemsOf([{ id: 1e22 }, { id: 1e23 }], key);
    await putItems(attributesIn(items[0] as KeyedItem));
    expect(await unchangedKeys(items, key)).toEqual([items[0]?.key]);
    expect(await unchangedKeys(deletesOf(items), key)).toEqual([items[1]?.key]);
  });
});

it("a key of two attributes, one of them binary, finds its row", async () => {
  const key: KeyPlan = {
    fields: ["a", "b"],
    hash: { name: "a", type: "S" },
    range: { name: "b", type: "B" },
  };
  await createTable(key);
  const records = ["AQ==", "Ag==", "Aw=="].map((b) => ({ a: "x", b, n: 1 }));
  const items = itemsOf(records, key);
  await putItems(...items.slice(0, 2).map(attributesIn));
  const [, changed] = itemsOf(
    records.map((record) => ({ ...record, n: 2 })),
    key,
  );
  const [first, , third] = items;
  const compared = [first, changed, third] as KeyedItem[];
  expect(await unchangedKeys(compared, key)).toEqual([first?.key]);
});

describe("an attribute named __proto__, whose value the SDK's commands lose,", () => {
  const body = (row: string) => `{"Responses":{"${table}":[${row}]}}`;
  const answered = async (row: string, text: string) => {
    const script = (): Fault => ({ kind: "answer", status: 200, body: body(row) });
    const { options } = await openComparison(script);
    return [...(await unchangedOf(itemsOf([JSON.parse(text)]), options))];
  };

  it("an item with an attribute named __proto__ is compared like any other, or put again", async () => {
    const row = '{"id":{"S":"1"},"__proto__":{"S":"x"}}';
    const unchanged = batches.throughCommands ? [] : ["1"];
    expect(await answered(row, '{"id":1,"__proto__":"x"}')).toEqual(unchanged);
    expect(await answered(row, '{"id":1,"__proto__":"y"}')).toEqual([]);
  });

  it("an item with a nested attribute named __proto__ is compared like any other", async () => {
    const row = '{"id":{"S":"1"},"m":{"M":{"__proto__":{"S":"x"}}}}';
    expect(await answered(row, '{"id":1,"m":{"__proto__":"x"}}')).toEqual(["1"]);
    expect(await answered(row, '{"id":1,"m":{"__proto__":"y"}}')).toEqual([]);
  });

  it("a row with an attribute named __proto__ that the item does not have is put", async () => {
    for (const value of ['{"S":"x"}', '{"M":{"a":{"S":"x"}}}', '{"NULL":true}']) {
      expect(await answered(`{"id":{"S":"1"},"__proto__":${value}}`, '{"id":1}')).toEqual([]);
      const deep = `{"id":{"S":"1"},"m":{"M":{"__proto__":${value}}}}`;
      expect(await answered(deep, '{"id":1,"m":{}}')).toEqual([]);
    }
    expect(await answered('{"id":{"S":"1"},"m":{"M":{}}}', '{"id":1,"m":{}}')).toEqual(["1"]);
  });
});

describe("reading rows from DynamoDB", () => {
  const keysIn = ({ body }: Call) =>
    (body.RequestItems as Record<string, { Keys: Item[]; ConsistentRead: boolean }>)[table];
  const throttle: Fault = {
    kind: "error",
    status: 400,
    type: "ProvisionedThroughputExceededException",
  };

  it("rows are read with one request per hundred keys", async () => {
    const items = numberedItems(250);
    for (const n of [0, 120, 249]) await putItems(attributesIn(items[n] as KeyedItem));
    const { options, calls } = await openComparison();
    expect([...(await unchangedOf(items, options))].sort()).toEqual(["0", "120", "249"]);
    expect(calls.map((call) => keysIn(call)?.Keys.length)).toEqual([100, 100, 50]);
    expect(await unchangedOf([], options)).toEqual(new Set());
    expect(calls).toHaveLength(3);
  });

  it("rows are read consistently on request", async () => {
    const { options, calls } = await openComparison();
    await unchangedOf(numberedItems(1), options);
    await unchangedOf(numberedItems(1), { ...options, consistent: true });
    expect(calls.map((call) => keysIn(call)?.ConsistentRead)).toEqual([false, true]);
  });

  it("keys that DynamoDB leaves over are requested again a little later", async () => {
    const items = numberedItems(5);
    await putItems(...items.slice(0, 4).map(attributesIn));
    const partialAnswer = (n: number, unprocessedIds: number[]) => {
      const Keys = unprocessedIds.map((id) => ({ id: { S: String(id) } }));
      return JSON.stringify({
        Responses: { [table]: [{ id: { S: String(n) } }] },
        UnprocessedKeys: { [table]: { Keys } },
      });
    };
    const { options, calls, clock } = await openComparison(({ number }) => {
      if (number === 1)
        return { kind: "answer", status: 200, body: partialAnswer(0, [1, 2, 3, 4]) };
      return number === 2
        ? { kind: "answer", status: 200, body: partialAnswer(1, [2, 3, 4]) }
        : undefined;
    });
    const compared = [...items.slice(0, 4), ...deletesOf(items.slice(4))];
    expect([...(await unchangedOf(compared, options))]).toEqual(["0", "1", "2", "3", "4"]);
    expect(calls.map((call) => keysIn(call)?.Keys.length)).toEqual([5, 4, 3]);
    expect(clock.sleeps).toEqual([25, 50]);
  });

  it("a read that was throttled or lost is tried again", async () => {
    const items = numberedItems(3);
    await putItems(...items.map(attributesIn));
    const faults: Fault[] = [
      throttle,
      { kind: "reset", when: "before" },
      { kind: "reset", when: "after" },
      { kind: "error", status: 500 },
      { kind: "answer", status: 200, body: "<html>" },
    ];
    const { options, calls } = await openComparison(({ number }) => faults[number - 1]);
    expect((await unchangedOf(items, options)).size).toBe(3);
    expect(calls).toHaveLength(6);
  });

  it.each<[string, Fault, string, string]>([
    ["throttles without end", throttle, "load.compare", "Throughput"],
    ["does not answer", { kind: "reset", when: "before" }, "load.compare", "did not show"],
    [
      "refuses the request",
      { kind: "error", status: 400, type: "AccessDeniedException" },
      "load.compare",
      "refused to read the table",
    ],
    [
      "has no such table",
      { kind: "error", status: 400, type: "ResourceNotFoundException" },
      "load.table_missing",
      "does not exist",
    ],
  ])("a page is not taken for unchanged when DynamoDB %s", async (_, fault, code, words) => {
    const { options } = await openComparison(() => fault);
    await expect(unchangedOf(numberedItems(3), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  it("an invalid key and all keys of its request are left to the writer", async () => {
    const items = numberedItems(2);
    await putItems(...items.map(attributesIn));
    const bad = itemsOf([{ id: "bad" }]).map((item) => ({
      ...item,
      ...textsOf({ id: { S: "" } }),
    }));
    expect(await unchangedKeys([...items, ...bad])).toEqual([]);
    expect(await unchangedKeys([...deletesOf(numberedItems(3)), ...bad])).toEqual([]);
  });

  it("comparing stops when the run is aborted", async () => {
    const { options, stop } = await openComparison(() => {
      stop.abort(new Error("called off"));
      return throttle;
    });
    await expect(unchangedOf(numberedItems(1), options)).rejects.toThrow("called off");
  });
});

describe("a sample of rows with the same fingerprint", () => {
  it("a sample of unchanged rows is a few rows, read consistently, and agrees with an untouched table", async () => {
    const items = numberedItems(100, { a: 1 });
    await putItems(...items.map(attributesIn));
    const { options, calls } = await openComparison();
    expect(await agreesWithTable(items, options)).toBe(true);
    const [request] = Object.values(calls[0]?.body.RequestItems as Record<string, object>);
    expect(request).toMatchObject({ ConsistentRead: true });
    expect((request as { Keys: Item[] }).Keys.map(({ id }) => id?.S)).toEqual([
      "10",
      "30",
      "50",
      "70",
      "90",
    ]);
  });

  it.each<[string, (key: Item) => Promise<unknown>]>([
    ["is gone", (Key) => engine.dynamodb.send(new DeleteItemCommand({ TableName: table, Key }))],
    ["was changed", (key) => putItems({ ...key, a: { N: "2" } })],
  ])("a sample of unchanged rows does not agree when a row %s", async (_, touch) => {
    const items = numberedItems(3, { a: 1 });
    await putItems(...items.map(attributesIn));
    await touch({ id: { S: "2" } });
    const { options } = await openComparison();
    expect(await agreesWithTable(items, options)).toBe(false);
  });

  it("a sample of no rows sends no request", async () => {
    const { options, calls } = await openComparison();
    expect(await agreesWithTable([], options)).toBe(true);
    expect(calls).toEqual([]);
  });

  it("a sample has each row once", async () => {
    const items = numberedItems(7);
    for (const random of [0, 0.37, 0.999999]) {
      const { options, calls } = await openComparison();
      await agreesWithTable(items, { ...options, random: () => random });
      const [request] = Object.values(calls[0]?.body.RequestItems as Record<string, object>);
      const ids = (request as { Keys: Item[] }).Keys.map(({ id }) => id?.S);
      expect(new Set(ids).size).toBe(5);
    }
  });
});
