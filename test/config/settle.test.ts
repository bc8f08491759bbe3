import { dlt, rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { settleSource } from "../../packages/core/src/config/settle.ts";
import { expandShorthands } from "../../packages/core/src/config/shorthands.ts";

const base_url = "https://api.example.com";
const settled = (config: unknown, options = {}) =>
  settleSource(rest_api_source(config as SourceConfig, options));
const only = (resource: unknown, defaults: unknown = {}, client: object = {}) => {
  const config = { client: { base_url, ...client }, resource_defaults: defaults };
  const [first] = settled({ ...config, resources: [resource] }).resources;
  if (!first) throw new Error("no resource");
  return first;
};
const auth = (value: unknown) => only("tickets", {}, { auth: value }).endpoint.auth;

describe("shorthands", () => {
  it("a text is a resource, whose path is its name", () => {
    expect(only("tickets")).toMatchObject({ name: "tickets", endpoint: { path: "tickets" } });
  });

  it("a text is an endpoint's path", () => {
    expect(only({ name: "tickets", endpoint: "/v1/tickets" }).endpoint.path).toBe("/v1/tickets");
  });

  it("a text is a paginator, an auth or a write disposition", () => {
    const resource = {
      name: "t",
      write_disposition: "append",
      endpoint: { paginator: "single_page" },
    };
    expect(only(resource, {}, { auth: "bearer" })).toMatchObject({
      write_disposition: { disposition: "append" },
      endpoint: { paginator: { type: "single_page" }, auth: { type: "bearer" } },
    });
  });

  it("an auth without a type is a bearer token", () => {
    expect(auth({ token: "t" })).toEqual({ type: "bearer", token: "t" });
  });

  it("a method is upper case", () => {
    expect(only({ name: "t", endpoint: { method: "post" } }).endpoint.method).toBe("POST");
  });

  it("one primary_key is a list of one", () => {
    expect(only({ name: "t", primary_key: "id" }).primary_key).toEqual(["id"]);
    expect(only({ name: "t" }).primary_key).toEqual([]);
  });
});

describe("aliases", () => {
  it("oauth2 and token_url are dlt's longer words", () => {
    expect(auth({ type: "oauth2", token_url: "https://a.example/token" })).toEqual({
      type: "oauth2_client_credentials",
      access_token_url: "https://a.example/token",
    });
  });

  test.each([
    [{ scope: "read write" }],
    [{ scopes: ["read", "write"] }],
    [{ access_token_request_data: { scope: "read write" } }],
  ])("%j is a field of the token request", (fields) => {
    expect(auth({ type: "oauth2", ...fields })).toMatchObject({
      access_token_request_data: { scope: "read write" },
    });
  });

  it("param is query", () => {
    expect(auth({ type: "api_key", location: "param" })).toMatchObject({ location: "query" });
  });

  it("two names of one thing at once are a problem at the second", () => {
    const both = {
      type: "oauth2",
      access_token_url: "a",
      token_url: "b",
      scope: "x",
      scopes: ["y"],
    };
    expect(expandShorthands({ client: { auth: both } }).problems).toEqual([
      {
        path: "client.auth.token_url",
        message: '"access_token_url" and "token_url" are two names of the same thing',
        hint: "keep one of them",
      },
      expect.objectContaining({ path: "client.auth.scopes" }),
    ]);
  });
});

describe("resource_defaults merge by dlt's rules", () => {
  it("the resource wins, key by key", () => {
    const merged = only(
      { name: "t", write_disposition: "append" },
      { primary_key: "id", write_disposition: "merge" },
    );
    expect(merged.primary_key).toEqual(["id"]);
    expect(merged.write_disposition).toEqual({ disposition: "append" });
  });

  it("params, json and error_handler merge one level deeper; nested objects are replaced", () => {
    const defaults = {
      params: { a: 1, b: 1 },
      json: { deep: { x: 1 }, kept: 1 },
      error_handler: { max_retries: 1, backoff_factor: 1 },
    };
    const own = { params: { b: 2 }, json: { deep: { y: 2 } }, error_handler: { max_retries: 2 } };
    expect(only({ name: "t", endpoint: own }, { endpoint: defaults }).endpoint).toMatchObject({
      params: { a: 1, b: 2 },
      json: { deep: { y: 2 }, kept: 1 },
      error_handler: { max_retries: 2, backoff_factor: 1 },
    });
  });

  it("headers, paginator and auth are replaced whole", () => {
    const defaults = {
      headers: { a: "1" },
      paginator: { type: "offset", limit: 5, offset: 1 },
      auth: { type: "api_key", name: "k" },
    };
    const own = {
      headers: { b: "2" },
      paginator: { type: "offset", limit: 9 },
      auth: { type: "http_basic" },
    };
    expect(only({ name: "t", endpoint: own }, { endpoint: defaults }).endpoint).toMatchObject({
      ...own,
      path: "t",
    });
  });

  it("columns merge hint by hint, in both forms, and the options win", () => {
    const config = {
      resource_defaults: { columns: { id: { data_type: "text", nullable: false } } },
      resources: [
        {
          name: "t",
          columns: [
            { name: "id", data_type: "bigint" },
            { name: "x", data_type: "text" },
          ],
        },
      ],
    };
    const options = { resources: { t: { columns: { x: { data_type: "date" } } } } };
    expect(settled(config, options).resources[0]?.columns).toEqual({
      id: { data_type: "bigint", nullable: false },
      x: { data_type: "date" },
    });
  });

  it("null takes a default back", () => {
    const defaults = {
      primary_key: "id",
      columns: { id: { data_type: "bigint" } },
      endpoint: { params: { a: 1, b: 1 }, data_selector: "data" },
    };
    const own = {
      primary_key: null,
      columns: null,
      endpoint: { params: { a: null }, data_selector: null },
    };
    const merged = only({ name: "t", ...own }, defaults);
    expect(merged.primary_key).toEqual([]);
    expect(merged.columns).toEqual({});
    expect(merged.endpoint.params).toEqual({ b: 1 });
    expect(merged.endpoint).not.toHaveProperty("data_selector");
  });

  it("a default path never applies", () => {
    expect(only({ name: "t", endpoint: {} }, { endpoint: { path: "/other" } }).endpoint.path).toBe(
      "t",
    );
  });
});

describe("what the client says is for endpoints that do not", () => {
  const paginators = [{ type: "offset", limit: 1 }, { type: "offset", limit: 2 }, "single_page"];
  test.each([
    [paginators[0], paginators[1], paginators[2], { type: "offset", limit: 1 }],
    [undefined, paginators[1], paginators[2], { type: "offset", limit: 2 }],
    [undefined, undefined, paginators[2], { type: "single_page" }],
    [null, paginators[1], paginators[2], { type: "single_page" }],
  ])("paginator: endpoint %j, defaults %j, client %j", (endpoint, defaults, client, expected) => {
    const own = { name: "t", endpoint: endpoint === undefined ? {} : { paginator: endpoint } };
    const common = defaults === undefined ? {} : { endpoint: { paginator: defaults } };
    expect(only(own, common, { paginator: client }).endpoint.paginator).toEqual(expected);
  });

  it("error_handler: endpoint over resource_defaults over client, key by key", () => {
    const merged = only(
      { name: "t", endpoint: { error_handler: { max_retries: 1 } } },
      { endpoint: { error_handler: { max_retries: 2, backoff_factor: 2 } } },
      { error_handler: { max_retries: 3, backoff_factor: 3, retry_on_status_codes: [429] } },
    );
    expect(merged.endpoint.error_handler).toEqual({
      max_retries: 1,
      backoff_factor: 2,
      retry_on_status_codes: [429],
    });
  });

  it("a null total_path keeps its meaning", () => {
    const paginator = { type: "offset", limit: 1, total_path: null, maximum_offset: null };
    expect(only("t", {}, { paginator }).endpoint.paginator).toEqual({
      type: "offset",
      limit: 1,
      total_path: null,
    });
  });
});

it("never changes its input", () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
    return Object.freeze(value);
  };
  const config = {
    client: {
      base_url,
      auth: { type: "oauth2", token_url: "u", scopes: ["a"], client_id: dlt.secrets["c"] },
    },
    resource_defaults: { endpoint: { params: { a: 1 }, error_handler: {} } },
    resources: ["a", { name: "b", columns: [{ name: "id" }], endpoint: { params: { b: null } } }],
  };
  expect(settled(freeze(config)).resources).toHaveLength(2);
});

test.each([
  undefined,
  null,
  5,
  "x",
  [],
  {},
  { client: [], resources: {} },
  { resources: [5, null, []] },
])("hands junk on without falling over it: %j", (junk) => {
  expect(() => settled(junk)).not.toThrow();
});
