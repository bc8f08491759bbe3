import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { World } from "../packages/core/src/base/world.ts";
import type { SourceConfig } from "../packages/core/src/config/types.ts";
import { checkTable } from "../packages/core/src/dynamodb/tables.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { slicedTime, virtualClock } from "./support/clock.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { newRun, takeLease } from "./support/run-state.ts";
import { deploySource, testWorld } from "./support/world.ts";

const rows = Array.from({ length: 250 }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const configOf = (url: string, resource: object = {}): SourceConfig => ({
  client: { base_url: url },
  resource_defaults: { primary_key: "id", write_disposition: "merge" },
  resources: [
    {
      name: "rows",
      endpoint: {
        path: "/rows",
        data_selector: "data",
        paginator: { type: "offset", limit: 100 },
        error_handler: { backoff_factor: 0.01 },
      },
      ...resource,
    },
  ],
});

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const worldWith = (changes?: Partial<World>) => testWorld(engine, changes);
const stateOf = (resourceRef: { source: string; resource: string }) =>
  readState(worldWith(), resourceRef);

describe("a run", () => {
  it("a run puts every record into the table and reports it", async () => {
    const api = await openApi(offsetPages(rows));
    const { run, table, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith())).toMatchObject({
      status: "done",
      table,
      requests: 4,
      pages: 4,
      records: 250,
      written: 250,
      slices: 1,
      error: null,
    });
    expect(await engine.scan(table)).toHaveLength(250);
    expect(await stateOf(resourceRef)).toMatchObject({ status: "done", lease: null });
  });

  it("a run fails at the third time when a server sends the same page for ever, even if its records have no keys (P11)", async () => {
    const api = await openApi(() => ({ body: { data: rows.slice(0, 2) } }));
    const appends = { primary_key: null, write_disposition: "append" };
    const endpoint = { data_selector: "data", paginator: "page_number" };
    const { run } = await deploySource(engine, configOf(api.url, { ...appends, endpoint }));
    expect(await run(worldWith())).toMatchObject({
      status: "failed",
      error: { code: "extract.loop" },
      requests: 3,
    });
  });

  it("a repeated run merges: changed records change, and no row is doubled (P1)", async () => {
    const data = rows.map((row) => ({ ...row }));
    const api = await openApi(offsetPages(data));
    const { run, table } = await deploySource(engine, configOf(api.url));
    await run(worldWith());
    Object.assign(data[41] as object, { title: "changed" });
    data.push({ id: 251, title: "new" });
    expect(await run(worldWith())).toMatchObject({ status: "done", records: 251 });
    const items = await engine.scan(table);
    expect(items).toHaveLength(251);
    expect(items.find(({ id }) => id?.S === "42")?.title).toEqual({ S: "changed" });
  });

  it("every run of an append resource adds its records", async () => {
    const api = await openApi(offsetPages(rows.slice(0, 5)));
    const append = { write_disposition: "append" as const };
    const { run, table } = await deploySource(engine, configOf(api.url, append));
    await run(worldWith());
    await run(worldWith());
    expect(await engine.scan(table)).toHaveLength(10);
  });

  it("a run counts every record, including superseded and quarantined ones (P8)", async () => {
    const data = [{ id: 1, v: "old" }, { id: 2 }, { id: 1, v: "new" }, { title: "no id" }, "text"];
    const api = await openApi(offsetPages(data));
    const { run, table, state, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith())).toMatchObject({
      status: "done",
      records: 5,
      written: 2,
      superseded: 1,
      quarantined: 2,
    });
    const items = await engine.scan(table);
    expect(items.find(({ id }) => id?.S === "1")?.v).toEqual({ S: "new" });
    const aside = (await engine.scan(state)).filter(
      ({ pk, sk }) => pk?.S === `${resourceRef.source}#rows` && sk?.S?.startsWith("quarantine#"),
    );
    expect(aside.map(({ message }) => message?.S).sort()).toEqual([
      'the key field "id" is missing',
      "the record is not an object",
    ]);
  });

  it("a run fails when most records of a page cannot be stored, because the config is wrong then", async () => {
    const api = await openApi(offsetPages(rows.map(({ title }) => ({ title }))));
    const { run, table } = await deploySource(engine, configOf(api.url));
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "failed", error: { code: "load.too_many_rejected" } });
    expect(report.error?.message).toContain('the key field "id" is missing');
    expect(report.error?.hint).toContain("primary_key");
    expect(await engine.scan(table)).toHaveLength(0);
  });
});

