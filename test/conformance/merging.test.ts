import { ids, inTurn, slices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// ── base_url and path ────────────────────────────────────────────────────────────────────────────

const at = (name: string, base_url: string, path: string | undefined, line: string): Row => ({
  name,
  routes: { [line]: ids(1, 2) },
  client: { base_url },
  endpoint: path === undefined ? null : { path },
  requests: [line],
  records: ids(1, 2),
});

const paths: Row[] = [
  at("base_url and path are joined with one slash", "$api", "rows", "/rows"),
  at("also where both have one", "$api/", "/rows", "/rows"),
  at("also where the base has a path", "$api/v2", "rows", "/v2/rows"),
  at("a path from the root goes behind the base's", "$api/v2/", "/rows", "/v2/rows"),
  at("a slash at the end of the path stays", "$api/v2", "rows/", "/v2/rows/"),
  at("without an endpoint the path is the name", "$api/v2", undefined, "/v2/rows"),
  at("a whole URL as path stands alone", "$api/v2", "$api/other/rows", "/other/rows"),
  at("a path may be empty", "$api/v2", "", "/v2"),
  at("a query in the path is kept", "$api", "rows?x=1", "/rows?x=1"),
  at("characters of a path are encoded", "$api", "my rows", "/my%20rows"),
  at("braces that are doubled are braces", "$api", "rows/{{x}}", "/rows/%7Bx%7D"),
  {
    name: "parameters are added to a query in the path",
    routes: { "/rows": ids(1, 2) },
    endpoint: { path: "rows?x=1", params: { y: 2 } },
    requests: ["/rows?x=1&y=2"],
  },
  {
    name: "an endpoint that is a text is its path",
    routes: { "/a/b": ids(1, 2) },
    endpoint: "a/b",
    requests: ["/a/b"],
    records: ids(1, 2),
  },
  {
    name: "a resource that is a text is its name and path",
    routes: { "/a": ids(1, 2) },
    resources: ["a"],
    requests: ["/a"],
    records: { a: ids(1, 2) },
  },
  {
    name: "a static parameter that the path names goes into it and leaves the query",
    routes: { "/users/bob/rows": ids(1, 2) },
    endpoint: { path: "users/{who}/rows", params: { who: "bob", n: 1 } },
    requests: ["/users/bob/rows?n=1"],
    records: ids(1, 2),
  },
  {
    name: "better than dlt: a static parameter at the path's end is no single entity",
    routes: { "/users/bob": [{ id: 1 }, { id: 2 }] },
    endpoint: { path: "users/{who}", params: { who: "bob" } },
    requests: ["/users/bob"],
    records: ids(1, 2),
  },
];

// ── What a request has ───────────────────────────────────────────────────────────────────────────

const sends = (name: string, endpoint: object, requests: Row["requests"]): Row => ({
  name,
  routes: { "/rows": ids(1, 2) },
  endpoint,
  ...(requests ? { requests } : {}),
  records: ids(1, 2),
});

const requests: Row[] = [
  sends("GET is the method, without a body", {}, [["GET /rows", { body: "" }]]),
  sends("POST", { method: "POST" }, ["POST /rows"]),
  sends("better than dlt: a method in lower case", { method: "post" }, ["POST /rows"]),
  sends("parameters: texts and numbers", { params: { a: "x y", b: 2, c: 1.5 } }, [
    "/rows?a=x%20y&b=2&c=1.5",
  ]),
  sends("parameters: null is left out, an empty text is not", { params: { a: null, b: "" } }, [
    "/rows?b=",
  ]),
  sends("parameters: a list repeats the name", { params: { id: ["a", "b", 3] } }, [
    "/rows?id=a&id=b&id=3",
  ]),
  sends("parameters: an empty list is none", { params: { id: [] } }, ["/rows"]),
  sends("better than dlt: true and false as JSON has them", { params: { a: true, b: false } }, [
    "/rows?a=true&b=false",
  ]),
  sends("parameters: names with brackets", { params: { "filter[state]": "open" } }, [
    "/rows?filter%5Bstate%5D=open",
  ]),
  sends("parameters: reserved characters are encoded", { params: { q: "a&b=c+d#e" } }, [
    `/rows?q=${encodeURIComponent("a&b=c+d#e")}`,
  ]),
  sends("json sends a body", { method: "POST", json: { a: [1, { b: null }], c: true } }, [
    [
      "POST /rows",
      { json: { a: [1, { b: null }], c: true }, headers: { "content-type": "application/json" } },
    ],
  ]),
  sends("json: an empty object is a body, also of a GET", { json: {} }, [["/rows", { json: {} }]]),
  sends("json: a list", { method: "POST", json: [{ a: 1 }] }, [
    ["POST /rows", { json: [{ a: 1 }] }],
  ]),
  sends("json and params go together", { method: "POST", params: { a: 1 }, json: { b: 2 } }, [
    ["POST /rows?a=1", { json: { b: 2 } }],
  ]),
  sends("data: a dict is a form", { method: "POST", data: { a: "x y", b: 2 } }, [
    [
      "POST /rows",
      { body: "a=x+y&b=2", headers: { "content-type": "application/x-www-form-urlencoded" } },
    ],
  ]),
  sends(
    "data: pairs are a form",
    {
      method: "POST",
      data: [
        ["a", "1"],
        ["a", "2"],
      ],
    },
    [["POST /rows", { body: "a=1&a=2" }]],
  ),
  sends("data: a list in a form repeats its name", { method: "POST", data: { a: [1, 2] } }, [
    ["POST /rows", { body: "a=1&a=2" }],
  ]),
  sends("data: a text is sent as it is, without a content type", { method: "POST", data: "<q/>" }, [
    ["POST /rows", { body: "<q/>", headers: { "content-type": null } }],
  ]),
  sends(
    "data: a text with a content type of one's own",
    { method: "POST", data: "<q/>", headers: { "Content-Type": "text/xml" } },
    [["POST /rows", { body: "<q/>", headers: { "content-type": "text/xml" } }]],
  ),
  sends("headers of the endpoint", { headers: { "X-Team": "a" } }, [
    ["/rows", { headers: { "x-team": "a" } }],
  ]),
];

// ── client, resource_defaults, endpoint ──────────────────────────────────────────────────────────

const merged = (name: string, row: Partial<Row>): Row => ({
  name,
  routes: { "/rows": ids(1, 2), "POST /rows": ids(1, 2) },
  ...row,
});

const headers = { "X-Client": "c", "X-Both": "c" };
const merging: Row[] = [
  merged("client headers are sent always", { client: { headers }, headers: { "x-client": "c" } }),
  merged("an endpoint's header goes over the client's of that name", {
    client: { headers },
    endpoint: { headers: { "x-both": "e" } },
    headers: { "x-client": "c", "x-both": "e" },
  }),
  merged("client headers are not filled in: braces stay", {
    client: { headers: { "x-t": "{resources.a.b} {{x}}" } },
    headers: { "x-t": "{resources.a.b} {{x}}" },
  }),
  merged("params merge key by key", {
    resource_defaults: { endpoint: { params: { limit: 2, sort: "id" } } },
    endpoint: { params: { sort: "name", status: "open" } },
    requests: ["/rows?limit=2&sort=name&status=open"],
  }),
  merged("a parameter that is null takes the default back", {
    resource_defaults: { endpoint: { params: { limit: 2, sort: "id" } } },
    endpoint: { params: { sort: null } },
    requests: ["/rows?limit=2"],
  }),
  merged("params: null takes all defaults back", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: { params: null },
    requests: ["/rows"],
  }),
  merged("json merges key by key, and what is nested is replaced", {
    resource_defaults: { endpoint: { method: "POST", json: { a: 1, filter: { x: 1, y: 2 } } } },
    endpoint: { json: { b: 2, filter: { z: 3 } } },
    requests: [["POST /rows", { json: { a: 1, b: 2, filter: { z: 3 } } }]],
  }),
  merged("headers of resource_defaults are replaced as a whole", {
    resource_defaults: { endpoint: { headers: { "x-a": "d", "x-b": "d" } } },
    endpoint: { headers: { "x-b": "e" } },
    headers: { "x-a": null, "x-b": "e" },
  }),
  merged("data of resource_defaults is replaced as a whole", {
    resource_defaults: { endpoint: { method: "POST", data: { a: 1 } } },
    endpoint: { data: { b: 2 } },
    requests: [["POST /rows", { form: { b: "2" } }]],
  }),
  merged("the method of resource_defaults", {
    resource_defaults: { endpoint: { method: "POST" } },
    requests: ["POST /rows"],
  }),
  merged("a path in resource_defaults never applies", {
    resource_defaults: { endpoint: { path: "other" } },
    requests: ["/rows"],
  }),
  merged("endpoint: null takes the whole default back", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: null,
    requests: ["/rows"],
  }),
  merged("an endpoint that is a text still has the defaults", {
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    endpoint: "rows",
    requests: ["/rows?limit=2"],
  }),
  merged("a resource that is a text still has the defaults", {
    resource_defaults: { primary_key: "id", endpoint: { params: { limit: 2 } } },
    resources: ["rows"],
    requests: ["/rows?limit=2"],
    records: [{ id: "1" }, { id: "2" }],
  }),
  merged("data_selector of resource_defaults", {
    routes: { "/rows": { a: ids(1, 1), b: ids(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "b" } },
    records: ids(2, 2),
  }),
  merged("data_selector of the endpoint goes over it", {
    routes: { "/rows": { a: ids(1, 1), b: ids(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "b" } },
    endpoint: { data_selector: "a" },
    records: ids(1, 1),
  }),
  merged("data_selector: null takes the default back", {
    routes: { "/rows": { a: ids(1, 1), data: ids(2, 2) } },
    resource_defaults: { endpoint: { data_selector: "a" } },
    endpoint: { data_selector: null },
    records: ids(2, 2),
  }),
  merged("primary_key of the resource goes over the default", {
    routes: { "/rows": [{ id: 1, no: 2 }] },
    resource_defaults: { primary_key: "id" },
    resource: { primary_key: "no" },
    records: [{ id: 1, no: "2" }],
  }),
  merged("primary_key: null takes the default back", {
    resource_defaults: { primary_key: "id" },
    resource: { primary_key: null },
    records: ids(1, 2),
  }),
  merged("columns merge by column and hint", {
    resource_defaults: { primary_key: "id", columns: { id: { data_type: "bigint" } } },
    resource: { columns: { id: { description: "x" }, v: { data_type: "text" } } },
    records: ids(1, 2),
  }),
  merged("columns as a list", {
    resource: { primary_key: "id", columns: [{ name: "id", data_type: "bigint" }] },
    records: ids(1, 2),
  }),
  merged("what is null at the top is as if it were not there", {
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
    records: ids(1, 2),
  }),
];

// ── Which paginator ──────────────────────────────────────────────────────────────────────────────

const cursorOf = (cursor_param: string) => ({ type: "cursor", cursor_path: "c", cursor_param });
const answering = () => inTurn({ data: ids(1, 2), c: "x" }, { data: ids(3, 4) });

const precedence: Row[] = [
  {
    name: "the client's paginator is for all",
    routes: { "/rows": answering() },
    client: { paginator: cursorOf("client") },
    requests: ["/rows", "/rows?client=x"],
  },
  {
    name: "that of resource_defaults goes over the client's",
    routes: { "/rows": answering() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: cursorOf("defaults") } },
    requests: ["/rows", "/rows?defaults=x"],
  },
  {
    name: "the endpoint's goes over both",
    routes: { "/rows": answering() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: cursorOf("defaults") } },
    endpoint: { paginator: cursorOf("endpoint") },
    requests: ["/rows", "/rows?endpoint=x"],
  },
  {
    name: "a paginator is replaced as a whole",
    routes: { "/rows": slices(ids(1, 2), { more: () => ({ total: 2 }) }) },
    resource_defaults: { endpoint: { paginator: { type: "offset", limit: 9, offset_param: "o" } } },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    requests: ["/rows?limit=2&offset=0"],
  },
  {
    name: "paginator: null of an endpoint gives way to the client's",
    routes: { "/rows": answering() },
    client: { paginator: cursorOf("client") },
    resource_defaults: { endpoint: { paginator: "single_page" } },
    endpoint: { paginator: null },
    requests: ["/rows", "/rows?client=x"],
  },
  {
    name: "an auto paginator of an endpoint looks for itself",
    routes: { "/rows": withHeaders({ x: "y" }, ids(1, 2)) },
    client: { paginator: { type: "offset", limit: 2 } },
    endpoint: { paginator: "auto" },
    requests: ["/rows"],
  },
  {
    name: "several resources share a client",
    routes: { "/v1/a": ids(1, 1), "/v1/b": ids(2, 2) },
    client: { base_url: "$api/v1", headers: { "x-k": "1" } },
    resources: [{ name: "a" }, { name: "b_table", endpoint: "b" }],
    requests: ["/v1/a", "/v1/b"],
    headers: { "x-k": "1" },
    records: { a: ids(1, 1), b_table: ids(2, 2) },
  },
  {
    name: "the real command reads the same dict",
    spawned: true,
    routes: { "/v1/rows": ids(1, 2) },
    client: { base_url: "$api/v1/", headers: { "x-k": "1" } },
    resource_defaults: { endpoint: { params: { limit: 2 } } },
    requests: ["/v1/rows?limit=2"],
    headers: { "x-k": "1" },
    records: ids(1, 2),
  },
];

conformance("paths", paths);
conformance("requests", requests);
conformance("merging", merging);
conformance("which paginator", precedence);
