import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { World } from "../packages/core/src/base/world.ts";
import type { SourceConfig } from "../packages/core/src/config/types.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

const HOUR = 3_600_000;
const noon = Date.UTC(2026, 10, 20, 12);
const iso = (ms: number) => new Date(ms).toISOString();

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
const world = (changes?: Partial<World>) => testWorld(engine, changes);

interface Row {
  id: number;
  updated_at: string;
}

/** An API that filters by `since` and has its own clock. */
async function changesApi(rows: Row[], clock: { now: number; broken?: boolean }) {
  return openApi(({ query }) => {
    if (clock.broken && query.get("offset") !== "0") return { status: 500 };
    const since = query.get("since") ?? "";
    const offset = Number(query.get("offset"));
    const found = rows.filter(({ updated_at }) => updated_at >= since);
    return {
      headers: { date: new Date(clock.now).toUTCString() },
      body: { data: found.slice(offset, offset + 10) },
    };
  });
}

const config = (url: string, incremental: object = {}): SourceConfig => ({
  client: { base_url: url },
  resources: [
    {
      name: "changes",
      primary_key: "id",
      write_disposition: "merge",
      endpoint: {
        data_selector: "data",
        paginator: { type: "offset", limit: 10 },
        error_handler: { backoff_factor: 0.01 },
        incremental: {
          cursor_path: "updated_at",
          start_param: "since",
          initial_value: "2026-11-01T00:00:00.000Z",
          ...incremental,
        },
      },
    },
  ],
});

describe("a cursor (P3)", () => {
  it("starts from initial_value, is frozen for the run and committed at its end", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const clock = { now: noon + HOUR };
    const api = await changesApi(rows, clock);
    const { run, table, resourceRef } = await deploy(engine, config(api.url));
    expect(await run(world())).toMatchObject({
      status: "done",
      records: 25,
      cursor: { before: null, after: iso(noon + 24) },
    });
    expect(new Set(api.requests.map(({ query }) => query.get("since")))).toEqual(
      new Set(["2026-11-01T00:00:00.000Z"]),
    );

    rows.push({ id: 3, updated_at: iso(noon + 1000) });
    rows.splice(3, 1);
    const before = api.requests.length;
    // The boundary is read again: another row may have come in at the very same time.
    expect(await run(world())).toMatchObject({
      records: 2,
      cursor: { before: iso(noon + 24), after: iso(noon + 1000) },
    });
    expect(api.requests[before]?.query.get("since")).toBe(iso(noon + 24));
    expect(await engine.scan(table)).toHaveLength(25);
    expect((await readState(world(), resourceRef))?.body?.cursor).toBe(iso(noon + 1000));
  });

  it("never goes beyond the API's own clock at the first page, whatever the rows say", async () => {
    // A row that was committed late carries an earlier time than one that we have read.
    const rows = [{ id: 1, updated_at: iso(noon + 5 * HOUR) }];
    const clock = { now: noon };
    const api = await changesApi(rows, clock);
    const { run, table } = await deploy(engine, config(api.url));
    expect(await run(world())).toMatchObject({ cursor: { before: null, after: iso(noon) } });
    rows.push({ id: 2, updated_at: iso(noon + HOUR) });
    clock.now = noon + 6 * HOUR;
    await run(world());
    expect(await engine.scan(table)).toHaveLength(2);
  });

  it("stays where it is when the run fails", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const clock = { now: noon + HOUR, broken: true };
    const api = await changesApi(rows, clock);
    const { run, resourceRef } = await deploy(engine, config(api.url));
    expect(await run(world())).toMatchObject({
      status: "failed",
      records: 10,
      cursor: { before: null, after: null },
    });
    expect((await readState(world(), resourceRef))?.body?.cursor).toBeNull();
    clock.broken = false;
    expect(await run(world())).toMatchObject({ status: "done", records: 25 });
  });

  it("is not moved by a sample, and ignored by a refresh", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const api = await changesApi(rows, { now: noon + HOUR });
    const { run, resourceRef } = await deploy(engine, config(api.url));
    await run(world(), { limitPages: 1 });
    expect((await readState(world(), resourceRef))?.body ?? null).toBeNull();
    await run(world());
    const before = api.requests.length;
    rows.splice(0, 5);
    expect(await run(world(), { refresh: true })).toMatchObject({
      status: "done",
      records: 20,
      deleted: 5,
      cursor: { before: iso(noon + 24), after: iso(noon + 24) },
    });
    expect(api.requests[before]?.query.get("since")).toBe("2026-11-01T00:00:00.000Z");
  });

  it("reads further back by its lag", async () => {
    const rows = [{ id: 1, updated_at: iso(noon) }];
    const api = await changesApi(rows, { now: noon + HOUR });
    const { run } = await deploy(engine, config(api.url, { lag: 3600 }));
    await run(world());
    const before = api.requests.length;
    expect(await run(world())).toMatchObject({ cursor: { after: iso(noon) } });
    expect(api.requests[before]?.query.get("since")).toBe(iso(noon - HOUR));
  });
});

