import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { ApiRequest } from "../support/api.ts";
import { ids, inTurn, reply, slices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const soon = { backoff_factor: 0.01 };
const tries = (name: string, answer: unknown, asked: number, more: Partial<Row> = {}): Row => ({
  name,
  routes: { "/rows": answer, "POST /rows": answer },
  endpoint: { error_handler: soon },
  requests: Array.from({ length: asked }, () => "/rows"),
  ...more,
});
const handled = (error_handler: object) => ({
  endpoint: { error_handler: { ...soon, ...error_handler } },
});

const attempts: Row[] = [
  ...[429, 500, 502, 503, 504].map((status) =>
    tries(`${status} is tried again`, inTurn(reply(status), ids(1, 2)), 2, {
      records: ids(1, 2),
      report: { retries: 1 },
    }),
  ),
  ...[501, 505, 400, 403, 404, 408, 422].map((status) =>
    tries(`${status} is not tried again`, reply(status), 1, {
      fails: ["extract.status", `answered ${status}`],
    }),
  ),
  tries("three retries are four requests", reply(503), 4, {
    fails: ["extract.status", "4 attempts"],
    report: { retries: 3 },
  }),
  tries("max_retries counts the retries", reply(503), 3, {
    ...handled({ max_retries: 2 }),
    fails: ["extract.status", "3 attempts"],
  }),
  tries("max_retries 0 is one request", reply(503), 1, {
    ...handled({ max_retries: 0 }),
    fails: ["extract.status"],
  }),
  tries("retry_on_status_codes replaces the list", inTurn(reply(418), ids(1, 2)), 2, {
    ...handled({ retry_on_status_codes: [418] }),
    records: ids(1, 2),
  }),
  tries("what the list does not name is not tried again", reply(503), 1, {
    ...handled({ retry_on_status_codes: [418] }),
    fails: ["extract.status"],
  }),
  tries("error_handler of resource_defaults", reply(503), 2, {
    resource_defaults: { endpoint: { error_handler: { ...soon, max_retries: 1 } } },
    endpoint: {},
    fails: ["extract.status"],
  }),
  tries("error_handler of the client", reply(503), 2, {
    client: { error_handler: { ...soon, max_retries: 1 } },
    endpoint: {},
    fails: ["extract.status"],
  }),
  tries("error_handlers merge key by key, the endpoint's over the client's", reply(503), 3, {
    client: { error_handler: { ...soon, max_retries: 1 } },
    endpoint: { error_handler: { max_retries: 2 } },
    fails: ["extract.status"],
  }),
  tries("a POST is tried again, too", inTurn(reply(503), ids(1, 2)), 0, {
    endpoint: { method: "POST", json: { a: 1 }, error_handler: soon },
    requests: [
      ["POST /rows", { json: { a: 1 } }],
      ["POST /rows", { json: { a: 1 } }],
    ],
    records: ids(1, 2),
  }),
  tries(
    "the wait grows: factor × 2^(n−1), between its half and its whole",
    inTurn(reply(503), reply(503), ids(1, 2)),
    3,
    {
      ...handled({ backoff_factor: 0.2 }),
      report: { waited_ms: { asymmetricMatch: (ms: number) => ms >= 300 && ms <= 600 } },
    },
  ),
  tries(
    "Retry-After in seconds is kept",
    inTurn(reply(429, {}, { "retry-after": "1" }), ids(1, 2)),
    2,
    { report: { waited_ms: 1000, retries: 1 } },
  ),
  ...["0", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"].map((value) =>
    tries(
      `better than dlt: Retry-After "${value}" means the usual wait`,
      inTurn(reply(503, {}, { "retry-after": value }), ids(1, 2)),
      2,
      {
        ...handled({ backoff_factor: 0.1 }),
        report: { waited_ms: { asymmetricMatch: (ms: number) => ms >= 50 && ms <= 100 } },
      },
    ),
  ),
  tries("a connection that is closed is tried again", inTurn(reset, ids(1, 2)), 2, {
    records: ids(1, 2),
  }),
  tries("a body that ends early is tried again", inTurn(cut, ids(1, 2)), 2, { records: ids(1, 2) }),
  tries("a time-out is tried again, and client.timeout sets it", inTurn(hang, ids(1, 2)), 2, {
    client: { timeout: 0.3 },
    records: ids(1, 2),
  }),
  tries("better than dlt: a server that trickles runs into the time-out, too", trickle, 1, {
    client: { timeout: 0.3 },
    ...handled({ max_retries: 0 }),
    fails: ["extract.timeout", "0.3 s"],
  }),
  tries("retries of a later page", {}, 0, {
    routes: {
      "/rows": slices(ids(1, 4), { more: () => ({ total: 4 }) }),
      "/rows?offset=2": inTurn(reply(500), { data: ids(3, 4), total: 4 }),
    },
    endpoint: { paginator: { type: "offset", limit: 2 }, error_handler: soon },
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2", "/rows?offset=2&limit=2"],
    records: ids(1, 4),
  }),
];

function reset(_: ApiRequest, response: ServerResponse) {
  response.socket?.destroy();
}
function cut(_: ApiRequest, response: ServerResponse) {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('[{"id":1}');
  setTimeout(() => response.destroy(), 20);
}
function hang() {
  return undefined;
}
function trickle(_: ApiRequest, response: ServerResponse) {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(timer));
}

