import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { SchemaContractMode } from "../packages/core/src/config/types.ts";
import { sliceMetrics } from "../packages/core/src/report/metrics.ts";
import { changed, configOf, openDesk, rowsOf } from "./support/desk.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploy } from "./support/world.ts";

/*
 * The contract of a resource's schema through the real engine: what it lets in, and who hears of it.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const drift = [
  { field: "extra", change: "new", before: null, after: "bool" },
  { field: "name", change: "nullable", before: "not null", after: "nullable" },
  { field: "size", change: "type", before: "bigint", after: "bigint | text" },
];

describe("an API whose field changes its type, gains a field and has a null half-way", () => {
  interface Expected {
    counts: object;
    rows: number;
    /** Of the records that changed: size of 6, extra of 7, name of 8. */
    values: unknown[];
    changed: string[];
    aside: string[];
  }
  const all = { size: { S: "large" }, extra: { BOOL: true }, name: { NULL: true } };
  const table: Record<Exclude<SchemaContractMode, "freeze">, Expected> = {
    evolve: {
      counts: { records: 10, written: 3, unchanged: 7, quarantined: 0, discarded_values: 0 },
      rows: 10,
      values: [all.size, all.extra, all.name],
      changed: ["extra", "name", "size"],
      aside: [],
    },
    discard_value: {
      counts: { records: 10, written: 2, unchanged: 8, quarantined: 0, discarded_values: 2 },
      rows: 10,
      values: [undefined, undefined, all.name],
      changed: ["name", "size"],
      aside: [],
    },
    discard_row: {
      counts: { records: 10, written: 1, unchanged: 7, quarantined: 2, discarded_values: 0 },
      rows: 10,
      values: [{ N: "6" }, undefined, all.name],
      changed: ["name"],
      aside: ["schema.new_field extra", "schema.type size"],
    },
  };

  test.each(Object.entries(table))("%s", async (mode, {
    counts,
    rows,
    values,
    changed: names,
    aside,
  }) => {
    const schema_contract = mode as SchemaContractMode;
    const desk1 = await openDesk(engine, rowsOf(10), { schema_contract });
    expect(await desk1.run()).toMatchObject({
      status: "done",
      schema: { version: 1, changed: 0, changes: [] },
    });
    expect(desk1.log).toEqual([]);

    desk1.show(changed());
    const report = await desk1.run();
    expect(report).toMatchObject({ status: "done", ...counts });
    const { records, written, unchanged, superseded, quarantined } = report;
    expect(written + unchanged + superseded + quarantined).toBe(records);
    expect(await desk1.rows()).toBe(rows);
    const [six, seven, eight] = [await desk1.row(6), await desk1.row(7), await desk1.row(8)];
    expect([six?.size, seven?.extra, eight?.name]).toEqual(values);
    expect(await desk1.aside()).toEqual(aside);

    // Drift is told in the report, the history, a metric and the log.
    const { schema } = report;
    expect(schema).toMatchObject({ version: 2, changed: names.length });
    expect(schema?.changes.map(({ field }) => field)).toEqual(names);
    if (mode === "evolve") expect(schema?.changes).toEqual(drift);
    expect((await desk1.history("run2"))?.schema).toEqual(schema);
    const { names: app } = desk1.world();
    expect(sliceMetrics(app, report, 0)).toMatchObject({ schema_changes: names.length });
    expect(desk1.log).toEqual([expect.stringContaining("`tidetable schema --diff`")]);
    for (const name of names) expect(desk1.log[0]).toContain(`"${name}"`);

    // The same again is no news.
    expect(await desk1.run()).toMatchObject({ schema: { version: 2, changed: 0 } });
    expect(desk1.log).toHaveLength(1);
  });

  it("freeze: the run fails at the page, names the field, and its other pages stay", async () => {
    const desk1 = await openDesk(engine, rowsOf(10), { schema_contract: "freeze" });
    await desk1.run();
    desk1.show(changed());
    expect(await desk1.run()).toMatchObject({
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
    expect((await desk1.row(6))?.size).toEqual({ N: "6" });
    expect(await desk1.versions()).toHaveLength(1);

    // Let in by its declaration, the run is through.
    const columns = { size: { data_type: "text" }, extra: {} } as const;
    const { resource } = await deploy(engine, configOf(desk1.api), {
      name: desk1.place.source,
      resources: { rows: { schema_contract: "freeze", columns } },
    });
    Object.assign(desk1.resource, resource);
    expect(await desk1.run()).toMatchObject({ status: "done", written: 10 });
    expect((await desk1.row(7))?.size).toEqual({ S: "7" });
    expect((await desk1.row(7))?.extra).toEqual({ BOOL: true });
  });
});

describe("tables", () => {
  it("frozen: a table without a schema takes no record", async () => {
    const desk1 = await openDesk(engine, rowsOf(3), { schema_contract: { tables: "freeze" } });
    expect(await desk1.run()).toMatchObject({
      status: "failed",
      written: 0,
      error: { code: "schema.new_table" },
    });
    expect(await desk1.rows()).toBe(0);
  });
});

it("what a contract set aside goes in by a replay, when the contract lets it in", async () => {
  const desk1 = await openDesk(engine, rowsOf(10), { schema_contract: "discard_row" });
  await desk1.run();
  desk1.show(changed().map((row, n) => ({ ...row, id: n + 101 })));
  expect(await desk1.run()).toMatchObject({ quarantined: 2 });
  expect(await desk1.replay()).toMatchObject({
    replayed: 0,
    kept: [{ code: "schema.new_field" }, { code: "schema.type" }],
  });
  const relaxed = {
    ...desk1.resource,
    contract: { tables: "evolve", columns: "evolve", dataType: "evolve" } as const,
  };
  expect(await desk1.replay(relaxed)).toEqual({ replayed: 2, kept: [] });
  expect((await desk1.row(106))?.size).toEqual({ S: "large" });
  expect(await desk1.aside()).toEqual([]);
  // The rows are in, and so is what they taught.
  expect(await desk1.stored()).toMatchObject({ version: 3 });
  expect((await desk1.versions()).at(-1)?.columns).toMatchObject({
    extra: { data_type: "bool", nullable: true },
    size: { variants: ["bigint", "text"] },
  });
});
