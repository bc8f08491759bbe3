import { dlt, rest_api_source, type Source, type SourceConfig } from "@tidetable/core";
import { expect, expectTypeOf, it } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

/*
 * Editors and the command line report the same problems. Each `@ts-expect-error` below is a type
 * error, because the compiler refuses an unused one, and `validate` has to find the problem as well.
 */

const client = { base_url: "https://api.example.com" };
const paginator = { type: "offset", limit: 100 } as const;
const endpoint = { data_selector: "data", paginator };

const problemPaths = (source: Source) => validate(source, "s").map(({ path }) => path);

it("rest_api_source takes the whole vocabulary", () => {
  const source = rest_api_source({
    client: {
      base_url: "https://api.example.com",
      headers: { accept: "application/json" },
      auth: { type: "api_key", name: "key", api_key: dlt.secrets["api_key"], location: "param" },
      paginator: "single_page",
      error_handler: { retry_on_status_codes: [429], max_retries: 5, backoff_factor: 0.5 },
      timeout: 10,
      max_wait: 3_600,
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: [
      {
        name: "tickets",
        write_disposition: { disposition: "merge", strategy: "upsert" },
        columns: { id: { data_type: "bigint", nullable: false } },
        endpoint: {
          path: "/v1/{team}/tickets",
          method: "POST",
          params: { team: "a", fields: ["id", "subject"], gone: null, all: true },
          json: { query: { open: true } },
          data_selector: "$.data[*]",
          paginator: { ...paginator, total_path: null, maximum_offset: 1000 },
        },
      },
      {
        name: "users",
        primary_key: ["org", "id"],
        write_disposition: { disposition: "replace", strategy: "staging-optimized" },
        allow_shrink: true,
        endpoint: { ...endpoint, auth: "bearer" },
      },
      {
        name: "events",
        primary_key: "id",
        columns: { at: { data_type: "timestamp" } },
        write_mode: "ordered",
        version_field: "at",
        endpoint: {
          ...endpoint,
          incremental: { cursor_path: "at", initial_value: 0, start_param: "since", lag: 60 },
        },
      },
      {
        name: "changes",
        primary_key: "id",
        endpoint: {
          ...endpoint,
          params: { since: { type: "incremental", cursor_path: "at", initial_value: "2024" } },
        },
      },
    ],
  });
  expect(problemPaths(source)).toEqual([]);
});

it("rest_api_source takes functions, parents and the rest of dlt's dict", () => {
  const source = rest_api_source({
    client,
    resources: [
      { name: "tickets", primary_key: "id", endpoint },
      {
        name: "comments",
        schema_contract: { columns: "freeze" },
        processing_steps: [
          { filter: (record) => record.open === true },
          { map: (record) => record },
        ],
        endpoint: {
          path: "tickets/{id}/comments",
          data_selector: "data",
          paginator: { type: "cursor", cursor_path: "meta.next", cursor_param: "after" },
          incremental: { cursor_path: "updated_at", initial_value: "2024-01-01", row_order: "asc" },
          params: {
            since: "{incremental.start_value}",
            id: { type: "resolve", resource: "tickets", field: "id" },
          },
          response_actions: [{ status_code: 404, action: "ignore" }],
        },
      },
    ],
  });
  expect(problemPaths(source)).toEqual([]);
});

it("an unknown key is a type error and a problem at every level", () => {
  expect(
    problemPaths(
      rest_api_source({
        // @ts-expect-error a typo of base_url
        client: { base_uri: "https://api.example.com" },
        resources: [{ name: "a", endpoint }],
      }),
    ),
  ).toEqual(expect.arrayContaining(["client.base_uri"]));
  expect(
    problemPaths(
      rest_api_source({
        client,
        // @ts-expect-error a typo of resource_defaults
        resource_default: {},
        resources: [{ name: "a", endpoint }],
      }),
    ),
  ).toEqual(["resource_default"]);
  expect(
    problemPaths(
      rest_api_source({
        client,
        // @ts-expect-error a typo of primary_key
        resources: [{ name: "a", endpoint, primary_keys: "id" }],
      }),
    ),
  ).toEqual(["resources[0].primary_keys"]);
  expect(
    problemPaths(
      rest_api_source({
        client,
        // @ts-expect-error a typo of data_selector
        resources: [{ name: "a", endpoint: { paginator, data_selecter: "data" } }],
      }),
    ),
  ).toEqual(["resources[0].endpoint.data_selecter"]);
  expect(
    problemPaths(
      rest_api_source({
        // @ts-expect-error a typo of token
        client: { ...client, auth: { type: "bearer", tokn: dlt.secrets["token"] } },
        resources: [{ name: "a", endpoint }],
      }),
    ),
  ).toEqual(["client.auth.tokn"]);
});

it("an option of a different paginator is a type error and a problem", () => {
  expect(
    problemPaths(
      rest_api_source({
        client,
        resources: [
          {
            name: "a",
            // @ts-expect-error cursor_path belongs to the cursor paginator
            endpoint: { data_selector: "data", paginator: { ...paginator, cursor_path: "next" } },
          },
        ],
      }),
    ),
  ).toEqual(["resources[0].endpoint.paginator.cursor_path"]);
});

it("a wrong value is a type error and a problem", () => {
  expect(
    problemPaths(
      rest_api_source({
        client,
        resources: [
          // @ts-expect-error not a disposition
          { name: "a", endpoint, write_disposition: "upsert" },
          // @ts-expect-error not a type of dlt
          { name: "b", endpoint, columns: { id: { data_type: "string" } } },
          // @ts-expect-error offset needs to know its limit
          { name: "c", endpoint: { ...endpoint, paginator: "offset" } },
        ],
      }),
    ),
  ).toEqual([
    "resources[0].write_disposition",
    "resources[1].columns.id.data_type",
    "resources[2].endpoint.paginator.limit",
  ]);
});

it("an unknown key in the options is a type error and a problem", () => {
  const config = { client, resources: [{ name: "a", endpoint }] };
  // @ts-expect-error a typo of schedule
  expect(problemPaths(rest_api_source(config, { schedul: "rate(1 hour)" }))).toEqual([
    "options.schedul",
  ]);
  const columns = { id: { data_type: "integer" } };
  // @ts-expect-error not a type of dlt
  expect(problemPaths(rest_api_source(config, { resources: { a: { columns } } }))).toEqual([
    "options.resources.a.columns.id.data_type",
  ]);
  const typo = rest_api_source(config, {
    // @ts-expect-error a typo of data_type
    resources: { a: { columns: { id: { datatype: "text" } } } },
  });
  expect(problemPaths(typo)).toEqual(["options.resources.a.columns.id.datatype"]);
});

it("a source's type has the literal words of its config, and extends Source", () => {
  const source = rest_api_source(
    { client, resources: ["a", { name: "b", primary_key: ["x", "y"] }] },
    { resources: { b: { columns: { x: { data_type: "bigint" } } } } },
  );
  type Resources = typeof source.config.resources;
  expectTypeOf<Resources[0]>().toEqualTypeOf<"a">();
  expectTypeOf<Resources[1]["primary_key"]>().toEqualTypeOf<["x", "y"]>();
  expectTypeOf(source.options.resources.b.columns.x.data_type).toEqualTypeOf<"bigint">();
  expectTypeOf(source).toExtend<Source>();
});

it("rest_api_source takes a config whose type is not literal", () => {
  const parsed = { client, resources: ["a", { name: "b", endpoint }] };
  expectTypeOf(rest_api_source(parsed)).toExtend<Source>();
  const config: SourceConfig = parsed;
  expectTypeOf(rest_api_source(config).config).toEqualTypeOf<SourceConfig>();
});