describe("a slice", () => {
  it("a slice ends between pages when the next page might not fit, and the next slice continues (P6, P10)", async () => {
    const { passAnswer, oneSlice } = slicedTime();
    const api = await openApi((request, response) => {
      passAnswer();
      return offsetPages(rows)(request, response);
    });
    const { run, table, resourceRef } = await deploySource(engine, configOf(api.url));
    const first = await run(worldWith(oneSlice()), { runId: "long" });
    expect(first.status).toBe("running");
    expect(first.pages).toBeLessThan(4);
    expect(await stateOf(resourceRef)).toMatchObject({ status: "running", lease: null });

    let report = first;
    while (report.status === "running")
      report = await run(worldWith(oneSlice()), { runId: "later" });
    expect(report).toMatchObject({ status: "done", records: 250, written: 250, pages: 4 });
    expect(report.slices).toBeGreaterThan(1);
    expect(report.requests).toBe(4);
    expect(api.requests.map(({ query }) => query.get("offset"))).toEqual(["0", "95", "190", "249"]);
    expect(await engine.scan(table)).toHaveLength(250);
  });

  it("the retry of a failed event continues from the checkpoint (P6)", async () => {
    let broken = true;
    const api = await openApi((request, response) =>
      broken && request.query.get("offset") === "190"
        ? { status: 500 }
        : offsetPages(rows)(request, response),
    );
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith(), { runId: "tick" })).toMatchObject({
      status: "failed",
      records: 195,
      written: 195,
      retries: 3,
      error: { code: "extract.status" },
    });
    expect(await stateOf(resourceRef)).toMatchObject({ status: "failed", lease: null });
    broken = false;
    const before = api.requests.length;
    expect(await run(worldWith(), { runId: "tick" })).toMatchObject({
      status: "done",
      records: 250,
    });
    expect(api.requests.slice(before).map(({ query }) => query.get("offset"))).toEqual([
      "190",
      "249",
    ]);
  });

  it("a run waits without a worker when the API asks for a longer pause than a slice has", async () => {
    const api = await openApi([{ status: 429, headers: { "retry-after": "3600" } }]);
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    const clock = virtualClock();
    const report = await run(worldWith({ clock }));
    expect(report).toMatchObject({ status: "waiting", error: { code: "extract.status" } });
    expect(Date.parse(report.not_before ?? "") - clock.now()).toBe(3600_000);
    expect(await stateOf(resourceRef)).toMatchObject({
      status: "waiting",
      not_before: report.not_before,
    });
    // Another event does not hurry it.
    expect(await run(worldWith({ clock }))).toMatchObject({ status: "waiting" });
    expect(api.requests).toHaveLength(1);
  });

  it("a run is skipped without a request while another worker has the lease (P5)", async () => {
    const api = await openApi(offsetPages(rows));
    const { run, resourceRef, resource } = await deploySource(engine, configOf(api.url));
    const { tableId = null } = await checkTable(worldWith(), resource);
    const unfinished = newRun({ id: "x", planHash: resource.hash, tableId });
    await takeLease(worldWith(), resourceRef, { owner: "other", run: unfinished });
    expect(await run(worldWith())).toMatchObject({
      status: "skipped",
      error: { code: "state.lease_held" },
    });
    expect(api.requests).toHaveLength(0);
    expect(await stateOf(resourceRef)).toMatchObject({ fan_outs: ["x", "run1"], wishes: [] });
  });

  it("an event that meets a living worker of an older config leaves its wish", async () => {
    const api = await openApi(offsetPages(rows));
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    await takeLease(worldWith(), resourceRef, { owner: "other", run: newRun({ id: "x" }) });
    expect(await run(worldWith())).toMatchObject({ status: "covered", run_id: "run1" });
    expect(api.requests).toHaveLength(0);
    expect(await stateOf(resourceRef)).toMatchObject({
      fan_outs: ["x"],
      wishes: [{ id: "run1", refresh: false, serves: null }],
    });
  });

  it("an interrupted run gives its lease back, and the next run continues at once", async () => {
    const stop = new AbortController();
    const api = await openApi((request, response) => {
      if (request.query.get("offset") === "190" && !stop.signal.aborted) {
        stop.abort(new Error("interrupted by SIGINT"));
        return undefined;
      }
      return offsetPages(rows)(request, response);
    });
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    expect(await run(worldWith({ signal: stop.signal }))).toMatchObject({
      status: "failed",
      error: { code: "run.interrupted" },
    });
    expect(await stateOf(resourceRef)).toMatchObject({ status: "running", lease: null });
    expect(await run(worldWith())).toMatchObject({ status: "done", records: 250, slices: 2 });
  });
});

