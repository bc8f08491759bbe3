import { readFileSync } from "node:fs";
import { dlt, rest_api_source, type SourceConfig, type SourceOptions } from "@tidetable/core";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

const endpoint = {
  path: "/v1/tickets",
  data_selector: "data",
  paginator: { type: "offset", limit: 100 },
};
const client = { base_url: "https://api.example.com" };
const tickets = { name: "tickets", primary_key: "id", endpoint };

const problemsOf = (config: unknown, options: unknown = {}, name = "ticketing") =>
  validate(rest_api_source(config as SourceConfig, options as SourceOptions), name);
const endpointProblems = (members: object) =>
  problemsOf({ client, resources: [{ ...tickets, endpoint: { ...endpoint, ...members } }] });
const resourceProblems = (members: object) =>
  problemsOf({ client, resources: [{ ...tickets, ...members }] });
const clientProblems = (members: object) =>
  problemsOf({ client: { ...client, ...members }, resources: [tickets] });
const incremental = { cursor_path: "at" };
const ordered = {
  write_mode: "ordered",
  version_field: "at",
  columns: { at: { data_type: "timestamp" } },
};
const paginatorProblems = (paginator: unknown) => endpointProblems({ paginator });

it("a valid config has no problems", () => {
  expect(problemsOf({ client, resources: [tickets] })).toEqual([]);
});

describe("a typo", () => {
  test.each([
    [
      "resources[0].endpoint.data_selecter",
      endpointProblems({ data_selecter: "x" }),
      "data_selector",
    ],
    ["resources[0].primary_kye", resourceProblems({ primary_kye: "id" }), "primary_key"],
    ["client.base_ulr", clientProblems({ base_ulr: "x" }), "base_url"],
    ["client.auth.tokn", clientProblems({ auth: { type: "bearer", tokn: "x" } }), "token"],
    [
      "resources[0].endpoint.paginator.limt",
      paginatorProblems({ ...endpoint.paginator, limt: 1 }),
      "limit",
    ],
    [
      "resources[0].columns.id.data_typ",
      resourceProblems({ columns: { id: { data_typ: "text" } } }),
      "data_type",
    ],
    [
      "resources[0].schema_contract.colums",
      resourceProblems({ schema_contract: { colums: "freeze" } }),
      "columns",
    ],
    [
      "options.resources.tickets.schema_contract.data_typ",
      problemsOf(
        { client, resources: [tickets] },
        { resources: { tickets: { schema_contract: { data_typ: "freeze" } } } },
      ),
      "data_type",
    ],
    [
      "resources[0].columns[0].nulable",
      resourceProblems({ columns: [{ name: "id", nulable: true }] }),
      "nullable",
    ],
    [
      "resource_default",
      problemsOf({ client, resource_default: {}, resources: [tickets] }),
      "resource_defaults",
    ],
  ])("an unknown key is reported at %s, with the nearest right key as a hint", (path, problems, meant) => {
    const key = path.split(".").at(-1);
    expect(problems).toEqual([
      { path, message: `unknown key "${key}"`, hint: `did you mean ${meant}?` },
    ]);
  });

  it("a typo hides the problem of the required key that it leaves missing", () => {
    const { data_selector, ...otherKeys } = endpoint;
    const typo = { ...tickets, endpoint: { ...otherKeys, data_selecter: data_selector } };
    expect(problemsOf({ client: { base_ulr: client.base_url }, resources: [typo] })).toEqual([
      expect.objectContaining({ path: "client.base_ulr" }),
      expect.objectContaining({ path: "resources[0].endpoint.data_selecter" }),
    ]);
  });

  it("an unknown key that resembles no right key gets the list of right keys as a hint", () => {
    expect(problemsOf({ client, resources: [tickets] }, { when: "daily" })).toEqual([
      {
        path: "options.when",
        message: 'unknown key "when"',
        hint: "known here: schedule, full_refresh_schedule, function, table, resources",
      },
    ]);
  });

  test.each([
    ["resources[0].endpoint.paginator.type", paginatorProblems({ type: "ofset" }), "offset"],
    ["resources[0].endpoint.paginator", paginatorProblems("single_pag"), "single_page"],
    ["client.auth.type", clientProblems({ auth: { type: "api_kye" } }), "api_key"],
    ["client.auth", clientProblems({ auth: "beaer" }), "bearer"],
    [
      "client.auth.location",
      clientProblems({ auth: { type: "api_key", location: "qery" } }),
      "query",
    ],
    ["resources[0].write_disposition", resourceProblems({ write_disposition: "merg" }), "merge"],
    [
      "resources[0].columns.x.data_type",
      resourceProblems({ columns: { x: { data_type: "txt" } } }),
      "text",
    ],
    [
      "resources[0].columns[0].data_type",
      resourceProblems({ columns: [{ name: "x", data_type: "integer" }] }),
      "bigint",
    ],
    [
      "options.resources.tickets.columns.x.data_type",
      problemsOf(
        { client, resources: [tickets] },
        { resources: { tickets: { columns: { x: { data_type: "datetime" } } } } },
      ),
      "timestamp",
    ],
    ["resources[0].schema_contract", resourceProblems({ schema_contract: "freez" }), "freeze"],
    [
      "resources[0].schema_contract.columns",
      resourceProblems({ schema_contract: { columns: "discard_rows" } }),
      "discard_row",
    ],
    [
      "resource_defaults.schema_contract.data_type",
      problemsOf({
        client,
        resource_defaults: { schema_contract: { data_type: "evolv" } },
        resources: [tickets],
      }),
      "evolve",
    ],
    [
      "options.resources.tickets.schema_contract",
      problemsOf(
        { client, resources: [tickets] },
        { resources: { tickets: { schema_contract: "discard_valu" } } },
      ),
      "discard_value",
    ],
  ])("a misspelled value is reported at %s, with the nearest right value as a hint", (path, problems, meant) => {
    expect(problems).toEqual([
      {
        path,
        message: expect.stringMatching(
          new RegExp(
            `^"${path.split(".").at(-1)?.replace(/[[\]]/g, "\\$&")}" has to be one of: .*${meant}`,
          ),
        ),
        hint: `did you mean ${meant}?`,
      },
    ]);
  });
});

