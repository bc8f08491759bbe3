import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { LEASE_MS, TAKEOVER_MS } from "../packages/core/src/base/timing.ts";
import { rest_api_source } from "../packages/core/src/config/source.ts";
import { stateTable } from "../packages/core/src/dynamodb/tables.ts";
import type { WorkerEvent } from "../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../packages/core/src/entry/schedule.ts";
import { sourceGate } from "../packages/core/src/state/gate.ts";
import { virtualClock } from "./support/clock.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { newRun, takeLease } from "./support/run-state.ts";
import { testWorld } from "./support/world.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ "tidetable-test-state": stateTable });
});
afterAll(() => engine.close());

const resources = ["unfinished", "held", "waiting", "early", "done", "failed", "never"];
const sources = {
  desk: rest_api_source({
    client: { base_url: "https://api.example.com" },
    resources: resources.map((name) => ({
      name,
      endpoint: { data_selector: "data", paginator: "single_page" },
    })),
  }),
};

describe("the resume tick", () => {
  const clock = virtualClock();
  const tickWorld = () => testWorld(engine, { clock });

  async function runTick(): Promise<WorkerEvent[]> {
    const invoked: WorkerEvent[] = [];
    const invoke = async (event: WorkerEvent) => void invoked.push(event);
    await handleScheduleEvent(
      { resume: true },
      { ...tickWorld(), sources, requestId: "tick", invoke },
    );
    return invoked;
  }

  it("the tick continues runs that are unfinished without a worker and runs that are due, and no others", async () => {
    const run = newRun({ id: "r1" });
    const { body } = run;
    const take = (resource: string) =>
      takeLease(tickWorld(), { source: "desk", resource }, { owner: "a", run });
    const at = (ms: number) => new Date(clock.now() + ms).toISOString();
    await (await take("unfinished")).release({ status: "running", body });
    await take("held");
    await (await take("waiting")).release({ status: "waiting", body, notBefore: at(-1) });
    await (await take("early")).release({ status: "waiting", body, notBefore: at(60_000) });
    await (await take("done")).release({ status: "done", body });
    await (await take("failed")).release({ status: "failed", body });

    expect(await runTick()).toEqual([
      { source: "desk", resource: "unfinished", run_id: "r1" },
      { source: "desk", resource: "waiting", run_id: "r1" },
    ]);
    clock.advance(LEASE_MS + TAKEOVER_MS);
    expect((await runTick()).map(({ resource }) => resource)).toEqual([
      "unfinished",
      "held",
      "waiting",
      "early",
    ]);
  });
});

describe("one 429 pauses all workers of a source", () => {
  it("a 429 pauses all workers of a source until its time is over", async () => {
    const clock = virtualClock();
    const world = testWorld(engine, { clock });
    const first = sourceGate(world, "desk");
    const second = sourceGate(world, "desk");
    expect(await second.remainingMs()).toBe(0);
    await first.closeFor(8_000);
    expect(await first.remainingMs()).toBe(8_000);
    // Nobody asks the state table more often than every five seconds.
    expect(await second.remainingMs()).toBe(0);
    clock.advance(5_000);
    expect(await second.remainingMs()).toBe(3_000);
    expect(await sourceGate(world, "other").remainingMs()).toBe(0);
    clock.advance(3_000);
    expect(await second.remainingMs()).toBe(0);
  });

  it("a shorter pause of a source never shortens a longer one", async () => {
    const clock = virtualClock();
    const world = testWorld(engine, { clock });
    await sourceGate(world, "shop").closeFor(20_000);
    await sourceGate(world, "shop").closeFor(1_000);
    expect(await sourceGate(world, "shop").remainingMs()).toBe(20_000);
  });

  it("a state table that does not answer pauses no other worker", async () => {
    const send = () => Promise.reject(new Error("no connection"));
    const gate = sourceGate({ ...testWorld(engine), clock: realClock, dynamodb: { send } }, "x");
    await gate.closeFor(5_000);
    expect(await gate.remainingMs()).toBeGreaterThan(4_000);
    const otherGate = sourceGate({ ...testWorld(engine), dynamodb: { send } }, "x");
    expect(await otherGate.remainingMs()).toBe(0);
  });
});
