import { type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
} from "vitest";
import { LeaseError } from "../../packages/core/src/base/errors.ts";
import type { KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { emptyWriteResult, writeAll } from "../../packages/core/src/dynamodb/attempts.ts";
import { openBatchWriter } from "../../packages/core/src/dynamodb/batch-writer.ts";
import { openConditionalWriter } from "../../packages/core/src/dynamodb/conditional-writer.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { openWriter } from "../../packages/core/src/dynamodb/writer.ts";
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
import { textsOf } from "../support/items.ts";
import { rowNaming } from "../support/naming.ts";

const key: KeyPlan = {
  fields: ["id"],
  rowId: undefined,
  hash: { name: "id", type: "S" },
  range: undefined,
};
const byNumber = { kind: "ordered", versionField: "v", type: "N" } as const;
const byText = { kind: "ordered", versionField: "v", type: "S" } as const;
const itemsOf = (records: JsonValue[]) =>
  toItems(records, { key, writeMode: { kind: "batch" }, storage: { indexes: [] } }, rowNaming())
    .items;
const numberedItems = (count: number, v = 1) =>
  itemsOf(Array.from({ length: count }, (_, id) => ({ id, v })));

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

/** The options of a writer whose requests go through a scripted proxy. */
async function openOptions(
  script: (call: Call) => Fault | undefined = () => undefined,
  { guard = () => {}, signal = new AbortController().signal } = {},
) {
  const { endpoint, calls, close } = await openFaultyDynamodb(engine.endpoint, script);
  const dynamodb = clientOf(endpoint);
  proxies.push({ endpoint, calls, close });
  clients.push(dynamodb);
  const clock = virtualClock();
  const ignore = () => {};
  const log = { debug: ignore, info: ignore, error: ignore, warn: ignore };
  const deadline = clock.monotonic() + 60_000;
  const options = { dynamodb, clock, random: () => 1, log, signal, deadline, table, key, guard };
  return { options, calls, clock };
}

const storedVersions = async () =>
  Object.fromEntries((await engine.scan(table)).map(({ id, v }) => [id?.S, v?.N ?? v?.S] as const));

const throttle: Fault = {
  kind: "error",
  status: 400,
  type: "ProvisionedThroughputExceededException",
};

describe("a row", () => {
  it("an ordered put writes a row that is new, newer, or of the same version", async () => {
    const { options } = await openOptions();
    const writer = openConditionalWriter(byNumber, options);
    const oneWritten = { ...emptyWriteResult(), written: 1, superseded: 0 };
    expect(await writer.write(itemsOf([{ id: 1, v: 9, title: "first" }]))).toEqual(oneWritten);
    expect(await writer.write(itemsOf([{ id: 1, v: 10, title: "newer" }]))).toEqual(oneWritten);
    expect(await writer.write(itemsOf([{ id: 1, v: 10, title: "read later" }]))).toEqual(
      oneWritten,
    );
    expect(await engine.scan(table)).toEqual([
      { id: { S: "1" }, v: { N: "10" }, title: { S: "read later" } },
    ]);
  });

  it("an ordered put leaves a newer row and is counted as superseded (P8)", async () => {
    const { options } = await openOptions();
    const writer = openConditionalWriter(byNumber, options);
    await writer.write(itemsOf([{ id: 1, v: 10 }]));
    const answer = await writer.write(
      itemsOf([
        { id: 1, v: 9 },
        { id: 2, v: 9 },
      ]),
    );
    expect(answer).toEqual({ ...emptyWriteResult(), written: 1, superseded: 1 });
    expect(await storedVersions()).toEqual({ 1: "10", 2: "9" });
  });

  it("an ordered put may compare strings", async () => {
    const { options } = await openOptions();
    const writer = openConditionalWriter(byText, options);
    await writer.write(itemsOf([{ id: 1, v: "2026-02-01T00:00:00Z" }]));
    expect((await writer.write(itemsOf([{ id: 1, v: "2026-01-31T23:59:59Z" }]))).superseded).toBe(
      1,
    );
    expect((await writer.write(itemsOf([{ id: 1, v: "2026-02-01T00:00:01Z" }]))).written).toBe(1);
    expect(await storedVersions()).toEqual({ 1: "2026-02-01T00:00:01Z" });
  });

  it.each([
    ["no version", {}],
    ["a version of another type", { v: { S: "999" } }],
    ["a version that is null", { v: { NULL: true } as const }],
  ])("an ordered put replaces a row with %s", async (_, old) => {
    const item = { id: { S: "1" }, ...old };
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item: item }));
    const { options } = await openOptions();
    const { written } = await openConditionalWriter(byNumber, options).write(
      itemsOf([{ id: 1, v: 2 }]),
    );
    expect(written).toBe(1);
    expect(await storedVersions()).toEqual({ 1: "2" });
  });

  it.each([
    ["no version", byNumber, {}, "a number"],
    ["a version that is null", byNumber, { v: null }, "a number"],
    ["a string instead of a number", byNumber, { v: "2" }, "a number"],
    ["a number instead of a string", byText, { v: 2 }, "text"],
  ])("an ordered put of a record with %s is rejected without a request", async (_, version, fields, expected) => {
    const { options, calls } = await openOptions();
    const record = { id: 1, ...fields };
    expect(await openConditionalWriter(version, options).write(itemsOf([record]))).toEqual({
      ...emptyWriteResult(),
      rejections: [
        {
          index: 0,
          code: "record.version",
          message: `the version field "v" is missing or not ${expected}`,
          path: "v",
          record,
        },
      ],
    });
    expect(calls).toEqual([]);
  });

  it("an ordered table ends with the newest version, in whatever order the versions arrive (P5)", async () => {
    const { options } = await openOptions();
    const writer = openConditionalWriter(byNumber, options);
    const versions = Array.from({ length: 60 }, (_, n) => ((n * 37) % 60) + 1);
    const ends = await Promise.all(versions.map((v) => writer.write(itemsOf([{ id: 1, v }]))));
    expect(await storedVersions()).toEqual({ 1: "60" });
    for (const { written, superseded } of ends) expect(written + superseded).toBe(1);
  });
});

