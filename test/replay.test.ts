import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SourceConfig } from "../packages/core/src/config/types.ts";
import type { Rejection } from "../packages/core/src/flow.ts";
import { replayQuarantine } from "../packages/core/src/run/replay-quarantine.ts";
import { listQuarantine, setAside } from "../packages/core/src/state/quarantine.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import type { JsonValue } from "../packages/core/src/values/json.ts";
import { virtualClock } from "./support/clock.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { rowNaming } from "./support/naming.ts";
import { newRun, takeLease } from "./support/run-state.ts";
import { deploySource, testWorld } from "./support/world.ts";

const configOf = (resource: object = {}): SourceConfig => ({
  client: { base_url: "http://127.0.0.1:9" },
  resources: [
    { name: "rows", primary_key: "id", endpoint: { path: "/rows" }, ...resource },
  ] as SourceConfig["resources"],
});

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** Deploys a resource with records that were set aside under an older config. */
async function deployQuarantine(records: JsonValue[], resource: object = {}) {
  const world = testWorld(engine, { clock: virtualClock() });
  const deployed = await deploySource(engine, configOf(resource));
  const { resourceRef } = deployed;
  const setAsideRecords = async (aside: JsonValue[], page = 0, clock = world.clock) => {
    const rejections = aside.map(
      (record, index): Rejection => ({ index, code: "record.old", message: "", path: "", record }),
    );
    const place = resourceRef;
    const naming = deployed.resource.key.rowId ? rowNaming() : undefined;
    await setAside(rejections, {
      world: { ...world, clock },
      resourceRef: place,
      runId: "run-1",
      page,
      naming,
    });
  };
  await setAsideRecords(records);
  return {
    ...deployed,
    world,
    setAsideRecords,
    replay: () => replayQuarantine(deployed.resource, world, "me/1"),
    quarantinedRecords: async () => {
      const entries = [];
      for await (const page of listQuarantine(world, resourceRef)) entries.push(...page);
      return entries.map(({ record }) => record).sort();
    },
    rows: () => engine.scan(deployed.table),
  };
}

describe("a replay", () => {
  it("a replay stores the records that can be stored by now, with every digit, and keeps the others in quarantine", async () => {
    const big = { id: "1", n: 9007199254740993n };
    const { replay, quarantinedRecords, rows } = await deployQuarantine([big, { title: "no id" }]);
    expect(await replay()).toEqual({
      replayed: 1,
      kept: [
        {
          id: expect.any(String),
          code: "record.key_missing",
          message: 'the key field "id" is missing',
        },
      ],
    });
    expect(await rows()).toEqual([{ id: { S: "1" }, n: { N: "9007199254740993" } }]);
    expect(await quarantinedRecords()).toEqual(['{"title":"no id"}']);
  });

  it("a replay without records does nothing and gives its lease back", async () => {
    const { replay, world, resourceRef } = await deployQuarantine([]);
    expect(await replay()).toEqual({ replayed: 0, kept: [] });
    expect(await readState(world, resourceRef)).toMatchObject({ status: "new", lease: null });
  });

  it("a replay keeps a record in quarantine of which only the beginning is stored", async () => {
    const { replay, rows } = await deployQuarantine([{ id: "1", text: "x".repeat(400_000) }]);
    expect(await replay()).toMatchObject({ replayed: 0, kept: [{ code: "quarantine.cut" }] });
    expect(await rows()).toEqual([]);
  });

  it("a replay never puts an old record over a row that may be newer", async () => {
    const { replay, quarantinedRecords, rows, table } = await deployQuarantine([
      { id: "1", v: "old" },
    ]);
    const newer = { id: { S: "1" }, v: { S: "new" } };
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item: newer }));
    expect(await replay()).toMatchObject({ replayed: 0, kept: [{ code: "quarantine.key_taken" }] });
    expect(await rows()).toEqual([newer]);
    expect(await quarantinedRecords()).toHaveLength(1);
  });

  it("a replay takes the newest of several versions, in whatever order they were set aside", async () => {
    const { replay, setAsideRecords, rows } = await deployQuarantine([{ id: "1", v: "first" }]);
    const later = virtualClock({ start: Date.UTC(2026, 1, 1) });
    await setAsideRecords([{ id: "2", v: "b" }], 4, later);
    await setAsideRecords([{ id: "1", v: "last" }], 9, later);
    await setAsideRecords([{ id: "1", v: "middle" }], 3, later);
    expect(await replay()).toMatchObject({ replayed: 2, kept: [{}, {}] });
    expect((await rows()).map(({ id, v }) => [id?.S, v?.S]).sort()).toEqual([
      ["1", "last"],
      ["2", "b"],
    ]);
  });

  it("a replay that was interrupted between row and entry recognises its own row (P1)", async () => {
    const { replay, quarantinedRecords, rows, table } = await deployQuarantine([
      { id: "1", n: 1.5, l: [true, null] },
    ]);
    const row = {
      id: { S: "1" },
      n: { N: "1.5" },
      l: { L: [{ BOOL: true }, { NULL: true as const }] },
    };
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item: row }));
    expect(await replay()).toEqual({ replayed: 1, kept: [] });
    expect(await quarantinedRecords()).toEqual([]);
    expect(await rows()).toHaveLength(1);
  });

  it("a replay appends a record under the id that it would have had in its run", async () => {
    const append = { write_disposition: "append", primary_key: undefined };
    const { replay, setAsideRecords, rows } = await deployQuarantine([{ v: 1 }], append);
    await replay();
    const [first] = await rows();
    await setAsideRecords([{ v: 1 }]);
    expect(await replay()).toEqual({ replayed: 1, kept: [] });
    expect(await rows()).toEqual([first]);
  });

  it("a replay changes nothing while a run has the lease (P5)", async () => {
    const { replay, quarantinedRecords, world, resourceRef } = await deployQuarantine([
      { id: "1" },
    ]);
    await takeLease(world, resourceRef, { owner: "other" });
    await expect(replay()).rejects.toMatchObject({ code: "state.lease_held" });
    expect(await quarantinedRecords()).toHaveLength(1);
  });

  it("a replay is refused while a refresh is unfinished, because its sweep would delete the replayed rows (P4)", async () => {
    const { replay, quarantinedRecords, world, resourceRef } = await deployQuarantine([
      { id: "1" },
    ]);
    const run = newRun({ id: "r", refresh: true });
    const lease = await takeLease(world, resourceRef, { owner: "other", run });
    await lease.release({ status: "running", body: { ...run.body, phase: "sweep" } });
    await expect(replay()).rejects.toMatchObject({ code: "state.refresh_open" });
    expect(await quarantinedRecords()).toHaveLength(1);
  });

  it("a replay renews its lease until it has ended", async () => {
    const { replay, world } = await deployQuarantine(
      Array.from({ length: 8 }, (_, id) => ({ id: `${id}` })),
    );
    const { dynamodb } = world;
    const slowSend = (...args: Parameters<typeof dynamodb.send>) => {
      (world.clock as ReturnType<typeof virtualClock>).advance(3_000);
      return dynamodb.send(...args);
    };
    world.dynamodb = { send: slowSend as typeof dynamodb.send };
    expect(await replay()).toEqual({ replayed: 8, kept: [] });
  });
});
