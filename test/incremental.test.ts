import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import type { World } from "../packages/core/src/base/world.ts";
import type { SourceConfig } from "../packages/core/src/config/types.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

const HOUR = 3_600_000;
const noon = Date.UTC(2026, 10, 20, 12);
const iso = (ms: number) => new Date(ms).toISOString();

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
const worldWith = (changes?: Partial<World>) => testWorld(engine, changes);

interface Row {
  id: number;
  updated_at: string;
}

/** Opens an API that filters by `since` and has its own clock. */
async function openChangesApi(rows: Row[], clock: { now: number; broken?: boolean }) {
  return openApi(({ query }) => {
    if (clock.broken && query.get("offset") !== "0") return { status: 500 };
    const since = query.get("since") ?? "";
    const offset = Number(query.get("offset"));
    const newerRows = rows.filter(({ updated_at }) => updated_at >= since);
    return {
      headers: { date: new Date(clock.now).toUTCString() },
      body: { data: newerRows.slice(offset, offset + 10) },
    };
  });
}

const configOf = (url: string, incremental: object = {}): SourceConfig => ({
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
  it("a start that is counted from now is resolved by the first read, and remembered by later ones", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const api = await openChangesApi(rows, { now: noon + HOUR });
    const config = configOf(api.url, { initial_value: "now - 30 days", lag: 400 * 24 * 3600 });
    const { run } = await deploySource(engine, config);
    const at = (now: number) => worldWith({ clock: { ...realClock, now: () => now } });
    const sent = () => new Set(api.requests.splice(0).map(({ query }) => query.get("since")));
    const start = new Set([iso(noon - 30 * 24 * HOUR).replace(".000", "")]);
    await run(at(noon));
    expect(sent()).toEqual(start);
    // The lag would go back further, and the start of the first read bounds it.
    await run(at(noon + 24 * HOUR));
    expect(sent()).toEqual(start);
  });

  it("a cursor starts from initial_value, is frozen during the run and committed at its end", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const clock = { now: noon + HOUR };
    const api = await openChangesApi(rows, clock);
    const { run, table, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith())).toMatchObject({
      status: "done",
      records: 25,
      cursor: { before: null, after: iso(noon + 24) },
    });
    expect(new Set(api.requests.map(({ query }) => query.get("since")))).toEqual(
      new Set(["2026-11-01T00:00:00.000Z"]),
    );

    rows.push({ id: 3, updated_at: iso(noon + 1000) });
    rows.splice(3, 1);
    const requestsBefore = api.requests.length;
    // The boundary is read again, because another row may have arrived at the very same time.
    expect(await run(worldWith())).toMatchObject({
      records: 2,
      cursor: { before: iso(noon + 24), after: iso(noon + 1000) },
    });
    expect(api.requests[requestsBefore]?.query.get("since")).toBe(iso(noon + 24));
    expect(await engine.scan(table)).toHaveLength(25);
    expect((await readState(worldWith(), resourceRef))?.body?.cursor).toBe(iso(noon + 1000));
  });

  it("a cursor never goes beyond the API's own clock at the first page, whatever the rows say", async () => {
    // A row that is committed late has an earlier time than a row that was read before.
    const rows = [{ id: 1, updated_at: iso(noon + 5 * HOUR) }];
    const clock = { now: noon };
    const api = await openChangesApi(rows, clock);
    const { run, table } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith())).toMatchObject({ cursor: { before: null, after: iso(noon) } });
    rows.push({ id: 2, updated_at: iso(noon + HOUR) });
    clock.now = noon + 6 * HOUR;
    await run(worldWith());
    expect(await engine.scan(table)).toHaveLength(2);
  });

  it("a cursor stays where it was after a failed run", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const clock = { now: noon + HOUR, broken: true };
    const api = await openChangesApi(rows, clock);
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith())).toMatchObject({
      status: "failed",
      records: 10,
      cursor: { before: null, after: null },
    });
    expect((await readState(worldWith(), resourceRef))?.body?.cursor).toBeNull();
    clock.broken = false;
    expect(await run(worldWith())).toMatchObject({ status: "done", records: 25 });
  });

  it("a cursor is not moved by a sample, and a refresh ignores it", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const api = await openChangesApi(rows, { now: noon + HOUR });
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    await run(worldWith(), { limitPages: 1 });
    expect((await readState(worldWith(), resourceRef))?.body ?? null).toBeNull();
    await run(worldWith());
    const requestsBefore = api.requests.length;
    rows.splice(0, 5);
    expect(await run(worldWith(), { refresh: true })).toMatchObject({
      status: "done",
      records: 20,
      deleted: 5,
      cursor: { before: iso(noon + 24), after: iso(noon + 24) },
    });
    expect(api.requests[requestsBefore]?.query.get("since")).toBe("2026-11-01T00:00:00.000Z");
  });

  it("a run reads further back than the cursor by the lag", async () => {
    const rows = [{ id: 1, updated_at: iso(noon) }];
    const api = await openChangesApi(rows, { now: noon + HOUR });
    const { run } = await deploySource(engine, configOf(api.url, { lag: 3600 }));
    await run(worldWith());
    const requestsBefore = api.requests.length;
    expect(await run(worldWith())).toMatchObject({ cursor: { after: iso(noon) } });
    expect(api.requests[requestsBefore]?.query.get("since")).toBe(iso(noon - HOUR));
  });
});