describe("a wrong value", () => {
  test.each([
    ["client", problemsOf({ resources: [tickets] }), '"client" is missing'],
    ["resources", problemsOf({ client }), '"resources" is missing'],
    ["resources", problemsOf({ client, resources: [] }), "at least one resource"],
    ["resources[0]", problemsOf({ client, resources: [5] }), "has to be an object"],
    ["client.base_url", problemsOf({ client: {}, resources: [tickets] }), '"base_url" is missing'],
    ["client.base_url", clientProblems({ base_url: "api.example.com" }), "http or https URL"],
    ["client.base_url", clientProblems({ base_url: "ftp://api.example.com" }), "http or https URL"],
    [
      "client.base_url",
      clientProblems({ base_url: "https://u:p@api.example.com" }),
      "without a user name",
    ],
    ["client.base_url", clientProblems({ base_url: "https://api.example.com?k=1" }), "query"],
    ["client.timeout", clientProblems({ timeout: 0 }), "above 0"],
    ["client.max_wait", clientProblems({ max_wait: 0 }), "above 0"],
    ["client.max_wait", clientProblems({ max_wait: 604_801 }), "at most 604800"],
    ["client.max_wait", clientProblems({ max_wait: "1 day" }), "a number"],
    ["client.auth.token", clientProblems({ auth: { token: "" } }), "a secret"],
    [
      "client.auth.token_url",
      clientProblems({ auth: { type: "oauth2", token_url: "x" } }),
      '"token_url" has to be an http',
    ],
    [
      "resources[0].endpoint.path",
      endpointProblems({ path: "ftp://elsewhere/x" }),
      "has to be a path",
    ],
    ["resources[0].endpoint.method", endpointProblems({ method: "PUT" }), "one of: GET, POST"],
    [
      "resources[0].endpoint.params.a",
      endpointProblems({ params: { a: {}.toString } }),
      "a string, a number",
    ],
    [
      'resources[0].endpoint.headers["a b"]',
      endpointProblems({ headers: { "a b": "x" } }),
      "name of a header",
    ],
    [
      "resources[0].endpoint.headers.a",
      endpointProblems({ headers: { a: "x\ny" } }),
      "in one line",
    ],
    ["resources[0].endpoint.paginator.limit", paginatorProblems("offset"), '"limit" is missing'],
    [
      "resources[0].endpoint.paginator.limit",
      paginatorProblems({ type: "offset", limit: 0 }),
      "at least 1",
    ],
    [
      "resources[0].endpoint.paginator.limit",
      paginatorProblems({ type: "offset", limit: "9" }),
      "a number",
    ],
    [
      "resources[0].endpoint.error_handler.max_retries",
      endpointProblems({ error_handler: { max_retries: -1 } }),
      "below 0",
    ],
    [
      "resources[0].endpoint.error_handler.retry_on_status_codes[0]",
      endpointProblems({ error_handler: { retry_on_status_codes: [200] } }),
      "from 400 to 599",
    ],
    [
      "resources[0].endpoint.incremental.cursor_path",
      endpointProblems({ incremental: { start_param: "since" } }),
      '"cursor_path" is missing',
    ],
    [
      "resources[0].endpoint.incremental.cursor_path",
      endpointProblems({ incremental: { cursor_path: "a..b" } }),
      "not a path",
    ],
    [
      "resources[0].endpoint.incremental.initial_value",
      endpointProblems({ incremental: { cursor_path: "at", initial_value: true } }),
      "a string or a number",
    ],
    [
      "resources[0].endpoint.incremental.lag",
      endpointProblems({ incremental: { cursor_path: "at", lag: -1 } }),
      "below 0",
    ],
    ["resources[0].allow_shrink", resourceProblems({ allow_shrink: 1 }), "true or false"],
    ["resources[0].write_mode", resourceProblems({ write_mode: "monotonic" }), "batch, ordered"],
    [
      "options.full_refresh_schedule",
      problemsOf({ client, resources: [tickets] }, { full_refresh_schedule: "weekly" }),
      "not a schedule",
    ],
    [
      "resources[0].primary_key",
      resourceProblems({ primary_key: 5 }),
      "a string or a list of strings",
    ],
    ["resources[0].name", resourceProblems({ name: "My-Tickets" }), "a-z, digits and _"],
    ["name", problemsOf({ client, resources: [tickets] }, {}, "My source"), "a-z, digits and _"],
    [
      "options.schedule",
      problemsOf({ client, resources: [tickets] }, { schedule: "hourly" }),
      "not a schedule",
    ],
    [
      "options.schedule",
      problemsOf({ client, resources: [tickets] }, { schedule: "cron(0 6 * * *)" }),
      "six fields",
    ],
    [
      "options.schedule.timezone",
      problemsOf(
        { client, resources: [tickets] },
        { schedule: { expression: "rate(1 day)", timezone: "Mars" } },
      ),
      "time zone",
    ],
  ])("a wrong value at %s gets a message with the right kind of value: case %#", (path, problems, words) => {
    expect(problems).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("a schedule that EventBridge would refuse gets a valid schedule as a hint", () => {
    const schedule = { expression: "rate(1 hours)" };
    expect(problemsOf({ client, resources: [tickets] }, { schedule })).toEqual([
      {
        path: "options.schedule.expression",
        message: expect.stringMatching(/^"expression" is not a rate: /),
        hint: 'write "rate(1 hour)"',
      },
    ]);
    const full_refresh_schedule = "cron(0 6 * * MON *)";
    expect(problemsOf({ client, resources: [tickets] }, { full_refresh_schedule })).toEqual([
      {
        path: "options.full_refresh_schedule",
        message: expect.stringMatching(/^"full_refresh_schedule" is not a cron expression /),
        hint: expect.stringContaining('"cron(0 6 ? * MON-FRI *)"'),
      },
    ]);
  });

  it("an unsupported JSONPath is reported with its position, and the hint lists the supported forms", () => {
    expect(endpointProblems({ data_selector: "data[?(@.a)]" })).toEqual([
      {
        path: "resources[0].endpoint.data_selector",
        message:
          '"data_selector" is not a path that tidetable reads: it did not expect "?" at position 6',
        hint: "a path is made of names (data.items), ['any name'], [0], [-1], [*] and [?(@.name=='value')]",
      },
    ]);
  });

  test.each([
    "rate(5 minutes)",
    "cron(0 6 ? * MON-FRI *)",
    { expression: "rate(1 day)", timezone: "Europe/Berlin" },
  ])("the schedule %j is valid", (schedule) => {
    const options = { schedule, full_refresh_schedule: schedule };
    expect(problemsOf({ client, resources: [tickets] }, options)).toEqual([]);
  });

  test.each([
    "text",
    "timestamp",
    "date",
    "bigint",
    "decimal",
    "double",
  ])("a version_field of the type %s has no problems", (data_type) =>
    expect(resourceProblems({ ...ordered, columns: { at: { data_type } } })).toEqual([]));

  it("allow_shrink and write_mode are valid in a resource, in resource_defaults and in the options", () => {
    const extensions = { allow_shrink: true, ...ordered };
    const resources = [tickets];
    expect(resourceProblems(extensions)).toEqual([]);
    expect(problemsOf({ client, resource_defaults: extensions, resources })).toEqual([]);
    expect(problemsOf({ client, resources }, { resources: { tickets: extensions } })).toEqual([]);
  });
});

describe("contradictions", () => {
  test.each([
    [
      "resources[1].name",
      problemsOf({ client, resources: [tickets, tickets] }),
      "resources[0] has this name",
    ],
    [
      "resources[1].table_name",
      problemsOf({
        client,
        resources: [tickets, { ...tickets, name: "b", table_name: "tickets" }],
      }),
      "resources[0] writes to this table",
    ],
    [
      "resources[0].write_disposition",
      resourceProblems({ primary_key: null, write_disposition: "merge" }),
      "merge needs a primary_key",
    ],
    ["resources[0].primary_key", resourceProblems({ primary_key: ["id", "id"] }), "twice"],
    ["resources[0].endpoint.data", endpointProblems({ json: {}, data: "x" }), "one body"],
    ["resources[0].endpoint.path", endpointProblems({ path: "/{user}/x" }), "names {user}"],
    [
      "resources[0].endpoint.paginator",
      paginatorProblems({
        type: "offset",
        limit: 1,
        stop_after_empty_page: false,
        total_path: null,
      }),
      "nothing ends",
    ],
    [
      "resources[0].endpoint.paginator",
      paginatorProblems({ type: "page_number", stop_after_empty_page: false, total_path: null }),
      "nothing ends",
    ],
    [
      "resources[0].endpoint.paginator.offset_body_path",
      paginatorProblems({ ...endpoint.paginator, offset_param: "o", offset_body_path: "o" }),
      'as "offset_param" and in the body',
    ],
    [
      "resources[0].endpoint.paginator.page_body_path",
      endpointProblems({ paginator: { type: "page_number", page_body_path: "p" }, data: "x" }),
      "needs a JSON one",
    ],
    [
      "resources[0].endpoint.paginator.overlap",
      paginatorProblems({ ...endpoint.paginator, overlap: 100 }),
      "smaller than the limit",
    ],
    [
      "resources[0].endpoint.params.since",
      endpointProblems({ incremental, params: { since: { type: "incremental", ...incremental } } }),
      "has an incremental already",
    ],
    [
      "resources[0].endpoint.params.b",
      endpointProblems({
        params: {
          a: { type: "incremental", ...incremental },
          b: { type: "incremental", ...incremental },
        },
      }),
      "has an incremental already",
    ],
    [
      "resources[0].endpoint.params.since",
      endpointProblems({ params: { since: "gte:{incremental.start_value}" } }),
      "the endpoint has none",
    ],
    [
      "resources[0].write_mode",
      resourceProblems({ ...ordered, write_disposition: "append" }),
      "merged by a primary_key",
    ],
    ["resources[0].write_mode", resourceProblems({ ...ordered, primary_key: [] }), "merged"],
    [
      "resources[0].write_mode",
      resourceProblems({ ...ordered, version_field: null }),
      "version_field",
    ],
    [
      "resources[0].version_field",
      resourceProblems({ ...ordered, write_mode: "batch" }),
      "in order",
    ],
    ["resources[0].version_field", resourceProblems({ ...ordered, columns: null }), "no data_type"],
    [
      "options.resources.tickets.version_field",
      problemsOf(
        { client, resources: [{ ...tickets, columns: { flag: { data_type: "bool" } } }] },
        { resources: { tickets: { write_mode: "ordered", version_field: "flag" } } },
      ),
      "no data_type",
    ],
    [
      "resources[0].columns.id.data_type",
      resourceProblems({ columns: { id: { data_type: "json" } } }),
      '"id" is part of the primary_key',
    ],
    [
      "options.resources.tickets.columns.id.nullable",
      problemsOf(
        { client, resources: [tickets] },
        { resources: { tickets: { columns: { id: { nullable: true } } } } },
      ),
      '"id" is part of the primary_key and cannot be null',
    ],
    [
      "options.resources.ticket",
      problemsOf({ client, resources: [tickets] }, { resources: { ticket: {} } }),
      'no resource "ticket"',
    ],
  ])("parts that contradict each other are reported at %s: case %#", (path, problems, words) => {
    expect(problems).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("a problem in resource_defaults is reported once, at resource_defaults", () => {
    const { primary_key, ...keyless } = tickets;
    const resource_defaults = { write_disposition: "merge" };
    const resources = [keyless, { ...keyless, name: "b" }];
    expect(problemsOf({ client, resource_defaults, resources })).toEqual([
      expect.objectContaining({ path: "resource_defaults.write_disposition" }),
    ]);
  });
});

it("validation reports all problems of a config at once", () => {
  const config = {
    client: { base_url: "nowhere", auth: { type: "bearer", tokn: 1 } },
    resources: [
      { ...tickets, endpoint: { ...endpoint, data_selector: "a..b", json: {}, data: "" } },
      { ...tickets, write_disposition: "merge", primary_key: [] },
    ],
  };
  expect(
    problemsOf(config)
      .map(({ path }) => path)
      .sort(),
  ).toEqual([
    "client.auth.tokn",
    "client.base_url",
    "resources[0].endpoint.data",
    "resources[0].endpoint.data_selector",
    "resources[1].name",
    "resources[1].write_disposition",
  ]);
});

describe("values of the config in messages (P15)", () => {
  const pasted = "sk-live-hunter2";
  test.each([
    { client: { base_url: pasted }, resources: [tickets] },
    { client: { base_url: `https://${pasted}@api.example.com` }, resources: [tickets] },
    { client: { ...client, auth: pasted }, resources: [tickets] },
    { client: { ...client, auth: { type: pasted } }, resources: [tickets] },
    { client: { ...client, auth: { type: "api_key", location: pasted } }, resources: [tickets] },
    { client: { ...client, auth: { type: "oauth2", token_url: pasted } }, resources: [tickets] },
    { client: { ...client, headers: { authorization: `${pasted}\n` } }, resources: [tickets] },
    { client, resources: [{ ...tickets, name: pasted }] },
    {
      client,
      resources: [{ ...tickets, endpoint: { ...endpoint, data_selector: `${pasted}..` } }],
    },
    { client, resources: [{ ...tickets, endpoint: { ...endpoint, method: pasted } }] },
    { client, resources: pasted },
    pasted,
  ])("no problem repeats a value of the config: case %#", (config) => {
    const problems = problemsOf(config);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });
});

test.each([
  undefined,
  null,
  5,
  "x",
  [],
  {},
  { client: [], resources: {} },
  { client, resources: [null] },
])("the config %j gets problems instead of an exception", (config) =>
  expect(problemsOf(config).length).toBeGreaterThan(0));

it("no message comes from zod, whichever wrong value stands wherever", () => {
  const full = {
    client: {
      ...client,
      headers: {},
      auth: { type: "oauth2" },
      error_handler: {},
      timeout: 1,
      max_wait: 604_800,
    },
    resource_defaults: {
      columns: { a: { data_type: "text" } },
      schema_contract: { columns: "evolve" },
    },
    resources: [
      {
        ...tickets,
        table_name: "t",
        write_disposition: { disposition: "merge", strategy: "upsert" },
        columns: [{ name: "id", nullable: false }],
        processing_steps: [{ filter: () => true }],
        endpoint: {
          ...endpoint,
          params: { a: 1, b: { type: "resolve", resource: "a", field: "id" } },
          headers: { a: "b" },
          json: {},
          data: [["a", "b"]],
          response_actions: [{ status_code: 404, action: "ignore" }],
          incremental: { cursor_path: "at", last_value_func: "max", row_order: "asc" },
          error_handler: { retry_on_status_codes: [429], max_retries: 1 },
        },
      },
    ],
  };
  const wrongValues = [
    5,
    "",
    "two words",
    [],
    [5],
    {},
    { x: 5 },
    true,
    Number.NaN,
    () => 1,
    Symbol("s"),
  ];
  const withWrongValues = (value: unknown): unknown[] => {
    if (typeof value !== "object" || value === null) return wrongValues;
    const deeper = Object.entries(value).flatMap(([key, member]) =>
      withWrongValues(member).map((variant) =>
        Array.isArray(value) ? value.with(Number(key), variant) : { ...value, [key]: variant },
      ),
    );
    return [...wrongValues, ...deeper];
  };
  const problems = withWrongValues(full).flatMap((config) => problemsOf(config));
  expect(problems.length).toBeGreaterThan(1000);
  expect(
    problems.filter(({ message }) => /invalid|expected|too (small|big)/i.test(message)),
  ).toEqual([]);
  expect(
    problems.filter(({ hint }) => /invalid|expected|too (small|big)/i.test(hint ?? "")),
  ).toEqual([]);
});

it("a credential may be left out, a secret or a string", () => {
  for (const api_key of [undefined, dlt.secrets["api_key"], "plain"]) {
    expect(clientProblems({ auth: { type: "api_key", api_key } })).toEqual([]);
  }
  expect(clientProblems({ auth: { type: "http_basic", username: "u", password: "" } })).toEqual([]);
});

it("the public entry of core does not import zod", () => {
  const index = readFileSync(new URL("../../packages/core/src/index.ts", import.meta.url), "utf8");
  expect(index).not.toMatch(/check\/schema|validate/);
});

describe("a parent and its child", () => {
  const client = { base_url: "https://api.example.com" };
  const ends = { data_selector: "data", paginator: "single_page" as const };
  const child = (endpoint: object, members: object = {}) => ({
    name: "posts",
    primary_key: "id",
    endpoint: { path: "users/{resources.users.id}/posts", ...ends, ...endpoint },
    ...members,
  });
  const problemTexts = (...resources: object[]) =>
    validate(
      rest_api_source({
        client,
        resources: [{ name: "users", primary_key: "id", endpoint: ends }, ...resources],
      } as SourceConfig),
      "s",
    ).map(({ path, message, hint }) => `${path}: ${message} (${hint})`);

  test.each([
    [
      "an unknown parent",
      [child({ path: "{resources.user.id}" })],
      /path: there is no resource "user".*users/,
    ],
    [
      "a reference without a field",
      [child({ path: "{resources.users}" })],
      /path: {resources.users} names no field/,
    ],
    [
      "two parents",
      [
        { name: "b", primary_key: "id", endpoint: ends },
        child({ params: { b: "{resources.b.id}" } }),
      ],
      /params\.b: "b" would be a second parent: it has "users"/,
    ],
    [
      "a resource that is its own parent",
      [child({ path: "{resources.posts.id}" })],
      /resources\[1\]\.endpoint: "posts" is a child of itself/,
    ],
    [
      "two resources that are each other's parent",
      [
        child({ path: "{resources.b.id}" }),
        { name: "b", primary_key: "id", endpoint: { path: "{resources.posts.id}", ...ends } },
      ],
      /"posts" is a child of itself, through "b"/,
    ],
    [
      "a resolve that the path does not name",
      [
        child({
          path: "posts",
          params: { id: { type: "resolve", resource: "users", field: "id" } },
        }),
      ],
      /params\.id: the path does not name {id}/,
    ],
    [
      "include_from_parent without a parent",
      [child({ path: "posts" }, { include_from_parent: ["id"] })],
      /include_from_parent: there is no parent/,
    ],
    [
      "a reference to an unknown value of the incremental",
      [
        child({
          params: { a: "{incremental.stat_value}", b: "{resources.users.id}" },
          incremental: { cursor_path: "at" },
        }),
      ],
      /{incremental.stat_value} is no value/,
    ],
  ])("validation refuses %s", (_, resources, message) => {
    expect(problemTexts(...resources).join("\n")).toMatch(message);
  });

  it("a child may name its parent's fields in path, params, headers, json and data", () => {
    const id = "{resources.users.id}";
    expect(
      problemTexts(child({ params: { a: id }, headers: { b: id }, json: { c: [id] } })),
    ).toEqual([]);
    expect(problemTexts(child({ method: "POST", data: { a: id } }))).toEqual([]);
  });
});

describe("a placeholder that nothing fills", () => {
  test.each([
    ["params.user", { params: { user: "{foo.bar.id}" } }],
    ["params.user", { params: { user: "u-{foo.bar.id}" } }],
    ["params.user[1]", { params: { user: ["a", "{foo.bar.id}"] } }],
    ["json.deep[0].user", { json: { deep: [{ user: "{foo.bar.id}" }] } }],
    ["json.query", { json: { query: "{ user(id: {foo.bar.id}) { name } }" } }],
    ["headers.x-user", { headers: { "x-user": "{foo.bar.id}" } }],
    ["data.user", { data: { user: "{foo.bar.id}" } }],
    ["data", { data: "<user>{foo.bar.id}</user>" }],
  ])("a placeholder of an unknown kind is refused at %s", (path, members) => {
    expect(endpointProblems({ method: "POST", ...members })).toEqual([
      {
        path: `resources[0].endpoint.${path}`,
        message: "nothing fills the placeholder {foo.bar.id}",
        hint: expect.stringContaining("write {{ and }}"),
      },
    ]);
  });

  it.each([
    { params: { q: "{{foo.bar.id}}" } },
    { params: { q: "{x}" } },
    { params: { q: '{"a.b":1}' } },
    { json: { query: "{ user { id name } }" } },
    { data: '{"price":{"usd":1.5}}' },
  ])("braces that are no placeholder are sent as they are: %j", (members) => {
    expect(endpointProblems({ method: "POST", ...members })).toEqual([]);
  });
});

describe("a backfill", () => {
  const problemsOf = (incremental: object) =>
    validate(
      rest_api_source({
        client: { base_url: "https://api.example.com" },
        resources: [
          {
            name: "rows",
            endpoint: {
              data_selector: "data",
              paginator: "single_page",
              incremental: { cursor_path: "at", ...incremental },
            },
          },
        ],
      }),
      "s",
    ).map(({ path, message }) => `${path}: ${message}`);

  test.each([
    [
      { end_value: 5 },
      ["resources[0].endpoint.incremental.end_value: an end_value needs an initial_value"],
    ],
    [
      { initial_value: 9, end_value: 5 },
      ["resources[0].endpoint.incremental.end_value: the end lies before the start"],
    ],
    [
      { initial_value: 1, end_value: "5" },
      [
        "resources[0].endpoint.incremental.end_value: end_value is of another type than initial_value",
      ],
    ],
    [
      { initial_value: 1, step: 5 },
      [
        "resources[0].endpoint.incremental.step: step is for a backfill, and without an end_value this is none",
      ],
    ],
    [{ initial_value: 1, end_value: 5, step: 2 }, []],
    [{ initial_value: 9, end_value: 5, last_value_func: "min" }, []],
    [{ initial_value: "9", end_value: "10" }, []],
    [
      {
        initial_value: "Wed, 31 Dec 2025 10:00:00 GMT",
        end_value: "Thu, 01 Jan 2026 10:00:00 GMT",
      },
      [],
    ],
    [
      { initial_value: "2026-01-01", end_value: 5 },
      [
        "resources[0].endpoint.incremental.end_value: end_value is of another type than initial_value",
      ],
    ],
    [
      { initial_value: "2026-01-01", end_value: "abc" },
      [
        "resources[0].endpoint.incremental.end_value: end_value is of another type than initial_value",
      ],
    ],
    [
      { initial_value: "31.12.2025" },
      [
        "resources[0].endpoint.incremental.initial_value: this is a date or time in a form that cannot be compared",
      ],
    ],
    [
      { initial_value: "2026-01-01", end_value: "yesterday" },
      [
        "resources[0].endpoint.incremental.end_value: this is a date or time in a form that cannot be compared",
      ],
    ],
  ])("the incremental %j has the problems %j", (incremental, expected) => {
    expect(problemsOf(incremental)).toEqual(expected);
  });

  it("a function as last_value_func may start at a date in any form", () => {
    const incremental = { initial_value: "31.12.2025", last_value_func: ([a]: unknown[]) => a };
    expect(problemsOf(incremental)).toEqual([]);
  });

  const never = "windows of this step would never move on";
  test.each([
    [
      "half a day, of dates",
      { initial_value: "2026-01-01", end_value: "2026-02-01", step: 0.5 },
      never,
    ],
    [
      "29 seconds, of minutes",
      { initial_value: "2026-01-01T00:00Z", end_value: "2026-02-01", step: 29 },
      never,
    ],
    [
      "half a second, of seconds",
      { initial_value: "2026-01-01T00:00:00Z", end_value: "2026-02-01", step: 0.5 },
      never,
    ],
    [
      "a second, of RFC 1123 without seconds",
      { initial_value: "31 Dec 2025 10:00", end_value: "31 Jan 2026 10:00", step: 1 },
      never,
    ],
    [
      "a quarter, of large numbers",
      { initial_value: 2 ** 52, end_value: 2 ** 52 + 30, step: 0.25 },
      never,
    ],
    ["what the end is too large for", { initial_value: 0, end_value: 2 ** 60, step: 1 }, never],
    ["half, of strings of digits", { initial_value: "1", end_value: "9", step: 0.5 }, never],
    [
      "half, of numbers that go down",
      { initial_value: 2 ** 53, end_value: 0, step: 0.5, last_value_func: "min" },
      never,
    ],
    [
      "any, of other strings",
      { initial_value: "a", end_value: "b", step: 1 },
      "step cannot be counted from strings that are no numbers, dates or times",
    ],
    [
      "hours that are sent as days",
      {
        initial_value: "2026-01-01T00:00:00Z",
        end_value: "2026-02-01",
        step: 3600,
        convert: "iso_date",
      },
      "convert makes the same value of both ends of a window",
    ],
  ])("a step that does not move on is refused before any request: %s", (_, incremental, message) => {
    expect(problemsOf(incremental)).toEqual([`resources[0].endpoint.incremental.step: ${message}`]);
  });

  test.each([
    ["a day, of dates", { initial_value: "2026-01-01", end_value: "2026-02-01", step: 1 }],
    [
      "a day and a half, of dates",
      { initial_value: "2026-01-01", end_value: "2026-02-01", step: 1.5 },
    ],
    [
      "a minute, of minutes",
      { initial_value: "2026-01-01T00:00Z", end_value: "2026-02-01", step: 60 },
    ],
    [
      "a fraction, of fractions",
      { initial_value: "2026-01-01T00:00:00.0Z", end_value: "2026-01-01T00:00:09Z", step: 0.5 },
    ],
    ["a tenth, of numbers", { initial_value: 0.1, end_value: 0.9, step: 0.1 }],
    [
      "a unit, of strings beyond 2^53",
      { initial_value: "9007199254740993", end_value: "9007199254740999", step: 1 },
    ],
    [
      "days that are sent as days",
      {
        initial_value: "2026-01-01T00:00:00Z",
        end_value: "2026-02-01",
        step: 86400,
        convert: "iso_date",
      },
    ],
  ])("a step that moves on is accepted: %s", (_, incremental) => {
    expect(problemsOf(incremental)).toEqual([]);
  });
});

describe("an object whose toString is no function", () => {
  const unprintable = { toString: 1, valueOf: 1 };
  test.each([
    [
      "client.auth.type",
      { client: { base_url: "https://a.example", auth: { type: unprintable } } },
    ],
    ["resources[0].name", { resources: [{ name: unprintable }] }],
    ["resources[0].columns.a.data_type", resources({ columns: { a: { data_type: unprintable } } })],
    ["resources[0].endpoint.method", resources({ endpoint: { method: unprintable } })],
    [
      "resources[0].endpoint.paginator.type",
      resources({ endpoint: { paginator: { type: unprintable } } }),
    ],
    [
      "resources[0].endpoint.params.a",
      resources({
        endpoint: { params: { a: { type: "resolve", resource: unprintable, field: unprintable } } },
      }),
    ],
  ])("an object that cannot become a string is a problem at %s, not an exception (P17)", (path, part) => {
    const config = { client: { base_url: "https://a.example" }, resources: ["rows"], ...part };
    const paths = validate(rest_api_source(config as unknown as SourceConfig), "s").map(
      (problem) => problem.path,
    );
    expect(paths.join()).toContain(path);
  });

  function resources(changes: object) {
    return { resources: [{ name: "rows", ...changes }] };
  }
});
