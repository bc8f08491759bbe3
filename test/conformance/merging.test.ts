import { answerInTurn, recordsWithIds, serveSlices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// ── base_url and path ────────────────────────────────────────────────────────────────────────────

const pathRow = (name: string, base_url: string, path: string | undefined, line: string): Row => ({
  name,
  routes: { [line]: recordsWithIds(1, 2) },
  client: { base_url },
  endpoint: path === undefined ? null : { path },
  requests: [line],
  records: recordsWithIds(1, 2),
});

const paths: Row[] = [
  pathRow("base_url and path are joined with one slash", "$api", "rows", "/rows"),
  pathRow("a slash in both base_url and path is sent once", "$api/", "/rows", "/rows"),
  pathRow("base_url may have a path", "$api/v2", "rows", "/v2/rows"),
  pathRow("a path from the root is appended to the base's path", "$api/v2/", "/rows", "/v2/rows"),
  pathRow("a slash at the end of the path is kept", "$api/v2", "rows/", "/v2/rows/"),
  pathRow("without an endpoint the path is the name", "$api/v2", undefined, "/v2/rows"),
  pathRow(
    "a path that is a whole URL replaces base_url",
    "$api/v2",
    "$api/other/rows",
    "/other/rows",
  ),
  pathRow("a path may be empty", "$api/v2", "", "/v2"),
  pathRow("a query in the path is kept", "$api", "rows?x=1", "/rows?x=1"),
  pathRow("characters of a path are encoded", "$api", "my rows", "/my%20rows"),
  pathRow("doubled braces in a path are sent as braces", "$api", "rows/{{x}}", "/rows/%7Bx%7D"),
  {
    name: "parameters are added to a query in the path",
    routes: { "/rows": recordsWithIds(1, 2) },
    endpoint: { path: "rows?x=1", params: { y: 2 } },
    requests: ["/rows?x=1&y=2"],
  },
  {
    name: "an endpoint that is a string is a path",
    routes: { "/a/b": recordsWithIds(1, 2) },
    endpoint: "a/b",
    requests: ["/a/b"],
    records: recordsWithIds(1, 2),
  },
  {
    name: "a resource that is a string is a name and a path",
    routes: { "/a": recordsWithIds(1, 2) },
    resources: ["a"],
    requests: ["/a"],
    records: { a: recordsWithIds(1, 2) },
  },
  {
    name: "a static parameter that the path names is put into the path and not into the query",
    routes: { "/users/bob/rows": recordsWithIds(1, 2) },
    endpoint: { path: "users/{who}/rows", params: { who: "bob", n: 1 } },
    requests: ["/users/bob/rows?n=1"],
    records: recordsWithIds(1, 2),
  },
  {
    name: "better than dlt: a static parameter at the end of the path does not make a single entity",
    routes: { "/users/bob": [{ id: 1 }, { id: 2 }] },
    endpoint: { path: "users/{who}", params: { who: "bob" } },
    requests: ["/users/bob"],
    records: recordsWithIds(1, 2),
  },
];

// ── The parts of a request ───────────────────────────────────────────────────────────────────────

const requestRow = (name: string, endpoint: object, requests: Row["requests"]): Row => ({
  name,
  routes: { "/rows": recordsWithIds(1, 2) },
  endpoint,
  ...(requests ? { requests } : {}),
  records: recordsWithIds(1, 2),
});

const requests: Row[] = [
  requestRow("the default method is GET without a body", {}, [["GET /rows", { body: "" }]]),
  requestRow("the method may be POST", { method: "POST" }, ["POST /rows"]),
  requestRow("better than dlt: a method may be in lower case", { method: "post" }, ["POST /rows"]),
  requestRow("parameters may be strings and numbers", { params: { a: "x y", b: 2, c: 1.5 } }, [
    "/rows?a=x%20y&b=2&c=1.5",
  ]),
  requestRow(
    "a parameter that is null is left out, an empty string is not",
    { params: { a: null, b: "" } },
    ["/rows?b="],
  ),
  requestRow("a parameter that is a list repeats the name", { params: { id: ["a", "b", 3] } }, [
    "/rows?id=a&id=b&id=3",
  ]),
  requestRow("a parameter that is an empty list is left out", { params: { id: [] } }, ["/rows"]),
  requestRow(
    "better than dlt: true and false are sent as in JSON",
    { params: { a: true, b: false } },
    ["/rows?a=true&b=false"],
  ),
  requestRow("a parameter's name may have brackets", { params: { "filter[state]": "open" } }, [
    "/rows?filter%5Bstate%5D=open",
  ]),
  requestRow("reserved characters in parameters are encoded", { params: { q: "a&b=c+d#e" } }, [
    `/rows?q=${encodeURIComponent("a&b=c+d#e")}`,
  ]),
  requestRow("json sends a body", { method: "POST", json: { a: [1, { b: null }], c: true } }, [
    [
      "POST /rows",
      { json: { a: [1, { b: null }], c: true }, headers: { "content-type": "application/json" } },
    ],
  ]),
  requestRow("an empty json object is sent as a body, also with GET", { json: {} }, [
    ["/rows", { json: {} }],
  ]),
  requestRow("json may be a list", { method: "POST", json: [{ a: 1 }] }, [
    ["POST /rows", { json: [{ a: 1 }] }],
  ]),
  requestRow(
    "json and params may be used together",
    { method: "POST", params: { a: 1 }, json: { b: 2 } },
    [["POST /rows?a=1", { json: { b: 2 } }]],
  ),
  requestRow(
    "data that is a dict is sent as a form",
    { method: "POST", data: { a: "x y", b: 2 } },
    [
      [
        "POST /rows",
        { body: "a=x+y&b=2", headers: { "content-type": "application/x-www-form-urlencoded" } },
      ],
    ],
  ),
  requestRow(
    "data that is a list of pairs is sent as a form",
    {
      method: "POST",
      data: [
        ["a", "1"],
        ["a", "2"],
      ],
    },
    [["POST /rows", { body: "a=1&a=2" }]],
  ),
  requestRow("a list in a form repeats its name", { method: "POST", data: { a: [1, 2] } }, [
    ["POST /rows", { body: "a=1&a=2" }],
  ]),
  requestRow(
    "data that is a string is sent as it is, without a content type",
    { method: "POST", data: "<q/>" },
    [["POST /rows", { body: "<q/>", headers: { "content-type": null } }]],
  ),
  requestRow(
    "data that is a string may have a content type from the config",
    { method: "POST", data: "<q/>", headers: { "Content-Type": "text/xml" } },
    [["POST /rows", { body: "<q/>", headers: { "content-type": "text/xml" } }]],
  ),
  requestRow("an endpoint may have headers", { headers: { "X-Team": "a" } }, [
    ["/rows", { headers: { "x-team": "a" } }],
  ]),
];

// ── client, resource_defaults, endpoint ──────────────────────────────────────────────────────────

const mergeRow = (name: string, row: Partial<Row>): Row => ({
  name,
  routes: { "/rows": recordsWithIds(1, 2), "POST /rows": recordsWithIds(1, 2) },
  ...row,
});

const headers = { "X-Client": "c", "X-Both": "c" };
const merging: Row[] = [
  mergeRow("client headers are sent with every request", {
    client: { headers },
    headers: { "x-client": "c" },
  }),
  mergeRow("an endpoint's header overrides the client's header of that name", {
    client: { headers },
    endpoint: { headers: { "x-both": "e" } },
    headers: { "x-client": "c", "x-both": "e" },
  }),
  mergeRow("braces in client headers are sent as they are", {
    client: { headers: { "x-t": "{resources.a.b} {{x}}" } },
    headers: { "x-t": "{resources.a.b} {{x}}" },
  }),
  mergeRow("params merge key by key", {
    resource_defaults: { endpoint: { params: { limit: 2, sort: "id" } } },
    endpoint: { params: { sort: "name", status: "open" } },
    requests: ["/rows?limit=2&sort=name&status=open"],
  }),
  mergeRow("a parameter that is null removes the default", {
    resource_defaults: { endpoint: { params: { limit: 2, sort: "id" } } },
    endpoint: { params: { sort: null } },
    requests: ["/rows?limit=2"],
  }),
  mergeRow("params: null removes all default parameters", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: { params: null },
    requests: ["/rows"],
  }),
  mergeRow("json merges key by key, and nested values are replaced", {
    resource_defaults: { endpoint: { method: "POST", json: { a: 1, filter: { x: 1, y: 2 } } } },
    endpoint: { json: { b: 2, filter: { z: 3 } } },
    requests: [["POST /rows", { json: { a: 1, b: 2, filter: { z: 3 } } }]],
  }),
  mergeRow("headers of resource_defaults are replaced as a whole", {
    resource_defaults: { endpoint: { headers: { "x-a": "d", "x-b": "d" } } },
    endpoint: { headers: { "x-b": "e" } },
    headers: { "x-a": null, "x-b": "e" },
  }),
  mergeRow("data of resource_defaults is replaced as a whole", {
    resource_defaults: { endpoint: { method: "POST", data: { a: 1 } } },
    endpoint: { data: { b: 2 } },
    requests: [["POST /rows", { form: { b: "2" } }]],
  }),
  mergeRow("resource_defaults may have a method", {
    resource_defaults: { endpoint: { method: "POST" } },
    requests: ["POST /rows"],
  }),
  mergeRow("a path in resource_defaults never applies", {
    resource_defaults: { endpoint: { path: "other" } },
    requests: ["/rows"],
  }),
  mergeRow("endpoint: null removes the default endpoint", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: null,
    requests: ["/rows"],
  }),
  mergeRow("an endpoint that is a string still has the defaults", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: "rows",
    requests: ["/rows?limit=2"],
  }),
  mergeRow("a resource that is a string still has the defaults", {
    resource_defaults: { primary_key: "id", endpoint: { params: { limit: 2 } } },
    resources: ["rows"],
    requests: ["/rows?limit=2"],
    records: [{ id: "1" }, { id: "2" }],
  }),
  mergeRow("resource_defaults may have a data_selector", {
    routes: { "/rows": { a: recordsWithIds(1, 1), b: recordsWithIds(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "b" } },
    records: recordsWithIds(2, 2),
  }),
  mergeRow("the endpoint's data_selector overrides the default", {
    routes: { "/rows": { a: recordsWithIds(1, 1), b: recordsWithIds(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "b" } },
    endpoint: { data_selector: "a" },
    records: recordsWithIds(1, 1),
  }),
  mergeRow("data_selector: null removes the default", {
    routes: { "/rows": { a: recordsWithIds(1, 1), data: recordsWithIds(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "a" } },
    endpoint: { data_selector: null },
    records: recordsWithIds(2, 2),
  }),
  mergeRow("the resource's primary_key overrides the default", {
    routes: { "/rows": [{ id: 1, no: 2 }] },
    resource_defaults: { primary_key: "id" },
    resource: { primary_key: "no" },
    records: [{ id: 1, no: "2" }],
  }),
  mergeRow("primary_key: null removes the default", {
    resource_defaults: { primary_key: "id" },
    resource: { primary_key: null },
    records: recordsWithIds(1, 2),
  }),
  mergeRow("columns merge by column and hint", {
    resource_defaults: { primary_key: "id", columns: { id: { data_type: "bigint" } } },
    resource: { columns: { id: { description: "x" }, v: { data_type: "text" } } },
    records: recordsWithIds(1, 2),
  }),
  mergeRow("columns may be a list", {
    resource: { primary_key: "id", columns: [{ name: "id", data_type: "bigint" }] },
    records: recordsWithIds(1, 2),
  }),
  mergeRow("a key that is null at the top of the config has no effect", {
    config: { resource_defaults: null },
    resource: { primary_key: null, columns: null, selected: null, write_disposition: null },
    endpoint: {
      params: null,
      json: null,
      data: null,
      headers: null,
      paginator: null,
      method: null,
    },
    requests: [["GET /rows", { body: "" }]],
    records: recordsWithIds(1, 2),
  }),
];

// ── The paginator that applies ───────────────────────────────────────────────────────────────────

const cursorOf = (cursor_param: string) => ({ type: "cursor", cursor_path: "c", cursor_param });
const answerTwoPages = () =>
  answerInTurn({ data: recordsWithIds(1, 2), c: "x" }, { data: recordsWithIds(3, 4) });

const precedence: Row[] = [
  {
    name: "the client's paginator is for all",
    routes: { "/rows": answerTwoPages() },
    client: { paginator: cursorOf("client") },
    requests: ["/rows", "/rows?client=x"],
  },
  {
    name: "the paginator of resource_defaults overrides the client's",
    routes: { "/rows": answerTwoPages() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: cursorOf("defaults") } },
    requests: ["/rows", "/rows?defaults=x"],
  },
  {
    name: "the endpoint's paginator overrides both",
    routes: { "/rows": answerTwoPages() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: cursorOf("defaults") } },
    endpoint: { paginator: cursorOf("endpoint") },
    requests: ["/rows", "/rows?endpoint=x"],
  },
  {
    name: "a paginator is replaced as a whole",
    routes: { "/rows": serveSlices(recordsWithIds(1, 2), { more: () => ({ total: 2 }) }) },
    resource_defaults: { endpoint: { paginator: { type: "offset", limit: 9, offset_param: "o" } } },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    requests: ["/rows?limit=2&offset=0"],
  },
  {
    name: "paginator: null of an endpoint uses the client's paginator",
    routes: { "/rows": answerTwoPages() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: "single_page" } },
    endpoint: { paginator: null },
    requests: ["/rows", "/rows?client=x"],
  },
  {
    name: "an auto paginator of an endpoint detects the paginator in spite of the client's",
    routes: { "/rows": withHeaders({ x: "y" }, recordsWithIds(1, 2)) },
    client: { paginator: { type: "offset", limit: 2 } },
    endpoint: { paginator: "auto" },
    requests: ["/rows"],
  },
  {
    name: "several resources may share a client",
    routes: { "/v1/a": recordsWithIds(1, 1), "/v1/b": recordsWithIds(2, 2) },
    client: { base_url: "$api/v1", headers: { "x-k": "1" } },
    resources: [{ name: "a" }, { name: "b_table", endpoint: "b" }],
    requests: ["/v1/a", "/v1/b"],
    headers: { "x-k": "1" },
    records: { a: recordsWithIds(1, 1), b_table: recordsWithIds(2, 2) },
  },
  {
    name: "the real command reads the same dict",
    spawned: true,
    routes: { "/v1/rows": recordsWithIds(1, 2) },
    client: { base_url: "$api/v1/", headers: { "x-k": "1" } },
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    requests: ["/v1/rows?limit=2"],
    headers: { "x-k": "1" },
    records: recordsWithIds(1, 2),
  },
];

conformance("paths", paths);
conformance("requests", requests);
conformance("merging", merging);
conformance("precedence of paginators", precedence);