describe("the records that an incremental resource keeps", () => {
  interface Event {
    id: number;
    at?: number | null;
  }

  /** Opens an API that ignores every parameter and sends one page. */
  const openUnfilteredApi = (events: Event[]) => openApi(() => ({ body: events }));

  async function deployEvents(list: Event[], incremental: object, resource: object = {}) {
    const api = await openUnfilteredApi(list);
    const source = await deploySource(engine, {
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
          ...resource,
        },
      ],
    });
    const ids = async () =>
      (await engine.scan(source.table)).map(({ id }) => Number(id?.S ?? id?.N));
    return { api, ...source, ids: async () => (await ids()).sort((a, b) => a - b) };
  }

  const eventsAt = (...values: number[]): Event[] =>
    values.map((value) => ({ id: value, at: value }));

  it.each([
    ["from initial_value on", { initial_value: 3 }, [3, 4, 5], 5],
    [
      "after initial_value when range_start is open",
      { initial_value: 3, range_start: "open" },
      [4, 5],
      5,
    ],
    ["before end_value, and stores no cursor", { initial_value: 2, end_value: 4 }, [2, 3], null],
    [
      "up to and including end_value when range_end is closed",
      { initial_value: 2, end_value: 4, range_end: "closed" },
      [2, 3, 4],
      null,
    ],
    [
      "up to initial_value when last_value_func is min",
      { initial_value: 3, last_value_func: "min" },
      [1, 2, 3],
      1,
    ],
    [
      "that a last_value_func of its own selects",
      {
        initial_value: 3,
        last_value_func: (values: (string | number)[]) => Math.max(...values.map(Number)),
      },
      [3, 4, 5],
      5,
    ],
  ])("an incremental resource keeps the records %s", async (_, incremental, kept, after) => {
    const { run, ids } = await deployEvents(eventsAt(5, 3, 1, 4, 2), incremental);
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "done", records: kept.length });
    expect(report.cursor?.after).toBe(after);
    expect(await ids()).toEqual(kept);
  });

  it.each([
    ["raise", "failed", []],
    ["include", "done", [1, 2, 3]],
    ["exclude", "done", [1]],
  ] as const)("a record without a cursor value is handled as on_cursor_value_missing says: %s", async (on_cursor_value_missing, status, kept) => {
    const list = [{ id: 1, at: 1 }, { id: 2, at: null }, { id: 3 }];
    const { run, ids } = await deployEvents(list, { on_cursor_value_missing });
    expect(await run(worldWith())).toMatchObject({ status });
    expect(await ids()).toEqual(kept);
  });

  it("a backfill with step is read in one window after the other", async () => {
    const requestedWindows: string[] = [];
    const api = await openApi(({ query }) => {
      const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
      requestedWindows.push(`${from}-${to}`);
      return {
        body: eventsAt(1, 2, 3, 4, 5, 6, 7).filter(
          ({ at }) => Number(at) >= from && Number(at) < to,
        ),
      };
    });
    const incremental = { cursor_path: "at", initial_value: 2, end_value: 7, step: 2 };
    const { run, table } = await deploySource(engine, {
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
    expect(await run(worldWith())).toMatchObject({ status: "done", records: 5, pages: 3 });
    expect(requestedWindows).toEqual(["2-4", "4-6", "6-7"]);
    expect(await engine.scan(table)).toHaveLength(5);
  });

  it.each([
    ["desc", [9, 8, 7, 6, 5, 4, 3, 2, 1], {}, 3],
    ["asc", [1, 2, 3, 4, 5, 6, 7, 8, 9], { end_value: 6 }, 3],
  ] as const)("paging stops when all further records are out of range (row_order %s)", async (row_order, ids, options, pages) => {
    const list = eventsAt(...ids);
    const api = await openApi(({ query }) => {
      const offset = Number(query.get("offset"));
      return { body: { data: list.slice(offset, offset + 2) } };
    });
    const { run } = await deploySource(engine, {
      client: { base_url: api.url },
      resources: [
        {
          name: "events",
          primary_key: "id",
          endpoint: {
            data_selector: "data",
            paginator: { type: "offset", limit: 2 },
            incremental: { cursor_path: "at", initial_value: 5, row_order, ...options },
          },
        },
      ],
    });
    expect(await run(worldWith())).toMatchObject({ status: "done", pages });
  });

  it("an append puts records at the boundary again under the same names, and misses none that arrives there later", async () => {
    const list = eventsAt(1, 2, 3);
    const { run, table } = await deployEvents(
      list,
      { initial_value: 1 },
      { write_disposition: "append" },
    );
    expect(await run(worldWith())).toMatchObject({ records: 3 });
    expect(await run(worldWith())).toMatchObject({ records: 1, written: 1 });
    list.push({ id: 33, at: 3 }, { id: 4, at: 4 });
    expect(await run(worldWith())).toMatchObject({ records: 3, written: 3 });
    expect(await run(worldWith())).toMatchObject({ records: 1, written: 1 });
    const ids = (await engine.scan(table)).map(({ id }) => Number(id?.N));
    expect(ids.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 33]);
  });

  it("a changed initial_value is reported, and the run continues from the cursor", async () => {
    const api = await openUnfilteredApi(eventsAt(1, 2, 3));
    const warnings: string[] = [];
    const log = {
      debug() {},
      info() {},
      error() {},
      warn: (line: string) => void warnings.push(line),
    };
    const sourceWith = (initial_value: number) => ({
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
    await (await deploySource(engine, sourceWith(1), { name: "moved" })).run(worldWith({ log }));
    expect(warnings).toEqual([]);
    const later = await deploySource(engine, sourceWith(0), { name: "moved" });
    expect(await later.run(worldWith({ log }), { runId: "second" })).toMatchObject({ records: 1 });
    expect(warnings.join()).toMatch(/initial_value is 0 now, and the cursor stands at 3/);
  });
});
