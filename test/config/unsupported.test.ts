import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const client = { base_url: "https://api.example.com" };
const endpoint = { data_selector: "data", paginator: { type: "offset", limit: 1 } };
const tickets = { name: "tickets", primary_key: "id", endpoint };
const problems = (config: unknown) => validate(rest_api_source(config as SourceConfig), "s");

const inResource = (more: object) => problems({ client, resources: [{ ...tickets, ...more }] });
const inEndpoint = (more: object) => inResource({ endpoint: { ...endpoint, ...more } });
const start = "{incremental.start_value}";
const incremental = { cursor_path: "at" };
const inIncremental = (more: object, around: object = {}) =>
  inEndpoint({ incremental: { ...incremental, ...more }, ...around });
const inClient = (more: object) =>
  problems({ client: { ...client, ...more }, resources: [tickets] });

describe("what DynamoDB has no counterpart for is refused where it stands, with the way out", () => {
  const scd2 = { disposition: "merge", strategy: "scd2" };
  test.each([
    ["resources[0].write_disposition.strategy", inResource({ write_disposition: scd2 }), /stream/],
    ["resources[0].merge_key", inResource({ merge_key: "day" }), /full refresh/],
    [
      "resources[0].columns.day.merge_key",
      inResource({ columns: { day: { merge_key: true } } }),
      /full refresh/,
    ],
    ["resources[0].table_name", inResource({ table_name: () => "t" }), /processing_steps/],
  ])("%s", (path, found, hint) => {
    expect(found).toEqual([
      {
        path,
        message: expect.stringMatching(/ is not supported$/),
        hint: expect.stringMatching(hint),
      },
    ]);
  });

  it("in resource_defaults it is named once and there", () => {
    const resources = [tickets, { ...tickets, name: "b" }];
    expect(problems({ client, resource_defaults: { merge_key: "day" }, resources })).toEqual([
      expect.objectContaining({ path: "resource_defaults.merge_key" }),
    ]);
  });
});

describe("everything else is accepted", () => {
  test.each([
    ["row_order", "asc"],
    ["convert", () => 1],
    ["convert", "epoch_s"],
    ["transform", () => 1],
    ["on_cursor_value_missing", "include"],
    ["on_cursor_value_missing", "exclude"],
    ["range_start", "open"],
    ["range_end", "closed"],
    ["last_value_func", "min"],
    ["last_value_func", () => 1],
    ["primary_key", "id"],
    ["allow_external_schedulers", true],
  ])("%s of an incremental, in both its places: %s", (key, value) => {
    const more = { [key]: value };
    expect(inIncremental(more)).toEqual([]);
    const param = { type: "incremental", ...incremental, ...more };
    expect(inEndpoint({ params: { since: param } })).toEqual([]);
  });

  test.each([
    [inIncremental({}, { json: { deep: ["{incremental.start_value}"] } })],
    [inIncremental({}, { path: "/a/{incremental.start_value}" })],
    [inIncremental({}, { path: "/a/{at}", params: { at: start } })],
    [inIncremental({}, { headers: { a: start } })],
    [inIncremental({}, { params: { a: [start] } })],
    [inIncremental({}, { params: { a: `${start}/{incremental.end_value}` } })],
    [inResource({ primary_key: [], endpoint: { ...endpoint, incremental } })],
  ])("a value of the incremental anywhere in a request (%#)", (found) => {
    expect(found).toEqual([]);
  });

  test.each([
    [inResource({ selected: true, schema_contract: "evolve", processing_steps: null })],
    [inResource({ columns: { gone: { hard_delete: true } } })],
    [inResource({ columns: [{ name: "at", dedup_sort: "desc" }] })],
    [inResource({ primary_key: null, columns: { id: { primary_key: true } } })],
    [inResource({ schema_contract: "freeze" })],
    [inResource({ schema_contract: { columns: "discard_row" } })],
    [inResource({ selected: false })],
    [inResource({ write_disposition: "skip" })],
    [inResource({ write_disposition: { disposition: "merge", strategy: "insert-only" } })],
    [inResource({ processing_steps: [{ filter: () => true }] })],
    [inEndpoint({ response_actions: [{ status_code: 404, action: "ignore" }] })],
    [inEndpoint({ paginator: "auto", data_selector: null })],
    [problems({ client, resources: ["tickets"] })],
    [
      inResource({
        file_format: "parquet",
        parallelized: true,
        max_table_nesting: 0,
        references: [],
      }),
    ],
    [inResource({ write_disposition: { disposition: "merge", strategy: "upsert" } })],
    [inResource({ write_disposition: "replace" })],
    [inResource({ write_disposition: "replace", primary_key: null })],
    [
      inResource({
        write_disposition: { disposition: "replace", strategy: "insert-from-staging" },
      }),
    ],
    [inIncremental({ start_param: "since", initial_value: "2024-01-01", lag: 60 })],
    [
      inIncremental({
        last_value_func: "max",
        on_cursor_value_missing: "raise",
        range_start: "closed",
        range_end: "open",
        row_order: null,
        end_value: null,
        allow_external_schedulers: false,
      }),
    ],
    [inIncremental({}, { params: { a: start, b: `gte:${start}`, c: `{{x}} ${start}` } })],
    [inEndpoint({ params: { since: { type: "incremental", ...incremental }, b: start } })],
    [inResource({ write_disposition: "replace", endpoint: { ...endpoint, incremental } })],
    [inEndpoint({ json: { auth: { location: "cookie" }, paginator: { type: "cursor" } } })],
    [inEndpoint({ path: "/a/{id}", params: { id: 7 } })],
    [inClient({ session: {} })],
  ])("%#", (found) => expect(found).toEqual([]));
});
