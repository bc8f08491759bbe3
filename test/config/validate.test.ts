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

const problems = (config: unknown, options: unknown = {}, name = "ticketing") =>
  validate(rest_api_source(config as SourceConfig, options as SourceOptions), name);
const inEndpoint = (more: object) =>
  problems({ client, resources: [{ ...tickets, endpoint: { ...endpoint, ...more } }] });
const inResource = (more: object) => problems({ client, resources: [{ ...tickets, ...more }] });
const inClient = (more: object) =>
  problems({ client: { ...client, ...more }, resources: [tickets] });
const incremental = { cursor_path: "at" };
const ordered = {
  write_mode: "ordered",
  version_field: "at",
  columns: { at: { data_type: "timestamp" } },
};
const inPaginator = (paginator: unknown) => inEndpoint({ paginator });

it("finds nothing wrong with a good config", () => {
  expect(problems({ client, resources: [tickets] })).toEqual([]);
});

describe("a typo names itself, its place and the nearest right word", () => {
  test.each([
    ["resources[0].endpoint.data_selecter", inEndpoint({ data_selecter: "x" }), "data_selector"],
    ["resources[0].primary_kye", inResource({ primary_kye: "id" }), "primary_key"],
    ["client.base_ulr", inClient({ base_ulr: "x" }), "base_url"],
    ["client.auth.tokn", inClient({ auth: { type: "bearer", tokn: "x" } }), "token"],
    [
      "resources[0].endpoint.paginator.limt",
      inPaginator({ ...endpoint.paginator, limt: 1 }),
      "limit",
    ],
    [
      "resources[0].columns.id.data_typ",
      inResource({ columns: { id: { data_typ: "text" } } }),
      "data_type",
    ],
    [
      "resources[0].schema_contract.colums",
      inResource({ schema_contract: { colums: "freeze" } }),
      "columns",
    ],
    [
      "options.resources.tickets.schema_contract.data_typ",
      problems(
        { client, resources: [tickets] },
        { resources: { tickets: { schema_contract: { data_typ: "freeze" } } } },
      ),
      "data_type",
    ],
    [
      "resources[0].columns[0].nulable",
      inResource({ columns: [{ name: "id", nulable: true }] }),
      "nullable",
    ],
    [
      "resource_default",
      problems({ client, resource_default: {}, resources: [tickets] }),
      "resource_defaults",
    ],
  ])("%s", (path, found, meant) => {
    const word = path.split(".").at(-1);
    expect(found).toEqual([
      { path, message: `unknown key "${word}"`, hint: `did you mean ${meant}?` },
    ]);
  });

  it("the key that it leaves missing is not named a second time", () => {
    const { data_selector, ...rest } = endpoint;
    const typo = { ...tickets, endpoint: { ...rest, data_selecter: data_selector } };
    expect(problems({ client: { base_ulr: client.base_url }, resources: [typo] })).toEqual([
      expect.objectContaining({ path: "client.base_ulr" }),
      expect.objectContaining({ path: "resources[0].endpoint.data_selecter" }),
    ]);
  });

  it("a word like no other gets the list of known ones", () => {
    expect(problems({ client, resources: [tickets] }, { when: "daily" })).toEqual([
      {
        path: "options.when",
        message: 'unknown key "when"',
        hint: "known here: schedule, full_refresh_schedule, function, table, resources",
      },
    ]);
  });

  test.each([
    ["resources[0].endpoint.paginator.type", inPaginator({ type: "ofset" }), "offset"],
    ["resources[0].endpoint.paginator", inPaginator("single_pag"), "single_page"],
    ["client.auth.type", inClient({ auth: { type: "api_kye" } }), "api_key"],
    ["client.auth", inClient({ auth: "beaer" }), "bearer"],
    ["client.auth.location", inClient({ auth: { type: "api_key", location: "qery" } }), "query"],
    ["resources[0].write_disposition", inResource({ write_disposition: "merg" }), "merge"],
    [
      "resources[0].columns.x.data_type",
      inResource({ columns: { x: { data_type: "txt" } } }),
      "text",
    ],
    [
      "resources[0].columns[0].data_type",
      inResource({ columns: [{ name: "x", data_type: "integer" }] }),
      "bigint",
    ],
    [
      "options.resources.tickets.columns.x.data_type",
      problems(
        { client, resources: [tickets] },
        { resources: { tickets: { columns: { x: { data_type: "datetime" } } } } },
      ),
      "timestamp",
    ],
    ["resources[0].schema_contract", inResource({ schema_contract: "freez" }), "freeze"],
    [
      "resources[0].schema_contract.columns",
      inResource({ schema_contract: { columns: "discard_rows" } }),
      "discard_row",
    ],
    [
      "resource_defaults.schema_contract.data_type",
      problems({
        client,
        resource_defaults: { schema_contract: { data_type: "evolv" } },
        resources: [tickets],
      }),
      "evolve",
    ],
    [
      "options.resources.tickets.schema_contract",
      problems(
        { client, resources: [tickets] },
        { resources: { tickets: { schema_contract: "discard_valu" } } },
      ),
      "discard_value",
    ],
  ])("also as a value: %s", (path, found, meant) => {
    expect(found).toEqual([
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

describe("a wrong value says what belongs there", () => {
  test.each([
    ["client", problems({ resources: [tickets] }), '"client" is missing'],
    ["resources", problems({ client }), '"resources" is missing'],
    ["resources", problems({ client, resources: [] }), "at least one resource"],
    ["resources[0]", problems({ client, resources: [5] }), "has to be an object"],
    ["client.base_url", problems({ client: {}, resources: [tickets] }), '"base_url" is missing'],
    ["client.base_url", inClient({ base_url: "api.example.com" }), "http or https URL"],
    ["client.base_url", inClient({ base_url: "ftp://api.example.com" }), "http or https URL"],
    [
      "client.base_url",
      inClient({ base_url: "https://u:p@api.example.com" }),
      "without a user name",
    ],
    ["client.base_url", inClient({ base_url: "https://api.example.com?k=1" }), "query"],
    ["client.timeout", inClient({ timeout: 0 }), "above 0"],
    ["client.auth.token", inClient({ auth: { token: "" } }), "a secret"],
    [
      "client.auth.token_url",
      inClient({ auth: { type: "oauth2", token_url: "x" } }),
      '"token_url" has to be an http',
    ],
    ["resources[0].endpoint.path", inEndpoint({ path: "ftp://elsewhere/x" }), "has to be a path"],
    ["resources[0].endpoint.method", inEndpoint({ method: "PUT" }), "one of: GET, POST"],
    [
      "resources[0].endpoint.params.a",
      inEndpoint({ params: { a: {}.toString } }),
      "a text, a number",
    ],
    [
      'resources[0].endpoint.headers["a b"]',
      inEndpoint({ headers: { "a b": "x" } }),
      "name of a header",
    ],
    ["resources[0].endpoint.headers.a", inEndpoint({ headers: { a: "x\ny" } }), "in one line"],
    ["resources[0].endpoint.paginator.limit", inPaginator("offset"), '"limit" is missing'],
    [
      "resources[0].endpoint.paginator.limit",
      inPaginator({ type: "offset", limit: 0 }),
      "at least 1",
    ],
    [
      "resources[0].endpoint.paginator.limit",
      inPaginator({ type: "offset", limit: "9" }),
      "a number",
    ],
    [
      "resources[0].endpoint.error_handler.max_retries",
      inEndpoint({ error_handler: { max_retries: -1 } }),
      "below 0",
    ],
    [
      "resources[0].endpoint.error_handler.retry_on_status_codes[0]",
      inEndpoint({ error_handler: { retry_on_status_codes: [200] } }),
      "from 400 to 599",
    ],
    [
      "resources[0].endpoint.incremental.cursor_path",
      inEndpoint({ incremental: { start_param: "since" } }),
      '"cursor_path" is missing',
    ],
    [
      "resources[0].endpoint.incremental.cursor_path",
      inEndpoint({ incremental: { cursor_path: "a..b" } }),
      "not a path",
    ],
    [
      "resources[0].endpoint.incremental.initial_value",
      inEndpoint({ incremental: { cursor_path: "at", initial_value: true } }),
      "a text or a number",
    ],
    [
      "resources[0].endpoint.incremental.lag",
      inEndpoint({ incremental: { cursor_path: "at", lag: -1 } }),
      "below 0",
    ],
    ["resources[0].allow_shrink", inResource({ allow_shrink: 1 }), "true or false"],
    ["resources[0].write_mode", inResource({ write_mode: "monotonic" }), "batch, ordered"],
    [
      "options.full_refresh_schedule",
      problems({ client, resources: [tickets] }, { full_refresh_schedule: "weekly" }),
      "not a schedule",
    ],
    ["resources[0].primary_key", inResource({ primary_key: 5 }), "a text or a list of texts"],
    ["resources[0].name", inResource({ name: "My-Tickets" }), "a-z, digits and _"],
    ["name", problems({ client, resources: [tickets] }, {}, "My source"), "a-z, digits and _"],
    [
      "options.schedule",
      problems({ client, resources: [tickets] }, { schedule: "hourly" }),
      "not a schedule",
    ],
    [
      "options.schedule",
      problems({ client, resources: [tickets] }, { schedule: "cron(0 6 * * *)" }),
      "six fields",
    ],
    [
      "options.schedule.timezone",
      problems(
        { client, resources: [tickets] },
        { schedule: { expression: "rate(1 day)", timezone: "Mars" } },
      ),
      "time zone",
    ],
  ])("%s", (path, found, words) => {
    expect(found).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("a schedule that EventBridge would not take says what it takes", () => {
    const schedule = { expression: "rate(1 hours)" };
    expect(problems({ client, resources: [tickets] }, { schedule })).toEqual([
      {
        path: "options.schedule.expression",
        message: expect.stringMatching(/^"expression" is not a rate: /),
        hint: 'write "rate(1 hour)"',
      },
    ]);
    const full_refresh_schedule = "cron(0 6 * * MON *)";
    expect(problems({ client, resources: [tickets] }, { full_refresh_schedule })).toEqual([
      {
        path: "options.full_refresh_schedule",
        message: expect.stringMatching(/^"full_refresh_schedule" is not a cron expression /),
        hint: expect.stringContaining('"cron(0 6 ? * MON-FRI *)"'),
      },
    ]);
  });

  it("a path that can not be read says where and what can", () => {
    expect(inEndpoint({ data_selector: "data[?(@.a)]" })).toEqual([
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
  ])("a schedule can be %j", (schedule) => {
    const options = { schedule, full_refresh_schedule: schedule };
    expect(problems({ client, resources: [tickets] }, options)).toEqual([]);
  });

  test.each([
    "text",
    "timestamp",
    "date",
    "bigint",
    "decimal",
    "double",
  ])("rows can be ordered by a %s", (data_type) =>
    expect(inResource({ ...ordered, columns: { at: { data_type } } })).toEqual([]));

  it("allow_shrink and write_mode stand in a resource, in resource_defaults or in the options", () => {
    const extensions = { allow_shrink: true, ...ordered };
    const resources = [tickets];
    expect(inResource(extensions)).toEqual([]);
    expect(problems({ client, resource_defaults: extensions, resources })).toEqual([]);
    expect(problems({ client, resources }, { resources: { tickets: extensions } })).toEqual([]);
  });
});

describe("parts that contradict each other", () => {
  test.each([
    [
      "resources[1].name",
      problems({ client, resources: [tickets, tickets] }),
      "resources[0] has this name",
    ],
    [
      "resources[1].table_name",
      problems({ client, resources: [tickets, { ...tickets, name: "b", table_name: "tickets" }] }),
      "resources[0] writes to this table",
    ],
    [
      "resources[0].write_disposition",
      inResource({ primary_key: null, write_disposition: "merge" }),
      "merge needs a primary_key",
    ],
    ["resources[0].primary_key", inResource({ primary_key: ["id", "id"] }), "twice"],
    ["resources[0].endpoint.data", inEndpoint({ json: {}, data: "x" }), "one body"],
    ["resources[0].endpoint.path", inEndpoint({ path: "/{user}/x" }), "names {user}"],
    [
      "resources[0].endpoint.paginator",
      inPaginator({ type: "offset", limit: 1, stop_after_empty_page: false, total_path: null }),
      "nothing ends",
    ],
    [
      "resources[0].endpoint.paginator",
      inPaginator({ type: "page_number", stop_after_empty_page: false, total_path: null }),
      "nothing ends",
    ],
    [
      "resources[0].endpoint.paginator.offset_body_path",
      inPaginator({ ...endpoint.paginator, offset_param: "o", offset_body_path: "o" }),
      'as "offset_param" and in the body',
    ],
    [
      "resources[0].endpoint.paginator.page_body_path",
      inEndpoint({ paginator: { type: "page_number", page_body_path: "p" }, data: "x" }),
      "needs a JSON one",
    ],
    [
      "resources[0].endpoint.paginator.overlap",
      inPaginator({ ...endpoint.paginator, overlap: 100 }),
      "smaller than the limit",
    ],
    [
      "resources[0].endpoint.params.since",
      inEndpoint({ incremental, params: { since: { type: "incremental", ...incremental } } }),
      "has an incremental already",
    ],
    [
      "resources[0].endpoint.params.b",
      inEndpoint({
        params: {
          a: { type: "incremental", ...incremental },
          b: { type: "incremental", ...incremental },
        },
      }),
      "has an incremental already",
    ],
    [
      "resources[0].endpoint.params.since",
      inEndpoint({ params: { since: "gte:{incremental.start_value}" } }),
      "the endpoint has none",
    ],
    [
      "resources[0].write_mode",
      inResource({ ...ordered, write_disposition: "append" }),
      "merged by a primary_key",
    ],
    ["resources[0].write_mode", inResource({ ...ordered, primary_key: [] }), "merged"],
    ["resources[0].write_mode", inResource({ ...ordered, version_field: null }), "version_field"],
    ["resources[0].version_field", inResource({ ...ordered, write_mode: "batch" }), "in order"],
    ["resources[0].version_field", inResource({ ...ordered, columns: null }), "no data_type"],
    [
      "options.resources.tickets.version_field",
      problems(
        { client, resources: [{ ...tickets, columns: { flag: { data_type: "bool" } } }] },
        { resources: { tickets: { write_mode: "ordered", version_field: "flag" } } },
      ),
      "no data_type",
    ],
    [
      "resources[0].columns.id.data_type",
      inResource({ columns: { id: { data_type: "json" } } }),
      '"id" is part of the primary_key',
    ],
    [
      "options.resources.tickets.columns.id.nullable",
      problems(
        { client, resources: [tickets] },
        { resources: { tickets: { columns: { id: { nullable: true } } } } },
      ),
      '"id" is part of the primary_key and can not be null',
    ],
    [
      "options.resources.ticket",
      problems({ client, resources: [tickets] }, { resources: { ticket: {} } }),
      'no resource "ticket"',
    ],
  ])("%s", (path, found, words) => {
    expect(found).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(words) }),
    ]);
  });

  it("what resource_defaults say wrong is named once and there", () => {
    const { primary_key, ...keyless } = tickets;
    const resource_defaults = { write_disposition: "merge" };
    const resources = [keyless, { ...keyless, name: "b" }];
    expect(problems({ client, resource_defaults, resources })).toEqual([
      expect.objectContaining({ path: "resource_defaults.write_disposition" }),
    ]);
  });
});

it("names all problems at once", () => {
  const config = {
    client: { base_url: "nowhere", auth: { type: "bearer", tokn: 1 } },
    resources: [
      { ...tickets, endpoint: { ...endpoint, data_selector: "a..b", json: {}, data: "" } },
      { ...tickets, write_disposition: "merge", primary_key: [] },
    ],
  };
  expect(
    problems(config)
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

describe("P15: a received value is never repeated", () => {
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
  ])("%#", (config) => {
    const found = problems(config);
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain("hunter2");
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
])("junk is a problem, not a crash: %j", (junk) =>
  expect(problems(junk).length).toBeGreaterThan(0));

it("every sentence is our own, whatever stands wherever", () => {
  const full = {
    client: { ...client, headers: {}, auth: { type: "oauth2" }, error_handler: {}, timeout: 1 },
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
  const wrong = [5, "", "two words", [], [5], {}, { x: 5 }, true, Number.NaN, () => 1, Symbol("s")];
  const replaced = (value: unknown): unknown[] => {
    if (typeof value !== "object" || value === null) return wrong;
    const deeper = Object.entries(value).flatMap(([key, member]) =>
      replaced(member).map((other) =>
        Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other },
      ),
    );
    return [...wrong, ...deeper];
  };
  const found = replaced(full).flatMap((config) => problems(config));
  expect(found.length).toBeGreaterThan(1000);
  expect(found.filter(({ message }) => /invalid|expected|too (small|big)/i.test(message))).toEqual(
    [],
  );
  expect(found.filter(({ hint }) => /invalid|expected|too (small|big)/i.test(hint ?? ""))).toEqual(
    [],
  );
});

it("a credential may be left out, be a secret or be a text", () => {
  for (const api_key of [undefined, dlt.secrets["api_key"], "plain"]) {
    expect(inClient({ auth: { type: "api_key", api_key } })).toEqual([]);
  }
  expect(inClient({ auth: { type: "http_basic", username: "u", password: "" } })).toEqual([]);
});

it("zod stays out of what a worker imports", () => {
  const index = readFileSync(new URL("../../packages/core/src/index.ts", import.meta.url), "utf8");
  expect(index).not.toMatch(/config\/schema|validate/);
});

describe("a parent and its child", () => {
  const client = { base_url: "https://api.example.com" };
  const ends = { data_selector: "data", paginator: "single_page" as const };
  const child = (endpoint: object, more: object = {}) => ({
    name: "posts",
    primary_key: "id",
    endpoint: { path: "users/{resources.users.id}/posts", ...ends, ...endpoint },
    ...more,
  });
  const found = (...resources: object[]) =>
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
      "itself",
      [child({ path: "{resources.posts.id}" })],
      /resources\[1\]\.endpoint: "posts" is a child of itself/,
    ],
    [
      "a circle",
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
      "a word that no incremental has",
      [
        child({
          params: { a: "{incremental.stat_value}", b: "{resources.users.id}" },
          incremental: { cursor_path: "at" },
        }),
      ],
      /{incremental.stat_value} is no value/,
    ],
  ])("%s is told at config time", (_, resources, message) => {
    expect(found(...resources).join("\n")).toMatch(message);
  });

  it("is accepted with fields in path, params, headers, json and data", () => {
    const id = "{resources.users.id}";
    expect(found(child({ params: { a: id }, headers: { b: id }, json: { c: [id] } }))).toEqual([]);
    expect(found(child({ method: "POST", data: { a: id } }))).toEqual([]);
  });
});

describe("a backfill", () => {
  const problems = (incremental: object) =>
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
  ])("%j", (incremental, expected) => {
    expect(problems(incremental)).toEqual(expected);
  });
});

describe("what refuses to become a text", () => {
  const odd = { toString: 1, valueOf: 1 };
  test.each([
    ["client.auth.type", { client: { base_url: "https://a.example", auth: { type: odd } } }],
    ["resources[0].name", { resources: [{ name: odd }] }],
    ["resources[0].columns.a.data_type", resources({ columns: { a: { data_type: odd } } })],
    ["resources[0].endpoint.method", resources({ endpoint: { method: odd } })],
    ["resources[0].endpoint.paginator.type", resources({ endpoint: { paginator: { type: odd } } })],
    [
      "resources[0].endpoint.params.a",
      resources({ endpoint: { params: { a: { type: "resolve", resource: odd, field: odd } } } }),
    ],
  ])("is a problem at %s, no crash (P17)", (path, part) => {
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