const asks = (name: string, more: Partial<Row>): Row => ({
  name,
  routes: { "/rows": ids(1, 2) },
  ...more,
});

const http: Row[] = [
  asks("gzip is read", {
    routes: {
      "/rows": () => ({
        body: gzipSync(JSON.stringify(ids(1, 2))),
        headers: { "content-encoding": "gzip" },
      }),
    },
    records: ids(1, 2),
  }),
  asks("a byte order mark is no part of the JSON", {
    routes: { "/rows": withHeaders({ "content-type": "application/json" }, '\ufeff[{"id":1}]') },
    records: ids(1, 1),
  }),
  asks("any 2xx is an answer", { routes: { "/rows": reply(201, ids(1, 2)) }, records: ids(1, 2) }),
  asks("the content type does not matter", {
    routes: { "/rows": withHeaders({ "content-type": "text/plain" }, '[{"id":1}]') },
    records: ids(1, 1),
  }),
  asks("a redirect within the API is followed", {
    routes: { "/rows": reply(307, undefined, { location: "/v2/rows" }), "/v2/rows": ids(1, 2) },
    requests: ["/rows", "/v2/rows"],
    records: ids(1, 2),
  }),
  asks("better than dlt: a redirect to another host is refused", {
    routes: { "/rows": reply(302, undefined, { location: "http://127.0.0.2:9/rows" }) },
    requests: ["/rows"],
    fails: ["extract.redirect", "127.0.0.2"],
  }),
  asks("requests ask for JSON", { headers: { accept: "application/json" } }),
  asks("a header of the config goes over the usual ones", {
    client: { headers: { Accept: "application/vnd.x+json", "User-Agent": "mine" } },
    headers: { accept: "application/vnd.x+json", "user-agent": "mine" },
  }),
  asks("one resource that fails does not stop the others", {
    routes: { "/a": ids(1, 2), "/b": reply(404) },
    resources: ["a", "b"],
    reports: {
      a: { status: "succeeded" },
      b: { status: "failed", error: { code: "extract.status" } },
    },
    records: { a: ids(1, 2), b: [] },
  }),
  asks("an API that is not there is a failure with a hint", {
    client: { base_url: "http://127.0.0.1:1" },
    endpoint: { error_handler: { max_retries: 0 } },
    fails: ["extract.network", "refused the connection", "base_url"],
  }),
  asks("better than dlt: at most a piece of a body is in an error", {
    routes: { "/rows": reply(400, { error: "x".repeat(5000) }) },
    fails: ["extract.status", /^.{0,400}$/],
  }),
  asks("the report counts", {
    routes: { "/rows": slices(ids(1, 4), { more: () => ({ total: 4 }) }) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    report: {
      requests: 2,
      pages: 2,
      records: 4,
      written: 4,
      retries: 0,
      waited_ms: 0,
      slices: 1,
      error: null,
    },
  }),
];

conformance("retry and HTTP", [...attempts, ...http]);
