import { dlt, planSource, rest_api_source, type SourceConfig } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { findNotices } from "../../packages/core/src/config/check/notices.ts";
import { validate } from "../../packages/core/src/config/check/validate.ts";
import { Secret } from "../../packages/core/src/secrets/reference.ts";

const base_url = "https://api.example.com";
const k = dlt.secrets["k"];
const source = (client: object, endpoint: object = {}) =>
  rest_api_source({
    client: { base_url, ...client },
    resources: [
      { name: "a", endpoint: { paginator: "single_page", data_selector: "$", ...endpoint } },
    ],
  } as unknown as SourceConfig);
const problems = (client: object, endpoint?: object) => validate(source(client, endpoint), "s");
const planned = (client: object, endpoint?: object) => planSource(source(client, endpoint), "s");
const auth = (value: unknown) => planned({ auth: value }).resources[0]?.auth;

describe("what a config leaves out of an auth is in the source's secret, under its own name", () => {
  const named = (auths: unknown) => planned({ auth: auths }).secrets;
  test.each([
    ["bearer", ["token"]],
    ["api_key", ["api_key"]],
    ["http_basic", ["password", "username"]],
    ["oauth2", ["access_token_url", "client_id", "client_secret"]],
    ["oauth2_client_credentials", ["access_token_url", "client_id", "client_secret"]],
    ["oauth2_refresh_token", ["access_token_url", "client_id", "client_secret", "refresh_token"]],
  ])("%s", (type, secrets) => {
    expect(problems({ auth: type })).toEqual([]);
    expect(named(type)).toEqual(secrets);
    expect(named({ type })).toEqual(secrets);
  });

  it("a text that holds secrets is one, and no plain text", () => {
    const token = `Token ${k}:${dlt.secrets["l"]}`;
    expect(named({ token })).toEqual(["k", "l"]);
    expect(findNotices(source({ auth: { token } }))).toEqual([]);
    expect(findNotices(source({ auth: { token: "plain" } }))).toHaveLength(1);
  });
});

describe("OAuth2", () => {
  it("a refresh token is a member of the secret, where its successor goes", () => {
    const type = "oauth2_refresh_token";
    const token_url = "https://id.example.com/token";
    expect(
      auth({ type, token_url, client_secret: "", scopes: ["a", "b"], refresh_token: k }),
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
    for (const refresh_token of ["plain", `x${k}`]) {
      expect(problems({ auth: { type, token_url, refresh_token } })).toEqual([
        expect.objectContaining({ path: "client.auth.refresh_token" }),
      ]);
    }
  });

  it("the plan says that its worker writes the secret", () => {
    expect(planned({ auth: "oauth2_refresh_token" }).rotatesSecret).toBe(true);
    expect(planned({ auth: "oauth2" }).rotatesSecret).toBe(false);
    expect(planned({}).rotatesSecret).toBe(false);
  });

  test.each([
    [{ client_auth_method: "basic" }, "client.auth.client_auth_method"],
    [{ access_token_url: "ftp://x" }, "client.auth.access_token_url"],
    [{ access_token_request_data: { a: {} } }, "client.auth.access_token_request_data.a"],
    [{ default_token_expiration: -1 }, "client.auth.default_token_expiration"],
  ])("%j is named where it stands", (fields, path) => {
    expect(problems({ auth: { type: "oauth2", ...fields } })).toEqual([
      expect.objectContaining({ path }),
    ]);
  });

  it("fields of the form can be numbers, and null leaves one out", () => {
    const access_token_request_data = { a: 1, b: true, c: null, d: k };
    expect(problems({ auth: { type: "oauth2", access_token_request_data } })).toEqual([]);
    expect(auth({ type: "oauth2", access_token_request_data })).toMatchObject({
      requestData: { a: Secret.fromPlainText("1"), b: Secret.fromPlainText("true"), d: k },
    });
  });
});

test.each(["jwt", "OAuthJWTAuth", "custom"])("%s is refused with a reason", (type) => {
  expect(problems({ auth: { type } })).toEqual([
    expect.objectContaining({
      path: "client.auth.type",
      message: expect.stringContaining("code in Python"),
    }),
  ]);
});

describe("endpoint.auth", () => {
  const types = (endpoint: object) =>
    planned({ auth: "bearer" }, endpoint).resources[0]?.auth?.type;

  it("replaces the client's as a whole", () => {
    expect(types({ auth: { type: "http_basic" } })).toBe("http_basic");
    expect(types({})).toBe("bearer");
  });

  it("null switches it off, as in dlt", () => expect(types({ auth: null })).toBeUndefined());
});

describe("a secret can stand in headers, params, json and data", () => {
  const everywhere = {
    headers: { "x-key": k, "x-both": `Token ${k}` },
    params: { key: k, list: [`a${k}`, k], plain: "{secrets}" },
    method: "POST",
    json: { deep: [{ key: k }, `Token ${k}`] },
  };

  it("and the source's secret has to have it", () => {
    for (const [key, value] of Object.entries(everywhere)) {
      if (key === "method") continue;
      expect(problems({}, { [key]: value })).toEqual([]);
      expect(planned({}, { [key]: value }).secrets).toEqual(["k"]);
    }
    expect(planned({ headers: { a: k } }).secrets).toEqual(["k"]);
    for (const data of [{ key: k }, { key: `a${k}` }, `key=${k}`, [["key", `${k}`]]]) {
      expect(problems({}, { data })).toEqual([]);
      expect(planned({}, { data }).secrets).toEqual(["k"]);
    }
  });

  it("and is printed with its plan by name at most", () => {
    expect(JSON.stringify(planned({}, everywhere))).not.toContain("[secret]");
  });

  test.each([
    [{ path: `/a/${k}` }, "resources[0].endpoint.path"],
    [{ path: "/a/{key}", params: { key: k } }, "resources[0].endpoint.params.key"],
    [{ data_selector: `${k}` }, "resources[0].endpoint.data_selector"],
    [{ data: JSON.stringify({ key: k }) }, "resources[0].endpoint.data"],
  ])("but not in %j", (endpoint, path) => {
    expect(problems({}, endpoint)).toContainEqual(expect.objectContaining({ path }));
  });
});

describe("P16: credentials go to base_url's origin and to allowed_origins", () => {
  const path = "https://files.example.com/x";
  const where = [expect.objectContaining({ path: "resources[0].endpoint.path" })];

  test.each([
    [{ auth: "bearer" }, {}],
    [{}, { auth: "bearer" }],
    [{}, { headers: { "x-key": k } }],
    [{}, { params: { key: `a${k}` } }],
  ])("another origin is refused where credentials would go there: %j %j", (client, endpoint) => {
    expect(problems(client, { path, ...endpoint })).toEqual(where);
    expect(
      problems(
        { ...client, allowed_origins: ["https://files.example.com"] },
        { path, ...endpoint },
      ),
    ).toEqual([]);
  });

  it("and asked without any", () => {
    expect(problems({ auth: "bearer" }, { path, auth: null })).toEqual([]);
    expect(problems({ headers: { a: k } }, { path })).toEqual([]);
    expect(problems({ auth: "bearer" }, { path: `${base_url}/x` })).toEqual([]);
  });
});
