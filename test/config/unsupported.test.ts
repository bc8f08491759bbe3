import { dlt, rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/validate.ts";

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

describe("what the format has and tidetable does not run yet is refused where it stands", () => {
  test.each([
    ["client.allowed_origins", inClient({ allowed_origins: ["https://b.example"] })],
    ["client.auth.location", inClient({ auth: { type: "api_key", location: "cookie" } })],
    ["client.paginator", inClient({ paginator: "auto" })],
    ["resources[0].endpoint.paginator.type", inEndpoint({ paginator: { type: "cursor" } })],
    ["resources[0].endpoint.paginator", inEndpoint({ paginator: "page_number" })],
    ["resources[0].endpoint.paginator", inEndpoint({ paginator: "header_cursor" })],
    ["resources[0].endpoint.paginator", inEndpoint({ paginator: "json_link" })],
    ["resources[0].endpoint.paginator", inEndpoint({ paginator: "json_response" })],
    ["resources[0].endpoint.paginator", inEndpoint({ paginator: "header_link" })],
    [
      "resources[0].endpoint.paginator.has_more_path",
      inEndpoint({ paginator: { ...endpoint.paginator, has_more_path: "more" } }),
    ],
    [
      "resources[0].endpoint.paginator.offset_body_path",
      inEndpoint({ paginator: { ...endpoint.paginator, offset_body_path: "a.b" } }),
    ],
    [
      "resources[0].endpoint.params.id.type",
      inEndpoint({ params: { id: { type: "resolve", resource: "a", field: "id" } } }),
    ],
    ["resources[0].endpoint.path", inEndpoint({ path: "/a/{resources.a.id}" })],
    [
      "resources[0].endpoint.json.deep[0]",
      inIncremental({}, { json: { deep: ["{incremental.start_value}"] } }),
    ],
    ["resources[0].endpoint.path", inIncremental({}, { path: "/a/{incremental.start_value}" })],
    ["resources[0].endpoint.path", inIncremental({}, { path: "/a/{at}", params: { at: start } })],
    ["resources[0].endpoint.headers.a", inIncremental({}, { headers: { a: start } })],
    ["resources[0].endpoint.params.a[0]", inIncremental({}, { params: { a: [start] } })],
    [
      "resources[0].endpoint.params.a",
      inIncremental({}, { params: { a: `${start}/{incremental.end_value}` } }),
    ],
    ["resources[0].endpoint.params.a", inIncremental({}, { params: { a: "{incremental.lag}" } })],
    [
      "resources[0].endpoint.incremental",
      inResource({ primary_key: [], endpoint: { ...endpoint, incremental } }),
    ],
    [
      "resources[0].endpoint.params.at",
      inResource({
        write_disposition: "append",
        endpoint: { ...endpoint, params: { at: { type: "incremental", ...incremental } } },
      }),
    ],
    [
      "resources[0].endpoint.response_actions",
      inEndpoint({ response_actions: [{ status_code: 404, action: "ignore" }] }),
    ],
    ["resources[0].endpoint.headers.x-key", inEndpoint({ headers: { "x-key": dlt.secrets["k"] } })],
    [
      "resources[0].endpoint.headers.authorization",
      inEndpoint({ headers: { authorization: `Token ${dlt.secrets["k"]}` } }),
    ],
    ["resources[0].write_disposition", inResource({ write_disposition: "skip" })],
    [
      "resources[0].write_disposition.strategy",
      inResource({ write_disposition: { disposition: "merge", strategy: "scd2" } }),
    ],
    ["resources[0].table_name", inResource({ table_name: () => "t" })],
    ["resources[0].merge_key", inResource({ merge_key: "day" })],
    [
      "resources[0].columns.gone.hard_delete",
      inResource({ columns: { gone: { hard_delete: true } } }),
    ],
    [
      "resources[0].columns[0].dedup_sort",
      inResource({ columns: [{ name: "at", dedup_sort: "desc" }] }),
    ],
    ["resources[0].schema_contract", inResource({ schema_contract: "freeze" })],
    [
      "resources[0].schema_contract.columns",
      inResource({ schema_contract: { columns: "discard_row" } }),
    ],
    ["resources[0].selected", inResource({ selected: false })],
    ["resources[0].include_from_parent", inResource({ include_from_parent: ["id"] })],
    ["resources[0].processing_steps", inResource({ processing_steps: [{ filter: () => true }] })],
  ])("%s", (path, found) => {
    expect(found).toEqual([
      { path, message: expect.stringMatching(/ is not supported yet$/), hint: expect.any(String) },
    ]);
  });

  test.each([
    ["end_value", "2024-01-01"],
    ["row_order", "asc"],
    ["convert", () => 1],
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
    const message = expect.stringMatching(/ is not supported yet$/);
    const more = { [key]: value };
    const param = { type: "incremental", ...incremental, ...more };
    expect(inIncremental(more)).toMatchObject([
      { path: `resources[0].endpoint.incremental.${key}`, message },
    ]);
    expect(inEndpoint({ params: { since: param } })).toMatchObject([
      { path: `resources[0].endpoint.params.since.${key}`, message },
    ]);
  });

  it("end_param has its place in the block only", () => {
    expect(inIncremental({ end_param: "until" })).toMatchObject([
      { path: "resources[0].endpoint.incremental.end_param" },
    ]);
  });

  it("in resource_defaults it is named once and there", () => {
    const resource_defaults = { endpoint: { response_actions: [] } };
    const resources = [tickets, { ...tickets, name: "b" }];
    expect(problems({ client, resource_defaults, resources })).toEqual([
      expect.objectContaining({ path: "resource_defaults.endpoint.response_actions" }),
    ]);
  });

  it("P16: credentials go to base_url's origin only", () => {
    const elsewhere = {
      ...tickets,
      endpoint: { ...endpoint, path: "https://files.example.com/x" },
    };
    const here = { ...tickets, endpoint: { ...endpoint, path: "https://api.example.com/x" } };
    expect(problems({ client: { ...client, auth: "bearer" }, resources: [elsewhere] })).toEqual([
      expect.objectContaining({ path: "resources[0].endpoint.path" }),
    ]);
    expect(problems({ client: { ...client, auth: "bearer" }, resources: [here] })).toEqual([]);
    expect(problems({ client, resources: [elsewhere] })).toEqual([]);
  });

  it("a paginator and a data_selector have to be written down", () => {
    expect(problems({ client, resources: ["tickets"] })).toEqual([
      expect.objectContaining({
        path: "resources[0].endpoint.paginator",
        hint: expect.stringContaining('"type": "offset"'),
      }),
      expect.objectContaining({
        path: "resources[0].endpoint.data_selector",
        hint: expect.stringContaining('"data"'),
      }),
    ]);
  });
});

describe("what says nothing else than tidetable does is accepted", () => {
  test.each([
    [inResource({ selected: true, schema_contract: "evolve", processing_steps: null })],
    [inResource({ columns: { gone: { hard_delete: false } } })],
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
