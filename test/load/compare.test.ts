import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { Item, KeyedItem } from "../../packages/core/src/flow.ts";
import { agrees, isSameMap, unchangedOf } from "../../packages/core/src/load/compare.ts";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import {
  type Call,
  type Fault,
  type FaultyDynamodb,
  faultyDynamodb,
} from "../support/faulty-dynamodb.ts";

const byText: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const prepare = (records: JsonValue[], key = byText) =>
  toItems(
    records,
    { key, writeMode: { kind: "batch" }, storage: { indexes: [] } },
    { runId: "run-1", page: 0 },
  ).items;
const numbered = (count: number, more = {}) =>
  prepare(Array.from({ length: count }, (_, id) => ({ id, ...more })));
const gone = (items: KeyedItem[]): KeyedItem[] => items.map((one) => ({ ...one, deletesRow: true }));

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

async function put(...items: Item[]): Promise<void> {
  for (const Item of items) {
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  }
}

/** A proxy that does as scripted before the table, and what comparing through it takes. */
async function open(script: (call: Call) => Fault | undefined = () => undefined, key = byText) {
  const proxy = await faultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(proxy.endpoint);
  opened.push([proxy, dynamodb]);
  const clock = virtualClock();
  const stop = new AbortController();
  const deadline = clock.monotonic() + 60_000;
  const { calls } = proxy;
  const options = { dynamodb, clock, deadline, table, key, random: () => 0.5, signal: stop.signal };
  return { options, clock, calls, stop };
}

/** Through the engine, the items whose rows need no write. */
async function unchanged(items: KeyedItem[], key = byText): Promise<string[]> {
  const { options } = await open(undefined, key);
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

describe("what a table has already", () => {
  it("needs no put, of whatever types its values are", async () => {
    const items = prepare([record]);
    await put(...items.map(({ item }) => item));
    expect(await unchanged(items)).toEqual(["1"]);
  });

  it("needs no put when its attributes stand in another order", async () => {
    await put({ id: { S: "1" }, a: { M: { x: { N: "1" }, y: { N: "2" } } }, b: { NULL: true } });
    expect(await unchanged(prepare([{ b: null, a: { y: 2, x: 1 }, id: 1 }]))).toEqual(["1"]);
  });

  it.each<[string, (item: Item) => Item]>([
    ["a text", (item) => ({ ...item, text: { S: "strasse 🌊" } })],
    ["a number's last digit", (item) => ({ ...item, precise: { N: `${"1".repeat(37)}9` } })],
    ["a number's sign", (item) => ({ ...item, whole: { N: "-42" } })],
    ["a number's size", (item) => ({ ...item, whole: { N: "420" } })],
    ["a number that is a text", (item) => ({ ...item, whole: { S: "42" } })],
    ["a text that is a number", (item) => ({ ...item, empty: { N: "0" } })],
    ["a truth", (item) => ({ ...item, yes: { BOOL: false } })],
    ["a false that is null", (item) => ({ ...item, no: { NULL: true } })],
    ["a null that is empty", (item) => ({ ...item, none: { S: "" } })],
    ["an entry less in a list", (item) => ({ ...item, list: { L: item.list?.L?.slice(1) ?? [] } })],
    [
      "an entry more in a list",
      (item) => ({ ...item, list: { L: [...(item.list?.L ?? []), { NULL: true }] } }),
    ],
    [
      "another order in a list",
      (item) => ({ ...item, list: { L: item.list?.L?.toReversed() ?? [] } }),
    ],
    ["a set in a list's place", (item) => ({ ...item, list: { SS: ["1"] } })],
    ["a member more inside", (item) => ({ ...item, map: { M: { ...item.map?.M, z: { S: "" } } } })],
    ["an attribute more", (item) => ({ ...item, z: { NULL: true } })],
    ["an attribute less", ({ none, ...rest }) => rest],
    ["one named otherwise", ({ none, ...rest }) => ({ ...rest, nil: none as AttributeValue })],
    [
      "one named as what every object has",
      ({ none, ...rest }) => ({ ...rest, valueOf: { S: "" } }),
    ],
  ])("differs by %s", async (_, change) => {
    const items = prepare([record]);
    await put(...items.map(({ item }) => change(item)));
    expect(await unchanged(items)).toEqual([]);
  });

  it("differs by a byte", async () => {
    const bytes = (...values: number[]) => ({
      id: { S: "1" },
      bytes: { B: Uint8Array.from(values) },
    });
    const [one] = prepare([{ id: 1 }]) as [KeyedItem];
    await put(bytes(0, 255));
    expect(await unchanged([{ ...one, item: bytes(0, 255) }])).toEqual(["1"]);
    for (const other of [bytes(0, 254), bytes(0), bytes(0, 255, 0)]) {
      expect(await unchanged([{ ...one, item: other }])).toEqual([]);
    }
  });

  it("is not what was never there", async () => {
    await put({ id: { S: "2" } });
    expect(await unchanged(prepare([{ id: 1 }, { id: 2 }, { id: 3 }]))).toEqual(["2"]);
  });

  it("is the whole truth: what is found unchanged is what the table has", async () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom<JsonValue>(null, true, "", "a", 0, 1, 1e22, "1"),
        fc.array(tie("any"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b"), tie("any")),
      ),
    })).any as fc.Arbitrary<JsonValue>;
    const { options } = await open();
    await fc.assert(
      fc.asyncProperty(value, value, async (one, other) => {
        const [before, now] = [one, other].map((v) => prepare([{ id: 1, v }])[0] as KeyedItem);
        await put((before as KeyedItem).item);
        const found = await unchangedOf([now as KeyedItem], options);
        expect(found.has("1")).toBe(sorted(one) === sorted(other));
      }),
      { numRuns: 150 },
    );
  });
});

