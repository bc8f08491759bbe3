import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { ApiRequest } from "../support/api.ts";
import { answerInTurn, recordsWithIds, replyWith, serveSlices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const quickRetries = { backoff_factor: 0.01 };
const attemptRow = (
  name: string,
  answer: unknown,
  requestCount: number,
  changes: Partial<Row> = {},
): Row => ({
  name,
  routes: { "/rows": answer, "POST /rows": answer },
  endpoint: { error_handler: quickRetries },
  requests: Array.from({ length: requestCount }, () => "/rows"),
  ...changes,
});
const withErrorHandler = (error_handler: object) => ({
  endpoint: { error_handler: { ...quickRetries, ...error_handler } },
});

const attempts: Row[] = [
  ...[429, 500, 502, 503, 504].map((status) =>
    attemptRow(
      `${status} is tried again`,
      answerInTurn(replyWith(status), recordsWithIds(1, 2)),
      2,
      {
        records: recordsWithIds(1, 2),
        report: { retries: 1 },
      },
    ),
  ),
  ...[501, 505, 400, 403, 404, 408, 422].map((status) =>
    attemptRow(`${status} is not tried again`, replyWith(status), 1, {
      fails: ["extract.status", `answered ${status}`],
    }),
  ),
  attemptRow("three retries are four requests", replyWith(503), 4, {
    fails: ["extract.status", "4 attempts"],
    report: { retries: 3 },
  }),
  attemptRow("max_retries counts the retries", replyWith(503), 3, {
    ...withErrorHandler({ max_retries: 2 }),
    fails: ["extract.status", "3 attempts"],
  }),
  attemptRow("max_retries 0 is one request", replyWith(503), 1, {
    ...withErrorHandler({ max_retries: 0 }),
    fails: ["extract.status"],
  }),
  attemptRow(
    "retry_on_status_codes replaces the list",
    answerInTurn(replyWith(418), recordsWithIds(1, 2)),
    2,
    {
      ...withErrorHandler({ retry_on_status_codes: [418] }),
      records: recordsWithIds(1, 2),
    },
  ),
  attemptRow("a status that is not on the list is not tried again", replyWith(503), 1, {
    ...withErrorHandler({ retry_on_status_codes: [418] }),
    fails: ["extract.status"],
  }),
  attemptRow("resource_defaults may have an error_handler", replyWith(503), 2, {
    resource_defaults: { endpoint: { error_handler: { ...quickRetries, max_retries: 1 } } },
    endpoint: {},
    fails: ["extract.status"],
  }),
  attemptRow("the client may have an error_handler", replyWith(503), 2, {
    client: { error_handler: { ...quickRetries, max_retries: 1 } },
    endpoint: {},
    fails: ["extract.status"],
  }),
  attemptRow(
    "error_handlers merge key by key, and the endpoint's keys override the client's",
    replyWith(503),
    3,
    {
      client: { error_handler: { ...quickRetries, max_retries: 1 } },
      endpoint: { error_handler: { max_retries: 2 } },
      fails: ["extract.status"],
    },
  ),
  attemptRow("a POST is tried again", answerInTurn(replyWith(503), recordsWithIds(1, 2)), 0, {
    endpoint: { method: "POST", json: { a: 1 }, error_handler: quickRetries },
    requests: [
      ["POST /rows", { json: { a: 1 } }],
      ["POST /rows", { json: { a: 1 } }],
    ],
    records: recordsWithIds(1, 2),
  }),
  attemptRow(
    "the wait grows as factor × 2^(n−1), times a random half to one",
    answerInTurn(replyWith(503), replyWith(503), recordsWithIds(1, 2)),
    3,
    {
      ...withErrorHandler({ backoff_factor: 0.2 }),
      report: { waited_ms: { asymmetricMatch: (ms: number) => ms >= 300 && ms <= 600 } },
    },
  ),
  attemptRow(
    "a Retry-After in seconds is obeyed",
    answerInTurn(replyWith(429, {}, { "retry-after": "1" }), recordsWithIds(1, 2)),
    2,
    { report: { waited_ms: 1000, retries: 1 } },
  ),
  ...["0", "-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"].map((value) =>
    attemptRow(
      `better than dlt: Retry-After "${value}" means the usual wait`,
      answerInTurn(replyWith(503, {}, { "retry-after": value }), recordsWithIds(1, 2)),
      2,
      {
        ...withErrorHandler({ backoff_factor: 0.1 }),
        report: { waited_ms: { asymmetricMatch: (ms: number) => ms >= 50 && ms <= 100 } },
      },
    ),
  ),
  attemptRow(
    "a connection that is closed is tried again",
    answerInTurn(closeConnection, recordsWithIds(1, 2)),
    2,
    {
      records: recordsWithIds(1, 2),
    },
  ),
  attemptRow(
    "a body that ends early is tried again",
    answerInTurn(endBodyEarly, recordsWithIds(1, 2)),
    2,
    {
      records: recordsWithIds(1, 2),
    },
  ),
  attemptRow(
    "a time-out is tried again, and client.timeout sets it",
    answerInTurn(neverAnswer, recordsWithIds(1, 2)),
    2,
    {
      client: { timeout: 0.3 },
      records: recordsWithIds(1, 2),
    },
  ),
  attemptRow("better than dlt: an answer that trickles times out", sendSlowly, 1, {
    client: { timeout: 0.3 },
    ...withErrorHandler({ max_retries: 0 }),
    fails: ["extract.timeout", "0.3 s"],
  }),
  attemptRow("a later page is tried again", {}, 0, {
    routes: {
      "/rows": serveSlices(recordsWithIds(1, 4), { more: () => ({ total: 4 }) }),
      "/rows?offset=2": answerInTurn(replyWith(500), { data: recordsWithIds(3, 4), total: 4 }),
    },
    endpoint: { paginator: { type: "offset", limit: 2 }, error_handler: quickRetries },
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2", "/rows?offset=2&limit=2"],
    records: recordsWithIds(1, 4),
  }),
];

function closeConnection(_: ApiRequest, response: ServerResponse) {
  response.socket?.destroy();
}
function endBodyEarly(_: ApiRequest, response: ServerResponse) {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('[{"id":1}');
  setTimeout(() => response.destroy(), 20);
}
function neverAnswer() {
  return undefined;
}
function sendSlowly(_: ApiRequest, response: ServerResponse) {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(timer));
}

