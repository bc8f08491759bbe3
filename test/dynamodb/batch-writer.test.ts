import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { LeaseError, WriteError } from "../../packages/core/src/base/errors.ts";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { emptyWriteResult, writeAll } from "../../packages/core/src/dynamodb/attempts.ts";
import { openBatchWriter } from "../../packages/core/src/dynamodb/batch-writer.ts";
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
  openFaultyDynamodb,
} from "../support/faulty-dynamodb.ts";
import { attributesIn, textsOf } from "../support/items.ts";
import { rowNaming } from "../support/naming.ts";

const key: KeyPlan = {
  fields: ["id"],
  rowId: undefined,
  hash: { name: "id", type: "S" },
  range: undefined,
};
const itemsOf = (records: JsonValue[]) =>
  toItems(records, { key, writeMode: { kind: "batch" }, storage: { indexes: [] } }, rowNaming())
    .items;
const numberedItems = (count: number, fields = {}) =>
  itemsOf(Array.from({ length: count }, (_, id) => ({ id, ...fields })));

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
async function openWriter(
  script: (call: Call) => Fault | undefined = () => undefined,
  { guard = () => {}, signal = new AbortController().signal } = {},
) {
  const proxy = await openFaultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(proxy.endpoint);
  proxies.push(proxy);
  clients.push(dynamodb);
  const clock = virtualClock();
  const warnings: string[] = [];
  const ignore = () => {};
  const log = { debug: ignore, info: ignore, error: ignore, warn: (m: string) => warnings.push(m) };
  const deadline = clock.monotonic() + 60_000;
  const random = () => 1;
  const parts = { dynamodb, clock, random, log, signal, deadline, table, key, guard };
  const writer = openBatchWriter(parts);
  const write = (items: KeyedItem[]) => writeAll(writer, items);
  return { write, writer, clock, warnings, calls: proxy.calls };
}

const storedIds = async () =>
  (await engine.scan(table)).map((item) => Number(item.id?.S)).sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const throttle: Fault = {
  kind: "error",
  status: 400,
  type: "ProvisionedThroughputExceededException",
};

describe("batches", () => {
  it("batches are filled from one page to the next, and keep what is left until there is more", async () => {
    const { writer, calls } = await openWriter();
    const pages = [0, 1, 2].map((page) =>
      numberedItems(90).map((item) => withIndex(item, page * 90)),
    );
    const written = pages.map((items) => writer.write(items));
    await written[1];
    await vi.waitFor(() => expect(calls).toHaveLength(10));
    expect(calls.map(putsOf)).toEqual(Array(10).fill(25));
    writer.flush();
    const totals = await Promise.all(written);
    expect(totals.map((total) => total.written)).toEqual([90, 90, 90]);
    expect(calls.map(putsOf)).toEqual([...Array(10).fill(25), 20]);
    expect(await storedIds()).toEqual(upTo(270));
  });

  it("two batches with the same key are not sent at once, and the later item stays", async () => {
    const { writer, calls } = await openWriter(({ number }) =>
      number === 1 ? { kind: "delay", ms: 200 } : undefined,
    );
    const versions = [1, 2, 3].map((v) => writer.write(itemsOf([{ id: 7, v }])));
    writer.flush();
    await Promise.all(versions);
    expect(calls.map(putsOf)).toEqual([1, 1, 1]);
    expect(await engine.scan(table)).toEqual([{ id: { S: "7" }, v: { N: "3" } }]);
  });

  it("batches stay below 16 MB of JSON, because an item's JSON has less than 16 times its bytes", () => {
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
    const [empty] = numberedItems(1) as [KeyedItem];
    const jsonBytes = (items: KeyedItem[]) =>
      Buffer.byteLength(JSON.stringify(items.map(attributesIn)));
    fc.assert(
      fc.property(fc.array(tree, { minLength: 50, maxLength: 60 }), (list) => {
        for (const item of itemsOf([{ id: 0, list: list as JsonValue }])) {
          const grown = jsonBytes([item]) - jsonBytes([empty]);
          expect(grown).toBeLessThan(16 * (item.bytes - empty.bytes));
        }
      }),
    );
  });
});