describe("what an incremental keeps of what the API sends", () => {
  interface Event {
    id: number;
    at?: number | null;
  }

  /** An API that pays no heed to any parameter, in one page. */
  const careless = (events: Event[]) => openApi(() => ({ body: events }));

  async function events(list: Event[], incremental: object, more: object = {}) {
    const api = await careless(list);
    const source = await deploy(engine, {
      client: { base_url: api.url },
      resources: [
        {
          name: "events",
          primary_key: "id",
          endpoint: {
            data_selector: "$",
            paginator: "single_page",
            incremental: { cursor_path: "at", ...incremental },
          },
          ...more,
        },
      ],
    });
    const ids = async () =>
      (await engine.scan(source.table)).map(({ id }) => Number(id?.S ?? id?.N));
    return { api, ...source, ids: async () => (await ids()).sort((a, b) => a - b) };
  }

  const at = (...values: number[]): Event[] => values.map((value) => ({ id: value, at: value }));

  it.each([
    ["from the start on", { initial_value: 3 }, [3, 4, 5], 5],
    ["behind the start, where that is open", { initial_value: 3, range_start: "open" }, [4, 5], 5],
    ["up to the end, and remembers nothing", { initial_value: 2, end_value: 4 }, [2, 3], null],
    [
      "with the end, where that is closed",
      { initial_value: 2, end_value: 4, range_end: "closed" },
      [2, 3, 4],
      null,
    ],
    ["downwards", { initial_value: 3, last_value_func: "min" }, [1, 2, 3], 1],
    [
      "as a function of your own says",
      {
        initial_value: 3,
        last_value_func: (values: (string | number)[]) => Math.max(...values.map(Number)),
      },
      [3, 4, 5],
      5,
    ],
  ])("%s", async (_, incremental, kept, after) => {
    const { run, ids } = await events(at(5, 3, 1, 4, 2), incremental);
    const report = await run(world());
    expect(report).toMatchObject({ status: "done", records: kept.length });
    expect(report.cursor?.after).toBe(after);
    expect(await ids()).toEqual(kept);
  });

  it.each([
    ["raise", "failed", []],
    ["include", "done", [1, 2, 3]],
    ["exclude", "done", [1]],
  ] as const)("a record without a value: %s", async (on_cursor_value_missing, status, kept) => {
    const list = [{ id: 1, at: 1 }, { id: 2, at: null }, { id: 3 }];
    const { run, ids } = await events(list, { on_cursor_value_missing });
    expect(await run(world())).toMatchObject({ status });
    expect(await ids()).toEqual(kept);
  });

  it("in windows of its own length each, for a backfill with step", async () => {
    const asked: string[] = [];
    const api = await openApi(({ query }) => {
      const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
      asked.push(`${from}-${to}`);
      return {
        body: at(1, 2, 3, 4, 5, 6, 7).filter(
          (one) => Number(one.at) >= from && Number(one.at) < to,
        ),
      };
    });
    const incremental = { cursor_path: "at", initial_value: 2, end_value: 7, step: 2 };
    const { run, table } = await deploy(engine, {
      client: { base_url: api.url },
      resources: [
        {
          name: "events",
          primary_key: "id",
          endpoint: {
            data_selector: "$",
            paginator: "single_page",
            incremental: { ...incremental, start_param: "from", end_param: "to" },
          },
        },
      ],
    });
    expect(await run(world())).toMatchObject({ status: "done", records: 5, pages: 3 });
    expect(asked).toEqual(["2-4", "4-6", "6-7"]);
    expect(await engine.scan(table)).toHaveLength(5);
  });

  it.each([
    ["desc", [9, 8, 7, 6, 5, 4, 3, 2, 1], {}, 3],
    ["asc", [1, 2, 3, 4, 5, 6, 7, 8, 9], { end_value: 6 }, 3],
  ] as const)("and stops paging where the rest is out of range (row_order %s)", async (row_order, order, more, pages) => {
    const list = at(...order);
    const api = await openApi(({ query }) => {
      const offset = Number(query.get("offset"));
      return { body: { data: list.slice(offset, offset + 2) } };
    });
    const { run } = await deploy(engine, {
      client: { base_url: api.url },
      resources: [
        {
          name: "events",
          primary_key: "id",
          endpoint: {
            data_selector: "data",
            paginator: { type: "offset", limit: 2 },
            incremental: { cursor_path: "at", initial_value: 5, row_order, ...more },
          },
        },
      ],
    });
    expect(await run(world())).toMatchObject({ status: "done", pages });
  });

  it("where rows are appended: no record at the boundary twice, and none that came in there later missed", async () => {
    const list = [...at(1, 2, 3)];
    const { run, table } = await events(
      list,
      { initial_value: 1 },
      { write_disposition: "append" },
    );
    expect(await run(world())).toMatchObject({ records: 3 });
    expect(await run(world())).toMatchObject({ records: 0 });
    list.push({ id: 33, at: 3 }, { id: 4, at: 4 });
    expect(await run(world())).toMatchObject({ records: 2 });
    expect(await run(world())).toMatchObject({ records: 0 });
    const ids = (await engine.scan(table)).map(({ id }) => Number(id?.N));
    expect(ids.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 33]);
  });

  it("says so when initial_value changes, and goes on from the cursor", async () => {
    const api = await careless(at(1, 2, 3));
    const said: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (line: string) => void said.push(line) };
    const source = (initial_value: number) => ({
      client: { base_url: api.url },
      resources: [
        {
          name: "events",
          primary_key: "id",
          endpoint: {
            data_selector: "$",
            paginator: "single_page" as const,
            incremental: { cursor_path: "at", initial_value },
          },
        },
      ],
    });
    await (await deploy(engine, source(1), { name: "moved" })).run(world({ log }));
    expect(said).toEqual([]);
    const later = await deploy(engine, source(0), { name: "moved" });
    expect(await later.run(world({ log }), { runId: "second" })).toMatchObject({ records: 1 });
    expect(said.join()).toMatch(/initial_value is 0 now, and the cursor stands at 3/);
  });
});
