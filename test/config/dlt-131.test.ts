import { expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";

const sourceOf = (resource: object) =>
  rest_api_source({
    client: { base_url: "https://api.example.com" },
    resources: [{ name: "orders", primary_key: "id", ...resource }],
  } as SourceConfig);

const planOf = (resource: object) => {
  expect(validate(sourceOf(resource), "shop")).toEqual([]);
  return planSource(sourceOf(resource), "shop").resources[0];
};

it("dlt's skip_unchanged_rows compares rows before it writes them", () => {
  const write_disposition = {
    disposition: "merge",
    strategy: "upsert",
    skip_unchanged_rows: true,
  };
  expect(planOf({ write_disposition })).toMatchObject({ disposition: "merge", writes: "compare" });
});

it("dlt's strategy cdc replaces rows by their key, and needs one", () => {
  const write_disposition = { disposition: "merge", strategy: "cdc" };
  expect(planOf({ write_disposition })).toMatchObject({
    disposition: "replace",
    writes: undefined,
  });
  expect(validate(sourceOf({ write_disposition, primary_key: null }), "shop")).toHaveLength(1);
});

test.each([
  "source_filter",
  "destination_scope",
])("dlt's %s is refused, because it is SQL", (key) => {
  const write_disposition = { disposition: "merge", strategy: "cdc", [key]: "x = 1" };
  expect(validate(sourceOf({ write_disposition }), "shop")).toEqual([
    expect.objectContaining({ message: "a condition in SQL is not supported" }),
  ]);
});

it("hints of columns that begin with x- are accepted, and an unknown hint is not", () => {
  const columns = { id: { data_type: "bigint", "x-note": "of the shop" } };
  expect(planOf({ columns })?.columns).toMatchObject({ id: { dataType: "bigint" } });
  expect(planOf({ columns: [{ name: "id", "x-note": 1 }] })).toBeDefined();
  expect(validate(sourceOf({ columns: { id: { y: 1 } } }), "shop")).toHaveLength(1);
});

it("an empty total_path looks for no total, as in dlt", () => {
  const paginator = { type: "offset", limit: 10, total_path: "" };
  expect(planOf({ endpoint: { paginator } })?.paginator).toMatchObject({ total: undefined });
});
