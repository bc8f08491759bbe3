import { DeleteItemCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import type { ResourceRef } from "../../packages/core/src/base/resource-ref.ts";
import { SPOOL_DAYS } from "../../packages/core/src/base/timing.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { zeroCounts } from "../../packages/core/src/report/counts.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import {
  epochAt,
  epochIn,
  epochOf,
  isWishedFor,
  keepEpoch,
  readParentStates,
} from "../../packages/core/src/state/epochs.ts";
import { readRun, recordRun } from "../../packages/core/src/state/history.ts";
import type { EpochRef, RunState, Slot } from "../../packages/core/src/state/run-state.ts";
import { appendSpool, readSpoolBlock } from "../../packages/core/src/state/spool.ts";
import { addWish, readState, type Status } from "../../packages/core/src/state/state-item.ts";
import { virtualClock } from "../support/clock.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { BEGAN, runStateOf, takeLease } from "../support/run-state.ts";

const names = { app: "tidetable", stage: "test" };
const state = stateTableName(names);

let engine: Engine;
let parents = 0;
let parent: ResourceRef;

beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [state]: stateTable });
});
afterAll(() => engine.close());
beforeEach(() => {
  parents += 1;
  parent = { source: "blog", resource: `users${parents}` };
});

const world = () => ({
  dynamodb: engine.dynamodb,
  names,
  clock: virtualClock({ start: BEGAN }),
  random: Math.random,
});

/** A read of the parent that answers these fan-outs, without a worker. */
async function storeRead(
  fanOuts: string[],
  body: Partial<RunState>,
  { status = "running", slot = "own" }: { status?: Status; slot?: Slot } = {},
): Promise<RunState> {
  const whole = runStateOf({ ids: fanOuts, blocks: 3, ...body });
  const run = { runId: fanOuts.at(-1) ?? "", body: whole, fanOuts, wishes: [] };
  const lease = await takeLease(world(), parent, { slot, owner: "a", run });
  await lease.release({ status, body: whole });
  return whole;
}

/** What a read that has ended leaves: its line in the history, and its epoch. */
async function endRead(fanOuts: string[], body: RunState, slot: Slot = "own"): Promise<void> {
  const ref = { slot, id: body.epoch };
  await keepEpoch(world(), parent, ref, epochIn(body, fanOuts));
  for (const id of fanOuts) {
    const report: ResourceReport = {
      ...{ source: parent.source, resource: parent.resource, table: "users", run_id: id },
      ...{ status: "done", ...zeroCounts(), slice: zeroCounts(), slices: 1 },
      ...{ started_at: body.started_at, duration_ms: 0, cursor: null, schema: null, error: null },
    };
    await recordRun(world(), { resourceRef: parent, slot, id, epoch: body.epoch }, report, 512);
  }
}

const epochFor = (fanOut: string, planHash = "plan") => epochOf(world(), parent, fanOut, planHash);

