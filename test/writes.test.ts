import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Call, openFaultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

type Row = { id: number; title: string };

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

let mirrors = 0;

/** Deploys a resource over rows that a test may change, and counts the requests of each run to the table. */
async function deployMirror(resource: object = {}, count = 250) {
  const rows: Row[] = Array.from({ length: count }, (_, n) => ({
    id: n + 1,
    title: `row ${n + 1}`,
  }));
  const api = await openApi((request, response) => offsetPages(rows)(request, response));
  const endpoint = {
    path: "/rows",
    data_selector: "data",
    paginator: { type: "offset", limit: 100 },
    error_handler: { max_retries: 0 },
  } as const;
  mirrors += 1;
  const name = `mirror${mirrors}`;
  const deployConfig = (resource: object) =>
    deploySource(
      engine,
      {
        client: { base_url: api.url },
        resource_defaults: { primary_key: "id", write_disposition: "merge" },
        resources: [{ name: "rows", endpoint, ...resource }],
      },
      { name },
    );
  const { table, ...first } = await deployConfig(resource);
  let { run } = first;
  const calls: Call[] = [];
  const death = { batchesLeft: 0, controller: new AbortController() };
  const proxy = await openFaultyDynamodb(engine.endpoint, (call) => {
    calls.push(call);
    if (death.controller.signal.aborted) {
      return { kind: "error", status: 400, type: "AccessDeniedException" };
    }
    if (call.operation !== "BatchWriteItem") return undefined;
    death.batchesLeft -= 1;
    if (death.batchesLeft === 0) death.controller.abort(new Error("died"));
    // The delay keeps several batches under way at once.
    return { kind: "delay", ms: 50 };
  });
  const dynamodb = clientOf(proxy.endpoint);
  const warnings: string[] = [];
  const { log } = testWorld(engine);
  let minutes = 0;
  const nextWorld = () =>
    testWorld(engine, {
      dynamodb,
      // The lease of a worker that died has run out by the next run.
      clock: { ...realClock, now: () => realClock.now() + minutes * 60_000 },
      signal: death.controller.signal,
      // The random number 0 takes a sample at every page.
      random: () => 0,
      log: { ...log, warn: (message) => warnings.push(message) },
    });
  return {
    rows,
    table,
    warnings,
    /** The worker of the next run dies at its nth batch: none of its later calls is done. */
    dieAt(batch: number) {
      Object.assign(death, { batchesLeft: batch, controller: new AbortController() });
    },
    /** Changes the config for the next runs. */
    async become(changed: object) {
      ({ run } = await deployConfig(changed));
    },
    async run(order: Parameters<typeof run>[1] = {}) {
      minutes += 10;
      calls.length = 0;
      warnings.length = 0;
      const { status, records, written, unchanged, deleted, error } = await run(nextWorld(), {
        runId: `run${minutes}`,
        ...order,
      });
      const tableCalls = calls.filter(({ body }) => JSON.stringify(body).includes(`"${table}"`));
      const callsOf = (operation: string) =>
        tableCalls.filter((call) => call.operation === operation);
      return {
        report: { status, records, written, unchanged, deleted },
        error,
        puts: callsOf("BatchWriteItem").length,
        scans: callsOf("Scan").length,
        /** The number of keys that were read. */
        reads: callsOf("BatchGetItem").flatMap(({ body }) =>
          Object.values(body.RequestItems as Record<string, { Keys: unknown[] }>).flatMap(
            ({ Keys }) => Keys,
          ),
        ).length,
      };
    },
    titles: async () =>
      new Map((await engine.scan(table)).map((item) => [Number(item.id?.S), item.title?.S])),
    async close() {
      dynamodb.destroy();
      await proxy.close();
    },
  };
}

const titlesOf = (rows: Row[]) => new Map(rows.map(({ id, title }) => [id, title]));

