import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { LEASE_MS, TAKEOVER_MS } from "../packages/core/src/base/timing.ts";
import type { World } from "../packages/core/src/base/world.ts";
import { parseShape } from "../packages/core/src/schema/shape.ts";
import { forgetSchema } from "../packages/core/src/state/schemas.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { slicedTime } from "./support/clock.ts";
import { changedRecords, configOf, openDesk, steadyRecord, steadyRecords } from "./support/desk.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Call, type Fault, openFaultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploySource } from "./support/world.ts";

/*
 * The stored schema of a resource, written by real runs against the embedded engine: runs that end,
 * fail, die or are overtaken.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Put = { Item?: { sk?: { S?: string } } };
const sortKey = ({ operation, body }: Call) =>
  operation === "PutItem" ? ((body as Put).Item?.sk?.S ?? "") : "";
const isSchemaPut = (call: Call) => sortKey(call).startsWith("schema");
const isVersionPut = (call: Call) => sortKey(call).startsWith("schema#");

/** The world of a worker that dies just before a certain call: from then on, no call succeeds. */
async function dyingBefore(isFatal: (call: Call) => boolean): Promise<Partial<World>> {
  const death = new AbortController();
  const proxy = await openFaultyDynamodb(engine.endpoint, (call): Fault | undefined => {
    // A dead worker makes no calls, and a refusal keeps the client from trying again.
    if (death.signal.aborted) return { kind: "error", status: 400, type: "AccessDeniedException" };
    return isFatal(call) ? { kind: "death", when: "before", kill: () => death.abort() } : undefined;
  });
  onTestFinished(proxy.close);
  return { dynamodb: clientOf(proxy.endpoint), signal: death.signal };
}

