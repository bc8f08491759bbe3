import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import type { ResourceRef } from "../../packages/core/src/base/resource-ref.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { Lease } from "../../packages/core/src/state/lease.ts";
import { decideRun } from "../../packages/core/src/state/opening.ts";
import {
  addFanOut,
  addWish,
  endWait,
  readState,
  type Status,
  type StoredState,
  type Wish,
  withFanOut,
  withWish,
} from "../../packages/core/src/state/state-item.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { BEGAN, runStateOf, takeLease, wantedOf } from "../support/run-state.ts";

const names = { app: "tidetable", stage: "test" };
const body = runStateOf();
const wishOf = (id: string, changes: Partial<Wish> = {}): Wish => ({
  id,
  refresh: false,
  serves: null,
  ...changes,
});

let engine: Engine;
let resources = 0;
let resourceRef: ResourceRef;

beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [stateTableName(names)]: stateTable });
});
afterAll(() => engine.close());
beforeEach(() => {
  resources += 1;
  resourceRef = { source: "shop", resource: `rows${resources}` };
});

const worldWith = (dynamodb: Pick<DynamoDBClient, "send"> = engine.dynamodb) => ({
  dynamodb,
  names,
  clock: virtualClock({ start: BEGAN }),
  random: Math.random,
});

async function storedState(): Promise<StoredState> {
  const stored = await readState(worldWith(), resourceRef);
  if (!stored) throw new Error("no state");
  return stored;
}

/** A run "r1" with a living worker. Gives its lease. */
const startRun = (fanOuts = ["r1"]) =>
  takeLease(worldWith(), resourceRef, {
    owner: "a",
    run: { runId: "r1", body, fanOuts, wishes: [] },
  });

const leaveWish = (stored: StoredState, id: string, changes: Partial<Wish> = {}) =>
  addWish(worldWith(), resourceRef, "own", { stored, wish: wishOf(id, changes) });
const leaveName = (stored: StoredState, id: string) =>
  addFanOut(worldWith(), resourceRef, "own", { stored, id });

describe("a wish", () => {
  it("a wish is stored while a worker is at it, and the worker's steps leave it alone", async () => {
    const lease = await startRun();
    expect(await leaveWish(await storedState(), "r2", { refresh: true })).toBe(true);
    await lease.checkpoint({ ...body, page: 1 });
    await lease.release({ status: "done", body: { ...body, phase: "end" } });
    expect(await storedState()).toMatchObject({
      status: "done",
      wishes: [wishOf("r2", { refresh: true })],
    });
  });

  it("a wish is stored whatever the worker has done since the state was read", async () => {
    const lease = await startRun();
    const stored = await storedState();
    await lease.checkpoint({ ...body, page: 1 });
    expect(await leaveWish(stored, "r2")).toBe(true);
    expect(await storedState()).toMatchObject({ body: { page: 1 }, wishes: [wishOf("r2")] });
  });

  it("two events that wish at once both are heard: the second one looks again", async () => {
    await startRun();
    const stored = await storedState();
    expect(await leaveWish(stored, "r2")).toBe(true);
    expect(await leaveWish(stored, "r3")).toBe(false);
    expect(await leaveWish(await storedState(), "r3")).toBe(true);
    expect((await storedState()).wishes.map(({ id }) => id)).toEqual(["r2", "r3"]);
  });

  it("the second delivery of an event has its wish already, and writes nothing", async () => {
    await startRun();
    await leaveWish(await storedState(), "r2", { refresh: true });
    const before = await storedState();
    expect(await leaveWish(before, "r2", { refresh: true })).toBe(true);
    expect(await storedState()).toEqual(before);
  });

  it("a wish whose answer was lost is found when the event looks again", async () => {
    await startRun();
    const stored = await storedState();
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ number }) =>
      number === 1 ? { kind: "reset", when: "after" } : undefined,
    );
    const dynamodb = clientOf(proxy.endpoint);
    const leave = (seen: StoredState) =>
      addWish(worldWith(dynamodb), resourceRef, "own", { stored: seen, wish: wishOf("r2") });
    expect(await leave(stored)).toBe(false);
    expect(await leave(await storedState())).toBe(true);
    expect((await storedState()).wishes).toEqual([wishOf("r2")]);
    dynamodb.destroy();
    await proxy.close();
  });

  it("a wish that comes while the next read begins is not overwritten: the read looks again", async () => {
    const lease = await startRun();
    await lease.release({ status: "done", body });
    const stored = await storedState();
    expect(await leaveWish(stored, "r3", { refresh: true })).toBe(true);

    const begin = async (seen: StoredState) => {
      const decision = decideRun(seen, wantedOf({ id: "r2" }));
      if (decision.kind !== "start") throw new Error(decision.kind);
      const request = { resourceRef, slot: "own", owner: "b", stored: seen } as const;
      return Lease.take(worldWith(), { ...request, run: decision });
    };
    expect(await begin(stored)).toBeUndefined();
    expect(await begin(await storedState())).toBeDefined();
    expect(await storedState()).toMatchObject({
      run_id: "r2",
      body: { ids: ["r3", "r2"], refresh: true },
      fan_outs: ["r3", "r2"],
      wishes: [],
    });
  });

  it("of more than 50 wishes the oldest is answered under the next one's name, and loses nothing else", () => {
    const wishes = Array.from({ length: 50 }, (_, n) => wishOf(`r${n}`, { serves: [`child${n}`] }));
    const first = { ...wishOf("r0"), refresh: true, serves: ["a", "b"] };
    const all = withWish(
      [first, wishOf("r1", { serves: ["b", "c"] }), ...wishes.slice(2)],
      wishOf("r50"),
    );
    expect(all).toHaveLength(50);
    expect(all[0]).toEqual({ id: "r1", refresh: true, serves: ["a", "b", "c"] });
    expect(all.at(-1)).toEqual(wishOf("r50"));
    const [oldest] = withWish([wishOf("r0"), ...wishes.slice(1)], wishOf("r50"));
    expect(oldest).toEqual({ id: "r1", refresh: false, serves: null });
    expect(withWish(wishes.slice(1), wishOf("r50"))).toEqual([...wishes.slice(1), wishOf("r50")]);
  });

  it("a state with as many wishes and names as it keeps apart fits into its item", async () => {
    await startRun();
    const longId = (n: number) => `${n}`.padStart(120, "x");
    for (let n = 0; n < 55; n++) {
      const stored = await storedState();
      await leaveWish(stored, longId(n), { refresh: n === 0, serves: Array(20).fill("comments") });
      await leaveName(stored, longId(n));
    }
    const { wishes, fan_outs } = await storedState();
    expect([wishes.length, fan_outs.length]).toEqual([50, 50]);
    expect(wishes[0]).toMatchObject({ id: longId(5), refresh: true });
    expect(fan_outs).toEqual(Array.from({ length: 50 }, (_, n) => longId(n + 5)));
  });
});

