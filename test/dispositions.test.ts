import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import type { JsonObject } from "../packages/core/src/values/json.ts";
import { openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

// The suite shows what a run does to existing rows.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** A resource over an API that sends `records`, which a test may change between runs. */
async function deployMirror(records: JsonObject[], resource: Partial<ResourceConfig> = {}) {
  const api = await openApi(() => ({ body: { data: records } }));
  const source = await deploySource(engine, {
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        endpoint: { data_selector: "data", paginator: "single_page" },
        ...resource,
      },
    ],
  });
  return {
    api,
    run: () => source.run(testWorld(engine)),
    rows: async () =>
      (await engine.scan(source.table)).map(({ id, v }) => `${id?.S}=${v?.S ?? v?.N}`).sort(),
  };
}

describe("insert-only", () => {
  const strategy = { disposition: "merge", strategy: "insert-only" } as const;

  it("insert-only leaves existing rows as they are and counts them as unchanged (P8)", async () => {
    const records = [{ id: "a", v: 1 }];
    const { run, rows } = await deployMirror(records, { write_disposition: strategy });
    expect(await run()).toMatchObject({ records: 1, written: 1 });
    records.splice(0, 1, { id: "a", v: 2 }, { id: "b", v: 1 });
    expect(await run()).toMatchObject({ status: "done", records: 2, written: 1, unchanged: 1 });
    expect(await rows()).toEqual(["a=1", "b=1"]);
  });

  it("insert-only keeps the first of two records of a page with the same key", async () => {
    const records = [
      { id: "a", v: 1 },
      { id: "a", v: 2 },
    ];
    const { run, rows } = await deployMirror(records, { write_disposition: strategy });
    expect(await run()).toMatchObject({ records: 2, written: 1, superseded: 1 });
    expect(await rows()).toEqual(["a=1"]);
  });
});

describe("hard_delete", () => {
  it.each([
    ["true in a boolean field", { gone: false }, { gone: true }],
    ["a value in a field of another type", { gone: null }, { gone: "2026-01-01" }],
  ])("hard_delete deletes the row of a record with %s", async (_, before, after) => {
    const records: JsonObject[] = [
      { id: "a", v: 1, ...before },
      { id: "b", v: 1 },
    ];
    const columns = { gone: { hard_delete: true } };
    const { run, rows } = await deployMirror(records, { columns });
    expect(await run()).toMatchObject({ written: 2, deleted: 0 });
    records[0] = { id: "a", v: 1, ...after };
    expect(await run()).toMatchObject({ status: "done", written: 1, unchanged: 1, deleted: 1 });
    expect(await rows()).toEqual(["b=1"]);
    // A delete of a row that is gone already succeeds.
    expect(await run()).toMatchObject({ status: "done" });
  });

  it("hard_delete leaves an archive as it is, and adds the record that says so", async () => {
    const records: JsonObject[] = [{ id: "a", v: 1 }];
    const { run, rows } = await deployMirror(records, {
      columns: { gone: { hard_delete: true } },
      write_disposition: "append",
    });
    await run();
    records[0] = { id: "a", v: 2, gone: true };
    expect(await run()).toMatchObject({ status: "done", written: 1, deleted: 0 });
    expect((await rows()).sort()).toEqual(["a=1", "a=2"]);
  });

  it("hard_delete in an ordered table does not let an older record delete a row", async () => {
    const records: JsonObject[] = [{ id: "a", v: 5 }];
    const { run, rows } = await deployMirror(records, {
      columns: { gone: { hard_delete: true }, v: { data_type: "bigint" } },
      write_mode: "ordered",
      version_field: "v",
    });
    await run();
    records[0] = { id: "a", v: 4, gone: true };
    expect(await run()).toMatchObject({ superseded: 1, deleted: 0 });
    expect(await rows()).toEqual(["a=5"]);
    records[0] = { id: "a", v: 6, gone: true };
    expect(await run()).toMatchObject({ written: 1, deleted: 1 });
    expect(await rows()).toEqual([]);
  });
});

describe("dedup_sort", () => {
  const records = [
    { id: "a", v: 1 },
    { id: "a", v: 3 },
    { id: "a", v: 2 },
  ];

  it.each([
    ["desc", "a=3"],
    ["asc", "a=1"],
    ["not set", "a=2"],
  ] as const)("dedup_sort %s decides which of a page's records with the same key is kept", async (dedup_sort, kept) => {
    const columns = { v: dedup_sort === "not set" ? {} : { dedup_sort } };
    const { run, rows } = await deployMirror(records, { columns });
    expect(await run()).toMatchObject({ records: 3, written: 1, superseded: 2 });
    expect(await rows()).toEqual([kept]);
  });
});

it("a column can be declared as the primary key", async () => {
  const { run, rows } = await deployMirror(
    [
      { id: "a", v: 1 },
      { id: "a", v: 2 },
    ],
    {
      primary_key: null,
      columns: { id: { primary_key: true } },
    },
  );
  expect(await run()).toMatchObject({ written: 1 });
  expect(await rows()).toEqual(["a=2"]);
});
