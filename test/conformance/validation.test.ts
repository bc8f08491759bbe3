import { recordsWithIds } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row, Run } from "./rows.ts";

// An invalid config ends with exit code 2 before any request, and all its problems have their paths.

type Problems = NonNullable<Run["problems"]>;

const invalid = (name: string, run: Run, ...problems: Problems): Row => ({
  name,
  ...run,
  problems,
});
const inEndpoint = (
  name: string,
  endpoint: object,
  key: string,
  ...words: (string | RegExp)[]
): Row => invalid(name, { endpoint }, [`resources[0].endpoint${key}`, ...words]);
const inResource = (
  name: string,
  resource: object,
  key: string,
  ...words: (string | RegExp)[]
): Row => invalid(name, { resource }, [`resources[0]${key}`, ...words]);
const inPaginator = (
  name: string,
  paginator: unknown,
  key: string,
  ...words: (string | RegExp)[]
): Row => inEndpoint(name, { paginator }, `.paginator${key}`, ...words);
const inAuth = (name: string, auth: unknown, key: string, ...words: (string | RegExp)[]): Row =>
  invalid(name, { client: { auth } }, [`client.auth${key}`, ...words]);

/** Makes each row's name a sentence. */
const named = (rows: Row[], toName: (name: string) => string): Row[] =>
  rows.map((row) => ({ ...row, name: toName(row.name) }));

const unknownKeys: Row[] = [
  invalid("at the top", { config: { resorces: [] } }, ["resorces", "unknown key", "resources"]),
  invalid("in client", { client: { base_ulr: "x" } }, [
    "client.base_ulr",
    "unknown key",
    "base_url",
  ]),
  invalid("in resource_defaults", { resource_defaults: { primry_key: "id" } }, [
    "resource_defaults.primry_key",
    "primary_key",
  ]),
  inResource("in a resource", { primarykey: "id" }, ".primarykey", "unknown key", "primary_key"),
  inEndpoint(
    "in an endpoint",
    { data_selecter: "x" },
    ".data_selecter",
    "unknown key",
    "data_selector",
  ),
  inEndpoint(
    "in incremental",
    { incremental: { cursor_path: "x", inital_value: 1 } },
    ".incremental.inital_value",
    "initial_value",
  ),
  inPaginator(
    "in a paginator",
    { type: "offset", limit: 2, limit_parm: "n" },
    ".limit_parm",
    "limit_param",
  ),
  inPaginator(
    "in a paginator of another type",
    { type: "cursor", limit: 2 },
    ".limit",
    "unknown key",
  ),
  inAuth("in auth", { type: "bearer", tokn: "x" }, ".tokn", "token"),
  inEndpoint(
    "in error_handler",
    { error_handler: { retries: 1 } },
    ".error_handler.retries",
    "max_retries",
  ),
  inResource(
    "in columns",
    { columns: { id: { datatype: "text" } } },
    ".columns.id.datatype",
    "data_type",
  ),
];

const wrongValues: Row[] = [
  invalid("better than dlt: a config without a base_url", { config: { client: {} } }, [
    "client.base_url",
    "missing",
  ]),
  invalid("a base_url that is no URL", { client: { base_url: "api.example.com" } }, [
    "client.base_url",
    "http",
  ]),
  invalid("an empty list of resources", { config: { resources: [] } }, [
    "resources",
    "at least one",
  ]),
  invalid("an object as resources", { config: { resources: {} } }, ["resources", "a list"]),
  invalid("a resource without a name", { resources: [{ endpoint: "x" }] }, [
    "resources[0].name",
    "missing",
  ]),
  invalid("a name with capital letters", { resources: ["My Rows"] }, ["resources[0]", "a-z"]),
  invalid("a repeated name", { resources: ["a", "b", "a"] }, [
    "resources[2]",
    "resources[0] has this name",
  ]),
  invalid("a table of two resources", { resources: ["a", { name: "b", table_name: "a" }] }, [
    "resources[1].table_name",
    "writes to this table",
  ]),
  invalid("a string as resource_defaults.endpoint", { resource_defaults: { endpoint: "x" } }, [
    "resource_defaults.endpoint",
    "an object",
  ]),
  inEndpoint("the method PUT", { method: "PUT" }, ".method", "GET, POST"),
  inEndpoint(
    "better than dlt: json and data together",
    { method: "POST", json: {}, data: {} },
    ".data",
    "one body",
  ),
  inEndpoint("a dict as a parameter", { params: { a: { b: 1 } } }, ".params.a.type"),
  inEndpoint("a path with another protocol", { path: "ftp://x/y" }, ".path", "http"),
  inEndpoint(
    "a selector that is no JSONPath",
    { data_selector: "data[" },
    ".data_selector",
    "not a path",
  ),
  inEndpoint(
    "a selector with a recursive descent",
    { data_selector: "$..items" },
    ".data_selector",
    "not a path",
  ),
  inEndpoint(
    "a header with a line break",
    { headers: { a: "b\r\nc: d" } },
    ".headers.a",
    "one line",
  ),
  inEndpoint(
    "a status below 400 to retry on",
    { error_handler: { retry_on_status_codes: [200] } },
    ".error_handler.retry_on_status_codes[0]",
    "400 to 599",
  ),
  inEndpoint(
    "a negative number of retries",
    { error_handler: { max_retries: -1 } },
    ".error_handler.max_retries",
    "below 0",
  ),
  inResource(
    "an unknown write_disposition",
    { write_disposition: "upsert" },
    ".write_disposition",
    "merge",
  ),
  inResource(
    "an unknown merge strategy",
    { primary_key: "id", write_disposition: { disposition: "merge", strategy: "upsrt" } },
    ".write_disposition.strategy",
    "upsert",
  ),
  inResource(
    "better than dlt: merge without a primary_key",
    { write_disposition: "merge" },
    ".write_disposition",
    "primary_key",
  ),
  inResource(
    "an unknown data_type",
    { columns: { id: { data_type: "integer" } } },
    ".columns.id.data_type",
    "bigint",
  ),
  inResource(
    "a key that can be null",
    { primary_key: "id", columns: { id: { nullable: true } } },
    ".columns.id.nullable",
    "primary_key",
  ),
  inResource(
    "an unknown schema_contract",
    { schema_contract: "frozen" },
    ".schema_contract",
    "freeze",
  ),
  inResource("a string as selected", { selected: "no" }, ".selected", "true or false"),
];