/** JSON with names in order. */
const sorted = (value: JsonValue): string =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

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
  ])("%s and %s: the same is %s", (one, other, expected) => {
    expect(isSameMap({ n: { N: one } }, { n: { N: other } })).toBe(expected);
  });
});

describe("rows that are to go", () => {
  it("need no delete when they are not there", async () => {
    await put({ id: { S: "0" } });
    expect(await unchanged(gone(numbered(2)))).toEqual(["1"]);
  });

  it("are deleted when a row came back under words that say nothing", async () => {
    const key: KeyPlan = { ...byText, hash: { name: "id", type: "N" } };
    await createTable(key);
    const items = gone(prepare([{ id: 1 }, { id: 2 }], key));
    const body = JSON.stringify({ Responses: { [table]: [{ other: { N: "1" } }] } });
    const { options } = await open(() => ({ kind: "answer", status: 200, body }), key);
    expect([...(await unchangedOf(items, options))]).toEqual([]);
  });

  it("are found under a number that DynamoDB writes otherwise", async () => {
    const key: KeyPlan = { ...byText, hash: { name: "id", type: "N" } };
    await createTable(key);
    const items = prepare([{ id: 1e22 }, { id: 1e23 }], key);
    await put((items[0] as KeyedItem).item);
    expect(await unchanged(items, key)).toEqual([items[0]?.key]);
    expect(await unchanged(gone(items), key)).toEqual([items[1]?.key]);
  });
});

it("a key of two attributes, one of them bytes, finds its row", async () => {
  const key: KeyPlan = {
    fields: ["a", "b"],
    hash: { name: "a", type: "S" },
    range: { name: "b", type: "B" },
  };
  await createTable(key);
  const records = ["AQ==", "Ag==", "Aw=="].map((b) => ({ a: "x", b, n: 1 }));
  const items = prepare(records, key);
  await put(...items.slice(0, 2).map(({ item }) => item));
  const [, changed] = prepare(
    records.map((one) => ({ ...one, n: 2 })),
    key,
  );
  const [first, , third] = items;
  const all = [first, changed, third] as KeyedItem[];
  expect(await unchanged(all, key)).toEqual([first?.key]);
});

describe("an attribute named __proto__, whose value the SDK loses,", () => {
  const body = (row: string) => `{"Responses":{"${table}":[${row}]}}`;
  const answered = async (row: string, text: string) => {
    const script = (): Fault => ({ kind: "answer", status: 200, body: body(row) });
    const { options } = await open(script);
    return [...(await unchangedOf(prepare([JSON.parse(text)]), options))];
  };

  it("costs a put when the item has it", async () => {
    const row = '{"id":{"S":"1"},"__proto__":{"S":"x"}}';
    expect(await answered(row, '{"id":1,"__proto__":"x"}')).toEqual([]);
  });

  it("costs none further inside, where the SDK keeps it", async () => {
    const row = '{"id":{"S":"1"},"m":{"M":{"__proto__":{"S":"x"}}}}';
    expect(await answered(row, '{"id":1,"m":{"__proto__":"x"}}')).toEqual(["1"]);
    expect(await answered(row, '{"id":1,"m":{"__proto__":"y"}}')).toEqual([]);
  });

  it("is noticed when the row alone has it", async () => {
    for (const value of ['{"S":"x"}', '{"M":{"a":{"S":"x"}}}', '{"NULL":true}']) {
      expect(await answered(`{"id":{"S":"1"},"__proto__":${value}}`, '{"id":1}')).toEqual([]);
      const deep = `{"id":{"S":"1"},"m":{"M":{"__proto__":${value}}}}`;
      expect(await answered(deep, '{"id":1,"m":{}}')).toEqual([]);
    }
    expect(await answered('{"id":{"S":"1"},"m":{"M":{}}}', '{"id":1,"m":{}}')).toEqual(["1"]);
  });
});

