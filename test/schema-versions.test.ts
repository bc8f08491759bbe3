import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import type { World } from "../packages/core/src/base/world.ts";
import { parseShape } from "../packages/core/src/schema/shape.ts";
import { LEASE_MS, TAKEOVER_MS } from "../packages/core/src/state/lease.ts";
import { forgetSchema } from "../packages/core/src/state/schemas.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { changed, configOf, openDesk, rowsOf, steady } from "./support/desk.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Call, type Fault, faultyDynamodb } from "./support/faulty-dynamodb.ts";
import { deploy } from "./support/world.ts";

/*
 * The schema of a resource through the real engine: what runs keep of it, whatever becomes of them.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Put = { Item?: { sk?: { S?: string } } };
const sortKey = ({ operation, body }: Call) =>
  operation === "PutItem" ? ((body as Put).Item?.sk?.S ?? "") : "";
const putsSchema = (call: Call) => sortKey(call).startsWith("schema");
const isVersion = (call: Call) => sortKey(call).startsWith("schema#");

/** What a worker works with that dies before such a call: none of its calls is done from then on. */
async function dyingAt(isIt: (call: Call) => boolean): Promise<Partial<World>> {
  const death = new AbortController();
  const proxy = await faultyDynamodb(engine.endpoint, (call): Fault | undefined => {
    // It is not tried again: nobody is there any more.
    if (death.signal.aborted) return { kind: "error", status: 400, type: "AccessDeniedException" };
    return isIt(call) ? { kind: "death", when: "before", kill: () => death.abort() } : undefined;
  });
  onTestFinished(proxy.close);
  return { dynamodb: clientOf(proxy.endpoint), signal: death.signal };
}

