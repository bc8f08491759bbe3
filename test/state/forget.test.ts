import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import type { World } from "../../packages/core/src/base/world.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { forgetResource } from "../../packages/core/src/state/forget.ts";
import { Lease } from "../../packages/core/src/state/lease.ts";
import type { Slot } from "../../packages/core/src/state/run-state.ts";
import { addWish, readState } from "../../packages/core/src/state/state-item.ts";
import { virtualClock } from "../support/clock.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { runStateOf } from "../support/run-state.ts";

const place = { source: "desk", resource: "tickets" };
const body = runStateOf({ cursor: "2026", page: 3 });
const run = { runId: "r1", body, fanOuts: ["r1"], wishes: [] };

let engine: Engine;
let world: World;
let tests = 0;

beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
beforeEach(async () => {
  tests += 1;
  const names = { app: "tidetable", stage: `forget-${tests}` };
  await engine.createTables({ [stateTableName(names)]: stateTable });
  world = {
    names,
    dynamodb: engine.dynamodb,
    clock: virtualClock(),
    random: Math.random,
  } as unknown as World;
});

const putStateItem = (pk: string, sk: string, filler = "") =>
  engine.dynamodb.send(
    new PutItemCommand({
      TableName: stateTableName(world.names),
      Item: { pk: { S: pk }, sk: { S: sk }, filler: { S: filler } },
    }),
  );
const stateKeys = async () =>
  (await engine.scan(stateTableName(world.names))).map(({ pk, sk }) => `${pk?.S} ${sk?.S}`).sort();

/** A run that has ended, or that still holds its lease. */
async function finishRun({ release = true, slot = "own" as Slot } = {}) {
  const stored = await readState(world, place, slot);
  const lease = await Lease.take(world, { resourceRef: place, slot, owner: "worker", stored, run });
  if (!lease) throw new Error("the state has changed");
  if (release) await lease.release({ status: "done", body });
  return lease;
}

describe("forgetting a resource", () => {
  it("forgetting a resource removes cursor and checkpoint, and keeps history and quarantine", async () => {
    await finishRun();
    await putStateItem("desk#tickets", "run#r1");
    await putStateItem("desk#tickets", "quarantine#1");
    await forgetResource(world, place, { owner: "me" });
    expect(await readState(world, place)).toMatchObject({
      status: "new",
      run_id: null,
      body: null,
      lease: null,
    });
    expect(await stateKeys()).toEqual([
      "desk#tickets quarantine#1",
      "desk#tickets run#r1",
      "desk#tickets state",
    ]);
  });

  it("forgetting a resource removes all of its blocks and none of another resource", async () => {
    await finishRun();
    const filler = "x".repeat(100_000);
    for (let block = 0; block < 15; block++)
      await putStateItem(`desk#tickets/seen/${block}`, "keys", filler);
    await putStateItem("desk#tickets_old/seen/0", "keys");
    await putStateItem("desks#tickets/seen/0", "keys");
    await forgetResource(world, place, { owner: "me" });
    expect(await stateKeys()).toEqual([
      "desk#tickets state",
      "desk#tickets_old/seen/0 keys",
      "desks#tickets/seen/0 keys",
    ]);
  });

  it("forgetting a resource keeps the token growing, so that an earlier worker can move nothing (P5)", async () => {
    const old = await finishRun({ release: false });
    (world.clock as ReturnType<typeof virtualClock>).advance(120_000);
    await forgetResource(world, place, { owner: "me" });
    await expect(old.checkpoint(body)).rejects.toMatchObject({ code: "state.lease_lost" });
    const next = await finishRun({ release: false });
    expect(next.token).toBeGreaterThan(old.token + 1);
    await expect(old.checkpoint(body)).rejects.toMatchObject({ code: "state.lease_lost" });
  });

  it("forgetting a resource is refused while a run holds the lease (P5)", async () => {
    await finishRun({ release: false });
    await putStateItem("desk#tickets/seen/0", "keys");
    const done: string[] = [];
    const also = async () => void done.push("also");
    await expect(forgetResource(world, place, { owner: "me", also })).rejects.toMatchObject({
      code: "state.lease_held",
    });
    expect(done).toEqual([]);
    expect(await readState(world, place)).toMatchObject({ run_id: "r1", body });
    expect(await stateKeys()).toContain("desk#tickets/seen/0 keys");
  });

  it("forgetting a resource that fails half-way keeps the cursor and gives the lease back", async () => {
    await finishRun();
    const also = () => Promise.reject(new Error("no"));
    await expect(forgetResource(world, place, { owner: "me", also })).rejects.toThrow("no");
    expect(await readState(world, place)).toMatchObject({
      status: "done",
      body,
      lease: null,
    });
  });

  it("forgetting a resource forgets what it reads for its children alone, the names and the wishes", async () => {
    await finishRun();
    await finishRun({ slot: "for_children" });
    const stored = await readState(world, place);
    if (!stored) throw new Error("no state");
    const wish = { id: "r9", refresh: true, serves: null };
    expect(await addWish(world, place, "own", { stored, wish })).toBe(true);
    await putStateItem("desk#tickets/spool/1/0", "rows");
    await putStateItem("desk#tickets/spool-for-children/1/0", "rows");
    await putStateItem("desk#tickets/cursor/abc", "cursor");
    await forgetResource(world, place, { owner: "me" });
    for (const slot of ["own", "for_children"] as const) {
      expect(await readState(world, place, slot)).toMatchObject({
        status: "new",
        body: null,
        fan_outs: [],
        wishes: [],
        lease: null,
      });
    }
    expect(await stateKeys()).toEqual(["desk#tickets state", "desk#tickets state/for_children"]);
  });

  it("forgetting a resource is refused while it is read for its children, and gives its own lease back", async () => {
    await finishRun();
    await finishRun({ slot: "for_children", release: false });
    await expect(forgetResource(world, place, { owner: "me" })).rejects.toMatchObject({
      code: "state.lease_held",
    });
    expect(await readState(world, place)).toMatchObject({ run_id: "r1", body, lease: null });
  });

  it("forgetting a resource that never ran does no harm", async () => {
    await forgetResource(world, place, { owner: "me" });
    await forgetResource(world, place, { owner: "me" });
    expect(await readState(world, place)).toMatchObject({ status: "new", lease: null });
  });
});