describe("a sample", () => {
  it("a sample writes its pages and leaves an unfinished run as it was, but that its fingerprints are in doubt", async () => {
    const api = await openApi(offsetPages(rows));
    const { run, table, resourceRef } = await deploySource(engine, configOf(api.url));
    await run(worldWith({ deadline: 0 }));
    const before = await stateOf(resourceRef);
    expect(await run(worldWith(), { limitPages: 2 })).toMatchObject({
      status: "done",
      limited: true,
      pages: 2,
      records: 195,
    });
    expect(await engine.scan(table)).toHaveLength(195);
    const after = await stateOf(resourceRef);
    const rowsAfter = { ...before?.body?.rows, in_doubt: true, known: null };
    expect(after).toEqual({
      ...before,
      body: { ...before?.body, rows: rowsAfter },
      ...{ token: 2, seq: 4, lease: null },
      // The sample is a part of the same read: rows without a key have one name for both.
      next_read_id: before?.body?.read_id,
      write_id: expect.any(String),
      updated_at: expect.any(String),
    });
  });
});

describe("bad input ends with a clear error", () => {
  it("a run without its table fails with the table's name and the next step", async () => {
    const api = await openApi(offsetPages(rows));
    const { run } = await deploySource(engine, configOf(api.url));
    const report = await run(worldWith({ names: { app: "tidetable", stage: "absent" } }));
    expect(report).toMatchObject({ status: "failed", error: { code: "load.table_missing" } });
    expect(report.error?.message).toMatch(/tidetable-absent-source\d+\.rows does not exist/);
    expect(report.error?.hint).toContain("sst deploy");
    expect(api.requests).toHaveLength(0);
  });

  it("a run fails when the table was created with another key", async () => {
    const api = await openApi(offsetPages(rows));
    const { resource } = await deploySource(engine, configOf(api.url));
    const changed = configOf(api.url, { primary_key: ["title", "id"] });
    const { run } = await deploySource(engine, changed, { name: resource.source });
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "failed", error: { code: "load.table_key" } });
    expect(report.error?.message).toContain("has the key id (S)");
    expect(report.error?.message).toContain("asks for title (S), id (S)");
    expect(api.requests).toHaveLength(0);
  });

  it("a run fails when the API refuses connections", async () => {
    const api = await openApi(offsetPages(rows));
    const { run } = await deploySource(engine, configOf(api.url));
    await api.close();
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "failed", records: 0, retries: 3 });
    expect(report.error?.message).toContain("refused");
  });

  it("a run fails when the selector matches nothing, and names the keys of the answer", async () => {
    const api = await openApi(() => ({ body: { results: rows, count: 250 } }));
    const { run } = await deploySource(engine, configOf(api.url));
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "failed", error: { code: "extract.selector" } });
    expect(report.error?.message).toContain('"data"');
    expect(report.error?.message).toContain("results, count");
  });
});