describe("write", () => {
  it("a batch write resolves when every item is in the table", async () => {
    const { write, calls } = await openWriter();
    expect(await write(numberedItems(60))).toEqual({
      ...emptyWriteResult(),
      written: 60,
      superseded: 0,
    });
    expect(calls.map((call) => call.operation)).toEqual(Array(3).fill("BatchWriteItem"));
    expect(await storedIds()).toEqual(upTo(60));
  });

  it("a batch write without items resolves with zero counts", async () => {
    const { write, calls } = await openWriter();
    expect(await write([])).toEqual({ ...emptyWriteResult(), written: 0, superseded: 0 });
    expect(calls).toHaveLength(0);
  });

  it("a batch write replaces the item under the same key, and a replay changes nothing (P1)", async () => {
    const { write } = await openWriter();
    await write(itemsOf([{ id: 1, a: 1, b: 2 }]));
    await write(itemsOf([{ id: 1, a: 3 }]));
    await write(itemsOf([{ id: 1, a: 3 }]));
    expect(await engine.scan(table)).toEqual([{ id: { S: "1" }, a: { N: "3" } }]);
  });

  it("only the items that come back unprocessed are written again, after a wait (P2)", async () => {
    const { write, calls, clock } = await openWriter(({ number }) =>
      number <= 2 ? { kind: "unprocessed", count: 25 - 10 * number } : undefined,
    );
    expect((await write(numberedItems(25))).written).toBe(25);
    expect(calls.map(putsOf)).toEqual([25, 15, 5]);
    expect(clock.sleeps).toEqual([50, 100]);
    expect(await storedIds()).toEqual(upTo(25));
  });

  it("an unprocessed item keeps its member named __proto__ (P9)", async () => {
    const { write, calls } = await openWriter(({ number }) =>
      number === 1 ? { kind: "unprocessed", count: 1 } : undefined,
    );
    await write(itemsOf([JSON.parse('{"id":1,"__proto__":{"a":1}}')]));
    const sent = calls.map((call) => JSON.stringify(call.body.RequestItems));
    expect(sent[0]).toContain('"__proto__":{"M":{"a":{"N":"1"}}}');
    expect(sent[1]).toBe(sent[0]);
  });

  it("a whole batch is sent again when an unprocessed item cannot be recognised", async () => {
    const unprocessed = { [table]: [{ PutRequest: { Item: { id: { S: "01" } } } }] };
    const body = JSON.stringify({ UnprocessedItems: unprocessed });
    const { write, calls } = await openWriter(({ number }) =>
      number === 1 ? { kind: "answer", status: 200, body } : undefined,
    );
    expect((await write(numberedItems(3))).written).toBe(3);
    expect(calls.map(putsOf)).toEqual([3, 3]);
  });

  it("items that come back unprocessed for ever end at the deadline as throttled", async () => {
    const { write, clock, warnings } = await openWriter(() => ({ kind: "unprocessed", count: 1 }));
    const end = write(numberedItems(3));
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
  ])("a batch write is tried again after %s", async (_, fault) => {
    const { write, calls } = await openWriter(({ number }) => (number <= 2 ? fault : undefined));
    const { written } = await write(numberedItems(5));
    expect([written, calls.length]).toEqual([5, 3]);
    expect(await storedIds()).toEqual(upTo(5));
  });

  it("a connection that stays broken ends at the deadline with an error that names it", async () => {
    const { write } = await openWriter(() => ({ kind: "reset", when: "before" }));
    await expect(write(numberedItems(1))).rejects.toMatchObject({
      code: "load.failed",
      message: expect.stringMatching(/did not answer .*(ECONNRESET|UND_ERR_SOCKET)/),
    });
  });

  it("a refused batch write is not tried again", async () => {
    const { write, calls } = await openWriter(() => ({
      kind: "error",
      status: 400,
      type: "AccessDeniedException",
    }));
    await expect(write(numberedItems(1))).rejects.toMatchObject({
      code: "load.failed",
      message: `DynamoDB refused to write to the table ${table} (AccessDeniedException)`,
    });
    expect(calls).toHaveLength(1);
  });

  it("the error for a missing table names the table and the next step", async () => {
    table = "never-made";
    const { write } = await openWriter();
    await expect(write(numberedItems(1))).rejects.toMatchObject({
      code: "load.table_missing",
      message: "the table never-made does not exist",
      hint: expect.stringContaining("npx sst deploy"),
    });
  });
});

describe("an item that only DynamoDB knows to refuse", () => {
  const invalidItem = (index: number): KeyedItem => ({
    key: `bad-${index}`,
    ...textsOf({ id: { S: `bad-${index}` }, n: { N: "secret 42" } }),
    bytes: 20,
    index,
    record: { id: `bad-${index}`, n: "secret 42" },
  });

  it("an item that DynamoDB refuses does not fail its batch, and is returned with its record but not in the message", async () => {
    const { write, calls } = await openWriter();
    const items = numberedItems(25);
    items[13] = invalidItem(13);
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
    expect(await storedIds()).toEqual(upTo(25).filter((id) => id !== 13));
  });

  it("several items that DynamoDB refuses are found, also under throttling", async () => {
    const { write } = await openWriter(({ number }) => (number % 3 === 0 ? throttle : undefined));
    const items = numberedItems(60);
    for (const index of [0, 1, 24, 25, 59]) items[index] = invalidItem(index);
    const { written, rejections } = await write(items);
    expect(written).toBe(55);
    expect(rejections.map((rejection) => rejection.index).sort((a, b) => a - b)).toEqual([
      0, 1, 24, 25, 59,
    ]);
  });
});

describe("a worker that may not write", () => {
  it("the guard is asked before every batch, including retries, and nothing is sent after it throws (P5)", async () => {
    let guardCalls = 0;
    const lost = new LeaseError({ code: "state.lease_lost", message: "lost" });
    const guard = () => {
      guardCalls += 1;
      if (guardCalls > 2) throw lost;
    };
    const { write, calls } = await openWriter(() => throttle, { guard });
    await expect(write(numberedItems(25))).rejects.toBe(lost);
    expect([guardCalls, calls.length]).toEqual([3, 2]);
  });

  it("a batch write stops at once when it is aborted, with the given reason", async () => {
    const stop = new AbortController();
    const { write } = await openWriter(
      () => {
        stop.abort(new Error("interrupted"));
        return { kind: "delay", ms: 3_000 };
      },
      { signal: stop.signal },
    );
    await expect(write(numberedItems(200))).rejects.toThrow("interrupted");
  });

  it("no further batch is started after one has failed", async () => {
    const { write, calls } = await openWriter(({ number }) =>
      number === 1 ? { kind: "error", status: 400, type: "AccessDeniedException" } : undefined,
    );
    await expect(write(numberedItems(1000))).rejects.toBeInstanceOf(WriteError);
    expect(calls.length).toBeLessThan(20);
  });
});

/** The same item under another number. */
const withIndex = (item: KeyedItem, by: number): KeyedItem => {
  const id = String(item.index + by);
  return { ...item, key: id, ...textsOf({ ...attributesIn(item), id: { S: id } }) };
};

const putsOf = (call: Call): number =>
  Object.values(call.body.RequestItems as Record<string, unknown[]>).flat().length;
