import { dlt, rest_api_source, type SourceConfig } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { describe, expect, it, test } from "vitest";
import { findNotices } from "../../packages/core/src/config/check/notices.ts";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import { Secret } from "../../packages/core/src/secrets/reference.ts";

const base_url = "https://api.example.com";
const secretK = dlt.secrets["k"];
const sourceOf = (client: object, endpoint: object = {}) =>
  rest_api_source({
    client: { base_url, ...client },
    resources: [
      { name: "a", endpoint: { paginator: "single_page", data_selector: "$", ...endpoint } },
    ],
  } as unknown as SourceConfig);
const problemsOf = (client: object, endpoint?: object) => validate(sourceOf(client, endpoint), "s");
const planOf = (client: object, endpoint?: object) => planSource(sourceOf(client, endpoint), "s");
const authPlan = (auth: unknown) => planOf({ auth }).resources[0]?.auth;

describe("credentials that an auth leaves out", () => {
  const secretsOf = (auth: unknown) => planOf({ auth }).secrets;
  test.each([
    ["bearer", ["token"]],
    ["api_key", ["api_key"]],
    ["http_basic", ["password", "username"]],
    ["oauth2", ["access_token_url", "client_id", "client_secret"]],
    ["oauth2_client_credentials", ["access_token_url", "client_id", "client_secret"]],
    ["oauth2_refresh_token", ["access_token_url", "client_id", "client_secret", "refresh_token"]],
  ])("the auth %s needs the members %j of the source's secret", (type, secrets) => {
    expect(problemsOf({ auth: type })).toEqual([]);
    expect(secretsOf(type)).toEqual(secrets);
    expect(secretsOf({ type })).toEqual(secrets);
  });

  it("a string with references to secrets is a credential, and no plain text", () => {
    const token = `Token ${secretK}:${dlt.secrets["l"]}`;
    expect(secretsOf({ token })).toEqual(["k", "l"]);
    expect(findNotices(sourceOf({ auth: { token } }))).toEqual([]);
    expect(findNotices(sourceOf({ auth: { token: "plain" } }))).toHaveLength(1);
  });
});

describe("OAuth2", () => {
  it("a refresh token has to be a member of the secret, to which a new token is written", () => {
    const type = "oauth2_refresh_token";
    const token_url = "https://id.example.com/token";
    expect(
      authPlan({ type, token_url, client_secret: "", scopes: ["a", "b"], refresh_token: secretK }),
    ).toEqual({
      type,
      accessTokenUrl: token_url,
      clientId: Secret.fromName("client_id"),
      clientSecret: undefined,
      clientAuthMethod: "client_secret_post",
      requestData: { scope: Secret.fromPlainText("a b") },
      defaultTokenExpiration: 3600,
      refreshToken: Secret.fromName("k"),
    });
    for (const refresh_token of ["plain", `x${secretK}`]) {
      expect(problemsOf({ auth: { type, token_url, refresh_token } })).toEqual([
        expect.objectContaining({ path: "client.auth.refresh_token" }),
      ]);
    }
  });

  it("a plan with a refresh token says that the worker writes the secret", () => {
    expect(planOf({ auth: "oauth2_refresh_token" }).rotatesSecret).toBe(true);
    expect(planOf({ auth: "oauth2" }).rotatesSecret).toBe(false);
    expect(planOf({}).rotatesSecret).toBe(false);
  });

  test.each([
    [{ client_auth_method: "basic" }, "client.auth.client_auth_method"],
    [{ access_token_url: "ftp://x" }, "client.auth.access_token_url"],
    [{ access_token_request_data: { a: {} } }, "client.auth.access_token_request_data.a"],
    [{ default_token_expiration: -1 }, "client.auth.default_token_expiration"],
  ])("the wrong OAuth2 fields %j are reported at %s", (fields, path) => {
    expect(problemsOf({ auth: { type: "oauth2", ...fields } })).toEqual([
      expect.objectContaining({ path }),
    ]);
  });

  it("fields of the token request may be numbers, and null leaves a field out", () => {
    const access_token_request_data = { a: 1, b: true, c: null, d: secretK };
    expect(problemsOf({ auth: { type: "oauth2", access_token_request_data } })).toEqual([]);
    expect(authPlan({ type: "oauth2", access_token_request_data })).toMatchObject({
      requestData: { a: Secret.fromPlainText("1"), b: Secret.fromPlainText("true"), d: secretK },
    });
  });
});

