import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Call, faultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

type Row = { id: number; title: string };

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

let mirrors = 0;

/** A resource over rows that a test changes, and what each of its runs sends to the table. */
async function mirror(resource: object = {}, count = 250) {
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
  const deployed = (resource: object) =>
    deploy(
      engine,
      {
        client: { base_url: api.url },
        resource_defaults: { primary_key: "id", write_disposition: "merge" },
        resources: [{ name: "rows", endpoint, ...resource }],
      },
      { name },
    );
  const { table, ...first } = await deployed(resource);
  let { run } = first;
  const calls: Call[] = [];
  const stop = { at: 0, now: new AbortController() };
  const proxy = await faultyDynamodb(engine.endpoint, (call) => {
    calls.push(call);
    if (stop.now.signal.aborted) {
      return { kind: "error", status: 400, type: "AccessDeniedException" };
    }
    if (call.operation !== "BatchWriteItem") return undefined;
    stop.at -= 1;
    if (stop.at === 0) stop.now.abort(new Error("died"));
    // Longer than what is done meanwhile.
    return { kind: "delay", ms: 50 };
  });
  const dynamodb = clientOf(proxy.endpoint);
  const warnings: string[] = [];
  const { log } = testWorld(engine);
  let minutes = 0;
  const world = () =>
    testWorld(engine, {
      dynamodb,
      // A lease that nobody gave back has run out by the next run.
      clock: { ...realClock, now: () => realClock.now() + minutes * 60_000 },
      signal: stop.now.signal,
      // Samples are taken at every page.
      random: () => 0,
      log: { ...log, warn: (message) => warnings.push(message) },
    });
  return {
    rows,
    table,
    warnings,
    /** The worker of the next run dies at its nth batch: nothing of it is heard any more. */
    dieAt(batch: number) {
      Object.assign(stop, { at: batch, now: new AbortController() });
    },
    /** The next runs are of a config that was changed. */
    async become(changed: object) {
      ({ run } = await deployed(changed));
    },
    async run(order: Parameters<typeof run>[1] = {}) {
      minutes += 10;
      calls.length = 0;
      warnings.length = 0;
      const { status, records, written, unchanged, deleted, error } = await run(world(), {
        runId: `run${minutes}`,
        ...order,
      });
      const own = calls.filter(({ body }) => JSON.stringify(body).includes(`"${table}"`));
      const of = (operation: string) => own.filter((call) => call.operation === operation);
      return {
        report: { status, records, written, unchanged, deleted },
        error,
        puts: of("BatchWriteItem").length,
        scans: of("Scan").length,
        /** Keys that were read. */
        reads: of("BatchGetItem").flatMap(({ body }) =>
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

  it("is not read where fingerprints show that no row has gone, and is where one has", async () => {
    const { run, rows, titles, close } = await mirror(replaced);
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

  it("is read where the fingerprints are those of merges: they do not tell of rows that had gone", async () => {
    const { run, become, rows, titles, close } = await mirror({ writes: "always" });
    await run();
    rows.splice(20, 2);
    // The log begins here, and has not seen the two.
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
  it("are put by the first run, and by the next ones compared and left alone", async () => {
    const { run, rows, titles, close } = await mirror();
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

  it("are known by their fingerprints, from the second run on, where that is asked for", async () => {
    const { run, rows, titles, close } = await mirror({ writes: "fingerprints" });
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 0 });
    const second = await run();
    expect(second).toMatchObject({ report: { written: 0, unchanged: 250 }, puts: 0 });
    // Some of each page, to see whether anybody else has been there.
    expect(second.reads).toBeLessThan(20);
    Object.assign(rows[120] as Row, { title: "changed" });
    rows.push({ id: 900, title: "new" });
    expect(await run()).toMatchObject({ report: { written: 2, unchanged: 249 }, puts: 1 });
    Object.assign(rows[120] as Row, { title: "row 121" });
    expect(await run()).toMatchObject({ report: { written: 1, unchanged: 250 } });
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("come to fingerprints by themselves when thousands of rows stay as they are", async () => {
    const { run, close } = await mirror({}, 1_100);
    const reads = [];
    for (let n = 0; n < 5; n++) reads.push((await run()).reads);
    expect(reads.slice(0, 3)).toEqual([0, 1_100, 1_100]);
    expect(Math.max(...reads.slice(3))).toBeLessThan(100);
    await close();
  });

  it("are put all the same where a resource says so", async () => {
    const { run, close } = await mirror({ writes: "always" });
    await run();
    expect(await run()).toMatchObject({
      report: { written: 250, unchanged: 0 },
      puts: 10,
      reads: 0,
    });
    await close();
  });

  it("are put once all the rows have changed: nothing is read for nothing", async () => {
    const { run, rows, close } = await mirror();
    await run();
    for (const row of rows) row.title += "!";
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 250 });
    for (const row of rows) row.title += "!";
    expect(await run()).toMatchObject({ report: { written: 250 }, reads: 0 });
    await close();
  });

  it("of a table that is replaced are left alone, and what is gone goes, and may come back", async () => {
    const { run, rows, titles, close } = await mirror({
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

describe("a row that is shown twice in a run", () => {
  it.each([
    "always",
    "compare",
    "fingerprints",
  ] as const)("ends as it was shown last: %s", async (writes) => {
    const { run, rows, titles, close } = await mirror({ writes });
    await run();
    const first = rows[3] as Row;
    first.title = "for a moment";
    // The same row again, on a later page, as the table has had it.
    rows.splice(150, 0, { id: first.id, title: "row 4" });
    await run();
    expect((await titles()).get(first.id)).toBe("row 4");
    await close();
  });
});

describe("fingerprints", () => {
  it("are not trusted after a worker's death, nor by the run after that one", async () => {
    const { run, rows, titles, dieAt, close } = await mirror({ writes: "fingerprints" });
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

  it("do not hide what other hands have done to the table: it is said, and mended", async () => {
    const { run, rows, table, titles, warnings, close } = await mirror({ writes: "fingerprints" });
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

  it("are not trusted after a run that failed, nor by the run after it", async () => {
    const { run, rows, titles, close } = await mirror({ writes: "fingerprints" });
    await run();
    const rest = rows.splice(150, 100, { id: 7_000, title: "x".repeat(2_000_000) } as Row);
    rows.push(...rest);
    const failing = rows.map(({ id, title }) => ({ id, title }));
    rows.splice(
      0,
      rows.length,
      ...failing.map((row) => ({ ...row, id: null as unknown as number })),
    );
    expect((await run()).report.status).toBe("failed");
    rows.splice(0, rows.length, ...failing.filter(({ id }) => id !== 7_000));
    expect(await run()).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect(await run()).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect((await run()).reads).toBeLessThan(20);
    expect(await titles()).toEqual(titlesOf(rows));
    await close();
  });

  it("are made anew by a full refresh, which reads the table", async () => {
    const { run, close } = await mirror({ writes: "fingerprints" });
    await run();
    expect(await run({ refresh: true })).toMatchObject({ report: { unchanged: 250 }, reads: 250 });
    expect((await run()).reads).toBeLessThan(20);
    await close();
  });
});
