import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { tokenLock } from "../../packages/core/src/state/token-lock.ts";
import { virtualClock } from "../support/clock.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { testWorld } from "../support/world.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [stateTableName(testWorld(engine).names)]: stateTable });
});
afterAll(() => engine.close());

const world = (clock = virtualClock()) => ({
  ...testWorld(engine, { clock }),
  deadline: 15 * 60_000,
});

describe("the lock of a source's token", () => {
  it("lets one worker in at a time", async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    // Real time: each of them waits for the others.
    const workers = Array.from({ length: 3 }, () => tokenLock(testWorld(engine), "crowd")(work));
    await Promise.all(workers);
    expect(most).toBe(1);
  });

  it("is given back when the work has failed, and the failure is told", async () => {
    const failing = tokenLock(world(), "failing")(() => Promise.reject(new Error("no token")));
    await expect(failing).rejects.toThrow("no token");
    const clock = virtualClock();
    await tokenLock(world(clock), "failing")(async () => {});
    expect(clock.sleeps).toEqual([]);
  });

  it("outlives a worker that died by a minute", async () => {
    let dead = () => {};
    const clock = virtualClock();
    const dying = tokenLock(
      world(clock),
      "dying",
    )(
      () =>
        new Promise((resolve) => {
          dead = () => resolve(undefined);
        }),
    );
    await expect.poll(() => holder("dying")).toBeDefined();
    const other = world(clock);
    await tokenLock(other, "dying")(async () => {});
    expect(clock.monotonic()).toBeGreaterThan(60_000);
    expect(clock.monotonic()).toBeLessThan(63_000);
    // Back from the dead, it takes nothing away from who has it now.
    await tokenLock(
      other,
      "dying",
    )(async () => {
      const now = await holder("dying");
      dead();
      await dying;
      expect(await holder("dying")).toEqual(now);
    });
  });

  it("is not waited for longer than the slice has: the run waits", async () => {
    const clock = virtualClock();
    await tokenLock(
      world(clock),
      "short",
    )(async () => {
      const short = { ...world(clock), deadline: 2_500 };
      await expect(tokenLock(short, "short")(async () => {})).rejects.toMatchObject({
        code: "secrets.locked",
        retryable: true,
        waitMs: 60_000,
      });
    });
  });

  it("leaves time to store what the API has answered", async () => {
    const clock = virtualClock();
    await tokenLock(world(clock), "timed")(async (until) => expect(until).toBe(20_000));
  });

  it("is not there before the first deployment, and nobody to be locked out", async () => {
    const elsewhere = { ...world(), names: { app: "tidetable", stage: "none" } };
    expect(await tokenLock(elsewhere, "first")(async () => "done")).toBe("done");
  });
});

async function holder(source: string): Promise<unknown> {
  const { Item } = await engine.dynamodb.send(
    new GetItemCommand({
      TableName: stateTableName(testWorld(engine).names),
      Key: { pk: { S: `${source}#` }, sk: { S: "token" } },
    }),
  );
  return Item && { owner: Item.lock_owner, until: Item.lock_until };
}