test.each([
  "jwt",
  "OAuthJWTAuth",
  "custom",
])("the auth type %s is refused as code in Python", (type) => {
  expect(problemsOf({ auth: { type } })).toEqual([
    expect.objectContaining({
      path: "client.auth.type",
      message: expect.stringContaining("code in Python"),
    }),
  ]);
});

describe("endpoint.auth", () => {
  const authType = (endpoint: object) =>
    planOf({ auth: "bearer" }, endpoint).resources[0]?.auth?.type;

  it("an endpoint's auth replaces the client's as a whole", () => {
    expect(authType({ auth: { type: "http_basic" } })).toBe("http_basic");
    expect(authType({})).toBe("bearer");
  });

  it("an endpoint's auth of null switches the client's off, as in dlt", () =>
    expect(authType({ auth: null })).toBeUndefined());
});

describe("secrets in requests", () => {
  const requestWithSecrets = {
    headers: { "x-key": secretK, "x-both": `Token ${secretK}` },
    params: { key: secretK, list: [`a${secretK}`, secretK], plain: "{secrets}" },
    method: "POST",
    json: { deep: [{ key: secretK }, `Token ${secretK}`] },
  };

  it("a secret in headers, params, json or data has to be in the source's secret", () => {
    for (const [key, value] of Object.entries(requestWithSecrets)) {
      if (key === "method") continue;
      expect(problemsOf({}, { [key]: value })).toEqual([]);
      expect(planOf({}, { [key]: value }).secrets).toEqual(["k"]);
    }
    expect(planOf({ headers: { a: secretK } }).secrets).toEqual(["k"]);
    for (const data of [
      { key: secretK },
      { key: `a${secretK}` },
      `key=${secretK}`,
      [["key", `${secretK}`]],
    ]) {
      expect(problemsOf({}, { data })).toEqual([]);
      expect(planOf({}, { data }).secrets).toEqual(["k"]);
    }
  });

  it("a printed plan shows a secret in a request by name at most", () => {
    expect(JSON.stringify(planOf({}, requestWithSecrets))).not.toContain("[secret]");
  });

  test.each([
    [{ path: `/a/${secretK}` }, "resources[0].endpoint.path"],
    [{ path: "/a/{key}", params: { key: secretK } }, "resources[0].endpoint.params.key"],
    [{ data_selector: `${secretK}` }, "resources[0].endpoint.data_selector"],
    [{ data: JSON.stringify({ key: secretK }) }, "resources[0].endpoint.data"],
  ])("a secret in the endpoint %j is refused at %s", (endpoint, path) => {
    expect(problemsOf({}, endpoint)).toContainEqual(expect.objectContaining({ path }));
  });
});

describe("the origins that credentials go to (P16)", () => {
  const path = "https://files.example.com/x";
  const pathProblem = [expect.objectContaining({ path: "resources[0].endpoint.path" })];

  test.each([
    [{ auth: "bearer" }, {}],
    [{}, { auth: "bearer" }],
    [{}, { headers: { "x-key": secretK } }],
    [{}, { params: { key: `a${secretK}` } }],
  ])("a path to another origin is refused when it would get credentials: client %j, endpoint %j", (client, endpoint) => {
    expect(problemsOf(client, { path, ...endpoint })).toEqual(pathProblem);
    expect(
      problemsOf(
        { ...client, allowed_origins: ["https://files.example.com"] },
        { path, ...endpoint },
      ),
    ).toEqual([]);
  });

  it("a path to another origin is valid without credentials", () => {
    expect(problemsOf({ auth: "bearer" }, { path, auth: null })).toEqual([]);
    expect(problemsOf({ headers: { a: secretK } }, { path })).toEqual([]);
    expect(problemsOf({ auth: "bearer" }, { path: `${base_url}/x` })).toEqual([]);
  });
});
