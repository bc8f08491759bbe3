import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { LEASE_MS, TAKEOVER_MS } from "../../packages/core/src/base/timing.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { expireLease, Lease, type TakenRun } from "../../packages/core/src/state/lease.ts";
import { readState, type StoredState } from "../../packages/core/src/state/state-item.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { BEGAN, newRun, runStateOf } from "../support/run-state.ts";

const names = { app: "tidetable", stage: "test" };
const body = runStateOf();
const run: TakenRun = { runId: "r1", body, fanOuts: ["r1"], wishes: [] };

let engine: Engine;
let nth = 0;
let place: { source: string; resource: string };

beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [stateTableName(names)]: stateTable });
});
afterAll(() => engine.close());
beforeEach(() => {
  nth += 1;
  place = { source: "test", resource: `r${nth}` };
});

const worldWith = (dynamodb = engine.dynamodb) => ({
  dynamodb,
  names,
  clock: virtualClock({ start: BEGAN }),
  random: Math.random,
});
/** Takes the lease; `stored` is what the decision was made from. */
const take = (
  request: { owner?: string; stored?: StoredState | undefined; run?: TakenRun | undefined } = {},
  world = worldWith(),
) =>
  Lease.take(world, {
    resourceRef: place,
    slot: "own",
    owner: "a",
    stored: undefined,
    run,
    ...request,
  });
async function taken(...asked: Parameters<typeof take>): Promise<Lease> {
  const lease = await take(...asked);
  if (!lease) throw new Error("the state has changed");
  return lease;
}
const storedState = () => readState(worldWith(), place);

describe("a lease", () => {
  it("a step moves body, counts and lease together and increments the step's number", async () => {
    const lease = await taken();
    expect(await storedState()).toMatchObject({
      status: "running",
      run_id: "r1",
      token: 1,
      seq: 1,
      lease: { owner: "a", until: BEGAN + LEASE_MS },
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
    await taken({}, world);
    const held = await storedState();
    world.clock.advance(LEASE_MS + TAKEOVER_MS - 1);
    const early = taken({ owner: "b", stored: held }, world);
    await expect(early).rejects.toMatchObject({ code: "state.lease_held" });
    world.clock.advance(1);
    await taken({ owner: "b", stored: held }, world);
    expect(await storedState()).toMatchObject({ token: 2, lease: { owner: "b" } });
  });

  it("one of many workers that take a lease at once gets it, and the others look again (P5)", async () => {
    const workers = Array.from({ length: 10 }, (_, n) => take({ owner: `w${n}` }));
    const leases = (await Promise.all(workers)).filter((lease) => lease !== undefined);
    expect(leases).toHaveLength(1);
    expect(await storedState()).toMatchObject({ token: 1, seq: 1 });
  });

  it("a lease is not taken on top of a state that has moved since it was read", async () => {
    const lease = await taken();
    await lease.release({ status: "done", body });
    const stored = await storedState();
    const other = await taken({ owner: "b", stored });
    await other.letGo();
    expect(await take({ owner: "c", stored })).toBeUndefined();
    expect(await storedState()).toMatchObject({ token: 2, lease: null });
  });

  it("taking a lease for a run moves names and wishes with it, and taking it alone leaves them", async () => {
    const wish = { id: "r3", refresh: true, serves: null };
    const first = await taken({ run: { ...run, fanOuts: ["r1", "r2"], wishes: [wish] } });
    await first.letGo();
    expect(await storedState()).toMatchObject({ fan_outs: ["r1", "r2"], wishes: [wish] });
    const sample = await taken({ stored: await storedState(), run: undefined });
    await sample.letGo();
    expect(await storedState()).toMatchObject({
      status: "running",
      run_id: "r1",
      fan_outs: ["r1", "r2"],
      wishes: [wish],
    });
    const next = newRun({ id: "r4" });
    await taken({ stored: await storedState(), run: next });
    expect(await storedState()).toMatchObject({ run_id: "r4", fan_outs: ["r4"], wishes: [] });
  });

  it("a success is kept for the resource's own runs, and not for reads for its children", async () => {
    const own = await taken();
    await own.release({ status: "failed", body });
    expect((await storedState())?.succeeded_at).toBeNull();
    const forChildren = await Lease.take(worldWith(), {
      resourceRef: place,
      slot: "for_children",
      owner: "a",
      stored: undefined,
      run,
    });
    await forChildren?.release({ status: "done", body });
    const stored = await readState(worldWith(), place, "for_children");
    expect(stored).toMatchObject({ status: "done", succeeded_at: null });
    expect(await storedState()).toMatchObject({ status: "failed", succeeded_at: null });

    const again = await taken({ stored: await storedState() });
    await again.release({ status: "done", body });
    expect((await storedState())?.succeeded_at).toBe(new Date(BEGAN).toISOString());
  });

  it("a worker that was overtaken can move nothing (P5)", async () => {
    const world = worldWith();
    const paused = await taken({}, world);
    world.clock.advance(LEASE_MS + TAKEOVER_MS);
    expect(() => paused.guard()).toThrow("lease ran out");
    const fresh = await taken({ owner: "b", stored: await storedState() }, world);
    await fresh.checkpoint({ ...body, page: 7 });

    const late = paused.checkpoint({ ...body, page: 3 });
    await expect(late).rejects.toMatchObject({ code: "state.lease_lost" });
    await expect(paused.renew()).rejects.toMatchObject({ code: "state.lease_lost" });
    await expect(paused.letGo()).rejects.toMatchObject({ code: "state.lease_lost" });
    expect(await storedState()).toMatchObject({ lease: { owner: "b" }, body: { page: 7 } });
  });

  it("every checkpoint renews the lease", async () => {
    const world = worldWith();
    const lease = await taken({}, world);
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
    const lease = await taken();
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
    const lease = await taken({}, worldWith(dynamodb));
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
    const lease = await taken({}, world);
    const step = lease.checkpoint({ ...body, page: 1 });
    await expect(step).rejects.toMatchObject({ code: "state.unavailable" });
    expect(proxy.calls.length).toBeGreaterThan(5);
    expect(world.clock.monotonic()).toBeLessThan(LEASE_MS);
    dynamodb.destroy();
    await proxy.close();
  });
});

describe("the lease of a worker that has died", () => {
  it("a dead owner's lease can be taken at once, and the death is still seen", async () => {
    await taken({ owner: "dead" });
    expect(await expireLease(worldWith(), place, "own", "dead")).toBe(true);
    const stored = await storedState();
    expect(stored?.lease).toEqual({ owner: "dead", until: 0 });
    expect(await taken({ owner: "b", stored })).toMatchObject({ token: 2 });
  });

  it("the lease of another owner, and that of the other slot, are left alone", async () => {
    await taken({ owner: "living" });
    expect(await expireLease(worldWith(), place, "own", "dead")).toBe(false);
    expect(await expireLease(worldWith(), place, "for_children", "living")).toBe(false);
    expect(await storedState()).toMatchObject({
      lease: { owner: "living", until: BEGAN + LEASE_MS },
    });
  });
});
