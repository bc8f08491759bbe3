import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LeaseError, WriteError } from "../../packages/core/src/base/errors.ts";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { nothingWritten, writeAll } from "../../packages/core/src/dynamodb/attempts.ts";
import { writer } from "../../packages/core/src/dynamodb/batch-writer.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { KeyedItem } from "../../packages/core/src/flow.ts";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import {
  type Call,
  type Fault,
  type FaultyDynamodb,
  faultyDynamodb,
} from "../support/faulty-dynamodb.ts";

const key: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const prepare = (records: JsonValue[]) =>
  toItems(
    records,
    { key, writeMode: { kind: "batch" }, storage: { indexes: [] } },
    { runId: "run-1", page: 0 },
  ).items;
const numbered = (count: number, more = {}) =>
  prepare(Array.from({ length: count }, (_, id) => ({ id, ...more })));

let engine: Engine;
let table: string;
let clients: DynamoDBClient[];
let proxies: FaultyDynamodb[];
let tables = 0;

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
beforeEach(async () => {
  tables += 1;
  table = `items-${tables}`;
  clients = [];
  proxies = [];
  await engine.createTables({ [table]: tableDefinition({ key }) });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  for (const proxy of proxies) await proxy.close();
});

/** A writer through a proxy that does as scripted; with the clock and what it logged. */
async function open(
  script: (call: Call) => Fault | undefined = () => undefined,
  { guard = () => {}, signal = new AbortController().signal } = {},
) {
  const proxy = await faultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(proxy.endpoint);
  proxies.push(proxy);
  clients.push(dynamodb);
  const clock = virtualClock();
  const warnings: string[] = [];
  const quiet = () => {};
  const log = { debug: quiet, info: quiet, error: quiet, warn: (m: string) => warnings.push(m) };
  const deadline = clock.monotonic() + 60_000;
  const random = () => 1;
  const parts = { dynamodb, clock, random, log, signal, deadline, table, key, guard };
  const made = writer(parts);
  const write = (items: KeyedItem[]) => writeAll(made, items);
  return { write, made, clock, warnings, calls: proxy.calls };
}

const stored = async () =>
  (await engine.scan(table)).map((item) => Number(item.id?.S)).sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const throttle: Fault = {
  kind: "error",
  status: 400,
  type: "ProvisionedThroughputExceededException",
};

describe("batches", () => {
  it("are filled from one page to the next, and hold what is left until there is more", async () => {
    const { made, calls } = await open();
    const pages = [0, 1, 2].map((page) => numbered(90).map((one) => moved(one, page * 90)));
    const written = pages.map((items) => made.write(items));
    await written[1];
    expect(calls.map(putsOf)).toEqual(Array(10).fill(25));
    made.flush();
    const totals = await Promise.all(written);
    expect(totals.map((total) => total.written)).toEqual([90, 90, 90]);
    expect(calls.map(putsOf)).toEqual([...Array(10).fill(25), 20]);
    expect(await stored()).toEqual(upTo(270));
  });

  it("are not sent beside another with the same key, and the later item stays", async () => {
    const { made, calls } = await open(({ number }) =>
      number === 1 ? { kind: "delay", ms: 200 } : undefined,
    );
    const versions = [1, 2, 3].map((v) => made.write(prepare([{ id: 7, v }])));
    made.flush();
    await Promise.all(versions);
    expect(calls.map(putsOf)).toEqual([1, 1, 1]);
    expect(await engine.scan(table)).toEqual([{ id: { S: "7" }, v: { N: "3" } }]);
  });

  it("stay below 16 MB as JSON, because an item's JSON is below 16 times its bytes", () => {
    const text = fc.string({ unit: "binary-ascii", maxLength: 8 });
    const number = fc.oneof(
      fc.double({ noNaN: true }),
      fc.bigInt(),
      fc.constantFrom(0, 1e21, -1e-21),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(text, number, fc.constantFrom(null, true, false, "", "\u0001")),
        fc.array(tie("tree")),
        fc.dictionary(text, tie("tree")),
      ),
    }));
    const [empty] = numbered(1) as [KeyedItem];
    const jsonBytes = (items: KeyedItem[]) =>
      Buffer.byteLength(JSON.stringify(items.map((i) => i.item)));
    fc.assert(
      fc.property(fc.array(tree, { minLength: 50, maxLength: 60 }), (list) => {
        for (const item of prepare([{ id: 0, list: list as JsonValue }])) {
          const grown = jsonBytes([item]) - jsonBytes([empty]);
          expect(grown).toBeLessThan(16 * (item.bytes - empty.bytes));
        }
      }),
    );
  });
});

