import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { ResourceConfig } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { describe, expect, it, test } from "vitest";
import { jsonSchema, schemaFile } from "../../scripts/json-schema.ts";

const committed = JSON.parse(readFileSync(schemaFile, "utf8"));

// core's zod reads draft 7, in which an object with a $ref has no other keyword.
const core = fileURLToPath(new URL("../../packages/core/package.json", import.meta.url));
const z = createRequire(core)("zod");
const dropRefSiblings = (_: string, value: unknown) =>
  typeof value === "object" && value !== null && "$ref" in value ? { $ref: value.$ref } : value;
const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(committed), dropRefSiblings));

const isValid = (config: unknown) => schema.safeParse(config).success;

/** The config as a person writes it into a .json file. */
const toJson = (config: unknown) =>
  JSON.parse(
    JSON.stringify(config, secretMarker).replaceAll(/"\{secrets\.(\w+)\}"/g, '{"$secret":"$1"}'),
  );
function secretMarker(this: Record<string, unknown>, key: string, value: unknown): unknown {
  return value === "[secret]" ? String(this[key]) : value;
}

const client = { base_url: "https://api.example.com" };
const withResource = (resource: Partial<ResourceConfig>) => ({
  client,
  resources: [{ name: "deals", ...resource }],
});

it(
  "the committed JSON Schema matches the types (node --import tsx scripts/json-schema.ts)",
  { timeout: 30_000 },
  () => {
    expect(jsonSchema()).toEqual(committed);
  },
);

describe("valid configs", () => {
  test.each(Object.entries(sources))("the JSON Schema accepts the source %s", (_, { config }) => {
    const json = toJson(config);
    expect(JSON.stringify(json)).toContain('{"$secret":');
    expect(isValid({ $schema: "./rest_api.schema.json", ...json })).toBe(true);
  });

  test.each<[name: string, config: unknown]>([
    ["a resource by its name", { client, resources: ["deals"] }],
    ["an endpoint by its path", withResource({ endpoint: "/v1/deals" })],
    ["null, as dlt's None", withResource({ primary_key: null, endpoint: { paginator: null } })],
    ["auth by its type", { client: { ...client, auth: "bearer" }, resources: ["deals"] }],
    [
      "a token without a type",
      { client: { ...client, auth: { token: "t" } }, resources: ["deals"] },
    ],
    [
      "incremental and resolved parameters",
      withResource({
        endpoint: {
          path: "deals/{id}",
          params: {
            id: { type: "resolve", resource: "accounts", field: "id" },
            since: { type: "incremental", cursor_path: "updated_at", initial_value: 5 },
            tags: ["a", 1, true],
          },
        },
      }),
    ],
    ["columns of both forms", withResource({ columns: { id: { data_type: "bigint" } } })],
    ["columns as a list", withResource({ columns: [{ name: "id", nullable: false }] })],
  ])("the JSON Schema accepts %s", (_, config) => {
    expect(isValid(config)).toBe(true);
  });
});

describe("invalid configs", () => {
  test.each<[name: string, config: unknown]>([
    ["a typo at the top", { client, resource: ["deals"], resources: ["deals"] }],
    ["a typo in a resource", withResource({ primary_kye: "id" } as object)],
    ["a typo in an endpoint", withResource({ endpoint: { data_selecter: "x" } as object })],
    ["an unknown paginator", withResource({ endpoint: { paginator: { type: "ofset" } as never } })],
    [
      "a limit that is a string",
      withResource({ endpoint: { paginator: { type: "offset", limit: "5" } as never } }),
    ],
    [
      "offset without a limit",
      withResource({ endpoint: { paginator: { type: "offset" } as never } }),
    ],
    ["a missing base_url", { client: {}, resources: ["deals"] }],
    [
      "a secret with a typo",
      { client: { ...client, auth: { token: { $secrets: "t" } } }, resources: ["deals"] },
    ],
  ])("the JSON Schema refuses %s", (_, config) => {
    expect(isValid(config)).toBe(false);
  });
});

it("a key has its comment in types.ts as its description in the JSON Schema", () => {
  const { base_url } = committed.definitions.ClientConfig.properties;
  expect(base_url.description).toBe("Paths are joined to it with one slash.");
  expect(base_url.examples).toEqual(["https://api.example.com/v2"]);
});