describe("a table that is replaced", () => {
  const replaced = { writes: "fingerprints", write_disposition: "replace" };

  it("a replaced table is not read while fingerprints show that no row has gone, and is read once a row has gone", async () => {
    const { run, rows, titles, close } = await deployMirror(replaced);
    await run();
    expect(await run()).toMatchObject({ report: { written: 0, unchanged: 250 }, scans: 0 });
    Object.assign(rows[7] as Row, { title: "changed" });
    rows.push({ id: 900, title: "new" });
    expect(await run()).toMatchObject({ report: { written: 2, deleted: 0 }, scans: 0 });
    rows.splice(20, 2);
    const swept = await run();
    expect(swept).toMatchObject({ report: { written: 0, deleted: 2 } });
    expect(swept.scans).toBeGreaterThan(0);
    expect(await run()).toMatchObject({ report: { deleted: 0 }, scans: 0 });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("a replaced table is read when the fingerprints come from merges, which do not show rows that have gone", async () => {
    const { run, become, rows, titles, close } = await deployMirror({ writes: "always" });
    await run();
    rows.splice(20, 2);
    // The log of fingerprints begins here, without the two rows.
    await become({ writes: "fingerprints" });
    await run();
    expect(await run()).toMatchObject({ report: { unchanged: 248 } });
    await become(replaced);
    expect(await run()).toMatchObject({ report: { deleted: 2 } });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });
});

describe("rows that have not changed", () => {
  it("the first run puts all rows, and the next runs compare them and put none", async () => {
    const { run, rows, titles, close } = await deployMirror();
    expect(await run()).toMatchObject({ report: { written: 250 }, puts: 10, reads: 0 });
    expect(await run()).toMatchObject({
      report: { written: 0, unchanged: 250 },
      puts: 0,
      reads: 250,
    });
    Object.assign(rows[120] as Row, { title: "changed" });
    rows.push({ id: 900, title: "new" });
    expect(await run()).toMatchObject({
      report: { records: 251, written: 2, unchanged: 249 },
      puts: 1,
    });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("with writes by fingerprints, unchanged rows are recognised from the second run on", async () => {
    const { run, rows, titles, close } = await deployMirror({ writes: "fingerprints" });
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 0 });
    const second = await run();
    expect(second).toMatchObject({ report: { written: 0, unchanged: 250 }, puts: 0 });
    // A few rows of each page are read as a sample.
    expect(second.reads).toBeLessThan(20);
    Object.assign(rows[120] as Row, { title: "changed" });
    rows.push({ id: 900, title: "new" });
    expect(await run()).toMatchObject({ report: { written: 2, unchanged: 249 }, puts: 1 });
    Object.assign(rows[120] as Row, { title: "row 121" });
    expect(await run()).toMatchObject({ report: { written: 1, unchanged: 250 } });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("a resource with thousands of unchanged rows changes to fingerprints by itself", async () => {
    const { run, close } = await deployMirror({}, 1_100);
    const reads = [];
    for (let n = 0; n < 5; n++) reads.push((await run()).reads);
    expect(reads.slice(0, 3)).toEqual([0, 1_100, 1_100]);
    expect(Math.max(...reads.slice(3))).toBeLessThan(100);
    await close();
  });

  it("a resource with writes always puts unchanged rows as well", async () => {
    const { run, close } = await deployMirror({ writes: "always" });
    await run();
    expect(await run()).toMatchObject({
      report: { written: 250, unchanged: 0 },
      puts: 10,
      reads: 0,
    });
    await close();
  });

  it("a run does not compare rows after a run in which all rows have changed", async () => {
    const { run, rows, close } = await deployMirror();
    await run();
    for (const row of rows) row.title += "!";
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 250 });
    for (const row of rows) row.title += "!";
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 0 });
    await close();
  });

  it("a replaced table keeps unchanged rows, loses rows that are gone, and gets them again when they return", async () => {
    const { run, rows, titles, close } = await deployMirror({
      write_disposition: "replace",
      writes: "fingerprints",
    });
    await run();
    const gone = rows.splice(30, 20);
    expect(await run()).toMatchObject({ report: { written: 0, unchanged: 230, deleted: 20 } });
    rows.push(...gone);
    expect(await run()).toMatchObject({ report: { written: 20, unchanged: 230, deleted: 0 } });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });
});

describe("a row that a run reads twice", () => {
  it.each([
    "always",
    "compare",
    "fingerprints",
  ] as const)("a row that a run reads twice ends with its last version when writes is %s", async (writes) => {
    const { run, rows, titles, close } = await deployMirror({ writes });
    await run();
    const first = rows[3] as Row;
    first.title = "for a moment";
    // A later page shows the row again, as it stands in the table.
    rows.splice(150, 0, { id: first.id, title: "row 4" });
    await run();
    expect((await titles()).get(first.id)).toBe("row 4");
    await close();
  });
});

describe("fingerprints", () => {
  it("fingerprints are not trusted after a worker's death, neither by this run nor by the next", async () => {
    const { run, rows, titles, dieAt, close } = await deployMirror({ writes: "fingerprints" });
    await run();
    for (const row of rows) row.title += "!";
    dieAt(3);
    expect((await run({ runId: "again" })).error).toMatchObject({ code: "run.interrupted" });
    dieAt(0);
    expect((await run({ runId: "again" })).reads).toBeGreaterThan(100);
    expect((await run()).reads).toBe(250);
    expect((await run()).reads).toBeLessThan(20);
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("rows that somebody else has changed are found in spite of fingerprints, reported and corrected", async () => {
    const { run, rows, table, titles, warnings, close } = await deployMirror({
      writes: "fingerprints",
    });
    await run();
    for (const { id } of rows.slice(0, 95)) {
      const Key = { id: { S: String(id) } };
      await engine.dynamodb.send(new DeleteItemCommand({ TableName: table, Key }));
    }
    const Item = { id: { S: "200" }, title: { S: "by another hand" } };
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    expect(await run()).toMatchObject({ report: { written: 96, unchanged: 154 } });
    expect(warnings).toEqual([
      "rows are not as the last run has left them: rows are compared by reading them",
    ]);
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("fingerprints are not trusted after a failed run, neither by the next run nor by the one after it", async () => {
    const { run, rows, titles, close } = await deployMirror({ writes: "fingerprints" });
    await run();
    const lastRows = rows.splice(150, 100, { id: 7_000, title: "x".repeat(2_000_000) } as Row);
    rows.push(...lastRows);
    const goodRows = rows.map(({ id, title }) => ({ id, title }));
    rows.splice(
      0,
      rows.length,
      ...goodRows.map((row) => ({ ...row, id: null as unknown as number })),
    );
    expect((await run()).report.status).toBe("failed");
    rows.splice(0, rows.length, ...goodRows.filter(({ id }) => id !== 7_000));
    expect(await run()).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect(await run()).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect((await run()).reads).toBeLessThan(20);
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("a full refresh reads the table and makes the fingerprints anew", async () => {
    const { run, close } = await deployMirror({ writes: "fingerprints" });
    await run();
    expect(await run({ refresh: true })).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect((await run()).reads).toBeLessThan(20);
    await close();
  });
});
