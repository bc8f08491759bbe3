import { rest_api_source } from "@tidetable/core";
import { validate } from "@tidetable/core/plan";
import { describe, expect, it } from "vitest";
import { jsonToLiteral, literalToConfig } from "../../../packages/cli/src/sources/literal.ts";
import { openapiToConfig } from "../../../packages/cli/src/starter/openapi.ts";

const listOf = (record: object) => ({ type: "array", items: record });
const withId = { type: "object", properties: { id: { type: "integer" } } };

const answer = (schema: object) => ({
  responses: { 200: { content: { "application/json": { schema } } } },
});

/** The config of a document, which has to be valid, and the notes. */
function convert(document: object) {
  const { config, notes } = openapiToConfig({
    openapi: "3.1.0",
    servers: [{ url: "https://api.shop.example" }],
    ...document,
  });
  const source = rest_api_source(literalToConfig(jsonToLiteral(config)) as never);
  expect(validate(source, "shop")).toEqual([]);
  return { config, notes };
}

describe("an OpenAPI document as a config", () => {
  it("lists become resources with selector, key and paginator; anything else is left out", () => {
    const { config, notes } = convert({
      paths: {
        "/v1/tickets": {
          get: {
            ...answer({
              properties: { data: listOf({ $ref: "#/components/schemas/Ticket" }), total: {} },
            }),
            parameters: [
              { name: "offset", in: "query" },
              { name: "limit", in: "query", schema: { maximum: 50 } },
            ],
          },
          post: {},
        },
        "/v1/tickets/{id}": { get: answer(withId) },
        "/v1/tickets/{ticket_id}/comments": { get: answer(listOf(withId)) },
        "/v1/settings": { get: answer({ type: "object", properties: { name: {} } }) },
        "/v1/tags": { get: answer(listOf({ type: "object", properties: { label: {} } })) },
      },
      components: {
        schemas: { Ticket: { allOf: [withId, { properties: { subject: {} } }] } },
        securitySchemes: { token: { type: "http", scheme: "bearer" } },
      },
    });
    expect(notes).toEqual([]);
    expect(config).toEqual({
      client: {
        base_url: "https://api.shop.example",
        auth: { type: "bearer", token: { $secret: "token" } },
      },
      resources: [
        {
          name: "tickets",
          primary_key: "id",
          write_disposition: "merge",
          endpoint: {
            path: "v1/tickets",
            data_selector: "data",
            paginator: { type: "offset", limit: 50, total_path: null },
          },
        },
        {
          name: "comments",
          primary_key: "id",
          write_disposition: "merge",
          endpoint: { path: "v1/tickets/{resources.tickets.id}/comments", data_selector: "$" },
        },
        {
          name: "tags",
          write_disposition: "replace",
          endpoint: { path: "v1/tags", data_selector: "$" },
        },
      ],
    });
  });

  it.each([
    [
      { properties: { items: listOf(withId), next_cursor: {} } },
      ["cursor"],
      { type: "cursor", cursor_path: "next_cursor", cursor_param: "cursor" },
    ],
    [
      { properties: { results: listOf(withId), next: {} } },
      [],
      { type: "json_link", next_url_path: "next" },
    ],
    [
      listOf(withId),
      ["page"],
      { type: "page_number", base_page: 1, page_param: "page", total_path: null },
    ],
    [
      listOf(withId),
      ["startAt", "maxResults"],
      {
        type: "offset",
        limit: 100,
        offset_param: "startAt",
        limit_param: "maxResults",
        total_path: null,
      },
    ],
    [listOf(withId), ["filter"], undefined],
  ])("the paginator is told by answer and parameters: %j", (schema, names, paginator) => {
    const parameters = names.map((name) => ({ name, in: "query" }));
    const { config } = convert({ paths: { "/rows": { get: { ...answer(schema), parameters } } } });
    const [resource] = config.resources as { endpoint: { paginator?: object } }[];
    expect(resource?.endpoint.paginator).toEqual(paginator);
  });

  it.each([
    [
      { type: "apiKey", in: "header", name: "X-Key" },
      { type: "api_key", name: "X-Key", location: "header" },
    ],
    [{ type: "http", scheme: "basic" }, { type: "http_basic" }],
    [
      { type: "oauth2", flows: { clientCredentials: { tokenUrl: "https://a.example/token" } } },
      { type: "oauth2_client_credentials", access_token_url: "https://a.example/token" },
    ],
  ])("credentials are references to secrets: %j", (scheme, auth) => {
    const { config } = convert({
      paths: { "/rows": { get: answer(listOf(withId)) } },
      components: { securitySchemes: { one: scheme } },
    });
    expect((config.client as { auth: object }).auth).toMatchObject(auth);
    expect(JSON.stringify(config)).toContain("$secret");
  });

  it("what a document does not say is told in a note", () => {
    const { notes } = convert({
      servers: [{ url: "/v1" }],
      paths: {
        "/rows": { get: answer(listOf(withId)) },
        "/shops/{shop_id}/orders": { get: answer(listOf(withId)) },
        "/search": {
          get: {
            ...answer(listOf(withId)),
            parameters: [{ name: "query", in: "query", required: true }],
          },
        },
      },
      components: { securitySchemes: { one: { type: "mutualTLS" } } },
    });
    expect(notes).toEqual([
      "/shops/{shop_id}/orders is left out: nothing here gives its shop_id",
      "/search is left out: its parameter query needs a value",
      "its way to sign in has no counterpart here: write client.auth",
      "the document names no whole address (/v1): write the API's into base_url",
    ]);
  });

  it("Swagger 2.0 is read as well, and a document that refers to itself ends", () => {
    const { config } = convert({
      openapi: undefined,
      servers: undefined,
      swagger: "2.0",
      host: "api.shop.example",
      basePath: "/v2",
      paths: {
        "/rows": { get: { responses: { 200: { schema: { $ref: "#/definitions/Rows" } } } } },
      },
      definitions: {
        Rows: { type: "array", items: { $ref: "#/definitions/Row" } },
        Row: { allOf: [withId, { $ref: "#/definitions/Row" }] },
      },
    });
    expect(config).toMatchObject({
      client: { base_url: "https://api.shop.example/v2" },
      resources: [{ name: "rows", primary_key: "id" }],
    });
  });
});
