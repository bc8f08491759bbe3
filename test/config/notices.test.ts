import { dlt, findNotices, rest_api_source, type SourceConfig } from "@tidetable/core";
import { expect, it } from "vitest";

const noticesOf = (config: unknown) => findNotices(rest_api_source(config as SourceConfig));

it("a credential in plain text gets a notice that does not repeat it", () => {
  const auth = { type: "oauth2", client_id: "public", client_secret: "hunter2" };
  const config = {
    client: { auth },
    resources: [{ name: "a", endpoint: { auth: { token: "hunter2" } } }],
  };
  expect(noticesOf(config).map(({ path }) => path)).toEqual([
    "client.auth.client_secret",
    "resources[0].endpoint.auth.token",
  ]);
  expect(JSON.stringify(noticesOf(config))).not.toContain("hunter2");
});

it("a key without an effect gets a notice", () => {
  const config = {
    client: { session: {} },
    resource_defaults: { parallelized: true },
    resources: [{ name: "a", file_format: "csv" }],
  };
  expect(noticesOf(config).map(({ path }) => path)).toEqual([
    "client.session",
    "resource_defaults.parallelized",
    "resources[0].file_format",
  ]);
});

it("an incremental whose start no request sends gets a notice", () => {
  const resource = (endpoint: object) => ({
    client: {},
    resource_defaults: { endpoint: { incremental: { cursor_path: "at" } } },
    resources: [{ name: "a", endpoint }],
  });
  expect(noticesOf(resource({})).map(({ path }) => path)).toEqual([
    "resources[0].endpoint.incremental",
  ]);
  expect(noticesOf(resource({ params: { since: "{incremental.start_value}" } }))).toEqual([]);
  expect(noticesOf(resource({ incremental: { cursor_path: "at", start_param: "since" } }))).toEqual(
    [],
  );
});

it("a secret by its name gets no notice", () => {
  expect(
    noticesOf({ client: { auth: { token: dlt.secrets["token"] } }, resources: ["a"] }),
  ).toEqual([]);
});
