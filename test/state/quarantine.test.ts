import type { World } from "@tidetable/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateKey, stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import type { Rejection } from "../../packages/core/src/flow.ts";
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
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { faultyDynamodb } from "../support/faulty-dynamodb.ts";

const resourceRef = { source: "desk", resource: "tickets" };
const rejection = (record: Rejection["record"], index = 0): Rejection => ({
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

const aside = (rejections: Rejection[], page = 3, runId = "run-1") =>
  setAside(rejections, { world, resourceRef, runId, page });
const stored = () => engine.scan(stateTableName(world.names));

describe("a rejected record", () => {
  it("is kept in the state table with its reason, for 30 days", async () => {
    await aside([rejection({ id: 1n, a: { n: new Decimal("1e400") } }, 7)]);
    expect(await stored()).toEqual([
      {
        pk: { S: "desk#tickets" },
        sk: { S: expect.stringMatching(/^quarantine#[\w-]{43}$/) },
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

  it("does not multiply when its page is replayed, nor within its page", async () => {
    const same = [rejection({ id: 1 }, 0), rejection({ id: 2 }, 1), rejection({ id: 1 }, 2)];
    await aside(same);
    await aside(same, 3, "run-2");
    expect(await stored()).toHaveLength(2);
  });

  it("can be anything: nested too deeply, ill-formed, with a member named __proto__", async () => {
    let deep: Rejection["record"] = [];
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const proto = JSON.parse('{"__proto__":{"a":1}}');
    await aside([rejection(deep), rejection("\ud800"), rejection(proto)]);
    const texts = (await stored()).map((item) => item.record?.S);
    expect(texts).toContain('"\\ud800"');
    expect(texts).toContain('{"__proto__":{"a":1}}');
    expect(texts).toContain("[".repeat(20_001) + "]".repeat(20_001));
  });

  it("that is too large is cut, with its length and hash", async () => {
    await aside([
      rejection({ id: "é".repeat(500_000) }),
      { ...rejection(1), path: "p".repeat(5_000) },
    ]);
    const [large, small] = (await stored()).sort((a, b) => length(b) - length(a));
    expect(large?.record_bytes).toEqual({ N: "1000009" });
    expect(large?.record_sha256?.S).toHaveLength(43);
    expect(Buffer.byteLength(large?.record?.S ?? "")).toBeLessThanOrEqual(4_099);
    expect(small?.path?.S).toHaveLength(1024);
  });

  it("that can not be set aside fails the page", async () => {
    const proxy = await faultyDynamodb(engine.endpoint, () => ({
      kind: "error",
      status: 400,
      type: "ValidationException",
    }));
    const dynamodb = clientOf(proxy.endpoint);
    world = { ...world, dynamodb };
    await expect(aside([rejection(1)])).rejects.toMatchObject({
      code: "load.quarantine",
      message: "1 rejected records could not be set aside",
    });
    dynamodb.destroy();
    await proxy.close();
  });

  it("none: nothing is written", async () => {
    await aside([]);
    expect(await stored()).toEqual([]);
  });
});

describe("the list of what was set aside", () => {
  const list = async (where = resourceRef) => {
    const entries = [];
    for await (const some of listQuarantine(world, where)) entries.push(...some);
    return entries.sort((a, b) => a.index - b.index);
  };

  it("has each record as exact text, with its reason and where it came from", async () => {
    await aside([rejection({ id: 1n, n: new Decimal("1e400") }, 7)]);
    expect(await list()).toEqual([
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
        at: "2026-01-01T00:00:00.000Z",
      },
    ]);
    expect(await list({ ...resourceRef, resource: "ticket" })).toEqual([]);
  });

  it("says how long a record was of which it has the beginning only", async () => {
    await aside([rejection({ id: "é".repeat(500_000) })]);
    expect(await list()).toMatchObject([{ record_bytes: 1_000_009 }]);
  });

  it("is whole when it is longer than one answer of DynamoDB", async () => {
    const filler = "x".repeat(200_000);
    await aside(Array.from({ length: 12 }, (_, id) => rejection({ id, filler }, id)));
    expect((await list()).map(({ index }) => index)).toEqual([...Array(12).keys()]);
  });

  it("loses an entry that is removed, but not one that was set aside anew meanwhile", async () => {
    await aside([rejection({ id: 1 }, 0), rejection({ id: 2 }, 1)]);
    const [first, second] = await list();
    if (!first || !second) throw new Error("two entries");
    await removeEntry(world, resourceRef, first);
    await removeEntry(world, resourceRef, first);
    await removeEntry(world, resourceRef, { ...second, at: "2025-12-31T00:00:00.000Z" });
    expect(await list()).toEqual([second]);
    expect(await readEntry(world, resourceRef, second.id)).toEqual(second);
    expect(await readEntry(world, resourceRef, first.id)).toBeUndefined();
  });
});

it("the row that an item would replace is found by both of its keys", async () => {
  const key = { ...stateKey, fields: ["pk", "sk"] };
  const at = { world, table: stateTableName(world.names), key };
  await aside([rejection({ id: 1 })]);
  const [item] = await stored();
  expect(await rowLike({ pk: item?.pk ?? { S: "" }, sk: item?.sk ?? { S: "" } }, at)).toEqual(item);
  expect(await rowLike({ pk: { S: "desk#tickets" }, sk: { S: "other" } }, at)).toBeUndefined();
});

describe("too many rejections of a page", () => {
  it.each<[number, number, boolean]>([
    [20, 20, false],
    [21, 21, true],
    [21, 210, false],
    [22, 210, true],
    [0, 0, false],
  ])("%i of %i: %s", (rejected, records, expected) => {
    expect(tooMany(rejected, records)).toBe(expected);
  });

  it("are named with the first reason", () => {
    expect(tooManyError([rejection(1), rejection(2)])).toMatchObject({
      code: "load.too_many_rejected",
      message: "2 records of one page could not be stored; the first: a number does not fit",
    });
  });
});

const length = (item: Record<string, { S?: string }>) => item.record?.S?.length ?? 0;
