import type { ResourceReport, World } from "@tidetable/core";
import { zeroCounts } from "@tidetable/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { calculateRunCost } from "../../packages/core/src/report/costs.ts";
import { readRuns, recordRun } from "../../packages/core/src/state/history.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, faultyDynamodb } from "../support/faulty-dynamodb.ts";

const resourceRef = { source: "desk", resource: "tickets" };

const report = (changes: Partial<ResourceReport> = {}): ResourceReport => ({
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

const stored = () => engine.scan(stateTableName(world.names));

async function through(faults: (number: number) => Fault | undefined, work: () => Promise<void>) {
  const proxy = await faultyDynamodb(engine.endpoint, ({ number }) => faults(number));
  const dynamodb = clientOf(proxy.endpoint);
  const direct = world;
  world = { ...world, dynamodb };
  await work().finally(() => proxy.close());
  dynamodb.destroy();
  world = direct;
  return proxy.calls.length;
}

describe("the history of a run", () => {
  it("is one item with plain attributes, for 90 days", async () => {
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
      report({ ...counts, cursor: { before: null, after: "2026" } }),
      512,
    );
    const [item, ...others] = await stored();
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

  it("reads back as it was reported, and as empty where nothing ran", async () => {
    const change = { field: "b", change: "new" as const, before: null, after: "text" };
    const schema = { version: 2, changed: 1, changes: [change] };
    const failed = report({
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

  it("follows its run: what its retry reports replaces its failure (P7)", async () => {
    await recordRun(world, resourceRef, report({ status: "failed", pages: 1 }), 512);
    await recordRun(world, resourceRef, report({ status: "failed", pages: 2 }), 512);
    await recordRun(world, resourceRef, report({ status: "done", pages: 3 }), 512);
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("says nothing of an event that found its run under way", async () => {
    await recordRun(world, resourceRef, report({ status: "skipped" }), 512);
    await recordRun(world, resourceRef, report({ status: "failed" }), 512);
    await recordRun(world, resourceRef, report({ status: "skipped" }), 512);
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "failed" }]);
  });

  it("of a success stays one, whatever a worker says that was overtaken (P5, P7)", async () => {
    await recordRun(world, resourceRef, report({ pages: 3 }), 512);
    for (const status of ["failed", "skipped", "done"] as const) {
      await recordRun(world, resourceRef, report({ status, pages: 0 }), 512);
    }
    expect(await readRuns(world, resourceRef)).toMatchObject([{ status: "done", pages: 3 }]);
  });

  it("comes newest first by start, whatever the run ids are, and as many as are asked for", async () => {
    for (const [run_id, day] of [
      ["b", 3],
      ["c", 2],
      ["a", 1],
    ]) {
      const started_at = new Date(Date.UTC(2026, 0, Number(day))).toISOString();
      await recordRun(world, resourceRef, report({ run_id: String(run_id), started_at }), 512);
    }
    const ids = async (limit?: number) =>
      (await readRuns(world, resourceRef, limit)).map(({ run_id }) => run_id);
    expect(await ids()).toEqual(["b", "c", "a"]);
    expect(await ids(2)).toEqual(["b", "c"]);
  });

  it("is kept through throttles and a lost answer", async () => {
    const faults: Fault[] = [
      { kind: "error", status: 400, type: "ThrottlingException" },
      { kind: "reset", when: "after" },
    ];
    const calls = await through(
      (number) => faults[number - 1],
      () => recordRun(world, resourceRef, report(), 512),
    );
    expect(calls).toBe(3);
    expect(await stored()).toHaveLength(1);
  });

  it("that can not be kept is an error that names the table", async () => {
    const refuse = (): Fault => ({ kind: "error", status: 400, type: "AccessDeniedException" });
    await expect(
      through(refuse, () => recordRun(world, resourceRef, report(), 512)),
    ).rejects.toMatchObject({
      code: "state.unavailable",
      message: `the state table ${stateTableName(world.names)} did not take the run's history (AccessDeniedException)`,
    });
  });
});
