import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { realClock } from "../packages/core/src/clock.ts";
import type { ResourceOptions, SchemaContractMode } from "../packages/core/src/config/types.ts";
import { readRun } from "../packages/core/src/load/history.ts";
import { listQuarantine } from "../packages/core/src/load/quarantine.ts";
import { forgetSchema, readSchema, readVersions } from "../packages/core/src/load/schemas.ts";
import { LEASE_MS, TAKEOVER_MS } from "../packages/core/src/load/state.ts";
import { sliceMetrics } from "../packages/core/src/metrics.ts";
import { replayQuarantine } from "../packages/core/src/replay.ts";
import { parseShape } from "../packages/core/src/schema/shape.ts";
import type { World } from "../packages/core/src/world.ts";
import { type Api, offsetPages, openApi } from "./support/api.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Call, type Fault, faultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

/*
 * The schema of a resource through the real engine: what runs make of it, keep of it, and let in.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const steady = (n: number) => ({ id: n, name: `row ${n}`, size: n, at: "2026-01-01T00:00:00Z" });
const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => steady(n + 1));

/** Half-way the API changes a type, adds a field, and has a null. */
function changed(): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = rowsOf(10);
  rows[5] = { ...steady(6), size: "large" };
  rows[6] = { ...steady(7), extra: true };
  rows[7] = { ...steady(8), name: null };
  return rows;
}

async function desk(
  rows: unknown[],
  options: ResourceOptions = {},
  { dynamodb, answersIn = 0 }: { dynamodb?: World["dynamodb"]; answersIn?: number } = {},
) {
  const data = [...rows];
  const log: string[] = [];
  const api = await openApi(async (request, response) => {
    await realClock.sleep(answersIn);
    return offsetPages(data)(request, response);
  });
  const deployed = await deploy(engine, configOf(api), { resources: { rows: options } });
  const { place, table, resource } = deployed;
  const warn = (message: string) => void log.push(message);
  const world = (changes: Partial<World> = {}) =>
    testWorld(engine, {
      log: { debug() {}, info() {}, error() {}, warn },
      ...(dynamodb && { dynamodb }),
      ...changes,
    });
  return {
    ...deployed,
    api,
    log,
    world,
    run: (changes?: Partial<World>, order?: Parameters<typeof deployed.run>[1]) =>
      deployed.run(world(changes), order),
    show(next: unknown[]) {
      data.splice(0, data.length, ...next);
    },
    row: async (id: number) => (await engine.scan(table)).find((item) => item.id?.S === `${id}`),
    rows: async () => (await engine.scan(table)).length,
    stored: () => readSchema(world(), place),
    versions: () => readVersions(world(), place),
    history: (runId: string) => readRun(world(), place, runId),
    replay: (as = resource) => replayQuarantine(as, world(), "me/1"),
    aside: async () => {
      const entries = [];
      for await (const some of listQuarantine(world(), place)) entries.push(...some);
      return entries.map(({ code, path }) => `${code} ${path}`).sort();
    },
  };
}

const configOf = ({ url }: Pick<Api, "url">) => ({
  client: { base_url: url },
  resources: [
    {
      name: "rows",
      primary_key: "id",
      endpoint: {
        path: "/rows",
        data_selector: "data",
        paginator: { type: "offset", limit: 5 } as const,
        error_handler: { max_retries: 0 },
      },
    },
  ],
});

const drift = [
  { field: "extra", change: "new", before: null, after: "bool" },
  { field: "name", change: "nullable", before: "not null", after: "nullable" },
  { field: "size", change: "type", before: "bigint", after: "bigint | text" },
];