describe("write", () => {
  it("the conditional writer has 16 requests under way, not more, and Node warns of no leak", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { options, calls } = await openOptions(() => ({ kind: "hold", until }));
    const end = openConditionalWriter(byNumber, options).write(numberedItems(40));
    await expect.poll(() => calls.length).toBe(16);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls).toHaveLength(16);
    release();
    expect((await end).written).toBe(40);
    expect(warnings).toEqual([]);
  });

  it.each<[string, Fault]>([
    ["a throttle", throttle],
    ["an error of DynamoDB", { kind: "error", status: 500, type: "InternalServerError" }],
    ["a broken connection", { kind: "reset", when: "before" }],
    ["an answer that was lost after the write", { kind: "reset", when: "after" }],
  ])("an ordered put is tried again after %s, and does not supersede itself", async (_, fault) => {
    const { options, calls } = await openOptions(({ number }) => (number <= 2 ? fault : undefined));
    const answer = await openConditionalWriter(byNumber, options).write(numberedItems(1));
    expect(answer).toEqual({ ...emptyWriteResult(), written: 1, superseded: 0 });
    expect(calls).toHaveLength(3);
  });

  it("a conditional write that stays throttled ends at the deadline", async () => {
    const { options, clock } = await openOptions(() => throttle);
    await expect(
      openConditionalWriter(byNumber, options).write(numberedItems(1)),
    ).rejects.toMatchObject({
      code: "load.throttled",
    });
    expect(clock.monotonic()).toBeLessThan(60_000);
    expect(clock.monotonic()).toBeGreaterThan(50_000);
  });

  it("the conditional writer returns the items that only DynamoDB refuses, and writes the others", async () => {
    const { options } = await openOptions();
    const items = numberedItems(3);
    const record = { id: "bad" };
    const item = { id: { S: "bad" }, v: { N: "1" }, n: { N: "secret 42" } };
    items[1] = { key: "bad", ...textsOf(item), bytes: 20, index: 1, record };
    const { written, rejections } = await openConditionalWriter(byNumber, options).write(items);
    expect(written).toBe(2);
    expect(rejections).toMatchObject([{ index: 1, code: "record.refused", record }]);
    expect(JSON.stringify(rejections)).not.toContain("secret 42");
  });

  it("the guard is asked before every conditional put, including retries, and nothing is sent after it throws (P5)", async () => {
    let guardCalls = 0;
    const lost = new LeaseError({ code: "state.lease_lost", message: "lost" });
    const guard = () => {
      guardCalls += 1;
      if (guardCalls > 2) throw lost;
    };
    const { options, calls } = await openOptions(() => throttle, { guard });
    await expect(openConditionalWriter(byNumber, options).write(numberedItems(1))).rejects.toBe(
      lost,
    );
    expect([guardCalls, calls.length]).toEqual([3, 2]);
  });
});

describe("a worker that was paused with a write on its way", () => {
  /** The old worker's put leaves, the new worker writes, then the old put lands. */
  async function raceWorkers(open: () => Promise<{ old: Late; next: Write }>) {
    const { old, next } = await open();
    const late = old.write(itemsOf([{ id: 1, v: 1 }]));
    await old.left();
    await next(itemsOf([{ id: 1, v: 2 }]));
    old.land();
    return { late: await late, row: (await storedVersions())[1] };
  }
  type Write = ReturnType<typeof openBatchWriter>["write"];
  interface Late {
    write: Write;
    left(): Promise<void>;
    land(): void;
  }

  const openWorkers =
    (write: (options: Parameters<typeof openBatchWriter>[0]) => Write) => async () => {
      let land = () => {};
      const until = new Promise<void>((resolve) => {
        land = resolve;
      });
      const old = await openOptions(() => ({ kind: "hold", until }));
      const next = await openOptions();
      const left = () => expect.poll(() => old.calls.length).toBe(1);
      return { old: { write: write(old.options), left, land }, next: write(next.options) };
    };

  it("a late write of a paused worker never replaces a newer version in an ordered table (P5)", async () => {
    const ordered = openWorkers(
      (options) => (items) => openConditionalWriter(byNumber, options).write(items),
    );
    expect(await raceWorkers(ordered)).toEqual({
      late: { ...emptyWriteResult(), written: 0, superseded: 1 },
      row: "2",
    });
  });

  it("a late write of a paused worker can put an old row into a table that is written in batches, as documented", async () => {
    const batches = openWorkers((options) => (items) => writeAll(openBatchWriter(options), items));
    expect(await raceWorkers(batches)).toEqual({
      late: { ...emptyWriteResult(), written: 1, superseded: 0 },
      row: "1",
    });
  });
});

describe("write_mode", () => {
  it.each([
    [{ kind: "batch" } as const, "BatchWriteItem"],
    [byNumber, "PutItem"],
  ])("the write mode %o uses %s", async (writeMode, operation) => {
    const { options, calls } = await openOptions();
    await writeAll(openWriter({ key, writeMode }, options), numberedItems(2));
    expect(new Set(calls.map((call) => call.operation))).toEqual(new Set([operation]));
    expect(await storedVersions()).toEqual({ 0: "1", 1: "1" });
  });
});
