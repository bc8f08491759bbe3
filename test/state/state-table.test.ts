import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import type { ResourceRef } from "../../packages/core/src/base/resource-ref.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import type { Item } from "../../packages/core/src/flow.ts";
import {
  blockKey,
  type Condition,
  deleteItem,
  formatOf,
  getItem,
  getItems,
  itemKey,
  putBlock,
  putItem,
  queryItems,
  type StateWorld,
  scanBlockKeys,
  updateItem,
} from "../../packages/core/src/state/state-table.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import {
  type Call,
  type Fault,
  type FaultyDynamodb,
  openFaultyDynamodb,
} from "../support/faulty-dynamodb.ts";

const failure = "did not take an item";

let engine: Engine;
let opened: [FaultyDynamodb, DynamoDBClient][] = [];
let tables = 0;
let names: { app: string; stage: string };
let table: string;
const resourceRef: ResourceRef = { source: "shop", resource: "rows" };

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
/** A table for each test: a scan of much data has many answers. */
beforeEach(async () => {
  tables += 1;
  names = { app: "tidetable", stage: `table${tables}` };
  table = stateTableName(names);
  await engine.createTables({ [table]: stateTable });
});
afterEach(async () => {
  for (const [proxy, client] of opened) {
    client.destroy();
    await proxy.close();
  }
  opened = [];
});

const worldWith = (dynamodb: StateWorld["dynamodb"] = engine.dynamodb): StateWorld => ({
  dynamodb,
  names,
  clock: virtualClock(),
  random: () => 0.5,
});

/** A world whose calls go through a proxy that does as scripted. */
async function openFaultyWorld(script: (call: Call) => Fault | undefined = () => undefined) {
  const proxy = await openFaultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(proxy.endpoint);
  opened.push([proxy, dynamodb]);
  return { world: worldWith(dynamodb), calls: proxy.calls };
}

const keyOf = (sk = "item") => itemKey(resourceRef, sk);
const itemOf = (value: string, sk = "item"): Item => ({ ...keyOf(sk), value: { S: value } });
const put = (value: string, condition?: Condition, world = worldWith()) =>
  putItem(world, itemOf(value), { failure, ...(condition && { condition }) });
const absent: Condition = { expression: "attribute_not_exists(pk)" };

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

