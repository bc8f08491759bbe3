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

const lockWorld = (clock = virtualClock()) => ({
  ...testWorld(engine, { clock }),
  deadline: 15 * 60_000,
});

describe("the lock of a source's token", () => {
  it("the token lock lets in one worker at a time", async () => {
    let inside = 0;
    let most = 0;
    const countedWork = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    // Real time: each of them waits for the others.
    const workers = Array.from({ length: 3 }, () =>
      tokenLock(testWorld(engine), "crowd")(countedWork),
    );
    await Promise.all(workers);
    expect(most).toBe(1);
  });

  it("the token lock is given back when the work fails, and the failure is thrown", async () => {
    const failing = tokenLock(lockWorld(), "failing")(() => Promise.reject(new Error("no token")));
    await expect(failing).rejects.toThrow("no token");
    const clock = virtualClock();
    await tokenLock(lockWorld(clock), "failing")(async () => {});
    expect(clock.sleeps).toEqual([]);
  });

  it("the token lock of a worker that died is free after a minute", async () => {
    let dead = () => {};
    const clock = virtualClock();
    const dying = tokenLock(
      lockWorld(clock),
      "dying",
    )(
      () =>
        new Promise((resolve) => {
          dead = () => resolve(undefined);
        }),
    );
    await expect.poll(() => lockHolder("dying")).toBeDefined();
    const successor = lockWorld(clock);
    await tokenLock(successor, "dying")(async () => {});
    expect(clock.monotonic()).toBeGreaterThan(60_000);
    expect(clock.monotonic()).toBeLessThan(63_000);
    // Back from the dead, it takes nothing away from who has it now.
    await tokenLock(
      successor,
      "dying",
    )(async () => {
      const now = await lockHolder("dying");
      dead();
      await dying;
      expect(await lockHolder("dying")).toEqual(now);
    });
  });

  it("a worker does not wait for the token lock beyond its slice, and its run waits", async () => {
    const clock = virtualClock();
    await tokenLock(
      lockWorld(clock),
      "short",
    )(async () => {
      const short = { ...lockWorld(clock), deadline: 2_500 };
      await expect(tokenLock(short, "short")(async () => {})).rejects.toMatchObject({
        code: "secrets.locked",
        retryable: true,
        waitMs: 60_000,
      });
    });
  });

  it("the wait for the token lock leaves time to store the API's answer", async () => {
    const clock = virtualClock();
    await tokenLock(lockWorld(clock), "timed")(async (until) => expect(until).toBe(20_000));
  });

  it("the token lock is not needed before the first deployment", async () => {
    const elsewhere = { ...lockWorld(), names: { app: "tidetable", stage: "none" } };
    expect(await tokenLock(elsewhere, "first")(async () => "done")).toBe("done");
  });
});

async function lockHolder(source: string): Promise<unknown> {
  const { Item } = await engine.dynamodb.send(
    new GetItemCommand({
      TableName: stateTableName(testWorld(engine).names),
      Key: { pk: { S: `${source}#` }, sk: { S: "token" } },
    }),
  );
  return Item && { owner: Item.lock_owner, until: Item.lock_until };
}