describe("asking DynamoDB", () => {
  const keysIn = ({ body }: Call) =>
    (body.RequestItems as Record<string, { Keys: Item[]; ConsistentRead: boolean }>)[table];
  const throttle: Fault = {
    kind: "error",
    status: 400,
    type: "ProvisionedThroughputExceededException",
  };

  it("takes a request for each hundred keys", async () => {
    const items = numbered(250);
    for (const n of [0, 120, 249]) await put((items[n] as KeyedItem).item);
    const { options, calls } = await open();
    expect([...(await unchangedOf(items, options))].sort()).toEqual(["0", "120", "249"]);
    expect(calls.map((call) => keysIn(call)?.Keys.length)).toEqual([100, 100, 50]);
    expect(await unchangedOf([], options)).toEqual(new Set());
    expect(calls).toHaveLength(3);
  });

  it("reads consistently where that is asked for", async () => {
    const { options, calls } = await open();
    await unchangedOf(numbered(1), options);
    await unchangedOf(numbered(1), { ...options, consistent: true });
    expect(calls.map((call) => keysIn(call)?.ConsistentRead)).toEqual([false, true]);
  });

  it("asks again for keys that were left over, a little later", async () => {
    const items = numbered(5);
    await put(...items.slice(0, 4).map(({ item }) => item));
    const rows = (n: number, left: number[]) => {
      const Keys = left.map((id) => ({ id: { S: String(id) } }));
      return JSON.stringify({
        Responses: { [table]: [{ id: { S: String(n) } }] },
        UnprocessedKeys: { [table]: { Keys } },
      });
    };
    const { options, calls, clock } = await open(({ number }) => {
      if (number === 1) return { kind: "answer", status: 200, body: rows(0, [1, 2, 3, 4]) };
      return number === 2 ? { kind: "answer", status: 200, body: rows(1, [2, 3, 4]) } : undefined;
    });
    const all = [...items.slice(0, 4), ...gone(items.slice(4))];
    expect([...(await unchangedOf(all, options))]).toEqual(["0", "1", "2", "3", "4"]);
    expect(calls.map((call) => keysIn(call)?.Keys.length)).toEqual([5, 4, 3]);
    expect(clock.sleeps).toEqual([25, 50]);
  });

  it("tries again what was throttled, or lost on the way", async () => {
    const items = numbered(3);
    await put(...items.map(({ item }) => item));
    const faults: Fault[] = [
      throttle,
      { kind: "reset", when: "before" },
      { kind: "reset", when: "after" },
      { kind: "error", status: 500 },
      { kind: "answer", status: 200, body: "<html>" },
    ];
    const { options, calls } = await open(({ number }) => faults[number - 1]);
    expect((await unchangedOf(items, options)).size).toBe(3);
    expect(calls).toHaveLength(6);
  });

  it.each<[string, Fault, string, string]>([
    ["that does not stop to throttle", throttle, "load.compare", "Throughput"],
    ["that does not answer", { kind: "reset", when: "before" }, "load.compare", "ECONNRESET"],
    [
      "that says no",
      { kind: "error", status: 400, type: "AccessDeniedException" },
      "load.compare",
      "refused to read the table",
    ],
    [
      "that has no such table",
      { kind: "error", status: 400, type: "ResourceNotFoundException" },
      "load.table_missing",
      "does not exist",
    ],
  ])("of one %s, the page is not taken for unchanged", async (_, fault, code, words) => {
    const { options } = await open(() => fault);
    await expect(unchangedOf(numbered(3), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  it("leaves a key that DynamoDB finds fault with to the writer, and all that were asked for with it", async () => {
    const items = numbered(2);
    await put(...items.map(({ item }) => item));
    const bad = prepare([{ id: "bad" }]).map((one) => ({ ...one, item: { id: { S: "" } } }));
    expect(await unchanged([...items, ...bad])).toEqual([]);
    expect(await unchanged([...gone(numbered(3)), ...bad])).toEqual([]);
  });

  it("stops when the run is called off", async () => {
    const { options, stop } = await open(() => {
      stop.abort(new Error("called off"));
      return throttle;
    });
    await expect(unchangedOf(numbered(1), options)).rejects.toThrow("called off");
  });
});

describe("a sample of what prints call the same", () => {
  it("is a few rows, read consistently, and agrees with a table that nobody has touched", async () => {
    const items = numbered(100, { a: 1 });
    await put(...items.map(({ item }) => item));
    const { options, calls } = await open();
    expect(await agrees(items, options)).toBe(true);
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
    ["was changed", (key) => put({ ...key, a: { N: "2" } })],
  ])("does not agree when one of them %s", async (_, touch) => {
    const items = numbered(3, { a: 1 });
    await put(...items.map(({ item }) => item));
    await touch({ id: { S: "2" } });
    const { options } = await open();
    expect(await agrees(items, options)).toBe(false);
  });

  it("of no rows asks nothing", async () => {
    const { options, calls } = await open();
    expect(await agrees([], options)).toBe(true);
    expect(calls).toEqual([]);
  });

  it("takes each row once", async () => {
    const items = numbered(7);
    for (const random of [0, 0.37, 0.999999]) {
      const { options, calls } = await open();
      await agrees(items, { ...options, random: () => random });
      const [request] = Object.values(calls[0]?.body.RequestItems as Record<string, object>);
      const ids = (request as { Keys: Item[] }).Keys.map(({ id }) => id?.S);
      expect(new Set(ids).size).toBe(5);
    }
  });
});