describe("items of the state table", () => {
  it("an item that was put is read back, and one that is not there is undefined", async () => {
    expect(await put("a")).toBe(true);
    expect(await getItem(worldWith(), keyOf())).toEqual(itemOf("a"));
    expect(await getItem(worldWith(), keyOf("other"))).toBeUndefined();
  });

  it("a condition that does not hold is an answer, and nothing is written", async () => {
    expect(await put("a", absent)).toBe(true);
    expect(await put("b", absent)).toBe(false);
    expect(await getItem(worldWith(), keyOf())).toEqual(itemOf("a"));
  });

  it("an update sets and removes attributes whose names are words of DynamoDB's language", async () => {
    await put("a");
    const change = (set: Parameters<typeof updateItem>[2]["set"], expected: string) =>
      updateItem(worldWith(), keyOf(), {
        set,
        condition: {
          expression: "#value = :expected",
          names: { "#value": "value" },
          values: { ":expected": { S: expected } },
        },
        failure,
      });
    expect(await change({ status: { S: "x" }, value: { S: "b" } }, "a")).toBe(true);
    expect(await getItem(worldWith(), keyOf())).toEqual({ ...itemOf("b"), status: { S: "x" } });
    expect(await change({ status: null, size: { N: "1" } }, "b")).toBe(true);
    expect(await getItem(worldWith(), keyOf())).toEqual({ ...itemOf("b"), size: { N: "1" } });
    expect(await change({ size: null }, "b")).toBe(true);
    expect(await change({ size: { N: "2" } }, "a")).toBe(false);
    expect(await getItem(worldWith(), keyOf())).toEqual(itemOf("b"));
  });

  it("an item is deleted on a condition, and a delete of nothing does no harm", async () => {
    await put("a");
    const isB: Condition = {
      expression: "#value = :b",
      names: { "#value": "value" },
      values: { ":b": { S: "b" } },
    };
    expect(await deleteItem(worldWith(), keyOf(), { condition: isB, failure })).toBe(false);
    expect(await getItem(worldWith(), keyOf())).toEqual(itemOf("a"));
    expect(await deleteItem(worldWith(), keyOf(), { failure })).toBe(true);
    expect(await deleteItem(worldWith(), keyOf(), { failure })).toBe(true);
    expect(await getItem(worldWith(), keyOf())).toBeUndefined();
  });

  it("more items than one request takes are read, and those that exist come back", async () => {
    const { world, calls } = await openFaultyWorld();
    for (let n = 0; n < 205; n += 2) {
      await putItem(worldWith(), itemOf(`${n}`, `item#${n}`), { failure });
    }
    const keys = Array.from({ length: 205 }, (_, n) => keyOf(`item#${n}`));
    const values = (await getItems(world, keys)).map(({ value }) => Number(value?.S));
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, n) => 2 * n));
    expect(calls.map(({ operation }) => operation)).toEqual(Array(3).fill("BatchGetItem"));
    expect(await getItems(world, [])).toEqual([]);
  });

  it("the items of a prefix are those of one resource alone, in order, over many answers", async () => {
    const filler = "x".repeat(200_000);
    for (let n = 0; n < 12; n++) {
      await putItem(worldWith(), itemOf(filler, `run#${String(n).padStart(2, "0")}`), { failure });
    }
    await putItem(worldWith(), itemOf("other", "runs"), { failure });
    const neighbour = { ...resourceRef, resource: "rowsx" };
    await putItem(worldWith(), itemKey(neighbour, "run#00"), { failure });
    const pages = await collect(queryItems(worldWith(), resourceRef, "run#"));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat().map(({ sk }) => sk?.S)).toEqual(
      Array.from({ length: 12 }, (_, n) => `run#${String(n).padStart(2, "0")}`),
    );
  });

  it("every read is strongly consistent", async () => {
    const { world, calls } = await openFaultyWorld();
    await getItem(world, keyOf());
    await getItems(world, [keyOf()]);
    await collect(queryItems(world, resourceRef, "run#"));
    await collect(scanBlockKeys(world, resourceRef));
    const texts = calls.map(({ body }) => JSON.stringify(body));
    expect(texts).toHaveLength(4);
    for (const text of texts) expect(text).toContain('"ConsistentRead":true');
  });
});

describe("blocks of the state table", () => {
  const block = (n = 0, ref = resourceRef) => blockKey(ref, `spool/1/${n}`, "rows");
  const putText = (text: string, token: number, key = block()) =>
    putBlock(worldWith(), key, { rows: { S: text } }, { token, days: 14, failure });

  it("a block has a partition of its own, its writer's token, its format and an end", async () => {
    await putText("a", 3);
    expect(await getItem(worldWith(), block())).toEqual({
      pk: { S: "shop#rows/spool/1/0" },
      sk: { S: "rows" },
      token: { N: "3" },
      format: { N: "2" },
      rows: { S: "a" },
      expires: { N: String(Date.UTC(2026, 0, 15) / 1000) },
    });
  });

  it("a block is replaced by its writer and by a successor, and never by an earlier one (P5)", async () => {
    await putText("first", 2);
    await putText("second", 2);
    await putText("third", 5);
    await expect(putText("late", 4)).rejects.toMatchObject({ code: "state.lease_lost" });
    expect((await getItem(worldWith(), block()))?.rows).toEqual({ S: "third" });
  });

  it("a scan finds the blocks of one resource alone", async () => {
    for (let n = 0; n < 3; n++) await putText("x", 1, block(n));
    await putText("x", 1, block(0, { ...resourceRef, resource: "rows_old" }));
    await put("a");
    const keys = await collect(scanBlockKeys(worldWith(), resourceRef));
    expect(keys).toHaveLength(3);
    expect(keys).toEqual(expect.arrayContaining([0, 1, 2].map((n) => block(n))));
  });

  it("an item without a format is of the first one", () => {
    expect([formatOf({}), formatOf({ format: { N: "2" } })]).toEqual([1, 2]);
  });
});

