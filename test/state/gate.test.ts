import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { GATE_READ_MS } from "../../packages/core/src/base/timing.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import { openGate, sourceGate } from "../../packages/core/src/state/gate.ts";
import { virtualClock } from "../support/clock.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { testWorld } from "../support/world.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ [stateTableName(testWorld(engine).names)]: stateTable });
});
afterAll(() => engine.close());

const signal = new AbortController().signal;

/** Two workers of a source, under one clock. */
function openGates(source: string) {
  const clock = virtualClock();
  const world = testWorld(engine, { clock });
  const [first, second] = [sourceGate(world, source), sourceGate(world, source)];
  return { clock, world, first, second };
}

describe("the gate of a source", () => {
  it("a gate that one worker closes keeps the others waiting", async () => {
    const { clock, first, second } = openGates("shared");
    await first.closeFor(60_000);
    expect(await second.remainingMs()).toBe(60_000);
    await clock.sleep(45_000, signal);
    expect(await second.remainingMs()).toBe(15_000);
    await clock.sleep(15_000, signal);
    expect(await second.remainingMs()).toBe(0);
  });

  it("a gate stays closed for the longest of the waits", async () => {
    const { first, second } = openGates("longest");
    await first.closeFor(60_000);
    await second.closeFor(1_000);
    expect(await second.remainingMs()).toBe(60_000);
    expect(await first.remainingMs()).toBe(60_000);
  });

  it("a gate that a person opens lets new workers in at once, and living ones a moment later", async () => {
    const { clock, world, first, second } = openGates("opened");
    await first.closeFor(86_400_000);
    expect(await second.remainingMs()).toBe(86_400_000);
    await openGate(world, "opened");
    expect(await sourceGate(world, "opened").remainingMs()).toBe(0);
    await clock.sleep(GATE_READ_MS, signal);
    expect(await second.remainingMs()).toBe(0);
  });

  it("opening an open gate changes nothing, and a gate can close again", async () => {
    const { clock, world, first } = openGates("again");
    await openGate(world, "again");
    expect(await first.remainingMs()).toBe(0);
    await first.closeFor(10_000);
    await clock.sleep(1_000, signal);
    expect(await first.remainingMs()).toBe(9_000);
  });

  it("a state table that does not answer closes nothing", async () => {
    const clock = virtualClock();
    const dynamodb = { send: () => Promise.reject(new Error("down")) };
    const world = { ...testWorld(engine, { clock }), dynamodb } as unknown as ReturnType<
      typeof testWorld
    >;
    expect(await sourceGate(world, "down").remainingMs()).toBe(0);
  });
});
