import type { ResourceReport, World } from "@tidetable/core";
import { zeroCounts } from "@tidetable/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { calculateRunCost } from "../../packages/core/src/report/costs.ts";
import { readRuns, recordRun } from "../../packages/core/src/state/history.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

const resourceRef = { source: "desk", resource: "tickets" };

const reportOf = (changes: Partial<ResourceReport> = {}): ResourceReport => ({
  source: "desk",
  resource: "tickets",
  table: "tidetable-test-desk.tickets",
  run_id: "r1",
  status: "done",
  ...zeroCounts(),
  slice: zeroCounts(),
  slices: 1,
  started_at: "2026-01-01T00:00:00.000Z",
  duration_ms: 2_000,
  cursor: null,
  schema: null,
  error: null,
  ...changes,
});

let engine: Engine;
let world: World;
let tests = 0;

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
beforeEach(async () => {
  tests += 1;
  const names = { app: "tidetable", stage: `history-${tests}` };
  await engine.createTables({ [stateTableName(names)]: stateTable });
  world = {
    names,
    dynamodb: engine.dynamodb,
    clock: virtualClock(),
    random: () => 1,
  } as unknown as World;
});

const stateItems = () => engine.scan(stateTableName(world.names));

async function withFaults(
  faults: (number: number) => Fault | undefined,
  work: () => Promise<void>,
) {
  const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) => faults(number));
  const dynamodb = clientOf(proxy.endpoint);
  const direct = world;
  world = { ...world, dynamodb };
  await work().finally(() => proxy.close());
  dynamodb.destroy();
  world = direct;
  return proxy.calls.length;
}

describe("the history of a run", () => {
  it("a run of the history is one item with plain attributes, kept for 90 days", async () => {
    const counts = {
      records: 250,
      written: 250,
      write_units: 250,
      read_units: 8.5,
      worked_ms: 2_000,
    };
    await recordRun(
      world,
      resourceRef,
      reportOf({ ...counts, cursor: { before: null, after: "2026" } }),
      512,
    );
    const [item, ...others] = await stateItems();
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      pk: { S: "desk#tickets" },
      sk: { S: "run#r1" },
      status: { S: "done" },
      started_at: { S: "2026-01-01T00:00:00.000Z" },
      ended_at: { S: "2026-01-01T00:00:02.000Z" },
      duration_ms: { N: "2000" },
      records: { N: "250" },
      deleted: { N: "0" },
      write_units: { N: "250" },
      read_units: { N: "8.5" },
      cursor_before: { NULL: true },
      cursor_after: { S: "2026" },
      expires: { N: String(Date.UTC(2026, 3, 1) / 1000 + 2) },
    });
    const used = { write_units: 250, read_units: 8.5, worked_ms: 2_000, slices: 1 };
    expect(Number(item?.cost_usd?.N)).toBeCloseTo(calculateRunCost(used, 512).total, 9);
    expect(item).not.toHaveProperty("error_code");
  });

  it("the history reads back as it was reported, and is empty for a resource that never ran", async () => {
    const change = { field: "b", change: "new" as const, before: null, after: "text" };
    const schema = { version: 2, changed: 1, changes: [change] };
    const failed = reportOf({
      status: "failed",
      retries: 3,
      worked_ms: 2_000,
      cursor: { before: 7, after: 7 },
      schema,
      error: { code: "extract.status", message: "GET /x answered 500", hint: null },
    });
    await recordRun(world, resourceRef, failed, 512);
    expect(await readRuns(world, resourceRef)).toEqual([
      {
        ...zeroCounts(),
        run_id: "r1",
        status: "failed",
        started_at: "2026-01-01T00:00:00.000Z",
        ended_at: "2026-01-01T00:00:02.000Z",
        duration_ms: 2_000,
        slices: 1,
        retries: 3,
        worked_ms: 2_000,
        cursor: { before: 7, after: 7 },
        schema,
        error: { code: "extract.status", message: "GET /x answered 500" },
        cost_usd: 0.000015033,
      },
    ]);
    expect(await readRuns(world, { ...resourceRef, resource: "ticket" })).toEqual([]);
  });

  it("the report of a retry replaces the failure of its run in the history (P7)", async () => {
    await recordRun(world, resourceRef, reportOf({ status: "failed", pages: 1 }), 512);
    await recordRun(world, resourceRef, reportOf({ status: "failed", pages: 2 }), 512);
    await recordRun(world, resourceRef, reportOf({ status: "done", pages: 3 }), 512);
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("an event that meets a run under way leaves no line in the history", async () => {
    await recordRun(world, resourceRef, reportOf({ status: "skipped" }), 512);
    await recordRun(world, resourceRef, reportOf({ status: "failed" }), 512);
    await recordRun(world, resourceRef, reportOf({ status: "skipped" }), 512);
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "failed" }]);
  });

  it("a success in the history stays a success, whatever an overtaken worker reports (P5, P7)", async () => {
    await recordRun(world, resourceRef, reportOf({ pages: 3 }), 512);
    for (const status of ["failed", "skipped", "done"] as const) {
      await recordRun(world, resourceRef, reportOf({ status, pages: 0 }), 512);
    }
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("the history lists the newest starts first, as many as are requested, whatever the run ids are", async () => {
    for (const [run_id, day] of [
      ["b", 3],
      ["c", 2],
      ["a", 1],
    ]) {
      const started_at = new Date(Date.UTC(2026, 0, Number(day))).toISOString();
      await recordRun(world, resourceRef, reportOf({ run_id: String(run_id), started_at }), 512);
    }
    const ids = async (limit?: number) =>
      (await readRuns(world, resourceRef, limit)).map(({ run_id }) => run_id);
    expect(await ids()).toEqual(["b", "c", "a"]);
    expect(await ids(2)).toEqual(["b", "c"]);
  });

  it("the history is written in spite of throttles and a lost answer", async () => {
    const faults: Fault[] = [
      { kind: "error", status: 400, type: "ThrottlingException" },
      { kind: "reset", when: "after" },
    ];
    const calls = await withFaults(
      (number) => faults[number - 1],
      () => recordRun(world, resourceRef, reportOf(), 512),
    );
    expect(calls).toBe(3);
    expect(await stateItems()).toHaveLength(1);
  });

  it("a history that cannot be written is an error that names the table", async () => {
    const refuse = (): Fault => ({ kind: "error", status: 400, type: "AccessDeniedException" });
    await expect(
      withFaults(refuse, () => recordRun(world, resourceRef, reportOf(), 512)),
    ).rejects.toMatchObject({
      code: "state.unavailable",
      message: `the state table ${stateTableName(world.names)} did not take the run's history (AccessDeniedException)`,
    });
  });
});