describe("the epoch that a fan-out has caused", () => {
  it.each<[string, Partial<RunState>, Status, string]>([
    ["is open while its pages are read", { phase: "read" }, "running", "open"],
    ["is open while the API has it wait", { phase: "read" }, "waiting", "open"],
    ["has ended with the last page, before the sweep", { phase: "count" }, "running", "ended"],
    [
      "has ended with the last page, though the sweep was refused",
      { phase: "count" },
      "failed",
      "ended",
    ],
    ["has ended with the read", { phase: "end" }, "done", "ended"],
    ["has failed with a read that came to no end", { phase: "read" }, "failed", "failed"],
  ])("an epoch %s", async (_, body, status, expected) => {
    await storeRead(["r1"], body, { status });
    expect(await epochFor("r1")).toMatchObject({ status: expected, blocks: 3 });
  });

  it("an epoch tells what the read covers, and when it began and ended", async () => {
    const body: Partial<RunState> = {
      coverage: "changes",
      range: { start: 3, end: 9 },
      is_numbered: true,
      root_began_at: "2026-01-01T00:00:00.000Z",
      root_ended_at: "2026-01-01T00:01:00.000Z",
      phase: "end",
      epoch: 7,
    };
    await storeRead(["r1"], body);
    expect(await epochFor("r1")).toEqual({
      ref: { slot: "own", id: 7 },
      status: "ended",
      coverage: "changes",
      range: { start: 3, end: 9 },
      plan_hash: "plan",
      is_numbered: true,
      began_at: "2026-01-01T00:00:00.000Z",
      ended_at: "2026-01-01T00:01:00.000Z",
      fan_outs: ["r1"],
      blocks: 3,
    });
  });

  it("an epoch is that of every fan-out that has left its name on the read, and of no other", async () => {
    await storeRead(["r1", "r2/refresh"], { epoch: 4 });
    for (const id of ["r1", "r2/refresh"]) {
      expect(await epochFor(id)).toMatchObject({ ref: { slot: "own", id: 4 } });
    }
    expect(await epochFor("r2")).toBeUndefined();
    expect(await epochFor("r3")).toBeUndefined();
  });

  it("an epoch of an earlier read is found by the history of its fan-out", async () => {
    const first = await storeRead(["r1", "r2"], { epoch: 1, phase: "end" }, { status: "done" });
    await endRead(["r1", "r2"], first);
    await storeRead(["r3"], { epoch: 2 });
    expect(await epochFor("r2")).toMatchObject({ ref: { slot: "own", id: 1 }, status: "ended" });
    expect(await epochFor("r3")).toMatchObject({ ref: { slot: "own", id: 2 }, status: "open" });
  });

  it("an epoch of a read for children is found in the slot of these, beside the resource's own", async () => {
    await storeRead(["r1"], { epoch: 1 });
    await storeRead(["r2"], { epoch: 5 }, { slot: "for_children" });
    expect(await epochFor("r1")).toMatchObject({ ref: { slot: "own", id: 1 } });
    expect(await epochFor("r2")).toMatchObject({ ref: { slot: "for_children", id: 5 } });
    const ended = runStateOf({ epoch: 3, phase: "end", blocks: 1 });
    await endRead(["r0"], ended, "for_children");
    expect(await epochFor("r0")).toMatchObject({ ref: { slot: "for_children", id: 3 }, blocks: 1 });
  });

  it("an epoch of another plan counts as none, because its spool may lack fields", async () => {
    const body = await storeRead(["r1"], { epoch: 1, phase: "end" });
    expect(await epochFor("r1", "other")).toBeUndefined();
    await endRead(["r1"], body);
    await storeRead(["r2"], { epoch: 2, plan_hash: "other" });
    expect(await epochFor("r1", "other")).toBeUndefined();
    expect(await epochFor("r1")).toMatchObject({ ref: { id: 1 } });
  });

  it("a fan-out has no epoch where nothing was read, and where an earlier version has read", async () => {
    expect(await epochFor("r1")).toBeUndefined();
    await storeRead(["r1"], { epoch: 0 });
    expect(await epochFor("r1")).toBeUndefined();
  });

  it("a fan-out has no epoch any more when that has expired, though the history still names it", async () => {
    await endRead(["r1"], runStateOf({ epoch: 1 }));
    await storeRead(["r2"], { epoch: 2 });
    expect(await epochFor("r1")).toMatchObject({ ref: { id: 1 } });
    const key = { pk: { S: `blog#${parent.resource}` }, sk: { S: "epoch#own#1" } };
    const { Item } = await engine.dynamodb.send(new GetItemCommand({ TableName: state, Key: key }));
    expect(Number(Item?.expires?.N)).toBe(BEGAN / 1000 + SPOOL_DAYS * 86_400);
    await engine.dynamodb.send(new DeleteItemCommand({ TableName: state, Key: key }));
    expect(await epochFor("r1")).toBeUndefined();
    expect(await readRun(world(), parent, "r1")).toMatchObject({ epoch: { slot: "own", id: 1 } });
  });
});

