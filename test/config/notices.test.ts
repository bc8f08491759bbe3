import { dlt, rest_api_source, type SourceConfig } from "@tidetable/core";
import { findNotices } from "@tidetable/core/internal";
import { hideSecrets } from "@tidetable/core/internal/redact";
import { planSource } from "@tidetable/core/plan";
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

it.each([
  [
    "client.headers.Authorization",
    { client: { headers: { Authorization: "Bearer abc123def456" } } },
  ],
  ["client.headers.X-Api-Key", { client: { headers: { "X-Api-Key": "hunter2hunter2" } } }],
  ["resources[0].endpoint.params.api_key", { endpoint: { params: { api_key: "hunter2hunter2" } } }],
  ["resources[0].endpoint.params.key", { endpoint: { params: { key: "AIzaSyD4hunter2xyz" } } }],
  [
    "resources[0].endpoint.params.token[0]",
    { endpoint: { params: { token: ["a1b2c3d4e5f6g7"] } } },
  ],
  ["resources[0].endpoint.headers.Cookie", { endpoint: { headers: { Cookie: "sid=hunter2" } } }],
  [
    "resources[0].endpoint.json.auth.client_secret",
    {
      endpoint: { json: { auth: { client_secret: "hunter2" } } },
    },
  ],
  ["resources[0].endpoint.path", { endpoint: { path: "/a?access_token=hunter2hunter2" } }],
])("a credential as a plain string at %s gets a notice that does not repeat it", (path, parts) => {
  const { client = {}, endpoint = {} } = parts as { client?: object; endpoint?: object };
  const notices = noticesOf({ client, resources: [{ name: "a", endpoint }] });
  expect(notices).toEqual([expect.objectContaining({ path })]);
  expect(JSON.stringify(notices)).not.toMatch(/hunter2|abc123|AIza|a1b2c3/);
});

it.each([
  {
    params: {
      sort_key: "created_at",
      key: "name",
      include_secrets: "true",
      token: "{resources.b.id}",
    },
  },
  {
    headers: { Accept: "application/json", Authorization: "Token {secrets.k}", "X-Sort-Key": "id" },
  },
  { params: { date_code: "2024-01-02T00:00:00Z", page_token: "first" } },
])("%j is no credential", (endpoint) => {
  expect(noticesOf({ client: {}, resources: [{ name: "a", endpoint }] })).toEqual([]);
});

it("a plain credential is hidden in every output from the plan on, in each of its forms", () => {
  const pair = Buffer.from("api-user:pass-of-plan").toString("base64");
  const endpoint = {
    path: "a",
    headers: { Authorization: `Basic ${pair}`, Cookie: "sid=sid-of-plan" },
  };
  planSource(
    rest_api_source({
      client: {
        base_url: "https://api.example.com",
        headers: { "x-auth-token": "header-of-plan" },
      },
      resources: [{ name: "a", endpoint: { ...endpoint, params: { api_key: "param-of-plan" } } }],
    }),
    "desk",
  );
  expect(hideSecrets("param-of-plan header-of-plan pass-of-plan sid-of-plan")).toBe(
    "[secret] [secret] [secret] [secret]",
  );
});