describe("an API whose field changes its type, gains a field and has a null half-way", () => {
  interface Expected {
    counts: object;
    rows: number;
    /** Of the records that changed: size of 6, extra of 7, name of 8. */
    values: unknown[];
    changed: string[];
    aside: string[];
  }
  const all = { size: { S: "large" }, extra: { BOOL: true }, name: { NULL: true } };
  const table: Record<Exclude<SchemaContractMode, "freeze">, Expected> = {
    evolve: {
      counts: { records: 10, written: 10, quarantined: 0, discarded_values: 0 },
      rows: 10,
      values: [all.size, all.extra, all.name],
      changed: ["extra", "name", "size"],
      aside: [],
    },
    discard_value: {
      counts: { records: 10, written: 10, quarantined: 0, discarded_values: 2 },
      rows: 10,
      values: [undefined, undefined, all.name],
      changed: ["name", "size"],
      aside: [],
    },
    discard_row: {
      counts: { records: 10, written: 8, quarantined: 2, discarded_values: 0 },
      rows: 10,
      values: [{ N: "6" }, undefined, all.name],
      changed: ["name"],
      aside: ["schema.new_field extra", "schema.type size"],
    },
  };

  test.each(Object.entries(table))("%s", async (mode, {
    counts,
    rows,
    values,
    changed: names,
    aside,
  }) => {
    const schema_contract = mode as SchemaContractMode;
    const desk1 = await desk(rowsOf(10), { schema_contract });
    expect(await desk1.run()).toMatchObject({
      status: "done",
      schema: { version: 1, changed: 0, changes: [] },
    });
    expect(desk1.log).toEqual([]);

    desk1.show(changed());
    const report = await desk1.run();
    expect(report).toMatchObject({ status: "done", ...counts });
    const { records, written, unchanged, superseded, quarantined } = report;
    expect(written + unchanged + superseded + quarantined).toBe(records);
    expect(await desk1.rows()).toBe(rows);
    const [six, seven, eight] = [await desk1.row(6), await desk1.row(7), await desk1.row(8)];
    expect([six?.size, seven?.extra, eight?.name]).toEqual(values);
    expect(await desk1.aside()).toEqual(aside);

    // Drift is told in the report, the history, a metric and the log.
    const { schema } = report;
    expect(schema).toMatchObject({ version: 2, changed: names.length });
    expect(schema?.changes.map(({ field }) => field)).toEqual(names);
    if (mode === "evolve") expect(schema?.changes).toEqual(drift);
    expect((await desk1.history("run2"))?.schema).toEqual(schema);
    const { names: app } = desk1.world();
    expect(sliceMetrics(app, report, 0)).toMatchObject({ schema_changes: names.length });
    const { source } = desk1.place;
    expect(desk1.log).toEqual([
      expect.stringContaining(`\`tidetable schema ${source}/rows --diff\``),
    ]);
    for (const name of names) expect(desk1.log[0]).toContain(`"${name}"`);

    // The same again is no news.
    expect(await desk1.run()).toMatchObject({ schema: { version: 2, changed: 0 } });
    expect(desk1.log).toHaveLength(1);
  });

  it("freeze: the run fails at the page, names the field, and its other pages stay", async () => {
    const desk1 = await desk(rowsOf(10), { schema_contract: "freeze" });
    await desk1.run();
    desk1.show(changed());
    expect(await desk1.run()).toMatchObject({
      status: "failed",
      records: 5,
      written: 5,
      error: {
        code: "schema.type",
        message: 'the field "size" is text, and the schema has bigint',
        hint: expect.stringContaining("schema_contract"),
      },
      schema: { version: 1, changed: 0 },
    });
    expect((await desk1.row(6))?.size).toEqual({ N: "6" });
    expect(await desk1.versions()).toHaveLength(1);

    // Let in by its declaration, the run is through.
    const columns = { size: { data_type: "text" }, extra: {} } as const;
    const { resource } = await deploy(engine, configOf(desk1.api), {
      name: desk1.place.source,
      resources: { rows: { schema_contract: "freeze", columns } },
    });
    Object.assign(desk1.resource, resource);
    expect(await desk1.run()).toMatchObject({ status: "done", written: 10 });
    expect((await desk1.row(7))?.size).toEqual({ S: "7" });
    expect((await desk1.row(7))?.extra).toEqual({ BOOL: true });
  });
});

type Put = { Item?: { sk?: { S?: string } } };
const sortKey = ({ operation, body }: Call) =>
  operation === "PutItem" ? ((body as Put).Item?.sk?.S ?? "") : "";
const putsSchema = (call: Call) => sortKey(call).startsWith("schema");
const isVersion = (call: Call) => sortKey(call).startsWith("schema#");

