import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const client = { base_url: "https://api.example.com" };
const endpoint = { data_selector: "data", paginator: { type: "offset", limit: 1 } };
const tickets = { name: "tickets", primary_key: "id", endpoint };
const problemsOf = (config: unknown) => validate(rest_api_source(config as SourceConfig), "s");

const resourceProblems = (members: object) =>
  problemsOf({ client, resources: [{ ...tickets, ...members }] });
const endpointProblems = (members: object) =>
  resourceProblems({ endpoint: { ...endpoint, ...members } });
const start = "{incremental.start_value}";
const incremental = { cursor_path: "at" };
const incrementalProblems = (members: object, endpointMembers: object = {}) =>
  endpointProblems({ incremental: { ...incremental, ...members }, ...endpointMembers });
const clientProblems = (members: object) =>
  problemsOf({ client: { ...client, ...members }, resources: [tickets] });

describe("features without a counterpart in DynamoDB", () => {
  const scd2 = { disposition: "merge", strategy: "scd2" };
  test.each([
    [
      "resources[0].write_disposition.strategy",
      resourceProblems({ write_disposition: scd2 }),
      /stream/,
    ],
    ["resources[0].merge_key", resourceProblems({ merge_key: "day" }), /full refresh/],
    [
      "resources[0].columns.day.merge_key",
      resourceProblems({ columns: { day: { merge_key: true } } }),
      /full refresh/,
    ],
    ["resources[0].table_name", resourceProblems({ table_name: () => "t" }), /processing_steps/],
  ])("a feature without a counterpart in DynamoDB is refused at %s, with a way out", (path, problems, hint) => {
    expect(problems).toEqual([
      {
        path,
        message: expect.stringMatching(/ is not supported$/),
        hint: expect.stringMatching(hint),
      },
    ]);
  });

  it("an unsupported key in resource_defaults is reported once, at resource_defaults", () => {
    const resources = [tickets, { ...tickets, name: "b" }];
    expect(problemsOf({ client, resource_defaults: { merge_key: "day" }, resources })).toEqual([
      expect.objectContaining({ path: "resource_defaults.merge_key" }),
    ]);
  });
});

describe("supported features", () => {
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
  ])("an incremental may have the key %s with the value %s, as a block and as a parameter", (key, value) => {
    const member = { [key]: value };
    expect(incrementalProblems(member)).toEqual([]);
    const param = { type: "incremental", ...incremental, ...member };
    expect(endpointProblems({ params: { since: param } })).toEqual([]);
  });

  test.each([
    [incrementalProblems({}, { json: { deep: ["{incremental.start_value}"] } })],
    [incrementalProblems({}, { path: "/a/{incremental.start_value}" })],
    [incrementalProblems({}, { path: "/a/{at}", params: { at: start } })],
    [incrementalProblems({}, { headers: { a: start } })],
    [incrementalProblems({}, { params: { a: [start] } })],
    [incrementalProblems({}, { params: { a: `${start}/{incremental.end_value}` } })],
    [resourceProblems({ primary_key: [], endpoint: { ...endpoint, incremental } })],
  ])("a request may have a value of the incremental in any part: case %#", (problems) => {
    expect(problems).toEqual([]);
  });

  test.each([
    [resourceProblems({ selected: true, schema_contract: "evolve", processing_steps: null })],
    [resourceProblems({ columns: { gone: { hard_delete: true } } })],
    [resourceProblems({ columns: [{ name: "at", dedup_sort: "desc" }] })],
    [resourceProblems({ primary_key: null, columns: { id: { primary_key: true } } })],
    [resourceProblems({ schema_contract: "freeze" })],
    [resourceProblems({ schema_contract: { columns: "discard_row" } })],
    [resourceProblems({ selected: false })],
    [resourceProblems({ write_disposition: "skip" })],
    [resourceProblems({ write_disposition: { disposition: "merge", strategy: "insert-only" } })],
    [resourceProblems({ processing_steps: [{ filter: () => true }] })],
    [endpointProblems({ response_actions: [{ status_code: 404, action: "ignore" }] })],
    [endpointProblems({ paginator: "auto", data_selector: null })],
    [problemsOf({ client, resources: ["tickets"] })],
    [
      resourceProblems({
        file_format: "parquet",
        parallelized: true,
        max_table_nesting: 0,
        references: [],
      }),
    ],
    [resourceProblems({ write_disposition: { disposition: "merge", strategy: "upsert" } })],
    [resourceProblems({ write_disposition: "replace" })],
    [resourceProblems({ write_disposition: "replace", primary_key: null })],
    [
      resourceProblems({
        write_disposition: { disposition: "replace", strategy: "insert-from-staging" },
      }),
    ],
    [incrementalProblems({ start_param: "since", initial_value: "2024-01-01", lag: 60 })],
    [
      incrementalProblems({
        last_value_func: "max",
        on_cursor_value_missing: "raise",
        range_start: "closed",
        range_end: "open",
        row_order: null,
        end_value: null,
        allow_external_schedulers: false,
      }),
    ],
    [incrementalProblems({}, { params: { a: start, b: `gte:${start}`, c: `{{x}} ${start}` } })],
    [endpointProblems({ params: { since: { type: "incremental", ...incremental }, b: start } })],
    [resourceProblems({ write_disposition: "replace", endpoint: { ...endpoint, incremental } })],
    [endpointProblems({ json: { auth: { location: "cookie" }, paginator: { type: "cursor" } } })],
    [endpointProblems({ path: "/a/{id}", params: { id: 7 } })],
    [clientProblems({ session: {} })],
  ])("a supported feature has no problems: case %#", (problems) => expect(problems).toEqual([]));
});