describe("a fan-out's name on a read under way", () => {
  it.each<Status>([
    "running",
    "waiting",
  ])("a name is added to a read that is %s", async (status) => {
    const lease = await startRun();
    await lease.release({ status, body });
    expect(await leaveName(await storedState(), "r2")).toBe(true);
    expect((await storedState()).fan_outs).toEqual(["r1", "r2"]);
  });

  it.each<Status>([
    "done",
    "failed",
  ])("a name is not added to a read that has come to be %s meanwhile: the event looks again", async (status) => {
    const lease = await startRun();
    const stored = await storedState();
    await lease.release({ status, body });
    expect(await leaveName(stored, "r2")).toBe(false);
    expect((await storedState()).fan_outs).toEqual(["r1"]);
  });

  it("a name is not added to another read that has begun meanwhile", async () => {
    const first = await startRun();
    const stored = await storedState();
    await first.release({ status: "failed", body });
    const run = { runId: "r9", body, fanOuts: ["r1"], wishes: [] };
    await takeLease(worldWith(), resourceRef, { owner: "b", run });
    expect(await leaveName(stored, "r2")).toBe(false);
    expect(await storedState()).toMatchObject({ run_id: "r9", fan_outs: ["r1"] });
  });

  it("two events that leave their names at once both are heard: the second one looks again", async () => {
    await startRun();
    const stored = await storedState();
    expect(await leaveName(stored, "r2")).toBe(true);
    expect(await leaveName(stored, "r3")).toBe(false);
    expect(await leaveName(await storedState(), "r3")).toBe(true);
    expect((await storedState()).fan_outs).toEqual(["r1", "r2", "r3"]);
  });

  it("a name that is there already writes nothing", async () => {
    await startRun();
    const before = await storedState();
    expect(await leaveName(before, "r1")).toBe(true);
    expect(await storedState()).toEqual(before);
  });

  it("of more than 50 names the oldest go", () => {
    const all = Array.from({ length: 50 }, (_, n) => `r${n}`);
    expect(withFanOut(all, "r50")).toEqual([...all.slice(1), "r50"]);
    expect(withFanOut(all, "r7")).toEqual(all);
  });
});

describe("the end of a wait", () => {
  it("a person's run ends the wait of a waiting run", async () => {
    const lease = await startRun();
    const notBefore = new Date(BEGAN + 60_000).toISOString();
    await lease.release({ status: "waiting", body, notBefore });
    expect(await endWait(worldWith(), resourceRef, "own")).toBe(true);
    expect(await storedState()).toMatchObject({ status: "waiting", not_before: null, body });
  });

  it.each<Status>([
    "running",
    "done",
    "failed",
  ])("a run that is %s has no wait to end", async (status) => {
    const lease = await startRun();
    await lease.release({ status, body });
    const before = await storedState();
    expect(await endWait(worldWith(), resourceRef, "own")).toBe(false);
    expect(await storedState()).toEqual(before);
  });

  it("a resource that never ran has no wait to end, and gets no state by it", async () => {
    expect(await endWait(worldWith(), resourceRef, "own")).toBe(false);
    expect(await readState(worldWith(), resourceRef)).toBeUndefined();
  });
});