describe("what a run keeps of a schema", () => {
  it("the same data make no new version, and no write for it", async () => {
    const calls: Call[] = [];
    const proxy = await faultyDynamodb(engine.endpoint, (call) => void calls.push(call));
    const dynamodb = clientOf(proxy.endpoint);
    const desk1 = await desk(rowsOf(10), {}, { dynamodb });
    const puts = () => calls.splice(0).filter(putsSchema).length;
    await desk1.run();
    // The first page shows everything; then the version, and that it is the one.
    expect(puts()).toBe(3);
    await desk1.run();
    expect(puts()).toBe(0);
    expect(await desk1.versions()).toEqual([
      expect.objectContaining({
        version: 1,
        run_id: "run1",
        columns: expect.objectContaining({
          id: { data_type: "bigint", nullable: false, primary_key: true },
          at: { data_type: "timestamp", nullable: false },
        }),
      }),
    ]);
    await proxy.close();
  });

  it("a run that fails half-way keeps what is stored by then, and holds nobody to it", async () => {
    const rows = rowsOf(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk1 = await desk(rows, { schema_contract: "freeze" });
    const pages = offsetPages(rows);
    const api = await openApi((request, response) =>
      request.query.get("offset") === "5" ? { status: 400 } : pages(request, response),
    );
    const { resource } = await deploy(engine, configOf(api), {
      name: desk1.place.source,
      resources: { rows: { schema_contract: "freeze" } },
    });
    const good = { ...desk1.resource };
    Object.assign(desk1.resource, resource);
    expect(await desk1.run()).toMatchObject({ status: "failed", written: 5 });
    expect(await desk1.stored()).toMatchObject({ version: 1, known: null });

    // Its second half has a field that the first had not: still a first run.
    Object.assign(desk1.resource, good);
    expect(await desk1.run()).toMatchObject({ status: "done", schema: { version: 2 } });
    expect((await desk1.stored())?.known).not.toBeNull();
    desk1.show([...rows, { ...steady(11), another: 1 }]);
    expect(await desk1.run()).toMatchObject({
      status: "failed",
      error: { code: "schema.new_field" },
    });
  });

  it("a sample holds nobody to what it has seen, either", async () => {
    const rows = rowsOf(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk1 = await desk(rows, { schema_contract: "freeze" });
    expect(await desk1.run({}, { limitPages: 1 })).toMatchObject({ schema: { version: 1 } });
    expect(await desk1.run()).toMatchObject({ status: "done", schema: { version: 2 } });
  });

  it("the next slice goes on with what the one before has seen", async () => {
    const rows = rowsOf(10).map((row, n) => (n === 0 ? { ...row, early: 1 } : row));
    const desk1 = await desk(rows, {}, { answersIn: 60 });
    const deadline = () => realClock.monotonic() + 150;
    const first = await desk1.run({ deadline: deadline() }, { runId: "r" });
    expect(first).toMatchObject({ status: "running", schema: null });
    expect(await desk1.versions()).toEqual([]);
    expect(await desk1.run({}, { runId: "r" })).toMatchObject({
      status: "done",
      schema: { version: 1 },
    });
    const [version] = await desk1.versions();
    expect(version?.columns.early).toEqual({ data_type: "bigint", nullable: true });
  });

  it("a worker that dies between rows and checkpoint: its successor reads the page again and knows it all", async () => {
    const death = new AbortController();
    const proxy = await faultyDynamodb(engine.endpoint, (call): Fault | undefined =>
      putsSchema(call) && !death.signal.aborted
        ? { kind: "death", when: "before", kill: () => death.abort() }
        : undefined,
    );
    const desk1 = await desk(changed());
    const dead = await desk1.run(
      { dynamodb: clientOf(proxy.endpoint), signal: death.signal },
      { runId: "r" },
    );
    expect(dead).toMatchObject({ error: { code: "run.interrupted" } });
    expect(await desk1.rows()).toBeGreaterThanOrEqual(5);
    expect(await desk1.stored()).toBeUndefined();
    expect(await desk1.run(later(), { runId: "r" })).toMatchObject({
      status: "done",
      written: 10,
      schema: { version: 1 },
    });
    const [version] = await desk1.versions();
    const names = Object.keys(version?.columns ?? {});
    expect(names).toEqual(["id", "at", "extra", "name", "size"]);
    await proxy.close();
  });

  it("a worker that dies between a version and its number: the next run comes to the same version", async () => {
    let puts = 0;
    const death = new AbortController();
    const proxy = await faultyDynamodb(engine.endpoint, (call): Fault | undefined => {
      if (!putsSchema(call)) return undefined;
      puts += 1;
      return puts === 3 ? { kind: "death", when: "before", kill: () => death.abort() } : undefined;
    });
    const desk1 = await desk(rowsOf(3));
    await desk1.run({ dynamodb: clientOf(proxy.endpoint), signal: death.signal }, { runId: "r" });
    expect(await desk1.versions()).toHaveLength(1);
    expect(await desk1.stored()).toMatchObject({ version: 0 });
    await desk1.run(later(), { runId: "r" });
    expect(await desk1.versions()).toHaveLength(1);
    expect(await desk1.stored()).toMatchObject({ version: 1 });
    await proxy.close();
  });

  it("a put whose answer was lost is recognised, and is not somebody else's", async () => {
    const proxy = await faultyDynamodb(engine.endpoint, (call) =>
      putsSchema(call) && seen.push(call) % 2 ? { kind: "reset", when: "after" } : undefined,
    );
    const seen: Call[] = [];
    const desk1 = await desk(rowsOf(3), {}, { dynamodb: clientOf(proxy.endpoint) });
    expect(await desk1.run()).toMatchObject({ status: "done" });
    expect(await desk1.stored()).toMatchObject({ version: 1, revision: 2 });
    expect(seen.length).toBeGreaterThan(3);
    await proxy.close();
  });

  it.each([
    ["a page's fields", putsSchema],
    ["a version", isVersion],
  ])("a worker that was paused on %s overwrites nothing of its successor's (P5)", async (_, isIt) => {
    let wake = () => {};
    const until = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let asleep = () => {};
    const paused = new Promise<void>((resolve) => {
      asleep = resolve;
    });
    const proxy = await faultyDynamodb(engine.endpoint, (call): Fault | undefined => {
      if (!isIt(call)) return undefined;
      asleep();
      return { kind: "hold", until };
    });
    const desk1 = await desk(rowsOf(3));
    const first = desk1.run({ dynamodb: clientOf(proxy.endpoint) }, { runId: "r" });
    await paused;

    const second = await desk1.run(later(), { runId: "r" });
    expect(second).toMatchObject({ status: "done", written: 3, schema: { version: 1 } });
    const after = [await desk1.versions(), await desk1.stored()];
    wake();
    expect(await first).toMatchObject({ status: "skipped", error: { code: "state.lease_lost" } });
    expect([await desk1.versions(), await desk1.stored()]).toEqual(after);
    await proxy.close();
  });
});

/** When the lease of a worker that has died is over. */
const later = (): Partial<World> => ({
  clock: { ...realClock, now: () => Date.now() + LEASE_MS + TAKEOVER_MS + 1000 },
});

describe("an emptied table begins anew, and versions are counted on", () => {
  const frozen = { schema_contract: "freeze" } as const;

  it("another table under the same name", async () => {
    const desk1 = await desk(rowsOf(3), frozen);
    await desk1.run();
    const { DeleteTableCommand } = await import("@aws-sdk/client-dynamodb");
    await engine.dynamodb.send(new DeleteTableCommand({ TableName: desk1.table }));
    await deploy(engine, configOf(desk1.api), { name: desk1.place.source });
    desk1.show([{ id: 1, other: 1 }]);
    expect(await desk1.run()).toMatchObject({
      status: "done",
      schema: { version: 2, changed: 0 },
    });
    const [, version] = await desk1.versions();
    expect(Object.keys(version?.columns ?? {})).toEqual(["id", "other"]);
  });

  it("one that was forgotten, and comes to the same schema", async () => {
    const desk1 = await desk(rowsOf(3), frozen);
    await desk1.run();
    await forgetSchema(desk1.world(), desk1.place);
    expect(await desk1.stored()).toMatchObject({ seen: "{}", known: null, version: 1 });
    expect(parseShape("{}").kinds).toBe(0);
    expect(await desk1.run()).toMatchObject({ schema: { version: 1 } });
    // And the contract holds again.
    desk1.show([{ ...steady(1), extra: 1 }]);
    expect(await desk1.run()).toMatchObject({ error: { code: "schema.new_field" } });
  });
});

describe("tables", () => {
  it("frozen: a table without a schema takes no record", async () => {
    const desk1 = await desk(rowsOf(3), { schema_contract: { tables: "freeze" } });
    expect(await desk1.run()).toMatchObject({
      status: "failed",
      written: 0,
      error: { code: "schema.new_table" },
    });
    expect(await desk1.rows()).toBe(0);
  });
});

it("what a contract set aside goes in by a replay, when the contract lets it in", async () => {
  const desk1 = await desk(rowsOf(10), { schema_contract: "discard_row" });
  await desk1.run();
  desk1.show(changed().map((row, n) => ({ ...row, id: n + 101 })));
  expect(await desk1.run()).toMatchObject({ quarantined: 2 });
  expect(await desk1.replay()).toMatchObject({
    replayed: 0,
    kept: [{ code: "schema.new_field" }, { code: "schema.type" }],
  });
  const relaxed = {
    ...desk1.resource,
    contract: { tables: "evolve", columns: "evolve", dataType: "evolve" } as const,
  };
  expect(await desk1.replay(relaxed)).toEqual({ replayed: 2, kept: [] });
  expect((await desk1.row(106))?.size).toEqual({ S: "large" });
  expect(await desk1.aside()).toEqual([]);
  // The rows are in, and so is what they taught.
  expect(await desk1.stored()).toMatchObject({ version: 3 });
  expect((await desk1.versions()).at(-1)?.columns).toMatchObject({
    extra: { data_type: "bool", nullable: true },
    size: { variants: ["bigint", "text"] },
  });
});
