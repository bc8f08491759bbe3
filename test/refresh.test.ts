import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import type { World } from "../packages/core/src/base/world.ts";
import type { ResourceOptions, SourceConfig } from "../packages/core/src/config/types.ts";
import { readRun } from "../packages/core/src/state/history.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { type Handler, offsetPages, openApi } from "./support/api.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { openFaultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

interface Row {
  id: number;
  title: string;
}
const makeRows = (count: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const configOf = (url: string, resource: object = {}): SourceConfig => ({
  client: { base_url: url },
  resources: [
    {
      name: "rows",
      primary_key: "id",
      write_disposition: "merge",
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

/** A world in which the slice ends as soon as one step is durable. */
function oneStepWorld(): World {
  let passed = 0;
  const passTime = (ms: number) => {
    passed += ms;
  };
  const clock: World["clock"] = {
    ...realClock,
    monotonic: () => realClock.monotonic() + passed,
    sleep(ms, signal) {
      // Each request takes 20 s: after it there is no time for another, and the lease still holds.
      if (ms === 30_000) passTime(20_000);
      return realClock.sleep(ms, signal);
    },
  };
  const { log } = worldWith();
  return worldWith({
    clock,
    log: { ...log, debug: () => passTime(3_600_000) },
    deadline: clock.monotonic() + 45_000,
  });
}

/** Deploys a resource over rows that a test may change. */
async function deployMirror(rows: Row[], resource: object = {}, options: ResourceOptions = {}) {
  const api = await openApi((request, response) => offsetPages(rows)(request, response));
  const deployed = await deploySource(engine, configOf(api.url, resource), {
    resources: { rows: options },
  });
  const ids = async () =>
    (await engine.scan(deployed.table)).map(({ id }) => Number(id?.S)).sort((a, b) => a - b);
  return { api, ids, ...deployed };
}

describe("a refresh (P4)", () => {
  it("a refresh deletes the rows that the API no longer shows, and reports their number", async () => {
    const rows = makeRows(250);
    const { run, ids } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(100, 30);
    expect(await run(worldWith())).toMatchObject({ status: "done", deleted: 0 });
    expect(await ids()).toHaveLength(250);
    expect(await run(worldWith(), { refresh: true })).toMatchObject({
      status: "done",
      records: 220,
      deleted: 30,
    });
    expect(await ids()).toEqual(rows.map(({ id }) => id));
  });

  it("a refresh deletes rows with any values, including nested maps and lists", async () => {
    const nested = {
      map: { a: [1, { b: null }], c: {} },
      list: [[], ["x"], { n: 1.5 }],
      no: false,
    };
    const rows = makeRows(6).map((row) => ({ ...row, ...nested, own: { id: [row.id] } }));
    const { run, ids } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 2);
    expect(await run(worldWith(), { refresh: true })).toMatchObject({ status: "done", deleted: 2 });
    expect(await ids()).toEqual([3, 4, 5, 6]);
  });

  it("every run of a replace resource is a refresh, with or without a key", async () => {
    const rows = makeRows(10);
    const keyed = await deployMirror(rows, { write_disposition: "replace" });
    await keyed.run(worldWith());
    rows.splice(0, 3);
    expect(await keyed.run(worldWith())).toMatchObject({ status: "done", deleted: 3 });
    expect(await keyed.ids()).toEqual([4, 5, 6, 7, 8, 9, 10]);

    const bare = await deployMirror(rows, { write_disposition: "replace", primary_key: null });
    await bare.run(worldWith());
    await bare.run(worldWith());
    expect((await engine.scan(bare.table)).map(({ id }) => id?.N).sort()).toHaveLength(7);
  });

  it("a refresh that would delete more rows than stay deletes nothing and says what to do", async () => {
    const rows = makeRows(100);
    const { run, ids } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 60);
    const report = await run(worldWith(), { refresh: true });
    expect(report).toMatchObject({
      status: "failed",
      deleted: 0,
      error: {
        code: "load.sweep_refused",
        message: "60 of 100 rows would go, more than would stay: nothing was deleted",
      },
    });
    expect(report.error?.hint).toContain("allow_shrink: true");
    expect(await ids()).toHaveLength(100);
  });

  it("a refresh deletes nothing when the API shows no records at all", async () => {
    const rows = makeRows(5);
    const { run, ids } = await deployMirror(rows);
    await run(worldWith());
    rows.length = 0;
    const report = await run(worldWith(), { refresh: true });
    expect(report).toMatchObject({ status: "failed", error: { code: "load.sweep_refused" } });
    expect(report.error?.message).toContain("no records at all");
    expect(await ids()).toHaveLength(5);
  });

  it("a refresh with allow_shrink may delete most rows, and all of them", async () => {
    const rows = makeRows(50);
    const { run, ids } = await deployMirror(rows, {}, { allow_shrink: true });
    await run(worldWith());
    rows.splice(0, 49);
    expect(await run(worldWith(), { refresh: true })).toMatchObject({
      status: "done",
      deleted: 49,
    });
    rows.length = 0;
    expect(await run(worldWith(), { refresh: true })).toMatchObject({ status: "done", deleted: 1 });
    expect(await ids()).toEqual([]);
  });

  it("a refresh keeps the row of a record that could not be stored this time", async () => {
    const rows = makeRows(10);
    const { run, ids } = await deployMirror(rows);
    await run(worldWith());
    Object.assign(rows[3] as Row, { title: "x".repeat(500_000) });
    expect(await run(worldWith(), { refresh: true })).toMatchObject({
      status: "done",
      quarantined: 1,
      deleted: 0,
    });
    expect(await ids()).toHaveLength(10);
  });

  it("a refresh keeps a row that somebody changed between the scan and the delete", async () => {
    const rows = makeRows(10);
    const { run, table, ids, resource } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 2);
    let allowDeletes = () => {};
    const areChanged = new Promise<void>((resolve) => {
      allowDeletes = resolve;
    });
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ operation, body }) => {
      if (operation !== "DeleteItem") return undefined;
      expect(JSON.stringify(body)).toContain(table);
      return { kind: "hold", until: areChanged };
    });
    const dynamodb = clientOf(proxy.endpoint);
    const refresh = run(worldWith({ dynamodb }), { refresh: true });
    const deleteCalls = () => proxy.calls.filter(({ operation }) => operation === "DeleteItem");
    await expect.poll(deleteCalls).toHaveLength(2);
    for (const id of ["1", "2"]) {
      const Item = { id: { S: id }, title: { S: "written by another hand" } };
      await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    }
    allowDeletes();
    expect(await refresh).toMatchObject({ status: "done", deleted: 0 });
    expect(await ids()).toHaveLength(10);
    expect(resource.disposition).toBe("merge");
    dynamodb.destroy();
    await proxy.close();
  });

  it("a refresh continues from its checkpoint in slices, through reading, counting and sweeping (P6)", async () => {
    const rows = makeRows(250);
    const { run, ids, resourceRef } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 100);
    const phases: string[] = [];
    let report = await run(oneStepWorld(), { refresh: true });
    while (report.status === "running") {
      phases.push((await readState(worldWith(), resourceRef))?.body?.phase ?? "");
      report = await run(oneStepWorld());
    }
    expect(report).toMatchObject({ status: "done", records: 150, deleted: 100 });
    expect(phases).toEqual(["read", "read", "count", "sweep"]);
    expect(report.slices).toBe(5);
    expect(await ids()).toEqual(rows.map(({ id }) => id));
  });

  it("a refresh deletes nothing when some of the keys that it has seen are missing", async () => {
    const rows = makeRows(250);
    const { run, ids, resourceRef, state } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 50);
    const readPhase = async () => (await readState(worldWith(), resourceRef))?.body?.phase;
    await run(oneStepWorld(), { refresh: true });
    while ((await readPhase()) === "read") await run(oneStepWorld());
    const lost = { pk: { S: `${resourceRef.source}#rows/seen/0` }, sk: { S: "keys" } };
    await engine.dynamodb.send(new PutItemCommand({ TableName: state, Item: lost }));
    expect(await run(worldWith())).toMatchObject({
      status: "failed",
      deleted: 0,
      error: { code: "load.seen_missing" },
    });
    expect(await ids()).toHaveLength(250);
  });

  it("a refresh that meets an unfinished run is done after that run, by the same invocation", async () => {
    const rows = makeRows(250);
    const { run, ids, resourceRef } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 20);
    expect(await run(worldWith({ deadline: 0 }))).toMatchObject({ status: "running" });
    const refreshed = await run(worldWith(), { runId: "weekly", refresh: true });
    expect(refreshed).toMatchObject({ run_id: "weekly", status: "done", deleted: 20 });
    expect(await ids()).toHaveLength(230);
    expect(await readRun(worldWith(), resourceRef, "run2")).toMatchObject({
      status: "done",
      deleted: 0,
    });
    expect(await readRun(worldWith(), resourceRef, "weekly")).toMatchObject({ deleted: 20 });
  });

  it("a refresh that meets an unfinished run is a wish until it begins, and the next event takes it", async () => {
    const rows = makeRows(250);
    const { run, ids, resourceRef } = await deployMirror(rows);
    await run(worldWith());
    rows.splice(0, 20);
    const noTime = () => worldWith({ deadline: 0 });
    await run(noTime());
    expect(await run(noTime(), { runId: "weekly", refresh: true })).toMatchObject({
      run_id: "run2",
      status: "running",
    });
    const wish = { id: "weekly", refresh: true, serves: null };
    expect(await readState(worldWith(), resourceRef)).toMatchObject({ wishes: [wish] });
    // The run that goes on answers this event; the wish waits for the next read that begins.
    expect(await run(worldWith())).toMatchObject({ status: "done", deleted: 0 });
    expect(await readState(worldWith(), resourceRef)).toMatchObject({ wishes: [wish] });
    expect(await ids()).toHaveLength(250);
    expect(await run(worldWith(), { runId: "tick" })).toMatchObject({
      status: "done",
      deleted: 20,
    });
    expect(await readState(worldWith(), resourceRef)).toMatchObject({ status: "done", wishes: [] });
    expect(await readRun(worldWith(), resourceRef, "weekly")).toMatchObject({ deleted: 20 });
  });

  it("a row that the API shows is never absent during a refresh", async () => {
    const rows = makeRows(120);
    const { run, table, api } = await deployMirror(rows);
    await run(worldWith());
    const gone = rows.splice(0, 10);
    let done = false;
    const fewestRows = (async () => {
      let least = Number.POSITIVE_INFINITY;
      while (!done) {
        const ids = new Set((await engine.scan(table)).map(({ id }) => Number(id?.S)));
        least = Math.min(least, rows.filter(({ id }) => ids.has(id)).length);
      }
      return least;
    })();
    const report = await run(worldWith(), { refresh: true });
    done = true;
    expect(report).toMatchObject({ status: "done", deleted: gone.length });
    expect(await fewestRows).toBe(rows.length);
    expect(api.requests.length).toBeGreaterThan(0);
  });
});