describe("a schema after runs", () => {
  it("a run over the same data makes no version and does not write the schema", async () => {
    const calls: Call[] = [];
    const proxy = await openFaultyDynamodb(engine.endpoint, (call) => void calls.push(call));
    const dynamodb = clientOf(proxy.endpoint);
    const desk = await openDesk(engine, steadyRecords(10), {}, { dynamodb });
    const puts = () => calls.splice(0).filter(isSchemaPut).length;
    await desk.run();
    // One put for the fields of the first page, one for the version, one for its number.
    expect(puts()).toBe(3);
    await desk.run();
    expect(puts()).toBe(0);
    expect(await desk.versions()).toEqual([
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

  it("a first run that fails half-way stores its fields, but contracts do not hold to them", async () => {
    const rows = steadyRecords(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk = await openDesk(engine, rows, { schema_contract: "freeze" });
    const pages = offsetPages(rows);
    const api = await openApi((request, response) =>
      request.query.get("offset") === "5" ? { status: 400 } : pages(request, response),
    );
    const { resource } = await deploySource(engine, configOf(api), {
      name: desk.resourceRef.source,
      resources: { rows: { schema_contract: "freeze" } },
    });
    const wholeResource = { ...desk.resource };
    Object.assign(desk.resource, resource);
    expect(await desk.run()).toMatchObject({ status: "failed", written: 5 });
    expect(await desk.stored()).toMatchObject({ version: 1, known: null });

    // The second half has a field that the first half lacks, which a first run may add.
    Object.assign(desk.resource, wholeResource);
    expect(await desk.run()).toMatchObject({ status: "done", schema: { version: 2 } });
    expect((await desk.stored())?.known).not.toBeNull();
    desk.show([...rows, { ...steadyRecord(11), another: 1 }]);
    expect(await desk.run()).toMatchObject({
      status: "failed",
      error: { code: "schema.new_field" },
    });
  });

  it("a sample stores its fields, but contracts do not hold to them", async () => {
    const rows = steadyRecords(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk = await openDesk(engine, rows, { schema_contract: "freeze" });
    expect(await desk.run({}, { limitPages: 1 })).toMatchObject({ schema: { version: 1 } });
    expect(await desk.run()).toMatchObject({ status: "done", schema: { version: 2 } });
  });

  it("a slice goes on with the schema that the slices before it have stored", async () => {
    const rows = steadyRecords(10).map((row, n) => (n === 0 ? { ...row, early: 1 } : row));
    const { passAnswer, oneSlice } = slicedTime();
    const desk = await openDesk(engine, rows, {}, { passAnswer });
    let report = await desk.run(oneSlice(), { runId: "r" });
    expect(report).toMatchObject({ status: "running", schema: null });
    expect(await desk.versions()).toEqual([]);
    while (report.status === "running") report = await desk.run(oneSlice(), { runId: "r" });
    expect(report).toMatchObject({ status: "done", schema: { version: 1 } });
    const [version] = await desk.versions();
    expect(version?.columns.early).toEqual({ data_type: "bigint", nullable: true });
  });

  it("the successor of a worker that died before its checkpoint reads the page again and stores every field", async () => {
    const mortal = await dyingBefore(isSchemaPut);
    const desk = await openDesk(engine, changedRecords());
    const deadReport = await desk.run(mortal, { runId: "r" });
    expect(deadReport).toMatchObject({ error: { code: "run.interrupted" } });
    expect(await desk.rows()).toBeGreaterThanOrEqual(5);
    expect(await desk.stored()).toBeUndefined();
    expect(await desk.run(afterLease(), { runId: "r" })).toMatchObject({
      status: "done",
      written: 10,
      schema: { version: 1 },
    });
    const [version] = await desk.versions();
    const names = Object.keys(version?.columns ?? {});
    expect(names).toEqual(["id", "at", "extra", "name", "size"]);
  });

  it("the run after a worker that died between a version and its number makes the same version", async () => {
    let puts = 0;
    const mortal = await dyingBefore((call) => isSchemaPut(call) && ++puts === 3);
    const desk = await openDesk(engine, steadyRecords(3));
    await desk.run(mortal, { runId: "r" });
    expect(await desk.versions()).toHaveLength(1);
    expect(await desk.stored()).toMatchObject({ version: 0 });
    await desk.run(afterLease(), { runId: "r" });
    expect(await desk.versions()).toHaveLength(1);
    expect(await desk.stored()).toMatchObject({ version: 1 });
  });

  it("a put whose answer was lost is recognised as the worker's own", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, (call) =>
      isSchemaPut(call) && schemaPuts.push(call) % 2 ? { kind: "reset", when: "after" } : undefined,
    );
    const schemaPuts: Call[] = [];
    const desk = await openDesk(
      engine,
      steadyRecords(3),
      {},
      { dynamodb: clientOf(proxy.endpoint) },
    );
    expect(await desk.run()).toMatchObject({ status: "done" });
    expect(await desk.stored()).toMatchObject({ version: 1, revision: 2 });
    expect(schemaPuts.length).toBeGreaterThan(3);
    await proxy.close();
  });

  it.each([
    ["the fields of a page", isSchemaPut],
    ["a version", isVersionPut],
  ])("a worker that was paused while it put %s overwrites nothing that its successor put (P5)", async (_, isPausing) => {
    const pauseEnd = openGate();
    const pauseStart = openGate();
    const proxy = await openFaultyDynamodb(engine.endpoint, (call): Fault | undefined => {
      if (!isPausing(call)) return undefined;
      pauseStart.open();
      return { kind: "hold", until: pauseEnd.opened };
    });
    const desk = await openDesk(engine, steadyRecords(3));
    const first = desk.run({ dynamodb: clientOf(proxy.endpoint) }, { runId: "r" });
    await pauseStart.opened;

    const second = await desk.run(afterLease(), { runId: "r" });
    expect(second).toMatchObject({ status: "done", written: 3, schema: { version: 1 } });
    const after = [await desk.versions(), await desk.stored()];
    pauseEnd.open();
    expect(await first).toMatchObject({ status: "skipped", error: { code: "state.lease_lost" } });
    expect([await desk.versions(), await desk.stored()]).toEqual(after);
    await proxy.close();
  });
});

/** A promise, and the function that resolves it. */
function openGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** A world in which the lease of a dead worker has expired. */
const afterLease = (): Partial<World> => ({
  clock: { ...realClock, now: () => Date.now() + LEASE_MS + TAKEOVER_MS + 1000 },
});

describe("a schema after its table was emptied", () => {
  const frozen = { schema_contract: "freeze" } as const;

  it("a new table under the same name starts a new schema and continues the numbers of versions", async () => {
    const desk = await openDesk(engine, steadyRecords(3), frozen);
    await desk.run();
    const { DeleteTableCommand } = await import("@aws-sdk/client-dynamodb");
    await engine.dynamodb.send(new DeleteTableCommand({ TableName: desk.table }));
    await deploySource(engine, configOf(desk.api), { name: desk.resourceRef.source });
    desk.show([{ id: 1, other: 1 }]);
    expect(await desk.run()).toMatchObject({
      status: "done",
      schema: { version: 2, changed: 0 },
    });
    const [, version] = await desk.versions();
    expect(Object.keys(version?.columns ?? {})).toEqual(["id", "other"]);
  });

  it("a schema that was forgotten and observed again has the same version, and the contract holds again", async () => {
    const desk = await openDesk(engine, steadyRecords(3), frozen);
    await desk.run();
    await forgetSchema(desk.world(), desk.resourceRef);
    expect(await desk.stored()).toMatchObject({ seen: "{}", known: null, version: 1 });
    expect(parseShape("{}").kinds).toBe(0);
    expect(await desk.run()).toMatchObject({ schema: { version: 1 } });
    desk.show([{ ...steadyRecord(1), extra: 1 }]);
    expect(await desk.run()).toMatchObject({ error: { code: "schema.new_field" } });
  });
});