describe("write", () => {
  it("resolves when every item is in the table", async () => {
    const { write, calls } = await open();
    expect(await write(numbered(60))).toEqual({ ...nothingWritten(), written: 60, superseded: 0 });
    expect(calls.map((call) => call.operation)).toEqual(Array(3).fill("BatchWriteItem"));
    expect(await stored()).toEqual(upTo(60));
  });

  it("has nothing to say for nothing", async () => {
    const { write, calls } = await open();
    expect(await write([])).toEqual({ ...nothingWritten(), written: 0, superseded: 0 });
    expect(calls).toHaveLength(0);
  });

  it("an item is replaced by what is written under its key, and a replay changes nothing (P1)", async () => {
    const { write } = await open();
    await write(prepare([{ id: 1, a: 1, b: 2 }]));
    await write(prepare([{ id: 1, a: 3 }]));
    await write(prepare([{ id: 1, a: 3 }]));
    expect(await engine.scan(table)).toEqual([{ id: { S: "1" }, a: { N: "3" } }]);
  });

  it("items that come back unprocessed are written, they alone, after a wait (P2)", async () => {
    const { write, calls, clock } = await open(({ number }) =>
      number <= 2 ? { kind: "unprocessed", count: 25 - 10 * number } : undefined,
    );
    expect((await write(numbered(25))).written).toBe(25);
    expect(calls.map(putsOf)).toEqual([25, 15, 5]);
    expect(clock.sleeps).toEqual([50, 100]);
    expect(await stored()).toEqual(upTo(25));
  });

  it("an unprocessed item keeps its member named __proto__ (P9)", async () => {
    const { write, calls } = await open(({ number }) =>
      number === 1 ? { kind: "unprocessed", count: 1 } : undefined,
    );
    await write(prepare([JSON.parse('{"id":1,"__proto__":{"a":1}}')]));
    const sent = calls.map((call) => JSON.stringify(call.body.RequestItems));
    expect(sent[0]).toContain('"__proto__":{"M":{"a":{"N":"1"}}}');
    expect(sent[1]).toBe(sent[0]);
  });

  it("an unprocessed item that can not be recognised makes its whole batch be sent again", async () => {
    const left = { [table]: [{ PutRequest: { Item: { id: { S: "01" } } } }] };
    const body = JSON.stringify({ UnprocessedItems: left });
    const { write, calls } = await open(({ number }) =>
      number === 1 ? { kind: "answer", status: 200, body } : undefined,
    );
    expect((await write(numbered(3))).written).toBe(3);
    expect(calls.map(putsOf)).toEqual([3, 3]);
  });

  it("items that come back for ever end at the deadline, as throttled", async () => {
    const { write, clock, warnings } = await open(() => ({ kind: "unprocessed", count: 1 }));
    const end = write(numbered(3));
    await expect(end).rejects.toBeInstanceOf(WriteError);
    await expect(end).rejects.toMatchObject({
      code: "load.throttled",
      message: `DynamoDB throttled the writes to the table ${table} until the time was up`,
      hint: expect.stringContaining("last checkpoint"),
    });
    expect(clock.monotonic()).toBeLessThan(60_000);
    expect(clock.monotonic()).toBeGreaterThan(50_000);
    expect(warnings).toEqual([expect.stringContaining("UnprocessedItems")]);
  });

  it.each<[string, Fault]>([
    ["a throttle", throttle],
    ["an error of DynamoDB", { kind: "error", status: 500, type: "InternalServerError" }],
    ["a broken connection", { kind: "reset", when: "before" }],
    ["an answer that was lost after the write", { kind: "reset", when: "after" }],
    ["an answer that is not DynamoDB's", { kind: "answer", status: 200, body: "<html>" }],
  ])("%s is tried again", async (_, fault) => {
    const { write, calls } = await open(({ number }) => (number <= 2 ? fault : undefined));
    const { written } = await write(numbered(5));
    expect([written, calls.length]).toEqual([5, 3]);
    expect(await stored()).toEqual(upTo(5));
  });

  it("a connection that stays broken ends at the deadline, by its name", async () => {
    const { write } = await open(() => ({ kind: "reset", when: "before" }));
    await expect(write(numbered(1))).rejects.toMatchObject({
      code: "load.failed",
      message: expect.stringMatching(/did not answer .*ECONNRESET/),
    });
  });

  it("a refusal is not tried again", async () => {
    const { write, calls } = await open(() => ({
      kind: "error",
      status: 400,
      type: "AccessDeniedException",
    }));
    await expect(write(numbered(1))).rejects.toMatchObject({
      code: "load.failed",
      message: `DynamoDB refused to write to the table ${table} (AccessDeniedException)`,
    });
    expect(calls).toHaveLength(1);
  });

  it("a table that is gone is named, with the next step", async () => {
    table = "never-made";
    const { write } = await open();
    await expect(write(numbered(1))).rejects.toMatchObject({
      code: "load.table_missing",
      message: "the table never-made does not exist",
      hint: expect.stringContaining("npx sst deploy"),
    });
  });
});