describe("a run that does not end well", () => {
  const noAnswer: Handler = () => undefined;

  it("a run fails with extract.loop when a page repeats (P11)", async () => {
    const api = await openApi(() => ({ body: { data: makeRows(100) } }));
    const { run } = await deploySource(engine, configOf(api.url));
    const report = await run(worldWith());
    expect(report).toMatchObject({ status: "failed", error: { code: "extract.loop" } });
    expect(report.error?.message).toBe(
      "the API sends the same records whatever offset is asked for",
    );
    expect(api.requests.length).toBeLessThan(7);
  });

  it("a run fails with run.page_poison after one page has killed three workers", async () => {
    const api = await openApi(noAnswer);
    const { run, resourceRef } = await deploySource(engine, configOf(api.url));
    let now = 0;
    const laterClock = () => ({ ...realClock, now: () => Date.now() + now });
    let workers = 0;
    const killWorker = async () => {
      workers += 1;
      // The dying worker's requests hang, and it never gives its lease back.
      const dead = worldWith({ clock: laterClock() });
      const release = dead.dynamodb;
      const stop = new AbortController();
      const dying = run({
        ...dead,
        signal: stop.signal,
        dynamodb: {
          send: (async (command: never) =>
            stop.signal.aborted
              ? Promise.reject(new Error("dead"))
              : release.send(command)) as never,
        },
      });
      await expect
        .poll(async () => (await readState(worldWith(), resourceRef))?.token ?? 0)
        .toBe(workers);
      stop.abort(new Error("killed"));
      await dying;
      now += 61_000;
    };
    await killWorker();
    await killWorker();
    await killWorker();
    const report = await run(worldWith({ clock: laterClock() }));
    expect(report).toMatchObject({ status: "failed", error: { code: "run.page_poison" } });
    expect(report.error?.message).toBe("3 workers have died on page 1 of this run");
    expect(await readState(worldWith(), resourceRef)).toMatchObject({
      status: "failed",
      lease: null,
    });
  });

  it("a run fails when the API asks to wait again and again on the same page", async () => {
    const api = await openApi(() => ({ status: 429, headers: { "retry-after": "120" } }));
    const { run } = await deploySource(engine, configOf(api.url));
    let now = 0;
    const laterWorld = () => worldWith({ clock: { ...realClock, now: () => Date.now() + now } });
    for (let n = 0; n < 3; n++) {
      expect(await run(laterWorld())).toMatchObject({ status: "waiting" });
      now += 121_000;
    }
    expect(await run(laterWorld())).toMatchObject({
      status: "failed",
      error: { code: "extract.status" },
    });
    expect(api.requests).toHaveLength(4);
  });
});
