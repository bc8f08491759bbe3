import { dlt, rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { settleSource } from "../../packages/core/src/config/settle.ts";
import { expandShorthands } from "../../packages/core/src/config/shorthands.ts";

const base_url = "https://api.example.com";
const settleConfig = (config: unknown, options = {}) =>
  settleSource(rest_api_source(config as SourceConfig, options));
const settleOnly = (resource: unknown, defaults: unknown = {}, client: object = {}) => {
  const config = { client: { base_url, ...client }, resource_defaults: defaults };
  const [first] = settleConfig({ ...config, resources: [resource] }).resources;
  if (!first) throw new Error("no resource");
  return first;
};
const settleAuth = (auth: unknown) => settleOnly("tickets", {}, { auth }).endpoint.auth;

describe("shorthands", () => {
  it("a bare string is a resource whose path is its name", () => {
    expect(settleOnly("tickets")).toMatchObject({ name: "tickets", endpoint: { path: "tickets" } });
  });

  it("a bare string is an endpoint's path", () => {
    expect(settleOnly({ name: "tickets", endpoint: "/v1/tickets" }).endpoint.path).toBe(
      "/v1/tickets",
    );
  });

  it("a bare string is the type of a paginator, an auth or a write disposition", () => {
    const resource = {
      name: "t",
      write_disposition: "append",
      endpoint: { paginator: "single_page" },
    };
    expect(settleOnly(resource, {}, { auth: "bearer" })).toMatchObject({
      write_disposition: { disposition: "append" },
      endpoint: { paginator: { type: "single_page" }, auth: { type: "bearer" } },
    });
  });

  it("an auth without a type is a bearer token", () => {
    expect(settleAuth({ token: "t" })).toEqual({ type: "bearer", token: "t" });
  });

  it("a method is settled in upper case", () => {
    expect(settleOnly({ name: "t", endpoint: { method: "post" } }).endpoint.method).toBe("POST");
  });

  it("a primary_key is settled as a list", () => {
    expect(settleOnly({ name: "t", primary_key: "id" }).primary_key).toEqual(["id"]);
    expect(settleOnly({ name: "t" }).primary_key).toEqual([]);
  });
});

describe("aliases", () => {
  it("oauth2 and token_url are aliases of dlt's longer words", () => {
    expect(settleAuth({ type: "oauth2", token_url: "https://a.example/token" })).toEqual({
      type: "oauth2_client_credentials",
      access_token_url: "https://a.example/token",
    });
  });

  test.each([
    [{ scope: "read write" }],
    [{ scopes: ["read", "write"] }],
    [{ access_token_request_data: { scope: "read write" } }],
  ])("the scopes in %j become a field of the token request", (fields) => {
    expect(settleAuth({ type: "oauth2", ...fields })).toMatchObject({
      access_token_request_data: { scope: "read write" },
    });
  });

  it("the location param is an alias of query", () => {
    expect(settleAuth({ type: "api_key", location: "param" })).toMatchObject({ location: "query" });
  });

  it("two aliases of one key at once are a problem at the second", () => {
    const auth = {
      type: "oauth2",
      access_token_url: "a",
      token_url: "b",
      scope: "x",
      scopes: ["y"],
    };
    expect(expandShorthands({ client: { auth } }).problems).toEqual([
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
  it("a resource's keys replace those of resource_defaults", () => {
    const merged = settleOnly(
      { name: "t", write_disposition: "append" },
      { primary_key: "id", write_disposition: "merge" },
    );
    expect(merged.primary_key).toEqual(["id"]);
    expect(merged.write_disposition).toEqual({ disposition: "append" });
  });

  it("params, json and error_handler merge one level deeper, and nested objects are replaced", () => {
    const defaults = {
      params: { a: 1, b: 1 },
      json: { deep: { x: 1 }, kept: 1 },
      error_handler: { max_retries: 1, backoff_factor: 1 },
    };
    const written = {
      params: { b: 2 },
      json: { deep: { y: 2 } },
      error_handler: { max_retries: 2 },
    };
    expect(
      settleOnly({ name: "t", endpoint: written }, { endpoint: defaults }).endpoint,
    ).toMatchObject({
      params: { a: 1, b: 2 },
      json: { deep: { y: 2 }, kept: 1 },
      error_handler: { max_retries: 2, backoff_factor: 1 },
    });
  });

  it("headers, paginator and auth in resource_defaults are replaced as a whole", () => {
    const defaults = {
      headers: { a: "1" },
      paginator: { type: "offset", limit: 5, offset: 1 },
      auth: { type: "api_key", name: "k" },
    };
    const written = {
      headers: { b: "2" },
      paginator: { type: "offset", limit: 9 },
      auth: { type: "http_basic" },
    };
    expect(
      settleOnly({ name: "t", endpoint: written }, { endpoint: defaults }).endpoint,
    ).toMatchObject({
      ...written,
      path: "t",
    });
  });

  it("columns merge hint by hint in both forms, and the options win", () => {
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
    expect(settleConfig(config, options).resources[0]?.columns).toEqual({
      id: { data_type: "bigint", nullable: false },
      x: { data_type: "date" },
    });
  });

  it("a null in a resource removes the default", () => {
    const defaults = {
      primary_key: "id",
      columns: { id: { data_type: "bigint" } },
      endpoint: { params: { a: 1, b: 1 }, data_selector: "data" },
    };
    const written = {
      primary_key: null,
      columns: null,
      endpoint: { params: { a: null }, data_selector: null },
    };
    const merged = settleOnly({ name: "t", ...written }, defaults);
    expect(merged.primary_key).toEqual([]);
    expect(merged.columns).toEqual({});
    expect(merged.endpoint.params).toEqual({ b: 1 });
    expect(merged.endpoint).not.toHaveProperty("data_selector");
  });

  it("a path in resource_defaults never applies", () => {
    expect(
      settleOnly({ name: "t", endpoint: {} }, { endpoint: { path: "/other" } }).endpoint.path,
    ).toBe("t");
  });
});

describe("defaults from the client", () => {
  const paginators = [{ type: "offset", limit: 1 }, { type: "offset", limit: 2 }, "single_page"];
  test.each([
    [paginators[0], paginators[1], paginators[2], { type: "offset", limit: 1 }],
    [undefined, paginators[1], paginators[2], { type: "offset", limit: 2 }],
    [undefined, undefined, paginators[2], { type: "single_page" }],
    [null, paginators[1], paginators[2], { type: "single_page" }],
  ])("the paginators of endpoint %j, defaults %j and client %j are settled as %j", (endpoint, defaults, client, expected) => {
    const resource = { name: "t", endpoint: endpoint === undefined ? {} : { paginator: endpoint } };
    const resourceDefaults = defaults === undefined ? {} : { endpoint: { paginator: defaults } };
    expect(
      settleOnly(resource, resourceDefaults, { paginator: client }).endpoint.paginator,
    ).toEqual(expected);
  });

  it("an endpoint's error_handler wins over resource_defaults, and both over the client, key by key", () => {
    const merged = settleOnly(
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

  it("a total_path of null stays null", () => {
    const paginator = { type: "offset", limit: 1, total_path: null, maximum_offset: null };
    expect(settleOnly("t", {}, { paginator }).endpoint.paginator).toEqual({
      type: "offset",
      limit: 1,
      total_path: null,
    });
  });
});

it("settling does not change the config", () => {
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
  expect(settleConfig(freeze(config)).resources).toHaveLength(2);
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
])("settling the config %j does not throw", (config) => {
  expect(() => settleConfig(config)).not.toThrow();
});