describe("what a run keeps of a schema", () => {
  it("the same data make no new version, and no write for it", async () => {
    const calls: Call[] = [];
    const proxy = await faultyDynamodb(engine.endpoint, (call) => void calls.push(call));
    const dynamodb = clientOf(proxy.endpoint);
    const desk1 = await openDesk(engine, rowsOf(10), {}, { dynamodb });
    const puts = () => calls.splice(0).filter(putsSchema).length;
    await desk1.run();
    // The first page shows everything; then the version, and that it is the one.
    expect(puts()).toBe(3);
    await desk1.run();
    expect(puts()).toBe(0);
    expect(await desk1.versions()).toEqual([
      expect.objectContaining({
        version: 1,
        run_id: "run1",
        columns: expect.objectContaining({
          id: { data_type: "bigint", nullable: false, primary_key: true },
          at: { data_type: "timestamp", nullable: false },
        }),
      }),
    ]);
    await proxy.close();
  });

  it("a run that fails half-way keeps what is stored by then, and holds nobody to it", async () => {
    const rows = rowsOf(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk1 = await openDesk(engine, rows, { schema_contract: "freeze" });
    const pages = offsetPages(rows);
    const api = await openApi((request, response) =>
      request.query.get("offset") === "5" ? { status: 400 } : pages(request, response),
    );
    const { resource } = await deploy(engine, configOf(api), {
      name: desk1.place.source,
      resources: { rows: { schema_contract: "freeze" } },
    });
    const good = { ...desk1.resource };
    Object.assign(desk1.resource, resource);
    expect(await desk1.run()).toMatchObject({ status: "failed", written: 5 });
    expect(await desk1.stored()).toMatchObject({ version: 1, known: null });

    // Its second half has a field that the first had not: still a first run.
    Object.assign(desk1.resource, good);
    expect(await desk1.run()).toMatchObject({ status: "done", schema: { version: 2 } });
    expect((await desk1.stored())?.known).not.toBeNull();
    desk1.show([...rows, { ...steady(11), another: 1 }]);
    expect(await desk1.run()).toMatchObject({
      status: "failed",
      error: { code: "schema.new_field" },
    });
  });

  it("a sample holds nobody to what it has seen, either", async () => {
    const rows = rowsOf(10).map((row, n) => (n < 5 ? row : { ...row, late: n }));
    const desk1 = await openDesk(engine, rows, { schema_contract: "freeze" });
    expect(await desk1.run({}, { limitPages: 1 })).toMatchObject({ schema: { version: 1 } });
    expect(await desk1.run()).toMatchObject({ status: "done", schema: { version: 2 } });
  });

  it("the next slice goes on with what the one before has seen", async () => {
    const rows = rowsOf(10).map((row, n) => (n === 0 ? { ...row, early: 1 } : row));
    const desk1 = await openDesk(engine, rows, {}, { answersIn: 60 });
    const deadline = () => realClock.monotonic() + 150;
    const first = await desk1.run({ deadline: deadline() }, { runId: "r" });
    expect(first).toMatchObject({ status: "running", schema: null });
    expect(await desk1.versions()).toEqual([]);
    expect(await desk1.run({}, { runId: "r" })).toMatchObject({
      status: "done",
      schema: { version: 1 },
    });
    const [version] = await desk1.versions();
    expect(version?.columns.early).toEqual({ data_type: "bigint", nullable: true });
  });

  it("a worker that dies between rows and checkpoint: its successor reads the page again and knows it all", async () => {
    const mortal = await dyingAt(putsSchema);
    const desk1 = await openDesk(engine, changed());
    const dead = await desk1.run(mortal, { runId: "r" });
    expect(dead).toMatchObject({ error: { code: "run.interrupted" } });
    expect(await desk1.rows()).toBeGreaterThanOrEqual(5);
    expect(await desk1.stored()).toBeUndefined();
    expect(await desk1.run(later(), { runId: "r" })).toMatchObject({
      status: "done",
      written: 10,
      schema: { version: 1 },
    });
    const [version] = await desk1.versions();
    const names = Object.keys(version?.columns ?? {});
    expect(names).toEqual(["id", "at", "extra", "name", "size"]);
  });

  it("a worker that dies between a version and its number: the next run comes to the same version", async () => {
    let puts = 0;
    const mortal = await dyingAt((call) => putsSchema(call) && ++puts === 3);
    const desk1 = await openDesk(engine, rowsOf(3));
    await desk1.run(mortal, { runId: "r" });
    expect(await desk1.versions()).toHaveLength(1);
    expect(await desk1.stored()).toMatchObject({ version: 0 });
    await desk1.run(later(), { runId: "r" });
    expect(await desk1.versions()).toHaveLength(1);
    expect(await desk1.stored()).toMatchObject({ version: 1 });
  });

  it("a put whose answer was lost is recognised, and is not somebody else's", async () => {
    const proxy = await faultyDynamodb(engine.endpoint, (call) =>
      putsSchema(call) && seen.push(call) % 2 ? { kind: "reset", when: "after" } : undefined,
    );
    const seen: Call[] = [];
    const desk1 = await openDesk(engine, rowsOf(3), {}, { dynamodb: clientOf(proxy.endpoint) });
    expect(await desk1.run()).toMatchObject({ status: "done" });
    expect(await desk1.stored()).toMatchObject({ version: 1, revision: 2 });
    expect(seen.length).toBeGreaterThan(3);
    await proxy.close();
  });

  it.each([
    ["a page's fields", putsSchema],
    ["a version", isVersion],
  ])("a worker that was paused on %s overwrites nothing of its successor's (P5)", async (_, isIt) => {
    let wake = () => {};
    const until = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let asleep = () => {};
    const paused = new Promise<void>((resolve) => {
      asleep = resolve;
    });
    const proxy = await faultyDynamodb(engine.endpoint, (call): Fault | undefined => {
      if (!isIt(call)) return undefined;
      asleep();
      return { kind: "hold", until };
    });
    const desk1 = await openDesk(engine, rowsOf(3));
    const first = desk1.run({ dynamodb: clientOf(proxy.endpoint) }, { runId: "r" });
    await paused;

    const second = await desk1.run(later(), { runId: "r" });
    expect(second).toMatchObject({ status: "done", written: 3, schema: { version: 1 } });
    const after = [await desk1.versions(), await desk1.stored()];
    wake();
    expect(await first).toMatchObject({ status: "skipped", error: { code: "state.lease_lost" } });
    expect([await desk1.versions(), await desk1.stored()]).toEqual(after);
    await proxy.close();
  });
});

/** When the lease of a worker that has died is over. */
const later = (): Partial<World> => ({
  clock: { ...realClock, now: () => Date.now() + LEASE_MS + TAKEOVER_MS + 1000 },
});

describe("an emptied table begins anew, and versions are counted on", () => {
  const frozen = { schema_contract: "freeze" } as const;

  it("another table under the same name", async () => {
    const desk1 = await openDesk(engine, rowsOf(3), frozen);
    await desk1.run();
    const { DeleteTableCommand } = await import("@aws-sdk/client-dynamodb");
    await engine.dynamodb.send(new DeleteTableCommand({ TableName: desk1.table }));
    await deploy(engine, configOf(desk1.api), { name: desk1.place.source });
    desk1.show([{ id: 1, other: 1 }]);
    expect(await desk1.run()).toMatchObject({
      status: "done",
      schema: { version: 2, changed: 0 },
    });
    const [, version] = await desk1.versions();
    expect(Object.keys(version?.columns ?? {})).toEqual(["id", "other"]);
  });

  it("one that was forgotten, and comes to the same schema", async () => {
    const desk1 = await openDesk(engine, rowsOf(3), frozen);
    await desk1.run();
    await forgetSchema(desk1.world(), desk1.place);
    expect(await desk1.stored()).toMatchObject({ seen: "{}", known: null, version: 1 });
    expect(parseShape("{}").kinds).toBe(0);
    expect(await desk1.run()).toMatchObject({ schema: { version: 1 } });
    // And the contract holds again.
    desk1.show([{ ...steady(1), extra: 1 }]);
    expect(await desk1.run()).toMatchObject({ error: { code: "schema.new_field" } });
  });
});