describe("a state table that is busy", () => {
  const busy: Fault = { kind: "error", status: 400, type: "ThrottlingException" };

  it.each<[string, (world: StateWorld) => Promise<unknown>]>([
    ["a read", (world) => getItem(world, keyOf())],
    ["a read of many", (world) => getItems(world, [keyOf()])],
    ["a query", (world) => collect(queryItems(world, resourceRef, "run#"))],
    ["a scan", (world) => collect(scanBlockKeys(world, resourceRef))],
    ["a put", (world) => put("a", undefined, world)],
    ["a delete", (world) => deleteItem(world, keyOf(), { failure })],
    [
      "an update",
      (world) =>
        updateItem(world, keyOf(), { set: { value: { S: "a" } }, condition: absent, failure }),
    ],
  ])("%s is tried again while DynamoDB throttles, and after an answer that was lost before it came", async (_, work) => {
    const faults: Fault[] = [busy, { kind: "reset", when: "before" }];
    const { world, calls } = await openFaultyWorld(({ number }) => faults[number - 1]);
    await work(world);
    expect(calls).toHaveLength(3);
  });

  it("keys that DynamoDB left over are asked for again", async () => {
    const { world, calls } = await openFaultyWorld();
    await put("a");
    await putItem(worldWith(), itemOf("b", "other"), { failure });
    let isFirst = true;
    const send = (async (command: Parameters<DynamoDBClient["send"]>[0]) => {
      const answer = (await world.dynamodb.send(command as never)) as {
        Responses?: Record<string, Item[]>;
        UnprocessedKeys?: object;
      };
      if (!isFirst) return answer;
      isFirst = false;
      const [first, ...others] = answer.Responses?.[table] ?? [];
      const Keys = others.map(({ pk, sk }) => ({ pk, sk }));
      return {
        Responses: { [table]: first ? [first] : [] },
        UnprocessedKeys: { [table]: { Keys } },
      };
    }) as DynamoDBClient["send"];
    const items = await getItems({ ...world, dynamodb: { send } }, [keyOf(), keyOf("other")]);
    expect(items.map(({ value }) => value?.S).sort()).toEqual(["a", "b"]);
    expect(calls).toHaveLength(2);
  });

  it("a put on a condition whose answer was lost says false: whoever puts it looks who has", async () => {
    const { world } = await openFaultyWorld(({ number }) =>
      number === 1 ? { kind: "reset", when: "after" } : undefined,
    );
    expect(await put("a", absent, world)).toBe(false);
    expect(await getItem(worldWith(), keyOf())).toEqual(itemOf("a"));
  });

  it("a state table that refuses is an error that names the table, what failed and the next step", async () => {
    const { world } = await openFaultyWorld(() => ({
      kind: "error",
      status: 400,
      type: "AccessDeniedException",
    }));
    await expect(put("a", undefined, world)).rejects.toMatchObject({
      code: "state.unavailable",
      message: `the state table ${table} did not take an item (AccessDeniedException)`,
      hint: expect.stringContaining("try again"),
    });
    await expect(getItem(world, keyOf())).rejects.toMatchObject({
      message: `the state table ${table} was not readable (AccessDeniedException)`,
    });
  });

  it("a state table that does not exist is an error of its own", async () => {
    const world = { ...worldWith(), names: { ...names, stage: "absent" } };
    for (const work of [getItem(world, keyOf()), put("a", undefined, world)]) {
      await expect(work).rejects.toMatchObject({ code: "load.table_missing" });
    }
  });
});
