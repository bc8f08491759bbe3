import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SourceConfig } from "../packages/core/src/config/types.ts";
import { readState } from "../packages/core/src/load/state-item.ts";
import type { World } from "../packages/core/src/world.ts";
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
    const { run, table, place } = await deploy(engine, config(api.url));
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
    expect((await readState(world(), place))?.body?.cursor).toBe(iso(noon + 1000));
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
    const { run, place } = await deploy(engine, config(api.url));
    expect(await run(world())).toMatchObject({
      status: "failed",
      records: 10,
      cursor: { before: null, after: null },
    });
    expect((await readState(world(), place))?.body?.cursor).toBeNull();
    clock.broken = false;
    expect(await run(world())).toMatchObject({ status: "done", records: 25 });
  });

  it("is not moved by a sample, and ignored by a refresh", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({ id: n, updated_at: iso(noon + n) }));
    const api = await changesApi(rows, { now: noon + HOUR });
    const { run, place } = await deploy(engine, config(api.url));
    await run(world(), { limitPages: 1 });
    expect((await readState(world(), place))?.body ?? null).toBeNull();
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
