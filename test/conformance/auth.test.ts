import { ids, inTurn, reply } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const $ = (name: string) => ({ $secret: name });
const secret = "canary-5f1e9c77d2";
const base64 = (text: string) => Buffer.from(text).toString("base64");

const asks = (name: string, auth: unknown, shows: Partial<Row>): Row => ({
  name,
  routes: { "/rows": ids(1, 2) },
  client: { auth },
  secrets: { token: secret, api_key: secret, username: "ada", password: secret },
  records: ids(1, 2),
  ...shows,
});

// ── What is sent as it is ────────────────────────────────────────────────────────────────────────

const bearer = { headers: { authorization: `Bearer ${secret}` } };
const fixed: Row[] = [
  asks("bearer: the token behind its word", { type: "bearer", token: $("token") }, bearer),
  asks("bearer: a dict without a type is one", { token: $("token") }, bearer),
  asks("bearer: the bare word takes the token of the secret", "bearer", bearer),
  asks("bearer: a dict without a token does too", { type: "bearer" }, bearer),
  asks(
    "a secret may have any name",
    { token: $("my-key") },
    {
      ...bearer,
      secrets: { "my-key": secret },
    },
  ),
  asks(
    "a credential in plain text works, with a warning",
    { token: "plain-token" },
    {
      headers: { authorization: "Bearer plain-token" },
      says: ["plain text"],
    },
  ),
  asks(
    "api_key: in the header Authorization, without a prefix",
    { type: "api_key", api_key: $("api_key") },
    {
      headers: { authorization: secret },
    },
  ),
  asks(
    "api_key: name is the header",
    { type: "api_key", name: "X-Key", api_key: $("api_key") },
    {
      headers: { "x-key": secret, authorization: null },
    },
  ),
  asks("api_key: the bare word takes api_key of the secret", "api_key", {
    headers: { authorization: secret },
  }),
  ...["query", "param"].map((location) =>
    asks(
      `api_key: ${location} puts it into the query`,
      {
        type: "api_key",
        name: "key",
        api_key: $("api_key"),
        location,
      },
      { requests: [`/rows?key=${secret}`], headers: { authorization: null } },
    ),
  ),
  asks(
    "api_key: it is encoded in the query",
    { type: "api_key", name: "key", api_key: $("k"), location: "query" },
    {
      secrets: { k: "a b&c=d/é" },
      requests: [`/rows?key=${encodeURIComponent("a b&c=d/é")}`],
    },
  ),
  asks(
    "api_key: it goes behind the other parameters",
    { type: "api_key", name: "key", api_key: $("api_key"), location: "query" },
    {
      endpoint: { path: "rows?v=2", params: { status: "open" } },
      routes: { "/rows": ids(1, 2) },
      requests: [`/rows?v=2&status=open&key=${secret}`],
    },
  ),
  asks(
    "api_key: it is on the pages behind next links too",
    { type: "api_key", name: "key", api_key: $("api_key"), location: "query" },
    {
      routes: { "/rows": inTurn({ data: ids(1, 1), next: "$api/rows?p=2" }, { data: ids(2, 2) }) },
      requests: [`/rows?key=${secret}`, `/rows?p=2&key=${secret}`],
    },
  ),
  asks(
    "better than dlt: a next link that repeats the key has it once",
    { type: "api_key", name: "key", api_key: $("api_key"), location: "query" },
    {
      routes: {
        "/rows": inTurn(
          { data: ids(1, 1), next: `$api/rows?p=2&key=${secret}` },
          { data: ids(2, 2) },
        ),
      },
      requests: [`/rows?key=${secret}`, `/rows?p=2&key=${secret}`],
    },
  ),
  asks(
    "better than dlt: api_key in a cookie",
    { type: "api_key", name: "sid", api_key: $("api_key"), location: "cookie" },
    {
      headers: { cookie: `sid=${secret}` },
    },
  ),
  asks(
    "http_basic: user and password",
    { type: "http_basic", username: $("username"), password: $("password") },
    {
      headers: { authorization: `Basic ${base64(`ada:${secret}`)}` },
    },
  ),
  asks("http_basic: the bare word takes both of the secret", "http_basic", {
    headers: { authorization: `Basic ${base64(`ada:${secret}`)}` },
  }),
  asks(
    "http_basic: an empty password",
    { type: "http_basic", username: "ada", password: "" },
    {
      headers: { authorization: `Basic ${base64("ada:")}` },
    },
  ),
  asks(
    "http_basic: in UTF-8",
    { type: "http_basic", username: "jürgen", password: $("p") },
    {
      secrets: { p: "pässword" },
      headers: { authorization: `Basic ${base64("jürgen:pässword")}` },
    },
  ),
  asks("no auth sends none", undefined, { headers: { authorization: null } }),
  asks("auth: null sends none", null, { headers: { authorization: null } }),
  asks(
    "auth is on every page",
    { token: $("token") },
    {
      ...bearer,
      routes: { "/rows": inTurn({ data: ids(1, 1), next: "?p=2" }, { data: ids(2, 2) }) },
      requests: ["/rows", "/rows?p=2"],
    },
  ),
  asks(
    "auth is on every attempt",
    { token: $("token") },
    {
      ...bearer,
      routes: { "/rows": inTurn(reply(503), ids(1, 2)) },
      endpoint: { error_handler: { backoff_factor: 0.01 } },
      requests: ["/rows", "/rows"],
    },
  ),
  asks(
    "endpoint.auth replaces the client's as a whole",
    { type: "api_key", name: "X-Key", api_key: $("api_key") },
    {
      endpoint: { auth: { token: $("token") } },
      headers: { authorization: `Bearer ${secret}`, "x-key": null },
    },
  ),
  asks(
    "endpoint.auth: null takes the client's away",
    { token: $("token") },
    {
      endpoint: { auth: null },
      headers: { authorization: null },
    },
  ),
  asks("resource_defaults can name an auth", undefined, {
    resource_defaults: { endpoint: { auth: { token: $("token") } } },
    ...bearer,
  }),
  asks("endpoint.auth goes over that of resource_defaults", undefined, {
    resource_defaults: { endpoint: { auth: { token: $("token") } } },
    endpoint: { auth: { type: "api_key", name: "X-Key", api_key: $("api_key") } },
    headers: { authorization: null, "x-key": secret },
  }),
  asks("a secret stands in a header, also as a part of it", undefined, {
    client: { headers: { "x-key": $("api_key"), "x-token": "Token {secrets.token}" } },
    headers: { "x-key": secret },
  }),
  asks("a secret stands in a parameter", undefined, {
    endpoint: { params: { key: $("api_key"), page: 1 } },
    requests: [`/rows?key=${secret}&page=1`],
  }),
  asks("a secret stands in a JSON body", undefined, {
    endpoint: { method: "POST", json: { auth: { key: $("api_key") } } },
    requests: [["POST /rows", { json: { auth: { key: secret } } }]],
  }),
  asks("a secret stands in a form", undefined, {
    endpoint: { method: "POST", data: { key: $("api_key"), a: "b" } },
    requests: [["POST /rows", { form: { key: secret, a: "b" } }]],
  }),
  asks(
    "better than dlt: a 401 names the secret, reads it once more, and shows nothing of it",
    { token: $("token") },
    {
      routes: { "/rows": reply(401, { error: `bad token ${secret}` }) },
      requests: ["/rows", "/rows"],
      fails: ["extract.status", "answered 401", 'the secret "token"'],
      records: [],
    },
  ),
  asks(
    "better than dlt: a key in the query is in no message",
    { type: "api_key", name: "sig", api_key: $("api_key"), location: "query" },
    {
      routes: { "/rows": reply(404, { error: `no /rows?sig=${secret}` }) },
      fails: ["extract.status", "GET /rows answered 404"],
      records: [],
    },
  ),
  asks(
    "better than dlt: a credential does not go to another host",
    { token: $("token") },
    {
      routes: { "/rows": { data: ids(1, 2), next: "http://127.0.0.2:9/rows" } },
      requests: ["/rows"],
      fails: ["extract.origin", "allowed_origins"],
    },
  ),
  asks(
    "better than dlt: a redirect is not followed with the credential",
    { token: $("token") },
    {
      routes: { "/rows": withRedirect("http://127.0.0.2:9/rows") },
      requests: ["/rows"],
      fails: ["extract.redirect", "127.0.0.2"],
      records: [],
    },
  ),
  asks(
    "better than dlt: a missing secret is told before any request",
    { token: $("other") },
    {
      problems: [["$source: secrets.other", "is missing", "TIDETABLE_SECRET_OTHER"]],
      records: {},
    },
  ),
];

