import { dlt, findNotices, rest_api_source, type SourceConfig } from "@tidetable/core";
import { expect, it } from "vitest";

const found = (config: unknown) => findNotices(rest_api_source(config as SourceConfig));

it("says where a credential stands as plain text, and never what it is", () => {
  const auth = { type: "oauth2", client_id: "public", client_secret: "hunter2" };
  const config = {
    client: { auth },
    resources: [{ name: "a", endpoint: { auth: { token: "hunter2" } } }],
  };
  expect(found(config).map(({ path }) => path)).toEqual([
    "client.auth.client_secret",
    "resources[0].endpoint.auth.token",
  ]);
  expect(JSON.stringify(found(config))).not.toContain("hunter2");
});

it("says which keys have no effect", () => {
  const config = {
    client: { session: {} },
    resource_defaults: { parallelized: true },
    resources: [{ name: "a", file_format: "csv" }],
  };
  expect(found(config).map(({ path }) => path)).toEqual([
    "client.session",
    "resource_defaults.parallelized",
    "resources[0].file_format",
  ]);
});

it("says where a cursor never reaches the API", () => {
  const resource = (endpoint: object) => ({
    client: {},
    resource_defaults: { endpoint: { incremental: { cursor_path: "at" } } },
    resources: [{ name: "a", endpoint }],
  });
  expect(found(resource({})).map(({ path }) => path)).toEqual([
    "resources[0].endpoint.incremental",
  ]);
  expect(found(resource({ params: { since: "{incremental.start_value}" } }))).toEqual([]);
  expect(found(resource({ incremental: { cursor_path: "at", start_param: "since" } }))).toEqual([]);
});

it("is silent about a secret by name", () => {
  expect(found({ client: { auth: { token: dlt.secrets["token"] } }, resources: ["a"] })).toEqual(
    [],
  );
});
