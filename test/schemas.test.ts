import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { SchemaContractMode } from "../packages/core/src/config/types.ts";
import { sliceMetrics } from "../packages/core/src/report/metrics.ts";
import { changedRecords, configOf, openDesk, steadyRecords } from "./support/desk.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource } from "./support/world.ts";

/*
 * The schema contract in real runs against the embedded engine: the values that it lets in, and the
 * reports about drift.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const driftChanges = [
  { field: "extra", change: "new", before: null, after: "bool" },
  { field: "name", change: "nullable", before: "not null", after: "nullable" },
  { field: "size", change: "type", before: "bigint", after: "bigint | text" },
];

describe("an API whose field changes its type, gains a field and has a null half-way", () => {
  interface Expected {
    counts: object;
    rows: number;
    /** The changed values: size of row 6, extra of row 7, name of row 8. */
    values: unknown[];
    changedFields: string[];
    quarantined: string[];
  }
  const changedValues = { size: { S: "large" }, extra: { BOOL: true }, name: { NULL: true } };
  const outcomes: Record<Exclude<SchemaContractMode, "freeze">, Expected> = {
    evolve: {
      counts: { records: 10, written: 3, unchanged: 7, quarantined: 0, discarded_values: 0 },
      rows: 10,
      values: [changedValues.size, changedValues.extra, changedValues.name],
      changedFields: ["extra", "name", "size"],
      quarantined: [],
    },
    discard_value: {
      counts: { records: 10, written: 2, unchanged: 8, quarantined: 0, discarded_values: 2 },
      rows: 10,
      values: [undefined, undefined, changedValues.name],
      changedFields: ["name", "size"],
      quarantined: [],
    },
    discard_row: {
      counts: { records: 10, written: 1, unchanged: 7, quarantined: 2, discarded_values: 0 },
      rows: 10,
      values: [{ N: "6" }, undefined, changedValues.name],
      changedFields: ["name"],
      quarantined: ["schema.new_field extra", "schema.type size"],
    },
  };

  test.each(
    Object.entries(outcomes),
  )("the mode %s treats drift as documented and reports it", async (mode, {
    counts,
    rows,
    values,
    changedFields,
    quarantined: quarantinedFields,
  }) => {
    const schema_contract = mode as SchemaContractMode;
    const desk = await openDesk(engine, steadyRecords(10), { schema_contract });
    expect(await desk.run()).toMatchObject({
      status: "done",
      schema: { version: 1, changed: 0, changes: [] },
    });
    expect(desk.log).toEqual([]);

    desk.show(changedRecords());
    const report = await desk.run();
    expect(report).toMatchObject({ status: "done", ...counts });
    const { records, written, unchanged, superseded, quarantined } = report;
    expect(written + unchanged + superseded + quarantined).toBe(records);
    expect(await desk.rows()).toBe(rows);
    const [row6, row7, row8] = [await desk.row(6), await desk.row(7), await desk.row(8)];
    expect([row6?.size, row7?.extra, row8?.name]).toEqual(values);
    expect(await desk.aside()).toEqual(quarantinedFields);

    // The report, the history, a metric and the log name the drift.
    const { schema } = report;
    expect(schema).toMatchObject({ version: 2, changed: changedFields.length });
    expect(schema?.changes.map(({ field }) => field)).toEqual(changedFields);
    if (mode === "evolve") expect(schema?.changes).toEqual(driftChanges);
    expect((await desk.history("run2"))?.schema).toEqual(schema);
    const { names: stageNames } = desk.world();
    expect(sliceMetrics(stageNames, report, 0)).toMatchObject({
      schema_changes: changedFields.length,
    });
    expect(desk.log).toEqual([expect.stringContaining("`tidetable schema --diff`")]);
    for (const name of changedFields) expect(desk.log[0]).toContain(`"${name}"`);

    // A run over the same data reports no drift.
    expect(await desk.run()).toMatchObject({ schema: { version: 2, changed: 0 } });
    expect(desk.log).toHaveLength(1);
  });

  it("the mode freeze fails the run at the page with drift, names the field, and keeps the pages before", async () => {
    const desk = await openDesk(engine, steadyRecords(10), { schema_contract: "freeze" });
    await desk.run();
    desk.show(changedRecords());
    expect(await desk.run()).toMatchObject({
      status: "failed",
      records: 5,
      unchanged: 5,
      error: {
        code: "schema.type",
        message: 'the field "size" is text, and the schema has bigint',
        hint: expect.stringContaining("schema_contract"),
      },
      schema: { version: 1, changed: 0 },
    });
    expect((await desk.row(6))?.size).toEqual({ N: "6" });
    expect(await desk.versions()).toHaveLength(1);

    // A declaration lets the new values in.
    const columns = { size: { data_type: "text" }, extra: {} } as const;
    const { resource } = await deploySource(engine, configOf(desk.api), {
      name: desk.resourceRef.source,
      resources: { rows: { schema_contract: "freeze", columns } },
    });
    Object.assign(desk.resource, resource);
    expect(await desk.run()).toMatchObject({ status: "done", written: 10 });
    expect((await desk.row(7))?.size).toEqual({ S: "7" });
    expect((await desk.row(7))?.extra).toEqual({ BOOL: true });
  });
});

describe("the part `tables` of a contract", () => {
  it("a table without a schema takes no record with tables: freeze", async () => {
    const desk = await openDesk(engine, steadyRecords(3), {
      schema_contract: { tables: "freeze" },
    });
    expect(await desk.run()).toMatchObject({
      status: "failed",
      written: 0,
      error: { code: "schema.new_table" },
    });
    expect(await desk.rows()).toBe(0);
  });
});

it("a replay writes the records that a contract had set aside, once the contract lets them in", async () => {
  const desk = await openDesk(engine, steadyRecords(10), { schema_contract: "discard_row" });
  await desk.run();
  desk.show(changedRecords().map((row, n) => ({ ...row, id: n + 101 })));
  expect(await desk.run()).toMatchObject({ quarantined: 2 });
  expect(await desk.replay()).toMatchObject({
    replayed: 0,
    kept: [{ code: "schema.new_field" }, { code: "schema.type" }],
  });
  const relaxed = {
    ...desk.resource,
    contract: { tables: "evolve", columns: "evolve", dataType: "evolve" } as const,
  };
  expect(await desk.replay(relaxed)).toEqual({ replayed: 2, kept: [] });
  expect((await desk.row(106))?.size).toEqual({ S: "large" });
  expect(await desk.aside()).toEqual([]);
  // The replayed records have also extended the schema.
  expect(await desk.stored()).toMatchObject({ version: 3 });
  expect((await desk.versions()).at(-1)?.columns).toMatchObject({
    extra: { data_type: "bool", nullable: true },
    size: { variants: ["bigint", "text"] },
  });
});
