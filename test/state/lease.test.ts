import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { LEASE_MS, TAKEOVER_MS } from "../../packages/core/src/base/timing.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { zeroCounts } from "../../packages/core/src/report/counts.ts";
import { nothingKnown } from "../../packages/core/src/state/changed-rows-state.ts";
import { takeLease } from "../../packages/core/src/state/lease.ts";
import { opening } from "../../packages/core/src/state/opening.ts";
import type { RunState } from "../../packages/core/src/state/run-state.ts";
import { readState, type StoredState } from "../../packages/core/src/state/state-item.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

const names = { app: "tidetable", stage: "test" };
const start = Date.UTC(2026, 0, 1);
const body: RunState = {
  plan_hash: "plan",
  table_id: "table",
  started_at: new Date(start).toISOString(),
  slices: 1,
  page: 0,
  refresh: false,
  refresh_next: false,
  phase: "read",
  next: null,
  counts: zeroCounts(),
  cursor: null,
  cursor_path: null,
  initial: null,
  candidate: null,
  known: [],
  edge: [],
  window: null,
  spool: { log: "r1", run_ids: ["r1"], start: 0, end: 0, past: [] },
  at: null,
  spool_only: false,
  api_time: null,
  loops: null,
  rows: nothingKnown,
  sweep: null,
  deaths: 0,
  waits: 0,
};
const run = { runId: "r1", body };

let engine: Engine;
let nth = 0;
let resourceRef: { source: string; resource: string };

beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [stateTableName(names)]: stateTable });
});
afterAll(() => engine.close());
beforeEach(() => {
  nth += 1;
  resourceRef = { source: "test", resource: `r${nth}` };
});

const worldWith = (dynamodb = engine.dynamodb) => ({
  dynamodb,
  names,
  clock: virtualClock({ start }),
  random: Math.random,
});
const storedState = () => readState(worldWith(), resourceRef);

describe("a lease", () => {
  it("a step moves body, counts and lease together and increments the step's number", async () => {
    const lease = await takeLease(worldWith(), resourceRef, undefined, { owner: "a", run });
    expect(await storedState()).toMatchObject({
      status: "running",
      run_id: "r1",
      token: 1,
      seq: 1,
      lease: { owner: "a", until: start + LEASE_MS },
      body,
    });
    const next = { params: { offset: 100 } };
    await lease.checkpoint({ ...body, page: 1, next });
    expect(await storedState()).toMatchObject({ token: 1, seq: 2, body: { page: 1, next } });
    await lease.release({ status: "done", body: { ...body, page: 1, phase: "end" } });
    expect(await storedState()).toMatchObject({ status: "done", seq: 3, lease: null });
  });

  it("a lease is refused while another worker holds it, and until ten seconds after its end (P5)", async () => {
    const world = worldWith();
    await takeLease(world, resourceRef, undefined, { owner: "a", run });
    const held = await storedState();
    world.clock.advance(LEASE_MS + TAKEOVER_MS - 1);
    const early = takeLease(world, resourceRef, held, { owner: "b", run });
    await expect(early).rejects.toMatchObject({ code: "state.lease_held" });
    world.clock.advance(1);
    await takeLease(world, resourceRef, held, { owner: "b", run });
    expect(await storedState()).toMatchObject({ token: 2, lease: { owner: "b" } });
  });

  it("one of many workers that take a lease at once gets it (P5)", async () => {
    const tryLease = (owner: string) =>
      takeLease(worldWith(), resourceRef, undefined, { owner, run });
    const ends = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => tryLease(`w${n}`)));
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const end of ends) {
      if (end.status === "rejected") expect(end.reason.code).toBe("state.lease_held");
    }
  });

  it("a worker that was overtaken can move nothing (P5)", async () => {
    const world = worldWith();
    const paused = await takeLease(world, resourceRef, undefined, { owner: "a", run });
    world.clock.advance(LEASE_MS + TAKEOVER_MS);
    expect(() => paused.guard()).toThrow("lease ran out");
    const fresh = await takeLease(world, resourceRef, await storedState(), { owner: "b", run });
    await fresh.checkpoint({ ...body, page: 7 });

    const late = paused.checkpoint({ ...body, page: 3 });
    await expect(late).rejects.toMatchObject({ code: "state.lease_lost" });
    await expect(paused.renew()).rejects.toMatchObject({ code: "state.lease_lost" });
    await expect(paused.letGo()).rejects.toMatchObject({ code: "state.lease_lost" });
    expect(await storedState()).toMatchObject({ lease: { owner: "b" }, body: { page: 7 } });
  });

  it("every checkpoint renews the lease", async () => {
    const world = worldWith();
    const lease = await takeLease(world, resourceRef, undefined, { owner: "a", run });
    for (let page = 1; page <= 5; page++) {
      world.clock.advance(LEASE_MS - 1000);
      lease.guard();
      await lease.checkpoint({ ...body, page });
    }
    lease.guard();
    world.clock.advance(LEASE_MS);
    expect(() => lease.guard()).toThrow("lease ran out");
  });

  it("a lease can be given back without moving the run", async () => {
    const lease = await takeLease(worldWith(), resourceRef, undefined, { owner: "a", run });
    await lease.checkpoint({ ...body, page: 2 });
    await lease.letGo();
    expect(await storedState()).toMatchObject({
      status: "running",
      lease: null,
      body: { page: 2 },
    });
  });
});

