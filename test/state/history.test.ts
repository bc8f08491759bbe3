import type { ResourceReport, World } from "@tidetable/core/internal";
import { zeroCounts } from "@tidetable/core/internal";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { calculateRunCost } from "../../packages/core/src/report/costs.ts";
import { readRun, readRuns, recordRun } from "../../packages/core/src/state/history.ts";
import type { Slot } from "../../packages/core/src/state/run-state.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

const place = { source: "desk", resource: "tickets" };

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

/** Writes the report under its own run's name, for the resource's own runs. */
const record = (
  report: ResourceReport,
  { slot = "own", id = report.run_id, epoch }: { slot?: Slot; id?: string; epoch?: number } = {},
) => recordRun(world, { resourceRef: place, slot, id, epoch }, report, 512);
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
    await record(reportOf({ ...counts, cursor: { before: null, after: "2026" } }));
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
    await record(failed);
    expect(await readRuns(world, place)).toEqual([
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
        epoch: null,
        cost_usd: 0.000015033,
      },
    ]);
    expect(await readRuns(world, { ...place, resource: "ticket" })).toEqual([]);
  });

  it("one read has a line for each fan-out that it answers, which names its epoch", async () => {
    for (const id of ["r1", "2026-01-01T00:00:00Z/refresh"])
      await record(reportOf(), { id, epoch: 7 });
    for (const id of ["r1", "2026-01-01T00:00:00Z/refresh"]) {
      expect(await readRun(world, place, id)).toMatchObject({
        run_id: id,
        epoch: { slot: "own", id: 7 },
      });
    }
    expect(await readRun(world, place, "r2")).toBeUndefined();
  });

  it("a read for children alone is kept, and is no run of the resource", async () => {
    await record(reportOf({ run_id: "r1" }), { slot: "for_children", epoch: 3 });
    expect(await readRuns(world, place)).toEqual([]);
    expect(await readRun(world, place, "r1")).toBeUndefined();
    expect(await readRun(world, place, "r1", "for_children")).toMatchObject({
      run_id: "r1",
      status: "done",
      epoch: { slot: "for_children", id: 3 },
    });
  });

  it("the report of a retry replaces the failure of its run in the history (P7)", async () => {
    await record(reportOf({ status: "failed", pages: 1 }));
    await record(reportOf({ status: "failed", pages: 2 }));
    await record(reportOf({ status: "done", pages: 3 }));
    expect(await readRuns(world, place)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("an event that meets a run under way leaves no line in the history", async () => {
    await record(reportOf({ status: "skipped" }));
    await record(reportOf({ status: "failed" }));
    await record(reportOf({ status: "skipped" }));
    expect(await readRuns(world, place)).toMatchObject([{ status: "failed" }]);
  });

  it("a success in the history stays a success, whatever an overtaken worker reports (P5, P7)", async () => {
    await record(reportOf({ pages: 3 }));
    for (const status of ["failed", "skipped", "done"] as const) {
      await record(reportOf({ status, pages: 0 }));
    }
    expect(await readRuns(world, place)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("the history lists the newest starts first, as many as are requested, whatever the run ids are", async () => {
    for (const [run_id, day] of [
      ["b", 3],
      ["c", 2],
      ["a", 1],
    ]) {
      const started_at = new Date(Date.UTC(2026, 0, Number(day))).toISOString();
      await record(reportOf({ run_id: String(run_id), started_at }));
    }
    const ids = async (limit?: number) =>
      (await readRuns(world, place, limit)).map(({ run_id }) => run_id);
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
      () => record(reportOf()),
    );
    expect(calls).toBe(3);
    expect(await stateItems()).toHaveLength(1);
  });

  it("a history that cannot be written is an error that names the table", async () => {
    const refuse = (): Fault => ({ kind: "error", status: 400, type: "AccessDeniedException" });
    await expect(withFaults(refuse, () => record(reportOf()))).rejects.toMatchObject({
      code: "state.unavailable",
      message: `the state table ${stateTableName(world.names)} did not take the run's history (AccessDeniedException)`,
    });
  });
});
