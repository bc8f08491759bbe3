import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import type { JsonObject } from "../packages/core/src/values/json.ts";
import { openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

// What a run does to the rows that are there.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** A resource over an API that sends `records`, which a test may change between runs. */
async function mirror(records: JsonObject[], more: Partial<ResourceConfig> = {}) {
  const api = await openApi(() => ({ body: { data: records } }));
  const source = await deploy(engine, {
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        endpoint: { data_selector: "data", paginator: "single_page" },
        ...more,
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

  it("leaves rows that are there as they are, and counts them as unchanged (P8)", async () => {
    const records = [{ id: "a", v: 1 }];
    const { run, rows } = await mirror(records, { write_disposition: strategy });
    expect(await run()).toMatchObject({ records: 1, written: 1 });
    records.splice(0, 1, { id: "a", v: 2 }, { id: "b", v: 1 });
    expect(await run()).toMatchObject({ status: "done", records: 2, written: 1, unchanged: 1 });
    expect(await rows()).toEqual(["a=1", "b=1"]);
  });

  it("of two records on a page with one key keeps the first, as the table would", async () => {
    const records = [
      { id: "a", v: 1 },
      { id: "a", v: 2 },
    ];
    const { run, rows } = await mirror(records, { write_disposition: strategy });
    expect(await run()).toMatchObject({ records: 2, written: 1, superseded: 1 });
    expect(await rows()).toEqual(["a=1"]);
  });
});

describe("hard_delete", () => {
  it.each([
    ["a boolean that is true", { gone: false }, { gone: true }],
    ["a value that is there", { gone: null }, { gone: "2026-01-01" }],
  ])("deletes the row of a record with %s", async (_, before, after) => {
    const records: JsonObject[] = [
      { id: "a", v: 1, ...before },
      { id: "b", v: 1 },
    ];
    const columns = { gone: { hard_delete: true } };
    const { run, rows } = await mirror(records, { columns });
    expect(await run()).toMatchObject({ written: 2, deleted: 0 });
    records[0] = { id: "a", v: 1, ...after };
    expect(await run()).toMatchObject({ status: "done", written: 1, unchanged: 1, deleted: 1 });
    expect(await rows()).toEqual(["b=1"]);
    // What is gone already does no harm.
    expect(await run()).toMatchObject({ status: "done" });
  });

  it("holds in an ordered table, where an older record deletes nothing", async () => {
    const records: JsonObject[] = [{ id: "a", v: 5 }];
    const { run, rows } = await mirror(records, {
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
  const same = [
    { id: "a", v: 1 },
    { id: "a", v: 3 },
    { id: "a", v: 2 },
  ];

  it.each([
    ["desc", "a=3"],
    ["asc", "a=1"],
    [undefined, "a=2"],
  ] as const)("%s: of a page's records with one key", async (dedup_sort, kept) => {
    const columns = { v: dedup_sort ? { dedup_sort } : {} };
    const { run, rows } = await mirror(same, { columns });
    expect(await run()).toMatchObject({ records: 3, written: 1, superseded: 2 });
    expect(await rows()).toEqual([kept]);
  });
});

it("a key can be named in columns", async () => {
  const { run, rows } = await mirror(
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