const paging: Row[] = [
  inPaginator("an unknown type", { type: "page" }, ".type", "page_number"),
  inPaginator("an unknown bare word", "pages", "", "page_number"),
  inPaginator("the bare word offset", "offset", ".limit", "missing"),
  inPaginator("an offset without a limit", { type: "offset" }, ".limit", "missing"),
  inPaginator("a limit of 0", { type: "offset", limit: 0 }, ".limit", "at least 1"),
  inPaginator(
    "offset_param beside offset_body_path",
    { type: "offset", limit: 2, offset_param: "o", offset_body_path: "o" },
    ".offset_body_path",
    "keep one",
  ),
  inPaginator(
    "limit_param beside limit_body_path",
    { type: "offset", limit: 2, limit_param: "l", limit_body_path: "l" },
    ".limit_body_path",
    "keep one",
  ),
  inPaginator(
    "page_param beside page_body_path",
    { type: "page_number", page_param: "p", page_body_path: "p" },
    ".page_body_path",
    "keep one",
  ),
  inPaginator(
    "cursor_param beside cursor_body_path",
    { type: "cursor", cursor_param: "c", cursor_body_path: "c" },
    ".cursor_body_path",
    "keep one",
  ),
  inPaginator(
    "an empty parameter name",
    { type: "offset", limit: 2, offset_param: "" },
    ".offset_param",
    "not empty",
  ),
  inPaginator(
    "a list of offsets without an end",
    { type: "offset", limit: 2, total_path: null, stop_after_empty_page: false },
    "",
    "nothing ends",
  ),
  inPaginator(
    "a list of pages without an end",
    { type: "page_number", total_path: null, stop_after_empty_page: false },
    "",
    "nothing ends",
  ),
  inPaginator(
    "a cursor_path that is no JSONPath",
    { type: "cursor", cursor_path: "a..b" },
    ".cursor_path",
    "position",
  ),
  inEndpoint(
    "a body path beside data",
    { method: "POST", data: "x", paginator: { type: "cursor", cursor_body_path: "c" } },
    ".paginator.cursor_body_path",
    '"json" instead',
  ),
];

const auths: Row[] = [
  inAuth("an unknown type", { type: "bearr" }, ".type", "bearer"),
  inAuth("an unknown bare word", "basic", "", "http_basic"),
  inAuth("an unknown location", { type: "api_key", location: "body" }, ".location", "header"),
  inAuth(
    "two aliases of one key",
    { type: "oauth2", token_url: "http://a/t", access_token_url: "http://a/t" },
    ".token_url",
    "two names",
  ),
  inAuth(
    "a token_url that is no URL",
    { type: "oauth2", token_url: "/token" },
    ".token_url",
    "http",
  ),
];

const unsupported: Row[] = [
  inResource(
    "a history of rows (scd2)",
    { primary_key: "id", write_disposition: { disposition: "merge", strategy: "scd2" } },
    ".write_disposition.strategy",
    "not supported",
    "stream",
  ),
  inResource("merge_key", { merge_key: "day" }, ".merge_key", "not supported", "full refresh"),
  inResource(
    "a table by record",
    { table_name: () => "x" },
    ".table_name",
    "not supported",
    "processing_steps",
  ),
];

const together: Row[] = [
  invalid(
    "validation reports all problems at once",
    {
      client: { hedaers: {} },
      resources: [
        { name: "a", endpoint: { methd: "GET", paginator: "offset" } },
        { name: "a", write_disposition: "merge" },
      ],
    },
    ["client.hedaers", "headers"],
    ["resources[0].endpoint.methd", "method"],
    ["resources[0].endpoint.paginator.limit", "missing"],
    ["resources[1].name", "this name"],
    ["resources[1].write_disposition", "primary_key"],
  ),
  {
    name: "no message repeats a value of the config",
    client: { auth: { type: "api_key", location: "canary-value" } },
    secrets: { x: "canary-value" },
    problems: [["client.auth.location", "header"]],
  },
  {
    name: "the command in a process of its own reports the same problem",
    spawned: true,
    endpoint: { data_selecter: "x" },
    problems: [
      ["resources[0].endpoint.data_selecter", "unknown key", "did you mean data_selector"],
    ],
  },
  {
    name: "a corrected config runs after a refused one",
    routes: { "/rows": recordsWithIds(1, 1) },
    endpoint: { pth: "rows" },
    problems: [["resources[0].endpoint.pth", "path"]],
    next: [{ endpoint: { path: "rows" }, requests: ["/rows"], records: recordsWithIds(1, 1) }],
  },
];

conformance("validation", [
  ...named(unknownKeys, (place) => `an unknown key ${place} is refused`),
  ...named(wrongValues, (mistake) => `${mistake} is refused`),
  ...named(paging, (mistake) => `${mistake} in a paginator is refused`),
  ...named(auths, (mistake) => `${mistake} in auth is refused`),
  ...named(unsupported, (feature) => `${feature} is refused with a way out`),
  ...together,
]);
