import fc from "fast-check";
import { describe } from "vitest";
import { expectProblemsOrPlan } from "../support/configs.ts";
import { fuzz } from "../support/fuzz.ts";

// Valid parts of a config, in any combination.

const anyOf = <T>(...values: T[]) => fc.constantFrom(...values);
const START = "{incremental.start_value}";

const paginator = anyOf<unknown>(
  ...["auto", "single_page", "header_link", "json_link", "cursor", "header_cursor", "page_number"],
  { type: "offset", limit: 100, total_path: null, overlap: 3 },
  { type: "offset", limit: 1, offset_body_path: "page.from", limit_body_path: "page.size" },
  { type: "page_number", base_page: 1, maximum_page: 3, page_param: "p" },
  { type: "cursor", cursor_path: "meta['next cursor']", has_more_path: "more" },
);
const auth = anyOf<unknown>(
  null,
  { type: "bearer", token: "{secrets.token}" },
  { type: "api_key", name: "X-Key", api_key: "Token {secrets.key}", location: "header" },
  { type: "http_basic", username: "me", password: "" },
  { type: "oauth2", token_url: "https://login.example.com/t", client_id: "a", client_secret: "b" },
);
const incremental = fc
  .tuple(
    fc.record(
      {
        initial_value: anyOf<unknown>("2026-01-01", "2026-01-01T00:00:00Z", 5, "5", "a", 1e300),
        lag: anyOf(0, 60, 0.5, 1e15),
        convert: anyOf("epoch_s", "epoch_ms", "iso_date", "iso_datetime"),
        last_value_func: anyOf("max", "min"),
        start_param: anyOf("since"),
        row_order: anyOf("asc", "desc"),
      },
      { requiredKeys: [] },
    ),
    anyOf<object>(
      {},
      { initial_value: "2026-01-01", end_value: "9999-12-31", step: 1, last_value_func: "max" },
      { initial_value: 5, end_value: 10, step: 1e15, end_param: "until", last_value_func: "max" },
      { initial_value: "2026-02-01T00:00:00Z", end_value: "2026-01-01", last_value_func: "min" },
    ),
  )
  .map(([settings, backfill]) => ({ cursor_path: "meta.at", ...settings, ...backfill }));
const value = anyOf<unknown>(
  "a",
  1,
  true,
  null,
  ["a", "b"],
  START,
  `>${START}`,
  "{resources.teams.id}",
);
/** Settings of rows that fit together. */
const rows = anyOf<object>(
  {},
  { primary_key: "id", write_disposition: "merge", columns: { gone: { hard_delete: true } } },
  { primary_key: ["id", "at"], write_disposition: "replace", schema_contract: "freeze" },
  { primary_key: ["a", "b", "c"], write_disposition: { disposition: "merge", strategy: "upsert" } },
  { primary_key: [], write_disposition: "append", schema_contract: { columns: "discard_value" } },
  { primary_key: "id", columns: [{ name: "id", data_type: "bigint" }], selected: false },
  {
    ...{
      primary_key: "id",
      write_disposition: "merge",
      write_mode: "ordered",
      version_field: "at",
    },
    columns: { at: { data_type: "timestamp" }, id: { primary_key: true } },
  },
);
const endpoint = fc.record(
  {
    path: anyOf("users", "/users/", "users/{resources.teams.id}", `log/${START}`, "a?b=c"),
    method: anyOf("GET", "POST", "get"),
    params: fc.dictionary(anyOf("a", "b", "x"), value, { noNullPrototype: true }),
    json: fc.dictionary(anyOf("a", "b"), value, { noNullPrototype: true }),
    data_selector: anyOf("$", "data", "data[*].rows", "$.data[?(@.a=='b')]"),
    paginator,
    incremental,
    auth,
  },
  { requiredKeys: ["incremental"] },
);
const resource = fc
  .tuple(anyOf("users", "posts", "tags"), rows, endpoint)
  .map(([name, rowSettings, endpoint]) => ({ name, ...rowSettings, endpoint }));
const resources = fc
  .uniqueArray(resource, { selector: ({ name }) => name, minLength: 1, maxLength: 2 })
  .map((children) => [...children, { name: "teams", endpoint: { path: "teams" } }]);
const configs = fc.record(
  {
    client: fc.record(
      {
        base_url: anyOf(
          "https://api.example.com",
          "https://api.example.com/v1/",
          "http://[::1]:80",
        ),
        auth,
        paginator,
        headers: anyOf({ accept: "application/json" }, { "X-Since": START }),
        timeout: anyOf(1, 300),
      },
      { requiredKeys: ["base_url"] },
    ),
    resource_defaults: fc.record({ primary_key: anyOf("id"), write_disposition: anyOf("merge") }),
    resources,
  },
  { requiredKeys: ["client", "resources"] },
);

describe("a config of parts that are right", () => {
  fuzz(
    "a config of valid parts gets problems, or a plan with its first requests",
    1000,
    configs,
    (config) => {
      expectProblemsOrPlan(config);
    },
  );
});