describe("an item that only DynamoDB knows to refuse", () => {
  const bad = (index: number): KeyedItem => ({
    key: `bad-${index}`,
    item: { id: { S: `bad-${index}` }, n: { N: "secret 42" } },
    bytes: 20,
    index,
    record: { id: `bad-${index}`, n: "secret 42" },
  });

  it("does not sink its batch, and is handed back with its record but not in the message", async () => {
    const { write, calls } = await open();
    const items = numbered(25);
    items[13] = bad(13);
    const { written, rejections } = await write(items);
    expect(written).toBe(24);
    expect(rejections).toEqual([
      {
        index: 13,
        code: "record.refused",
        message: "DynamoDB refused the item (ValidationException)",
        path: "",
        record: { id: "bad-13", n: "secret 42" },
      },
    ]);
    expect(calls.length).toBeLessThanOrEqual(11);
    expect(await stored()).toEqual(upTo(25).filter((id) => id !== 13));
  });

  it("is found next to others of its kind, and under throttling", async () => {
    const { write } = await open(({ number }) => (number % 3 === 0 ? throttle : undefined));
    const items = numbered(60);
    for (const index of [0, 1, 24, 25, 59]) items[index] = bad(index);
    const { written, rejections } = await write(items);
    expect(written).toBe(55);
    expect(rejections.map((one) => one.index).sort((a, b) => a - b)).toEqual([0, 1, 24, 25, 59]);
  });
});

describe("a worker that may not write", () => {
  it("asks before every batch, retries included, and sends nothing after a no (P5)", async () => {
    let asked = 0;
    const lost = new LeaseError({ code: "state.lease_lost", message: "lost" });
    const guard = () => {
      asked += 1;
      if (asked > 2) throw lost;
    };
    const { write, calls } = await open(() => throttle, { guard });
    await expect(write(numbered(25))).rejects.toBe(lost);
    expect([asked, calls.length]).toEqual([3, 2]);
  });

  it("stops at once when it is told to, with the reason it was given", async () => {
    const stop = new AbortController();
    const { write } = await open(
      () => {
        stop.abort(new Error("interrupted"));
        return { kind: "delay", ms: 3_000 };
      },
      { signal: stop.signal },
    );
    await expect(write(numbered(200))).rejects.toThrow("interrupted");
  });

  it("starts no further batch after one has failed", async () => {
    const { write, calls } = await open(({ number }) =>
      number === 1 ? { kind: "error", status: 400, type: "AccessDeniedException" } : undefined,
    );
    await expect(write(numbered(1000))).rejects.toBeInstanceOf(WriteError);
    expect(calls.length).toBeLessThan(20);
  });
});

/** The same item under another number. */
const moved = (one: KeyedItem, by: number): KeyedItem => {
  const id = String(one.index + by);
  return { ...one, key: id, item: { ...one.item, id: { S: id } } };
};

const putsOf = (call: Call): number =>
  Object.values(call.body.RequestItems as Record<string, unknown[]>).flat().length;