describe("a step whose answer was lost", () => {
  it("a worker recognises a step whose answer was lost as its own success (P6)", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) =>
      number === 2 ? { kind: "reset", when: "after" } : undefined,
    );
    const dynamodb = clientOf(proxy.endpoint);
    const lease = await takeLease(worldWith(dynamodb), resourceRef, undefined, { owner: "a", run });
    await lease.checkpoint({ ...body, page: 1 });
    expect(await storedState()).toMatchObject({ seq: 2, body: { page: 1 } });
    expect(proxy.calls.map(({ operation }) => operation)).toEqual([
      "UpdateItem",
      "UpdateItem",
      "UpdateItem",
      "GetItem",
    ]);
    await lease.checkpoint({ ...body, page: 2 });
    dynamodb.destroy();
    await proxy.close();
  });

  it("a step is tried again through throttles and errors, and given up while the lease still lasts", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) =>
      number === 1 ? undefined : { kind: "error", status: 500, type: "InternalServerError" },
    );
    const dynamodb = clientOf(proxy.endpoint);
    const world = worldWith(dynamodb);
    const lease = await takeLease(world, resourceRef, undefined, { owner: "a", run });
    const step = lease.checkpoint({ ...body, page: 1 });
    await expect(step).rejects.toMatchObject({ code: "state.unavailable" });
    expect(proxy.calls.length).toBeGreaterThan(5);
    expect(world.clock.monotonic()).toBeLessThan(LEASE_MS);
    dynamodb.destroy();
    await proxy.close();
  });
});

describe("the run that an event means", () => {
  const want = {
    runId: "r2",
    refresh: false,
    planHash: "plan",
    tableId: "table",
    cursorPath: null,
    rows: () => nothingKnown,
    now: start + 1000,
  };
  const storedStateOf = (changes: Partial<StoredState>): StoredState => ({
    status: "running",
    run_id: "r1",
    token: 3,
    seq: 9,
    write_id: "",
    lease: null,
    not_before: null,
    updated_at: "",
    succeeded_at: null,
    body: { ...body, page: 4, next: { params: { offset: 400 } }, cursor: "2026-01-01" },
    ...changes,
  });

  it("an event means a new run when no state is stored", () => {
    expect(opening(undefined, want)).toMatchObject({
      kind: "start",
      runId: "r2",
      body: { page: 0 },
    });
  });

  it("an event means the unfinished run, whatever the event's own id (P7)", () => {
    expect(opening(storedStateOf({}), want)).toMatchObject({
      kind: "continue",
      runId: "r1",
      body: { page: 4, slices: 2, next: { params: { offset: 400 } } },
    });
  });

  it("a late second delivery of an event means a run that has ended (P7)", () => {
    const again = { ...want, runId: "r1" };
    expect(opening(storedStateOf({ status: "done" }), again)).toMatchObject({ kind: "ended" });
    expect(opening(storedStateOf({ status: "done" }), want)).toMatchObject({
      kind: "start",
      body: { page: 0, cursor: "2026-01-01" },
    });
  });

  it("only the retry of a failed event continues its run", () => {
    const failed = storedStateOf({ status: "failed" });
    expect(opening(failed, { ...want, runId: "r1" })).toMatchObject({ kind: "continue" });
    expect(opening(failed, want)).toMatchObject({ kind: "start", runId: "r2", body: { page: 0 } });
  });

  it("a waiting run waits until the time that the API asked for", () => {
    const not_before = new Date(want.now + 1).toISOString();
    const waiting = storedStateOf({ status: "waiting", not_before });
    expect(opening(waiting, want)).toMatchObject({ kind: "wait", notBefore: not_before });
    expect(opening(waiting, { ...want, now: want.now + 1 })).toMatchObject({ kind: "continue" });
  });

  it("an unfinished run starts anew when the config has changed, and says so (P6)", () => {
    const open = opening(storedStateOf({}), { ...want, planHash: "other" });
    expect(open).toMatchObject({ kind: "start", body: { page: 0, cursor: "2026-01-01" } });
    expect(open).toHaveProperty("note", expect.stringContaining("config changed"));
  });

  it("a run forgets the cursor of another field", () => {
    const otherCursor = { ...want, cursorPath: "updated_at" };
    expect(opening(storedStateOf({ status: "done" }), otherCursor)).toMatchObject({
      body: { cursor: null },
    });
  });

  it("a run forgets position and cursor when the table is another one, and says so", () => {
    const open = opening(storedStateOf({ status: "done" }), { ...want, tableId: "new" });
    expect(open).toMatchObject({ kind: "start", body: { page: 0, cursor: null } });
    expect(open).toHaveProperty("note", expect.stringContaining("not the one"));
  });
});
