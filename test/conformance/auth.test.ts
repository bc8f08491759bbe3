import { answerInTurn, recordsWithIds, replyWith } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const secretRef = (name: string) => ({ $secret: name });
const secret = "canary-5f1e9c77d2";
const toBase64 = (text: string) => Buffer.from(text).toString("base64");

const authRow = (name: string, auth: unknown, outcome: Partial<Row>): Row => ({
  name,
  routes: { "/rows": recordsWithIds(1, 2) },
  client: { auth },
  secrets: { token: secret, api_key: secret, username: "ada", password: secret },
  records: recordsWithIds(1, 2),
  ...outcome,
});

// ── Credentials that are sent as they are ────────────────────────────────────────────────────────

const bearer = { headers: { authorization: `Bearer ${secret}` } };
const fixed: Row[] = [
  authRow(
    "bearer: the token is sent after the word Bearer",
    { type: "bearer", token: secretRef("token") },
    bearer,
  ),
  authRow("bearer: a dict without a type is one", { token: secretRef("token") }, bearer),
  authRow("bearer: the word alone uses the member token of the secret", "bearer", bearer),
  authRow(
    "bearer: a dict without a token uses the member token of the secret",
    { type: "bearer" },
    bearer,
  ),
  authRow(
    "a secret may have any name",
    { token: secretRef("my-key") },
    {
      ...bearer,
      secrets: { "my-key": secret },
    },
  ),
  authRow(
    "a credential in plain text works, with a warning",
    { token: "plain-token" },
    {
      headers: { authorization: "Bearer plain-token" },
      says: ["plain text"],
    },
  ),
  authRow(
    "api_key: the key is sent in the header Authorization without a prefix",
    { type: "api_key", api_key: secretRef("api_key") },
    {
      headers: { authorization: secret },
    },
  ),
  authRow(
    "api_key: name is the name of the header",
    { type: "api_key", name: "X-Key", api_key: secretRef("api_key") },
    {
      headers: { "x-key": secret, authorization: null },
    },
  ),
  authRow("api_key: the word alone uses the member api_key of the secret", "api_key", {
    headers: { authorization: secret },
  }),
  ...["query", "param"].map((location) =>
    authRow(
      `api_key: ${location} puts it into the query`,
      {
        type: "api_key",
        name: "key",
        api_key: secretRef("api_key"),
        location,
      },
      { requests: [`/rows?key=${secret}`], headers: { authorization: null } },
    ),
  ),
  authRow(
    "api_key: the key is encoded in the query",
    { type: "api_key", name: "key", api_key: secretRef("k"), location: "query" },
    {
      secrets: { k: "a b&c=d/é" },
      requests: [`/rows?key=${encodeURIComponent("a b&c=d/é")}`],
    },
  ),
  authRow(
    "api_key: the key follows the other parameters",
    { type: "api_key", name: "key", api_key: secretRef("api_key"), location: "query" },
    {
      endpoint: { path: "rows?v=2", params: { status: "open" } },
      routes: { "/rows": recordsWithIds(1, 2) },
      requests: [`/rows?v=2&status=open&key=${secret}`],
    },
  ),
  authRow(
    "api_key: the key is added to next links",
    { type: "api_key", name: "key", api_key: secretRef("api_key"), location: "query" },
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsWithIds(1, 1), next: "$api/rows?p=2" },
          { data: recordsWithIds(2, 2) },
        ),
      },
      requests: [`/rows?key=${secret}`, `/rows?p=2&key=${secret}`],
    },
  ),
  authRow(
    "better than dlt: a next link that repeats the key has it once",
    { type: "api_key", name: "key", api_key: secretRef("api_key"), location: "query" },
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsWithIds(1, 1), next: `$api/rows?p=2&key=${secret}` },
          { data: recordsWithIds(2, 2) },
        ),
      },
      requests: [`/rows?key=${secret}`, `/rows?p=2&key=${secret}`],
    },
  ),
  authRow(
    "better than dlt: an api_key may be sent in a cookie",
    { type: "api_key", name: "sid", api_key: secretRef("api_key"), location: "cookie" },
    {
      headers: { cookie: `sid=${secret}` },
    },
  ),
  authRow(
    "http_basic: user and password are sent in base64",
    { type: "http_basic", username: secretRef("username"), password: secretRef("password") },
    {
      headers: { authorization: `Basic ${toBase64(`ada:${secret}`)}` },
    },
  ),
  authRow("http_basic: the word alone uses username and password of the secret", "http_basic", {
    headers: { authorization: `Basic ${toBase64(`ada:${secret}`)}` },
  }),
  authRow(
    "http_basic: the password may be empty",
    { type: "http_basic", username: "ada", password: "" },
    {
      headers: { authorization: `Basic ${toBase64("ada:")}` },
    },
  ),
  authRow(
    "http_basic: user and password are encoded in UTF-8",
    { type: "http_basic", username: "jürgen", password: secretRef("p") },
    {
      secrets: { p: "pässword" },
      headers: { authorization: `Basic ${toBase64("jürgen:pässword")}` },
    },
  ),
  authRow("without auth no credential is sent", undefined, { headers: { authorization: null } }),
  authRow("auth: null sends no credential", null, { headers: { authorization: null } }),
  authRow(
    "the credential is sent with every page",
    { token: secretRef("token") },
    {
      ...bearer,
      routes: {
        "/rows": answerInTurn(
          { data: recordsWithIds(1, 1), next: "?p=2" },
          { data: recordsWithIds(2, 2) },
        ),
      },
      requests: ["/rows", "/rows?p=2"],
    },
  ),
  authRow(
    "the credential is sent with every attempt",
    { token: secretRef("token") },
    {
      ...bearer,
      routes: { "/rows": answerInTurn(replyWith(503), recordsWithIds(1, 2)) },
      endpoint: { error_handler: { backoff_factor: 0.01 } },
      requests: ["/rows", "/rows"],
    },
  ),
  authRow(
    "endpoint.auth replaces the client's as a whole",
    { type: "api_key", name: "X-Key", api_key: secretRef("api_key") },
    {
      endpoint: { auth: { token: secretRef("token") } },
      headers: { authorization: `Bearer ${secret}`, "x-key": null },
    },
  ),
  authRow(
    "endpoint.auth: null removes the client's auth",
    { token: secretRef("token") },
    {
      endpoint: { auth: null },
      headers: { authorization: null },
    },
  ),
  authRow("resource_defaults can name an auth", undefined, {
    resource_defaults: { endpoint: { auth: { token: secretRef("token") } } },
    ...bearer,
  }),
  authRow("endpoint.auth overrides the auth of resource_defaults", undefined, {
    resource_defaults: { endpoint: { auth: { token: secretRef("token") } } },
    endpoint: { auth: { type: "api_key", name: "X-Key", api_key: secretRef("api_key") } },
    headers: { authorization: null, "x-key": secret },
  }),
  authRow("a secret may be a header or a part of a header", undefined, {
    client: { headers: { "x-key": secretRef("api_key"), "x-token": "Token {secrets.token}" } },
    headers: { "x-key": secret },
  }),
  authRow("a secret may be a parameter", undefined, {
    endpoint: { params: { key: secretRef("api_key"), page: 1 } },
    requests: [`/rows?key=${secret}&page=1`],
  }),
  authRow("a secret may be in a JSON body", undefined, {
    endpoint: { method: "POST", json: { auth: { key: secretRef("api_key") } } },
    requests: [["POST /rows", { json: { auth: { key: secret } } }]],
  }),
  authRow("a secret may be in a form", undefined, {
    endpoint: { method: "POST", data: { key: secretRef("api_key"), a: "b" } },
    requests: [["POST /rows", { form: { key: secret, a: "b" } }]],
  }),
  authRow(
    "better than dlt: after a 401 the secret is read once more, and the error names it without its value",
    { token: secretRef("token") },
    {
      routes: { "/rows": replyWith(401, { error: `bad token ${secret}` }) },
      requests: ["/rows", "/rows"],
      fails: ["extract.status", "answered 401", 'the secret "token"'],
      records: [],
    },
  ),
  authRow(
    "better than dlt: a key in the query is in no message",
    { type: "api_key", name: "sig", api_key: secretRef("api_key"), location: "query" },
    {
      routes: { "/rows": replyWith(404, { error: `no /rows?sig=${secret}` }) },
      fails: ["extract.status", "GET /rows answered 404"],
      records: [],
    },
  ),
  authRow(
    "better than dlt: a credential does not go to another host",
    { token: secretRef("token") },
    {
      routes: { "/rows": { data: recordsWithIds(1, 2), next: "http://127.0.0.2:9/rows" } },
      requests: ["/rows"],
      fails: ["extract.origin", "allowed_origins"],
    },
  ),
  authRow(
    "better than dlt: a redirect is not followed with the credential",
    { token: secretRef("token") },
    {
      routes: { "/rows": withRedirect("http://127.0.0.2:9/rows") },
      requests: ["/rows"],
      fails: ["extract.redirect", "127.0.0.2"],
      records: [],
    },
  ),
  authRow(
    "better than dlt: a missing secret is reported before any request",
    { token: secretRef("other") },
    {
      problems: [["$source: secrets.other", "is missing", "TIDETABLE_SECRET_OTHER"]],
      records: {},
    },
  ),
];