const httpRow = (name: string, changes: Partial<Row>): Row => ({
  name,
  routes: { "/rows": recordsWithIds(1, 2) },
  ...changes,
});

const http: Row[] = [
  httpRow("gzip is read", {
    routes: {
      "/rows": () => ({
        body: gzipSync(JSON.stringify(recordsWithIds(1, 2))),
        headers: { "content-encoding": "gzip" },
      }),
    },
    records: recordsWithIds(1, 2),
  }),
  httpRow("a byte order mark is skipped", {
    routes: { "/rows": withHeaders({ "content-type": "application/json" }, '\ufeff[{"id":1}]') },
    records: recordsWithIds(1, 1),
  }),
  httpRow("any 2xx status is a success", {
    routes: { "/rows": replyWith(201, recordsWithIds(1, 2)) },
    records: recordsWithIds(1, 2),
  }),
  httpRow("the content type does not matter", {
    routes: { "/rows": withHeaders({ "content-type": "text/plain" }, '[{"id":1}]') },
    records: recordsWithIds(1, 1),
  }),
  httpRow("a redirect within the API is followed", {
    routes: {
      "/rows": replyWith(307, undefined, { location: "/v2/rows" }),
      "/v2/rows": recordsWithIds(1, 2),
    },
    requests: ["/rows", "/v2/rows"],
    records: recordsWithIds(1, 2),
  }),
  httpRow("better than dlt: a redirect to another host is refused", {
    routes: { "/rows": replyWith(302, undefined, { location: "http://127.0.0.2:9/rows" }) },
    requests: ["/rows"],
    fails: ["extract.redirect", "127.0.0.2"],
  }),
  httpRow("requests ask for JSON", { headers: { accept: "application/json" } }),
  httpRow("a header of the config overrides the usual header", {
    client: { headers: { Accept: "application/vnd.x+json", "User-Agent": "mine" } },
    headers: { accept: "application/vnd.x+json", "user-agent": "mine" },
  }),
  httpRow("one resource that fails does not stop the others", {
    routes: { "/a": recordsWithIds(1, 2), "/b": replyWith(404) },
    resources: ["a", "b"],
    reports: {
      a: { status: "succeeded" },
      b: { status: "failed", error: { code: "extract.status" } },
    },
    records: { a: recordsWithIds(1, 2), b: [] },
  }),
  httpRow("an API that cannot be reached is a failure with a hint", {
    client: { base_url: "http://127.0.0.1:1" },
    endpoint: { error_handler: { max_retries: 0 } },
    fails: ["extract.network", "refused the connection", "base_url"],
  }),
  httpRow("better than dlt: an error quotes at most a piece of a body", {
    routes: { "/rows": replyWith(400, { error: "x".repeat(5000) }) },
    fails: ["extract.status", /^.{0,400}$/],
  }),
  httpRow("the report counts requests, retries and records", {
    routes: { "/rows": serveSlices(recordsWithIds(1, 4), { more: () => ({ total: 4 }) }) },
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
