import type { World } from "@tidetable/core/internal";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import type { Rejection } from "../../packages/core/src/flow.ts";
import { registerSecret } from "../../packages/core/src/secrets/redact.ts";
import {
  listQuarantine,
  readEntry,
  removeEntry,
  rowLike,
  setAside,
  tooMany,
  tooManyError,
} from "../../packages/core/src/state/quarantine.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import { parseJson } from "../../packages/core/src/values/parse-json.ts";
import { guardSecret } from "../support/canary.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { rowNaming } from "../support/naming.ts";

const place = { source: "desk", resource: "tickets" };
const rejectionOf = (record: Rejection["record"], index = 0): Rejection => ({
  index,
  code: "record.number",
  message: "a number does not fit",
  path: "a.n",
  record,
});

let engine: Engine;
let world: World;
let runs = 0;

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
beforeEach(async () => {
  runs += 1;
  const names = { app: "tidetable", stage: `test-${runs}` };
  await engine.createTables({ [stateTableName(names)]: stateTable });
  world = {
    names,
    dynamodb: engine.dynamodb,
    clock: virtualClock(),
    random: () => 1,
    signal: new AbortController().signal,
    deadline: 60_000,
  } as unknown as World;
});

const setAsideAll = (rejections: Rejection[], page = 3, runId = "run-1") =>
  setAside(rejections, { world, resourceRef: place, runId, page });
const stateItems = () => engine.scan(stateTableName(world.names));

describe("a rejected record", () => {
  it("a rejected record is kept in the state table with its reason, for 30 days", async () => {
    await setAsideAll([rejectionOf({ id: 1n, a: { n: new Decimal("1e400") } }, 7)]);
    expect(await stateItems()).toEqual([
      {
        pk: { S: "desk#tickets" },
        sk: { S: expect.stringMatching(/^quarantine#[\w-]{43}$/) },
        format: { N: "2" },
        code: { S: "record.number" },
        message: { S: "a number does not fit" },
        path: { S: "a.n" },
        run_id: { S: "run-1" },
        page: { N: "3" },
        index: { N: "7" },
        record: { S: '{"id":1,"a":{"n":1e400}}' },
        at: { S: "2026-01-01T00:00:00.000Z" },
        expires: { N: String(Date.UTC(2026, 0, 31) / 1000) },
      },
    ]);
  });

  it("a rejected record is kept once when its page is replayed, and once within its page", async () => {
    const same = [rejectionOf({ id: 1 }, 0), rejectionOf({ id: 2 }, 1), rejectionOf({ id: 1 }, 2)];
    await setAsideAll(same);
    await setAsideAll(same, 3, "run-2");
    expect(await stateItems()).toHaveLength(2);
  });

  it("a rejected record may be nested too deeply, ill-formed, or have a member named __proto__", async () => {
    let deep: Rejection["record"] = [];
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const proto = JSON.parse('{"__proto__":{"a":1}}');
    await setAsideAll([rejectionOf(deep), rejectionOf("\ud800"), rejectionOf(proto)]);
    const texts = (await stateItems()).map((item) => item.record?.S);
    expect(texts).toContain('"\\ud800"');
    expect(texts).toContain('{"__proto__":{"a":1}}');
    expect(texts).toContain("[".repeat(20_001) + "]".repeat(20_001));
  });

  it("a rejected record that is too large is cut, and its length and hash are kept", async () => {
    await setAsideAll([
      rejectionOf({ id: "é".repeat(500_000) }),
      { ...rejectionOf(1), path: "p".repeat(5_000) },
    ]);
    const [large, small] = (await stateItems()).sort((a, b) => length(b) - length(a));
    expect(large?.record_bytes).toEqual({ N: "1000009" });
    expect(large?.record_sha256?.S).toHaveLength(43);
    expect(Buffer.byteLength(large?.record?.S ?? "")).toBeLessThanOrEqual(4_099);
    expect(small?.path?.S).toHaveLength(1024);
  });

  it("of a rejected record of many megabytes only the start is kept, its length, and no secret", async () => {
    const key = guardSecret("canary-key-of-quarantine-6e1b");
    registerSecret(key);
    await setAsideAll([rejectionOf({ a: `é${key}`, b: "x".repeat(5_000_000) })]);
    const [item] = await stateItems();
    const record = String(item?.record?.S);
    expect(record.startsWith('{"a":"é[secret]","b":"xxx')).toBe(true);
    expect(Buffer.byteLength(record)).toBeGreaterThan(4_000);
    expect(Buffer.byteLength(record)).toBeLessThanOrEqual(4_096);
    const length = Buffer.byteLength(JSON.stringify({ a: `é${key}`, b: "" })) + 5_000_000;
    expect(item).toMatchObject({ record_bytes: { N: String(length) }, redacted: { BOOL: true } });
  });

  it("a rejected record that cannot be set aside fails the page", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => ({
      kind: "error",
      status: 400,
      type: "ValidationException",
    }));
    const dynamodb = clientOf(proxy.endpoint);
    world = { ...world, dynamodb };
    await expect(setAsideAll([rejectionOf(1)])).rejects.toMatchObject({
      code: "load.quarantine",
      message: "1 rejected records could not be set aside",
    });
    dynamodb.destroy();
    await proxy.close();
  });

  it("without rejected records nothing is written", async () => {
    await setAsideAll([]);
    expect(await stateItems()).toEqual([]);
  });
});