describe("the epoch that a run is bound to", () => {
  const at = (ref: EpochRef) => epochAt(world(), parent, ref);

  it("a bound run follows the read, and finds its epoch when the next read has begun", async () => {
    const ref: EpochRef = { slot: "own", id: 1 };
    await storeRead(["r1"], { epoch: 1, blocks: 1 });
    expect(await at(ref)).toMatchObject({ status: "open", blocks: 1 });
    const ended = await storeRead(["r1"], { epoch: 1, blocks: 4, phase: "end" });
    expect(await at(ref)).toMatchObject({ status: "ended", blocks: 4 });
    await endRead(["r1"], ended);
    await storeRead(["r2"], { epoch: 2, blocks: 9 });
    expect(await at(ref)).toMatchObject({ ref, status: "ended", blocks: 4 });
  });

  it("a bound run has no epoch any more when its read was given up for another one", async () => {
    await storeRead(["r1"], { epoch: 1 });
    await storeRead(["r2"], { epoch: 2 });
    expect(await at({ slot: "own", id: 1 })).toBeUndefined();
    expect(await at({ slot: "for_children", id: 2 })).toBeUndefined();
  });
});

describe("a fan-out whose read is still to come", () => {
  it.each<Slot>(["own", "for_children"])("a fan-out is wished for in the slot %s", async (slot) => {
    await storeRead(["r1"], {}, { slot });
    const stored = await readState(world(), parent, slot);
    if (!stored) throw new Error("no state");
    const wish = { id: "r2", refresh: true, serves: null };
    await addWish(world(), parent, slot, { stored, wish });
    const states = await readParentStates(world(), parent);
    expect(["r1", "r2"].map((id) => isWishedFor(states, id))).toEqual([false, true]);
  });
});

describe("the records of an epoch", () => {
  const append = (epoch: EpochRef, rows: object[], first = 0, token = 1) =>
    appendSpool(world(), { resourceRef: parent, epoch, token }, rows as never, first);
  const read = (epoch: EpochRef, block: number) => readSpoolBlock(world(), parent, epoch, block);

  it("each epoch has blocks of its own, also for the two slots", async () => {
    const refs: EpochRef[] = [
      { slot: "own", id: 1 },
      { slot: "own", id: 2 },
      { slot: "for_children", id: 1 },
    ];
    for (const [n, ref] of refs.entries()) expect(await append(ref, [{ id: n }])).toBe(1);
    const texts = await Promise.all(refs.map((ref) => read(ref, 0)));
    expect(texts).toEqual(['[{"id":0}]', '[{"id":1}]', '[{"id":2}]']);
  });

  it("blocks are numbered on, hold at most about 90 KB, and keep every digit", async () => {
    const ref: EpochRef = { slot: "own", id: 1 };
    const rows = Array.from({ length: 25 }, (_, id) => ({ id, text: "x".repeat(10_000) }));
    const blocks = await append(ref, rows);
    expect(blocks).toBe(4);
    expect(await append(ref, [{ id: 9007199254740993n }], blocks)).toBe(5);
    expect(await read(ref, 4)).toBe('[{"id":9007199254740993}]');
    const all = await Promise.all([0, 1, 2, 3].map((block) => read(ref, block)));
    expect(all.flatMap((text) => JSON.parse(text))).toEqual(rows);
    for (const text of all) expect(text.length).toBeLessThan(95_000);
    expect(await append(ref, [], 5)).toBe(5);
  });

  it("a worker that was overtaken cannot replace what its successor has spooled (P5)", async () => {
    const ref: EpochRef = { slot: "own", id: 1 };
    await append(ref, [{ id: "old" }], 0, 1);
    await append(ref, [{ id: "new" }], 0, 2);
    await expect(append(ref, [{ id: "late" }], 0, 1)).rejects.toMatchObject({
      code: "state.lease_lost",
    });
    expect(await read(ref, 0)).toBe('[{"id":"new"}]');
  });

  it("a block that is gone is an error that says for how long they are kept", async () => {
    await expect(read({ slot: "own", id: 1 }, 0)).rejects.toMatchObject({
      code: "load.spool_missing",
      message: expect.stringContaining(`${SPOOL_DAYS} days`),
    });
  });
});