function withRedirect(location: string) {
  return replyWith(302, undefined, { location });
}

// ── OAuth2 ───────────────────────────────────────────────────────────────────────────────────────

const client = {
  type: "oauth2_client_credentials",
  access_token_url: "$api/token",
  client_id: secretRef("client_id"),
  client_secret: secretRef("client_secret"),
};
const grant = { client_id: "me", client_secret: secret, grant_type: "client_credentials" };
const tokenAnswer = (value = "tok-1", fields: object = { expires_in: 3600 }) => ({
  access_token: value,
  ...fields,
});

const oauthRow = (name: string, auth: unknown, outcome: Partial<Row>): Row => ({
  name: `oauth2: ${name}`,
  routes: { "POST /token": tokenAnswer(), "/rows": recordsWithIds(1, 2) },
  client: { auth },
  secrets: { client_id: "me", client_secret: secret, refresh_token: "canary-refresh-1" },
  ...outcome,
});

const oauthRows: Row[] = [
  oauthRow("a token is fetched by a form and sent as bearer", client, {
    requests: [
      ["POST /token", { form: grant }],
      ["/rows", { headers: { authorization: "Bearer tok-1" } }],
    ],
    records: recordsWithIds(1, 2),
  }),
  oauthRow("the form has its content type", client, {
    requests: [
      ["POST /token", { headers: { "content-type": "application/x-www-form-urlencoded" } }],
      "/rows",
    ],
  }),
  oauthRow(
    "oauth2 and token_url are accepted as other names",
    {
      type: "oauth2",
      token_url: "$api/token",
      client_id: secretRef("client_id"),
      client_secret: secretRef("client_secret"),
    },
    { requests: [["POST /token", { form: grant }], "/rows"] },
  ),
  oauthRow(
    "client_id and client_secret are taken from the secret by default",
    {
      type: "oauth2_client_credentials",
      access_token_url: "$api/token",
    },
    { requests: [["POST /token", { form: grant }], "/rows"] },
  ),
  oauthRow(
    "access_token_request_data adds fields",
    { ...client, access_token_request_data: { audience: "x" } },
    {
      requests: [["POST /token", { form: { ...grant, audience: "x" } }], "/rows"],
    },
  ),
  oauthRow(
    "access_token_request_data overrides the usual fields",
    { ...client, access_token_request_data: { grant_type: "password" } },
    {
      requests: [["POST /token", { form: { ...grant, grant_type: "password" } }], "/rows"],
    },
  ),
  oauthRow(
    "better than dlt: scope is a key",
    { ...client, scope: "read write" },
    {
      requests: [["POST /token", { form: { ...grant, scope: "read write" } }], "/rows"],
    },
  ),
  oauthRow(
    "better than dlt: scopes are joined by spaces",
    { ...client, scopes: ["read", "write"] },
    {
      requests: [["POST /token", { form: { ...grant, scope: "read write" } }], "/rows"],
    },
  ),
  oauthRow(
    "better than dlt: the client may use HTTP basic authentication",
    { ...client, client_auth_method: "client_secret_basic" },
    {
      requests: [
        [
          "POST /token",
          {
            headers: { authorization: `Basic ${toBase64(`me:${secret}`)}` },
            form: { grant_type: "client_credentials" },
          },
        ],
        "/rows",
      ],
    },
  ),
  oauthRow("one token serves all pages", client, {
    routes: {
      "POST /token": tokenAnswer(),
      "/rows": answerInTurn(
        { data: recordsWithIds(1, 1), next: "?p=2" },
        { data: recordsWithIds(2, 2) },
      ),
    },
    requests: ["POST /token", "/rows", "/rows?p=2"],
    headers: { authorization: "Bearer tok-1" },
  }),
  oauthRow("expires_in may be a string", client, {
    routes: {
      "POST /token": tokenAnswer("tok-1", { expires_in: "3600" }),
      "/rows": recordsWithIds(1, 2),
    },
    requests: ["POST /token", "/rows"],
  }),
  oauthRow("expires_in 0 fetches a token for each request", client, {
    routes: {
      "POST /token": answerInTurn(
        tokenAnswer("tok-1", { expires_in: 0 }),
        tokenAnswer("tok-2", { expires_in: 0 }),
      ),
      "/rows": answerInTurn(
        { data: recordsWithIds(1, 1), next: "?p=2" },
        { data: recordsWithIds(2, 2) },
      ),
    },
    requests: [
      "POST /token",
      ["/rows", { headers: { authorization: "Bearer tok-1" } }],
      "POST /token",
      ["/rows?p=2", { headers: { authorization: "Bearer tok-2" } }],
    ],
  }),
  oauthRow(
    "default_token_expiration applies to an answer without expires_in",
    { ...client, default_token_expiration: 0 },
    {
      routes: {
        "POST /token": tokenAnswer("tok-1", {}),
        "/rows": answerInTurn(
          { data: recordsWithIds(1, 1), next: "?p=2" },
          { data: recordsWithIds(2, 2) },
        ),
      },
      requests: ["POST /token", "/rows", "POST /token", "/rows?p=2"],
    },
  ),
  oauthRow("a request to the token endpoint is tried again", client, {
    routes: {
      "POST /token": answerInTurn(replyWith(503), tokenAnswer()),
      "/rows": recordsWithIds(1, 2),
    },
    endpoint: { error_handler: { backoff_factor: 0.01 } },
    requests: ["POST /token", "POST /token", "/rows"],
    records: recordsWithIds(1, 2),
  }),
  oauthRow("a 401 of the token endpoint fails the run", client, {
    routes: {
      "POST /token": replyWith(401, { error: "invalid_client" }),
      "/rows": recordsWithIds(1, 2),
    },
    fails: ["extract.status", "POST /token answered 401", "client_secret"],
  }),
  oauthRow("better than dlt: an answer without a token is an error", client, {
    routes: { "POST /token": { token: "x" }, "/rows": recordsWithIds(1, 2) },
    requests: ["POST /token"],
    fails: ["extract.token", "without an access_token"],
  }),
  oauthRow(
    "better than dlt: after a 401 a token is fetched and the request replayed once",
    client,
    {
      routes: {
        "POST /token": answerInTurn(tokenAnswer("tok-1"), tokenAnswer("tok-2")),
        "/rows": answerInTurn(replyWith(401), recordsWithIds(1, 2)),
      },
      requests: [
        "POST /token",
        "/rows",
        "POST /token",
        ["/rows", { headers: { authorization: "Bearer tok-2" } }],
      ],
      records: recordsWithIds(1, 2),
    },
  ),
  oauthRow(
    "better than dlt: a preset access_token is used first",
    { ...client, access_token: secretRef("preset") },
    {
      secrets: { client_id: "me", client_secret: secret, preset: "canary-preset" },
      requests: ["/rows"],
      headers: { authorization: "Bearer canary-preset" },
    },
  ),
  oauthRow("each resource fetches its own token", client, {
    routes: {
      "POST /token": tokenAnswer(),
      "/a": recordsWithIds(1, 1),
      "/b": recordsWithIds(2, 2),
    },
    resources: ["a", "b"],
    requests: ["POST /token", "POST /token", "/a", "/b"],
    records: { a: recordsWithIds(1, 1), b: recordsWithIds(2, 2) },
  }),
  oauthRow(
    "better than dlt: a refresh token is used, and its successor in the next run",
    {
      type: "oauth2_refresh_token",
      access_token_url: "$api/token",
      client_id: secretRef("client_id"),
      client_secret: secretRef("client_secret"),
      refresh_token: secretRef("refresh_token"),
    },
    {
      routes: {
        "POST /token": answerInTurn(
          tokenAnswer("tok-1", { refresh_token: "canary-refresh-2" }),
          tokenAnswer("tok-2", { refresh_token: "canary-refresh-3" }),
        ),
        "/rows": recordsWithIds(1, 2),
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