function withRedirect(location: string) {
  return reply(302, undefined, { location });
}

// ── OAuth2 ───────────────────────────────────────────────────────────────────────────────────────

const client = {
  type: "oauth2_client_credentials",
  access_token_url: "$api/token",
  client_id: $("client_id"),
  client_secret: $("client_secret"),
};
const grant = { client_id: "me", client_secret: secret, grant_type: "client_credentials" };
const token = (value = "tok-1", more: object = { expires_in: 3600 }) => ({
  access_token: value,
  ...more,
});

const oauth = (name: string, auth: unknown, shows: Partial<Row>): Row => ({
  name: `oauth2: ${name}`,
  routes: { "POST /token": token(), "/rows": ids(1, 2) },
  client: { auth },
  secrets: { client_id: "me", client_secret: secret, refresh_token: "canary-refresh-1" },
  ...shows,
});

const oauthRows: Row[] = [
  oauth("a token is fetched by a form and sent as bearer", client, {
    requests: [
      ["POST /token", { form: grant }],
      ["/rows", { headers: { authorization: "Bearer tok-1" } }],
    ],
    records: ids(1, 2),
  }),
  oauth("the form has its content type", client, {
    requests: [
      ["POST /token", { headers: { "content-type": "application/x-www-form-urlencoded" } }],
      "/rows",
    ],
  }),
  oauth(
    "oauth2 and token_url are other words for it",
    {
      type: "oauth2",
      token_url: "$api/token",
      client_id: $("client_id"),
      client_secret: $("client_secret"),
    },
    { requests: [["POST /token", { form: grant }], "/rows"] },
  ),
  oauth(
    "id and secret are taken by their names where they are left out",
    {
      type: "oauth2_client_credentials",
      access_token_url: "$api/token",
    },
    { requests: [["POST /token", { form: grant }], "/rows"] },
  ),
  oauth(
    "access_token_request_data adds fields",
    { ...client, access_token_request_data: { audience: "x" } },
    {
      requests: [["POST /token", { form: { ...grant, audience: "x" } }], "/rows"],
    },
  ),
  oauth(
    "access_token_request_data goes over the usual fields",
    { ...client, access_token_request_data: { grant_type: "password" } },
    {
      requests: [["POST /token", { form: { ...grant, grant_type: "password" } }], "/rows"],
    },
  ),
  oauth(
    "better than dlt: scope is a key",
    { ...client, scope: "read write" },
    {
      requests: [["POST /token", { form: { ...grant, scope: "read write" } }], "/rows"],
    },
  ),
  oauth(
    "better than dlt: scopes are joined by spaces",
    { ...client, scopes: ["read", "write"] },
    {
      requests: [["POST /token", { form: { ...grant, scope: "read write" } }], "/rows"],
    },
  ),
  oauth(
    "better than dlt: the client by HTTP basic authentication",
    { ...client, client_auth_method: "client_secret_basic" },
    {
      requests: [
        [
          "POST /token",
          {
            headers: { authorization: `Basic ${base64(`me:${secret}`)}` },
            form: { grant_type: "client_credentials" },
          },
        ],
        "/rows",
      ],
    },
  ),
  oauth("one token serves all pages", client, {
    routes: {
      "POST /token": token(),
      "/rows": inTurn({ data: ids(1, 1), next: "?p=2" }, { data: ids(2, 2) }),
    },
    requests: ["POST /token", "/rows", "/rows?p=2"],
    headers: { authorization: "Bearer tok-1" },
  }),
  oauth("expires_in as text", client, {
    routes: { "POST /token": token("tok-1", { expires_in: "3600" }), "/rows": ids(1, 2) },
    requests: ["POST /token", "/rows"],
  }),
  oauth("expires_in 0 is a token for each request", client, {
    routes: {
      "POST /token": inTurn(token("tok-1", { expires_in: 0 }), token("tok-2", { expires_in: 0 })),
      "/rows": inTurn({ data: ids(1, 1), next: "?p=2" }, { data: ids(2, 2) }),
    },
    requests: [
      "POST /token",
      ["/rows", { headers: { authorization: "Bearer tok-1" } }],
      "POST /token",
      ["/rows?p=2", { headers: { authorization: "Bearer tok-2" } }],
    ],
  }),
  oauth(
    "default_token_expiration counts where there is no expires_in",
    { ...client, default_token_expiration: 0 },
    {
      routes: {
        "POST /token": token("tok-1", {}),
        "/rows": inTurn({ data: ids(1, 1), next: "?p=2" }, { data: ids(2, 2) }),
      },
      requests: ["POST /token", "/rows", "POST /token", "/rows?p=2"],
    },
  ),
  oauth("the token endpoint is tried again", client, {
    routes: { "POST /token": inTurn(reply(503), token()), "/rows": ids(1, 2) },
    endpoint: { error_handler: { backoff_factor: 0.01 } },
    requests: ["POST /token", "POST /token", "/rows"],
    records: ids(1, 2),
  }),
  oauth("a 401 of the token endpoint fails", client, {
    routes: { "POST /token": reply(401, { error: "invalid_client" }), "/rows": ids(1, 2) },
    fails: ["extract.status", "POST /token answered 401", "client_secret"],
  }),
  oauth("better than dlt: an answer without a token is an error", client, {
    routes: { "POST /token": { token: "x" }, "/rows": ids(1, 2) },
    requests: ["POST /token"],
    fails: ["extract.token", "without an access_token"],
  }),
  oauth("better than dlt: after a 401 a token is fetched and the request replayed once", client, {
    routes: {
      "POST /token": inTurn(token("tok-1"), token("tok-2")),
      "/rows": inTurn(reply(401), ids(1, 2)),
    },
    requests: [
      "POST /token",
      "/rows",
      "POST /token",
      ["/rows", { headers: { authorization: "Bearer tok-2" } }],
    ],
    records: ids(1, 2),
  }),
  oauth(
    "better than dlt: a preset access_token is used first",
    { ...client, access_token: $("preset") },
    {
      secrets: { client_id: "me", client_secret: secret, preset: "canary-preset" },
      requests: ["/rows"],
      headers: { authorization: "Bearer canary-preset" },
    },
  ),
  oauth("a token for each resource", client, {
    routes: { "POST /token": token(), "/a": ids(1, 1), "/b": ids(2, 2) },
    resources: ["a", "b"],
    requests: ["POST /token", "POST /token", "/a", "/b"],
    records: { a: ids(1, 1), b: ids(2, 2) },
  }),
  oauth(
    "better than dlt: a refresh token is used, and its successor in the next run",
    {
      type: "oauth2_refresh_token",
      access_token_url: "$api/token",
      client_id: $("client_id"),
      client_secret: $("client_secret"),
      refresh_token: $("refresh_token"),
    },
    {
      routes: {
        "POST /token": inTurn(
          token("tok-1", { refresh_token: "canary-refresh-2" }),
          token("tok-2", { refresh_token: "canary-refresh-3" }),
        ),
        "/rows": ids(1, 2),
      },
      requests: [
        [
          "POST /token",
          {
            form: {
              client_id: "me",
              client_secret: secret,
              grant_type: "refresh_token",
              refresh_token: "canary-refresh-1",
            },
          },
        ],
        "/rows",
      ],
      next: [
        {
          requests: [
            [
              "POST /token",
              {
                form: {
                  client_id: "me",
                  client_secret: secret,
                  grant_type: "refresh_token",
                  refresh_token: "canary-refresh-2",
                },
              },
            ],
            ["/rows", { headers: { authorization: "Bearer tok-2" } }],
          ],
        },
      ],
    },
  ),
];

conformance("auth", [...fixed, ...oauthRows]);
