import { dlt, rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { describe, expect, it, test } from "vitest";
import { Secret } from "../../packages/core/src/secrets/reference.ts";

const base_url = "https://api.example.com";
const paginator = { type: "offset", limit: 100 };
const planConfig = (config: object, options: SourceOptions = {}) =>
  planSource(rest_api_source(config as SourceConfig, options), "ticketing");
const planOnly = (resource: object, client: object = {}, options: SourceOptions = {}) => {
  const endpoint = { paginator, data_selector: "data", ...Reflect.get(resource, "endpoint") };
  const resources = [{ name: "tickets", ...resource, endpoint }];
  const [first] = planConfig({ client: { base_url, ...client }, resources }, options).resources;
  if (!first) throw new Error("no resource");
  return first;
};
const requestPlan = (endpoint: object, client: object = {}) =>
  planOnly({ endpoint }, client).request;
const authPlan = (auth: unknown) => planOnly({}, { auth }).auth;

it("the plan of the smallest resource has every default", () => {
  const { hash, ...planned } = planOnly({ primary_key: "id" });
  expect(planned).toEqual({
    source: "ticketing",
    name: "tickets",
    table: "tickets",
    disposition: "merge",
    selected: true,
    parent: undefined,
    spooled: [],
    followers: [],
    key: { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined },
    request: {
      method: "GET",
      url: "https://api.example.com/tickets",
      origin: "https://api.example.com",
      allowedOrigins: [],
      params: {},
      headers: [],
      json: undefined,
      data: undefined,
    },
    auth: undefined,
    paginator: {
      type: "offset",
      limit: 100,
      offset: 0,
      offsetAt: { param: "offset" },
      limitAt: { param: "limit" },
      overlap: 5,
      total: { path: { text: "total", steps: [{ name: "total" }] }, required: false },
      maximum: undefined,
      stopAfterEmptyPage: true,
      hasMore: undefined,
    },
    incremental: undefined,
    selector: { text: "data", steps: [{ name: "data" }] },
    steps: [],
    actions: [],
    retry: {
      statuses: new Set([429, 500, 502, 503, 504]),
      maxRetries: 3,
      backoffFactor: 2,
      maxWaitMs: 86_400_000,
    },
    timeoutMs: 30_000,
    columns: {},
    contract: { tables: "evolve", columns: "evolve", dataType: "evolve" },
    writeMode: { kind: "batch" },
    hardDelete: undefined,
    dedupSort: undefined,
    allowShrink: false,
    storage: {
      ttl: undefined,
      stream: undefined,
      indexes: [],
      kmsKey: undefined,
      maxWriteUnits: undefined,
    },
    writes: undefined,
    parallelPages: 4,
  });
});

describe("the most pages at once", () => {
  it.each([
    ["offsets with an overlap", { type: "offset", limit: 10 }, 4],
    ["offsets with an overlap of their own", { type: "offset", limit: 5, overlap: 1 }, 4],
    ["offsets below a limit of 10", { type: "offset", limit: 9 }, 1],
    ["offsets without an overlap", { type: "offset", limit: 100, overlap: 0 }, 1],
    ["page numbers", { type: "page_number" }, 1],
    ["a paginator that the first answer shows", "auto", 1],
    ["links", "json_link", 1],
  ])("the pages of %s, %j, are requested by at most %i requests at once (P14)", (_, paginator, expected) => {
    expect(planOnly({ endpoint: { paginator } }).parallelPages).toBe(expected);
    expect(planOnly({ endpoint: { paginator }, parallel_pages: 8 }).parallelPages).toBe(8);
  });
});

describe("the table and its key", () => {
  const columns = {
    org: { data_type: "text" },
    n: { data_type: "bigint" },
    d: { data_type: "decimal" },
    f: { data_type: "double" },
    raw: { data_type: "binary" },
    at: { data_type: "timestamp" },
    plain: {},
  };
  test.each([
    ["org", "S"],
    ["n", "N"],
    ["d", "N"],
    ["f", "N"],
    ["raw", "B"],
    ["at", "S"],
    ["plain", "S"],
    ["undeclared", "S"],
  ])("a primary_key of the one field %s is a hash key of the type %s", (name, type) => {
    const key = { fields: [name], hash: { name, type }, range: undefined };
    expect(planOnly({ primary_key: name, columns }).key).toEqual(key);
  });

  it("a primary_key of two fields is a hash and a range key", () => {
    expect(planOnly({ primary_key: ["org", "n"], columns }).key).toEqual({
      fields: ["org", "n"],
      hash: { name: "org", type: "S" },
      range: { name: "n", type: "N" },
    });
  });

  it("a primary_key of three fields has the range key _key, which joins two of them", () => {
    expect(planOnly({ primary_key: ["n", "org", "at"], columns }).key).toEqual({
      fields: ["n", "org", "at"],
      hash: { name: "n", type: "N" },
      range: { name: "_key", type: "S" },
    });
  });

  it("append gives every record a _row_id, made from the record and the read that shows it", () => {
    const rowId = {
      fields: [],
      rowId: { kind: "content", isPerRead: true },
      hash: { name: "_row_id", type: "S" },
      range: undefined,
    };
    expect(planOnly({ primary_key: "id", write_disposition: "append" }).key).toEqual(rowId);
    expect(planOnly({}).key).toEqual(rowId);
  });

  it("append with a cursor names a row by key and cursor value, or by its content, whichever read shows it", () => {
    const rowIdOf = (members: object) =>
      planOnly({ ...members, endpoint: { incremental: { cursor_path: "at" } } }).key.rowId;
    const content = { kind: "content", isPerRead: false };
    const cursor = { text: "at", steps: [{ name: "at" }] };
    const append = { write_disposition: "append" };
    expect(rowIdOf({})).toEqual(content);
    expect(rowIdOf({ ...append, primary_key: ["id", "org"] })).toEqual({
      kind: "version",
      fields: ["id", "org"],
      cursor,
    });
    expect(rowIdOf({ primary_key: "id" })).toBeUndefined();
  });

  it("a child below a cursor names appended rows by their content, because its reads show changes", () => {
    const rowIdOfChild = (incremental: object) => {
      const endpoint = { data_selector: "data", paginator: "single_page" };
      const resources = [
        { name: "posts", primary_key: "id", endpoint: { ...endpoint, ...incremental } },
        { name: "views", endpoint: { ...endpoint, path: "/posts/{resources.posts.id}/views" } },
      ];
      const planned = planConfig({ client: { base_url }, resources }).resources;
      return planned.find(({ name }) => name === "views")?.key.rowId;
    };
    expect(rowIdOfChild({})).toEqual({ kind: "content", isPerRead: true });
    expect(rowIdOfChild({ incremental: { cursor_path: "at" } })).toEqual({
      kind: "content",
      isPerRead: false,
    });
  });

  it("replace without a key names a row by its content, whichever read shows it", () => {
    expect(planOnly({ write_disposition: "replace" }).key.rowId).toEqual({
      kind: "content",
      isPerRead: false,
    });
  });

  test.each([
    [{ primary_key: "id" }, "merge"],
    [{}, "append"],
    [{ primary_key: [] }, "append"],
    [{ primary_key: "id", write_disposition: "append" }, "append"],
    [{ primary_key: "id", write_disposition: { disposition: "merge" } }, "merge"],
    [{ write_disposition: "replace" }, "replace"],
  ])("the resource %j has the disposition %s", (resource, disposition) => {
    expect(planOnly(resource).disposition).toBe(disposition);
  });

  it("table_name names the table, and columns in the options replace the dict's hints", () => {
    const options = {
      resources: { tickets: { columns: { id: { data_type: "bigint" } as const } } },
    };
    const planned = planOnly(
      { table_name: "Tickets.v2", primary_key: "id", columns: { id: { nullable: false } } },
      {},
      options,
    );
    expect(planned.table).toBe("Tickets.v2");
    expect(planned.key.hash.type).toBe("N");
    expect(planned.columns).toEqual({
      id: { dataType: "bigint", nullable: false, hints: {} },
    });
  });

  it("a column keeps the hints for readers of the schema, and drops hints without an effect", () => {
    const hints = { description: "d", precision: 3, scale: 1, timezone: false, unique: true };
    const columns = { x: { ...hints, sort: true }, y: { precision: null, unique: false } };
    expect(planOnly({ columns }).columns).toEqual({
      x: { dataType: undefined, nullable: undefined, hints },
      y: { dataType: undefined, nullable: undefined, hints: {} },
    });
  });

  const evolve = { tables: "evolve", columns: "evolve", dataType: "evolve" };
  test.each<[schema_contract: unknown, contract: object]>([
    [undefined, evolve],
    [null, evolve],
    ["freeze", { ...evolve, columns: "freeze", dataType: "freeze" }],
    [{ tables: "freeze" }, { ...evolve, tables: "freeze" }],
    [{ columns: "discard_value" }, { ...evolve, columns: "discard_value" }],
    [
      { data_type: "discard_row", columns: null },
      { ...evolve, dataType: "discard_row" },
    ],
  ])("the schema_contract %j is planned as %j", (schema_contract, contract) => {
    expect(planOnly({ schema_contract }).contract).toEqual(contract);
  });

  it("a schema_contract in the options replaces the dict's", () => {
    const options = { resources: { tickets: { schema_contract: { columns: "freeze" } as const } } };
    expect(planOnly({ schema_contract: "discard_row" }, {}, options).contract).toEqual({
      ...evolve,
      columns: "freeze",
    });
  });
});

describe("the request", () => {
  test.each([
    [base_url, "/v1/tickets", "https://api.example.com/v1/tickets"],
    [base_url, "v1/tickets", "https://api.example.com/v1/tickets"],
    [`${base_url}/`, "/v1/tickets", "https://api.example.com/v1/tickets"],
    [`${base_url}/api/`, "v1/tickets/", "https://api.example.com/api/v1/tickets/"],
    [base_url, "", base_url],
    [base_url, "https://other.example/x?a=1", "https://other.example/x?a=1"],
  ])("base_url %s and path %j make the URL %s", (base, path, url) => {
    expect(requestPlan({ path }, { base_url: base }).url).toBe(url);
  });

  it("a parameter that the path names moves from the query into the path", () => {
    const params = { owner: "dlt-hub/dlt", n: 7, state: "open", odd: "a?b#c" };
    const planned = requestPlan({ path: "/repos/{owner}/{n}/{odd}/{{n}}", params });
    expect(planned.url).toBe("https://api.example.com/repos/dlt-hub/dlt/7/a%3Fb%23c/{n}");
    expect(planned.params).toEqual({ state: "open" });
  });

  it("a null parameter is left out, and lists, empty strings and booleans stay", () => {
    const params = { gone: null, empty: "", list: ["a", null, 2], flag: false };
    expect(requestPlan({ params }).params).toEqual({ empty: "", list: ["a", 2], flag: false });
  });

  it("an endpoint's header replaces the client's, whatever the case of their names", () => {
    const client = { headers: { Accept: "text/csv", "X-Team": "a", "x-gone": "1" } };
    const headers = { accept: "application/json", "X-Gone": null };
    expect(requestPlan({ headers }, client).headers).toEqual([
      ["accept", "application/json"],
      ["X-Team", "a"],
    ]);
  });

  test.each([
    ["raw=text", "raw=text"],
    [
      { a: 1, b: ["x", "y"], c: null, d: true },
      [
        ["a", "1"],
        ["b", "x"],
        ["b", "y"],
        ["d", "true"],
      ],
    ],
    [
      [
        ["a", "1"],
        ["a", "2"],
      ],
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
  ])("the form %j is planned as %j", (data, expected) => {
    expect(requestPlan({ method: "post", data })).toMatchObject({ method: "POST", data: expected });
  });

  it("a JSON body stays unchanged, nulls included", () => {
    expect(requestPlan({ json: { a: null, b: [1] } }).json).toEqual({ a: null, b: [1] });
  });

  it("client.timeout in seconds is planned in milliseconds", () => {
    expect(planOnly({}, { timeout: 2.5 }).timeoutMs).toBe(2500);
  });

  it("client.max_wait in seconds is planned in milliseconds for every resource", () => {
    expect(planOnly({}, { max_wait: 600 }).retry.maxWaitMs).toBe(600_000);
    expect(planOnly({}, { max_wait: null }).retry.maxWaitMs).toBe(86_400_000);
  });
});

describe("auth", () => {
  const secret = Secret.fromName;
  test.each([
    ["bearer", { type: "bearer", token: secret("token") }],
    [{ token: dlt.secrets["t"] }, { type: "bearer", token: secret("t") }],
    [
      { type: "api_key", api_key: dlt.secrets["k"] },
      { type: "api_key", name: "Authorization", apiKey: secret("k"), location: "header" },
    ],
    [
      { type: "api_key", name: "key", location: "param" },
      { type: "api_key", name: "key", apiKey: secret("api_key"), location: "query" },
    ],
    [
      "http_basic",
      { type: "http_basic", username: secret("username"), password: secret("password") },
    ],
    [
      {
        type: "oauth2",
        token_url: "https://a.example/t",
        scope: "read",
        default_token_expiration: 60,
      },
      {
        type: "oauth2_client_credentials",
        accessTokenUrl: "https://a.example/t",
        clientId: secret("client_id"),
        clientSecret: secret("client_secret"),
        clientAuthMethod: "client_secret_post",
        requestData: { scope: Secret.fromPlainText("read") },
        defaultTokenExpiration: 60,
        accessToken: undefined,
      },
    ],
  ])("the auth %j is planned with every default", (written, expected) =>
    expect(authPlan(written)).toEqual(expected));

  it("a credential in plain text becomes a secret without a name", () => {
    const planned = authPlan({ type: "bearer", token: "hunter2" });
    expect(planned).toEqual({ type: "bearer", token: Secret.fromPlainText("hunter2") });
    expect(JSON.stringify(planned)).not.toContain("hunter2");
  });

  it("the secrets of a source are the sorted names that its resources refer to", () => {
    const b = {
      type: "oauth2",
      token_url: "https://a.example/t",
      access_token_request_data: { audience: dlt.secrets["aud"] },
    };
    const resources = [
      "a",
      { name: "b", endpoint: { auth: b } },
      { name: "c", endpoint: { auth: { token: "plain" } } },
    ];
    const { secrets } = planConfig({
      client: { base_url, auth: { token: dlt.secrets["z"] } },
      resources,
    });
    expect(secrets).toEqual(["aud", "client_id", "client_secret", "z"]);
  });
});

describe("pages and retries", () => {
  test.each([
    [{}, { path: { text: "total", steps: [{ name: "total" }] }, required: false }],
    [{ total_path: "meta.n" }, expect.objectContaining({ required: true })],
    [{ total_path: "total" }, expect.objectContaining({ required: true })],
    [{ total_path: null }, undefined],
  ])("an offset paginator with %j has the total %j", (more, total) => {
    const endpoint = { paginator: { ...paginator, ...more } };
    expect(planOnly({ endpoint }).paginator).toMatchObject({ type: "offset", total });
  });

  it("error_handler replaces the defaults that it names", () => {
    const error_handler = { retry_on_status_codes: [429, 408], max_retries: 0 };
    expect(planOnly({ endpoint: { error_handler } }).retry).toMatchObject({
      statuses: new Set([429, 408]),
      maxRetries: 0,
      backoffFactor: 2,
    });
  });
});

test.each([
  [undefined, undefined],
  [
    "rate(1 hour)",
    { expression: "rate(1 hour)", timezone: undefined, enabled: true, longestGapMs: 3_600_000 },
  ],
  [
    { expression: "cron(0 6 ? * * *)", timezone: "Europe/Berlin", enabled: false },
    {
      expression: "cron(0 6 ? * * *)",
      timezone: "Europe/Berlin",
      enabled: false,
      longestGapMs: 24 * 3_600_000,
    },
  ],
])("the schedule %j is planned as %j", (schedule, expected) => {
  const options = schedule === undefined ? {} : { schedule };
  const planned = planConfig({ client: { base_url }, resources: [] }, options);
  expect(planned.schedule).toEqual(expected);
  expect(planned.fullRefreshSchedule).toBeUndefined();
});

it("full_refresh_schedule is planned beside the schedule", () => {
  const options = { full_refresh_schedule: "rate(7 days)" };
  expect(planConfig({ client: { base_url }, resources: [] }, options).fullRefreshSchedule).toEqual({
    expression: "rate(7 days)",
    timezone: undefined,
    enabled: true,
    longestGapMs: 7 * 24 * 3_600_000,
  });
});

test.each([
  ["https://api.example.com/v2", true],
  ["http://127.0.0.1:4010", true],
  ["https://api.acme.io", false],
])("isExample of a source at %s is %j", (base_url, isExample) =>
  expect(planConfig({ client: { base_url }, resources: [] }).isExample).toBe(isExample));

describe("AWS resources", () => {
  const planOptions = (options: SourceOptions) =>
    planConfig({ client: { base_url }, resources: [] }, options);
  const storagePlan = (options: SourceOptions, resource: object = {}) =>
    planOnly(resource, {}, options).storage;

  it("a worker has 512 MB and no other setting by default", () => {
    expect(planOptions({}).function).toEqual({
      memoryMb: 512,
      reservedConcurrency: undefined,
      vpc: undefined,
      sdkWrites: false,
    });
  });

  it("a worker has the settings of its source", () => {
    const vpc = { subnets: ["subnet-0a1b2c3d"], security_groups: ["sg-0a1b2c3d"] };
    const options = { function: { memory: 1024, reserved_concurrency: 2, vpc, sdk_writes: true } };
    expect(planOptions(options).function).toEqual({
      memoryMb: 1024,
      reservedConcurrency: 2,
      vpc: { subnets: ["subnet-0a1b2c3d"], securityGroups: ["sg-0a1b2c3d"] },
      sdkWrites: true,
    });
  });

  it("a table has the options of its source, and a resource's options replace single ones", () => {
    const shared = {
      ttl: "expires_at",
      stream: "keys-only",
      indexes: { by_status: { hash: "status" } },
    } as const;
    const resourceTable = { stream: "new-image", kms_key: "arn", max_write_units: 100 } as const;
    expect(
      storagePlan({ table: shared, resources: { tickets: { table: resourceTable } } }),
    ).toEqual({
      ttl: "expires_at",
      stream: "new-image",
      indexes: [
        {
          name: "by_status",
          hash: { name: "status", type: "S" },
          range: undefined,
          projection: "all",
        },
      ],
      kmsKey: "arn",
      maxWriteUnits: 100,
    });
    expect(
      storagePlan({ table: shared, resources: { other: { table: resourceTable } } }).stream,
    ).toBe("keys-only");
  });

  it("a resource's indexes replace the source's as a whole", () => {
    const options = {
      table: { indexes: { by_status: { hash: "status" } } },
      resources: { tickets: { table: { indexes: { by_owner: { hash: "owner" } } } } },
    };
    expect(storagePlan(options).indexes.map(({ name }) => name)).toEqual(["by_owner"]);
  });

  test.each([
    [undefined, "S"],
    ["text", "S"],
    ["timestamp", "S"],
    ["bigint", "N"],
    ["decimal", "N"],
    ["double", "N"],
    ["binary", "B"],
  ])("an index key that is declared %s has the type %s, like a table's key", (data_type, type) => {
    const columns = data_type ? { at: { data_type } } : {};
    const options: SourceOptions = {
      table: { indexes: { by_at: { hash: "at", range: "at2", projection: ["a", "b"] } } },
    };
    const [index] = storagePlan(options, { columns }).indexes;
    expect(index?.hash).toEqual({ name: "at", type });
    expect(index?.range).toEqual({ name: "at2", type: "S" });
    expect(index?.projection).toEqual(["a", "b"]);
    expect(planOnly({ primary_key: "at", columns }).key.hash).toEqual({ name: "at", type });
  });
});

describe("an incremental", () => {
  const start = "{incremental.start_value}";
  const block = { cursor_path: "updated_at", initial_value: "2024-01-01" };
  const incrementalPlan = (endpoint: object, members: object = {}) =>
    planOnly({ primary_key: "id", endpoint, ...members }).incremental;
  const paramsPlan = (endpoint: object) => requestPlan({ incremental: block, ...endpoint }).params;
  const startValue = { of: "incremental", name: "start_value" };

  it("an incremental is planned from its block in the endpoint", () => {
    const endpoint = { incremental: { ...block, start_param: "since", lag: 60 } };
    expect(incrementalPlan(endpoint)).toEqual({
      path: { text: "updated_at", steps: [{ name: "updated_at" }] },
      initialValue: "2024-01-01",
      relativeStart: undefined,
      endValue: undefined,
      step: undefined,
      lag: 60,
      furthest: "max",
      rowOrder: undefined,
      onMissing: "raise",
      rangeStart: "closed",
      rangeEnd: "open",
      perParent: false,
      convert: undefined,
      isTimestamp: false,
    });
    expect(requestPlan(endpoint).params).toEqual({ since: { parts: [startValue] } });
  });

  it("an incremental among params has the same plan as a block", () => {
    expect(
      incrementalPlan({ params: { since: { type: "incremental", ...block, lag: 60 } } }),
    ).toEqual(incrementalPlan({ incremental: { ...block, start_param: "since", lag: 60 } }));
  });

  it("an incremental has no initial value and no lag by default, and with nulls", () => {
    const minimal = { cursor_path: "at" };
    const nulls = { ...minimal, initial_value: null, lag: null, start_param: null };
    const expected = { initialValue: undefined, lag: 0 };
    expect(incrementalPlan({ incremental: minimal })).toMatchObject(expected);
    expect(incrementalPlan({ incremental: nulls })).toMatchObject(expected);
  });

  test.each([
    [start, [startValue]],
    [`gte:${start}`, ["gte:", startValue]],
    [`[${start} TO *]`, ["[", startValue, " TO *]"]],
    [`${start},${start}`, [startValue, ",", startValue]],
    [`{{"gt":"${start}"}}`, ['{"gt":"', startValue, '"}']],
    [`{"gt":"${start}"}`, ['{"gt":"', startValue, '"}']],
    [`{{${start}}}`, ["{", startValue, "}"]],
  ])("the parameter %s becomes strings with the start value between them", (q, parts) => {
    expect(paramsPlan({ params: { q, state: "open" } })).toEqual({ q: { parts }, state: "open" });
  });

  it("escaped braces stay braces", () => {
    expect(paramsPlan({ params: { q: `{${start}}` } })).toEqual({ q: start });
  });

  test.each([
    ["{{x}}", "{x}"],
    ["a {{x}} b", "a {x} b"],
    ["{{", "{"],
    ["a}}b", "a}b"],
    ["{{}}", "{}"],
    ['{{"gt":{{"a":1}}}}', '{"gt":{"a":1}}'],
    ["{x}", "{x}"],
    ['{"a":{"b":1}}', '{"a":{"b":1}}'],
    ['{"a":{}}', '{"a":{}}'],
    ["{viewer{friends{id}}}", "{viewer{friends{id}}}"],
    ["query { viewer { id } }", "query { viewer { id } }"],
    ["query {{ viewer {{ id }} }}", "query { viewer { id } }"],
  ])("doubled braces are an escape where every brace is doubled or belongs to a name: %s", (written, sent) => {
    expect(paramsPlan({ params: { q: written } })).toEqual({ q: sent });
    const { json, headers, data } = requestPlan({
      json: { q: [written] },
      headers: { q: written },
    });
    expect(json).toEqual({ q: [sent] });
    expect(headers).toEqual([["q", sent]]);
    expect(data).toBeUndefined();
    expect(requestPlan({ data: { q: written } }).data).toEqual([["q", sent]]);
  });

  it("a reference is filled in among braces that stand alone, and these stay as they are", () => {
    expect(paramsPlan({ params: { q: `{user(since:${start}){friends{id}}}` } })).toEqual({
      q: { parts: ["{user(since:", startValue, "){friends{id}}}"] },
    });
  });

  it("an incremental's plan says whether its column is declared a timestamp", () => {
    const columns = { "a.b": { data_type: "timestamp" }, at: { data_type: "timestamp" } };
    const isTimestamp = (cursor_path: string) =>
      incrementalPlan({ incremental: { cursor_path } }, { columns })?.isTimestamp;
    expect(["at", "$.at", "['a.b']"].map(isTimestamp)).toEqual([true, true, true]);
    expect(["other", "a.b", "at[0]"].map(isTimestamp)).toEqual([false, false, false]);
  });

  it("a resource's incremental replaces the one in resource_defaults as a whole", () => {
    const resource_defaults = { endpoint: { incremental: { ...block, lag: 60 } } };
    const resources = [
      "a",
      { name: "b", endpoint: { incremental: { cursor_path: "at" } } },
      { name: "c", endpoint: { incremental: null } },
    ];
    const planned = planConfig({ client: { base_url }, resource_defaults, resources }).resources;
    expect(
      planned.map(({ incremental }) => incremental && [incremental.path.text, incremental.lag]),
    ).toEqual([["updated_at", 60], ["at", 0], undefined]);
  });
});

describe("how rows are written", () => {
  const columns = { at: { data_type: "timestamp" }, version: { data_type: "bigint" } };
  test.each([
    ["at", { kind: "ordered", versionField: "at", type: "S" }],
    ["version", { kind: "ordered", versionField: "version", type: "N" }],
  ])("rows are written in order by the version_field %s", (version_field, expected) => {
    const resource = { primary_key: "id", columns, write_mode: "ordered", version_field };
    expect(planOnly(resource).writeMode).toEqual(expected);
  });

  it("allow_shrink and write_mode in the options replace the dict's", () => {
    const options: SourceOptions = {
      resources: { tickets: { allow_shrink: true, write_mode: "batch" } },
    };
    const resource = { primary_key: "id", columns, write_mode: "ordered", version_field: "at" };
    const { writeMode, allowShrink } = planOnly(resource, {}, options);
    expect({ writeMode, allowShrink }).toEqual({ writeMode: { kind: "batch" }, allowShrink: true });
  });
});

describe("the plan's hash (P6)", () => {
  const hashOf = (resource: object, client: object = {}) => planOnly(resource, client).hash;

  it("the same config has the same hash, however it is spelled and ordered", () => {
    const first = hashOf(
      { primary_key: "id", endpoint: { params: { a: 1, b: 2 } } },
      { auth: "bearer" },
    );
    const second = hashOf(
      { endpoint: { params: { b: 2, a: 1 }, method: "get" }, primary_key: ["id"] },
      { auth: { type: "bearer", token: dlt.secrets["token"] } },
    );
    expect(second).toBe(first);
    expect(first).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    [{ endpoint: { path: "/other" } }, {}],
    [{ endpoint: { params: { a: 1 } } }, {}],
    [{ endpoint: { error_handler: { retry_on_status_codes: [429] } } }, {}],
    [{ columns: { a: { data_type: "text" } } }, {}],
    [{ endpoint: { incremental: { cursor_path: "at" } } }, {}],
    [{ write_disposition: "replace" }, {}],
    [{ allow_shrink: true }, {}],
    [{}, { auth: "bearer" }],
  ])("the hash changes with the resource %j and the client %j", (resource, client) => {
    expect(hashOf(resource, client)).not.toBe(hashOf({}));
  });

  it("the hash changes with what an incremental means, and not with its range or a schedule", () => {
    const incremental = { cursor_path: "at", initial_value: 1, lag: 1, start_param: "since" };
    const hashWith = (change: object) =>
      hashOf({ endpoint: { incremental: { ...incremental, ...change } } });
    const changes = [{}, { cursor_path: "b" }, { lag: 2 }, { start_param: "from" }];
    expect(new Set(changes.map(hashWith)).size).toBe(changes.length);
    expect(hashWith({ initial_value: 2 })).toBe(hashWith({}));
    expect(hashWith({ end_value: 9 })).toBe(hashWith({ end_value: 8 }));
    const options = { schedule: "rate(1 day)", full_refresh_schedule: "rate(7 days)" };
    expect(planOnly({}, {}, options).hash).toBe(hashOf({}));
  });

  it("the hash does not change with settings of AWS, so a run continues after such a change", () => {
    const options: SourceOptions = {
      function: { memory: 1024, reserved_concurrency: 2 },
      table: { ttl: "expires_at", stream: "keys-only" },
      resources: { tickets: { table: { indexes: { by_at: { hash: "at" } }, max_write_units: 1 } } },
    };
    expect(planOnly({}, {}, options).hash).toBe(hashOf({}));
  });

  it("the hash changes with a secret's name, and not with a credential in plain text", () => {
    const hashWithToken = (token: unknown) => hashOf({}, { auth: { token } });
    expect(hashWithToken(dlt.secrets["a"])).not.toBe(hashWithToken(dlt.secrets["b"]));
    expect(hashWithToken("a")).toBe(hashWithToken("b"));
  });
});