describe("the list of what was set aside", () => {
  const listEntries = async (where = place) => {
    const entries = [];
    for await (const page of listQuarantine(world, where)) entries.push(...page);
    return entries.sort((a, b) => a.index - b.index);
  };

  it("the quarantine list has each record as exact JSON, with its reason and its origin", async () => {
    await setAsideAll([rejectionOf({ id: 1n, n: new Decimal("1e400") }, 7)]);
    expect(await listEntries()).toEqual([
      {
        id: expect.stringMatching(/^[\w-]{43}$/),
        code: "record.number",
        message: "a number does not fit",
        path: "a.n",
        run_id: "run-1",
        page: 3,
        index: 7,
        record: '{"id":1,"n":1e400}',
        record_bytes: null,
        redacted: false,
        naming: null,
        at: "2026-01-01T00:00:00.000Z",
      },
    ]);
    expect(await listEntries({ ...place, resource: "ticket" })).toEqual([]);
  });

  it("the quarantine list has what the row of a record without a key would be named by", async () => {
    // The last four digits are beyond a double's precision.
    const naming = rowNaming({ parent: { id: 9007199254740993n }, added: ["post"] });
    await setAside([rejectionOf({ v: 1 })], {
      world,
      resourceRef: place,
      runId: "run-1",
      page: 0,
      naming,
    });
    const [entry] = await listEntries();
    const { findValue: _, ...stored } = naming;
    expect(parseJson(entry?.naming ?? "")).toEqual(stored);
  });

  it("the quarantine list has the length of a record that was cut", async () => {
    await setAsideAll([rejectionOf({ id: "é".repeat(500_000) })]);
    expect(await listEntries()).toMatchObject([{ record_bytes: 1_000_009 }]);
  });

  it("the quarantine list is complete when it is longer than one answer of DynamoDB", async () => {
    const filler = "x".repeat(200_000);
    await setAsideAll(Array.from({ length: 12 }, (_, id) => rejectionOf({ id, filler }, id)));
    expect((await listEntries()).map(({ index }) => index)).toEqual([...Array(12).keys()]);
  });

  it("a removed entry leaves the quarantine list, unless it was set aside again meanwhile", async () => {
    await setAsideAll([rejectionOf({ id: 1 }, 0), rejectionOf({ id: 2 }, 1)]);
    const [first, second] = await listEntries();
    if (!first || !second) throw new Error("two entries");
    await removeEntry(world, place, first);
    await removeEntry(world, place, first);
    await removeEntry(world, place, { ...second, at: "2025-12-31T00:00:00.000Z" });
    expect(await listEntries()).toEqual([second]);
    expect(await readEntry(world, place, second.id)).toEqual(second);
    expect(await readEntry(world, place, first.id)).toBeUndefined();
  });
});

it("the row that an item would replace is found by its hash and range key", async () => {
  const at = { world, table: stateTableName(world.names) };
  await setAsideAll([rejectionOf({ id: 1 })]);
  const [item] = await stateItems();
  const rowAt = (pk = "", sk = "") =>
    rowLike({ rowKeyText: JSON.stringify({ pk: { S: pk }, sk: { S: sk } }) }, at);
  expect(await rowAt(item?.pk?.S, item?.sk?.S)).toEqual(item);
  expect(await rowAt("desk#tickets", "other")).toBeUndefined();
});

describe("too many rejections of a page", () => {
  it.each<[number, number, boolean]>([
    [20, 20, false],
    [21, 21, true],
    [21, 210, false],
    [22, 210, true],
    [0, 0, false],
  ])("%i rejections of a page of %i records are too many: %s", (rejected, records, expected) => {
    expect(tooMany(rejected, records)).toBe(expected);
  });

  it("the error for too many rejections names the first reason", () => {
    expect(tooManyError([rejectionOf(1), rejectionOf(2)])).toMatchObject({
      code: "load.too_many_rejected",
      message: "2 records of one page could not be stored; the first: a number does not fit",
    });
  });
});

const length = (item: Record<string, { S?: string }>) => item.record?.S?.length ?? 0;
