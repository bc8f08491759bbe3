import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRequest, offsetPages, openApi } from "../../support/api.ts";
import { guardSecret } from "../../support/canary.ts";
import { openCommandFolder } from "../../support/command.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Dict = Record<string, unknown>;

interface PrintedWarning {
  code: string;
  field: string | null;
  message: string;
  hint: string;
}

/** Opens an API and a source. The config leaves no paging to detection unless `resource` says so. */
async function openSource(
  rows: unknown[],
  { resource = {}, answer }: { resource?: Dict; answer?: (request: ApiRequest) => unknown } = {},
) {
  const api = await openApi(
    answer ? (request) => ({ body: answer(request) }) : offsetPages(rows, { total: true }),
  );
  const folder = await openCommandFolder(engine);
  const { endpoint = {}, ...members } = resource as { endpoint?: Dict };
  await folder.source({
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        endpoint: {
          path: "rows",
          data_selector: "data",
          paginator: { type: "offset", limit: 100 },
          ...endpoint,
        },
        ...members,
      },
    ],
  });
  const preview = (...argv: string[]) => folder.run(["preview", folder.file, "rows", ...argv]);
  return { api, preview, ...folder };
}

/** The warnings of a preview of an API that answers with these records. */
async function previewWarnings(rows: unknown[], resource: Dict = {}): Promise<PrintedWarning[]> {
  const { preview } = await openSource(rows, { resource });
  const { exit, stdout } = await preview("--json");
  expect(exit).toBe(0);
  return JSON.parse(stdout).warnings;
}

const declaredKey = { columns: { id: { data_type: "bigint" } } };

describe("preview", () => {
  const rows = [
    { id: 1, name: "a", size: 5, at: "2026-01-01T00:00:00Z", big: null, nested: { on: true } },
    { id: 2, name: null, size: 2.5, at: "2026-01-02T00:00:00Z", nested: { on: false } },
  ];

  it("preview --json prints the key, the columns, the records and the warnings", async () => {
    const { preview } = await openSource(rows, { resource: declaredKey });
    const { exit, stdout, stderr } = await preview("--json");
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      key: ["id"],
      schema: {
        columns: {
          id: { data_type: "bigint", nullable: false, primary_key: true, declared: true },
          name: { data_type: "text", nullable: true },
          size: { data_type: "double", nullable: false },
          at: { data_type: "timestamp", nullable: false },
          big: { nullable: true },
          nested: {
            data_type: "json",
            nullable: false,
            fields: { on: { data_type: "bool", nullable: false } },
          },
        },
      },
      records: rows,
      warnings: [],
    });
  });

  it("preview shows records in their stored form, with all digits of numbers", async () => {
    const body = '{"data": [{"id": 1, "exact": 9007199254740993123, "n": "7"}], "total": 1}';
    const { preview } = await openSource([], {
      answer: () => body,
      resource: { columns: { n: { data_type: "bigint" } } },
    });
    const { stdout } = await preview("--json");
    expect(stdout).toContain('"records":[{"id":1,"exact":9007199254740993123,"n":7}]');
  });

  it("preview hides a credential that an API repeats, before it cuts a cell through it", async () => {
    const key = guardSecret("canary-key-of-a-preview-5a07");
    const { file, run, source } = await openCommandFolder(engine);
    const { url } = await openApi(() => ({
      body: {
        data: [{ id: 1, echo: `Bearer ${key}`, [`k-${key}`]: 1, late: `${"x".repeat(15)}${key}` }],
      },
    }));
    const endpoint = { path: "rows", data_selector: "data", paginator: "single_page" };
    await source({
      client: { base_url: url, auth: { type: "bearer", token: key } },
      resources: [{ name: "rows", primary_key: "id", endpoint }],
    });
    const { stdout } = await run(["preview", file, "rows"]);
    expect(stdout).toContain("Bearer [secret]");
    expect(stdout).not.toContain(key.slice(0, 8));
  });

  it("preview prints a table of records, the key, and the found and declared fields", async () => {
    const { name, preview } = await openSource(rows, {
      resource: { columns: { at: { data_type: "timestamp", nullable: false }, id: {} } },
    });
    const { exit, stdout } = await preview();
    expect(exit).toBe(0);
    expect(stdout).toBe(`${name}.rows: 2 records on 1 page; nothing was written

id  name  size  at                    big   nested
1   a     5     2026-01-01T00:00:00Z  null  {"on":true}
2   null  2.5   2026-01-02T00:00:00Z        {"on":false}

table: tidetable-local-${name}.rows
key: id (bigint, stored as text key)

field      found        null  declared             key
id         bigint       no    yes                  hash
at         timestamp    no    timestamp, not null
big        null         yes
name       text         yes
nested     json object  no
nested.on  bool         no
size       double       no

warning: "id" is a bigint and becomes a text key, since columns does not declare its type: keys sort as text; keep it, or declare "columns": {"id": {"data_type": "bigint"}} before the first deploy: a table's key never changes
`);
  });

  it("preview fits its table of records to the terminal, and says how many fields are left out", async () => {
    const wide = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, "x"]));
    const { run, file } = await openSource([{ id: "1", text: "y".repeat(300), ...wide }]);
    const { stdout } = await run(["preview", file, "rows"], 60);
    const [, , heads = "", row = "", omitted] = stdout.split("\n");
    expect(heads.length).toBeLessThan(60);
    expect(row).toMatch(/^1 {3}y{23}… {2}x/);
    expect(omitted).toBe("and 27 more fields");
  });

  it("preview infers columns from whole pages, and prints the number of records in --limit", async () => {
    const many = Array.from({ length: 250 }, (_, i) => ({
      id: `${i}`,
      ...(i < 99 ? { a: 1 } : {}),
    }));
    const { api, preview } = await openSource(many);
    const few = JSON.parse((await preview("--limit", "3", "--json")).stdout);
    expect(few.records).toHaveLength(3);
    expect(few.schema.columns.a.nullable).toBe(true);
    expect(api.requests).toHaveLength(1);
    const more = JSON.parse((await preview("--limit", "150", "--json")).stdout);
    expect(more.records).toHaveLength(150);
    expect(api.requests).toHaveLength(3);
  });

  it("preview writes nothing and needs no table", async () => {
    const { name, preview } = await openSource(rows);
    await preview();
    const { TableNames = [] } = await engine.dynamodb.send(new ListTablesCommand({}));
    expect(TableNames.filter((tableName) => tableName.includes(name))).toEqual([]);
  });

  it("preview reads a child for the first page of its parent, and stops after ten pages", async () => {
    const api = await openApi(({ path }) => ({
      body: path === "/users" ? Array.from({ length: 50 }, (_, id) => ({ id })) : [],
    }));
    const { source, run, file } = await openCommandFolder(engine);
    const endpoint = { path: "users/{resources.users.id}/posts", paginator: "single_page" };
    await source({
      client: { base_url: api.url },
      resources: [
        { name: "users", endpoint: { path: "users", paginator: "single_page" } },
        { name: "posts", primary_key: "id", endpoint },
      ],
    });
    const { stdout } = await run(["preview", file, "posts", "--json"]);
    expect(JSON.parse(stdout).warnings).toMatchObject([
      {
        code: "preview.no_records",
        message: expect.stringContaining("records of users have none"),
      },
    ]);
    expect(api.requests).toHaveLength(11);
  });
});

describe("a preview that fails", () => {
  it("a failed preview ends with exit code 1 and the API's answer, in --json as well", async () => {
    const { name, preview } = await openSource([], {
      resource: { endpoint: { data_selector: "rows" } },
    });
    const text = await preview();
    expect(text).toMatchObject({ exit: 1, stdout: "" });
    expect(text.stderr).toContain(`${name}.rows: the answer to GET /rows`);
    const { exit, stdout } = await preview("--json");
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      key: ["id"],
      schema: null,
      records: [],
      warnings: [],
      error: {
        code: "extract.selector",
        message: expect.stringContaining('nothing at data_selector "rows"'),
        hint: expect.stringContaining("set data_selector"),
      },
    });
  });

  it("a preview of an unknown resource ends with exit code 2 before any request", async () => {
    const { api, run, file } = await openSource([]);
    const { exit, stderr } = await run(["preview", file, "row"]);
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr: `${file}/row: there is no resource of this name; did you mean rows?\n`,
    });
    expect(api.requests).toEqual([]);
  });
});

describe("warnings about records", () => {
  it.each<[name: string, rows: unknown[], resource: Dict, expected: Partial<PrintedWarning>]>([
    [
      "numbers that become text keys",
      [{ id: 7 }],
      {},
      { code: "preview.key_text", field: "id", hint: expect.stringContaining('"bigint"') },
    ],
    [
      "a key field that no record has",
      [{ Id: "7" }],
      {},
      { code: "preview.key_missing", field: "id", hint: "did you mean Id?" },
    ],
    [
      "a key field that some records lack",
      [{ id: "7" }, { id: null }, {}],
      {},
      { code: "preview.key_missing", message: expect.stringContaining("2 of 3 records") },
    ],
    [
      "keys that come twice",
      [
        { id: "7", n: 1 },
        { id: "7", n: 2 },
      ],
      {},
      { code: "preview.key_repeated", message: expect.stringContaining("1 of 2 records") },
    ],
    [
      "rows that every run adds once more",
      [{ id: "7" }],
      { primary_key: [] },
      { code: "preview.no_key", field: null },
    ],
    [
      "a declared field that never appears",
      [{ id: "7", priority: 1 }],
      { columns: { prority: { data_type: "bigint" } } },
      { code: "preview.column_unseen", field: "prority", hint: "did you mean priority?" },
    ],
    [
      "values that do not fit their declared type",
      [
        { id: "7", size: "12 kg" },
        { id: "8", size: "12" },
      ],
      { columns: { size: { data_type: "bigint" } } },
      {
        code: "preview.value_type",
        field: "size",
        message: '"size" is declared bigint, and there are values that only fit text',
        hint: expect.stringContaining("stored as they come"),
      },
    ],
    [
      "values at which a run with a frozen schema fails",
      [{ id: "7", size: "12 kg" }],
      { columns: { size: { data_type: "bigint" } }, schema_contract: "freeze" },
      { code: "preview.value_type", hint: expect.stringContaining("a run fails at them") },
    ],
    [
      "null in a column that is not nullable",
      [{ id: "7", size: null }],
      { columns: { size: { nullable: false } } },
      { code: "preview.value_null", field: "size", message: expect.stringContaining("is null in") },
    ],
    [
      "records that cannot be stored",
      [{ id: "7", n: [{ deep: "\ud800" }] }, { id: "8" }],
      {},
      {
        code: "preview.rejected",
        message: expect.stringContaining("1 of 2 records cannot be stored: a string is not valid"),
      },
    ],
    [
      "more than 1,000 field names",
      [{ id: "7", ...Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`n${i}`, i])) }],
      {},
      { code: "preview.many_fields" },
    ],
    [
      "an empty page",
      [],
      {},
      { code: "preview.no_records", hint: expect.stringContaining("check data_selector") },
    ],
  ])("preview warns of %s", async (_, rows, resource, expected) => {
    const [first, ...more] = await previewWarnings(rows, resource);
    expect(first).toMatchObject(expected);
    expect(more).toEqual([]);
    expect(first?.message).not.toBe("");
    expect(first?.hint).not.toBe("");
  });

  it("preview does not warn of a text key that is declared, whatever type the API sends", async () => {
    const textKey = { columns: { id: { data_type: "text" } } };
    expect(await previewWarnings([{ id: 7 }], textKey)).toEqual([]);
    expect(await previewWarnings([{ id: 7 }], declaredKey)).toEqual([]);
  });
});

describe("warnings about a cursor", () => {
  const withIncremental = (members: Dict = {}) => ({
    endpoint: {
      incremental: { cursor_path: "at", initial_value: "2026-01-02", ...members },
      params: { since: "{incremental.start_value}" },
    },
  });
  const rows = [
    { id: "1", at: "2026-01-01" },
    { id: "2", at: "2026-01-04" },
    { id: "3", at: "2026-01-03" },
  ];

  it("preview warns of a record without a cursor", async () => {
    const [first] = await previewWarnings([{ id: "1" }], withIncremental());
    expect(first).toMatchObject({ code: "preview.cursor", field: "at" });
    expect(first?.message).toContain('records[0] of the page has no value at cursor_path "at"');
  });

  it("preview warns of records out of range, because the API seems to ignore the cursor", async () => {
    expect(await previewWarnings(rows, withIncremental())).toMatchObject([
      { code: "preview.cursor_range", message: expect.stringContaining("1 of 3 records") },
    ]);
  });

  it("preview warns of records that do not come in the order of row_order", async () => {
    const later = rows.slice(1);
    expect(await previewWarnings(later, withIncremental({ row_order: "asc" }))).toMatchObject([
      { code: "preview.cursor_order", field: "at" },
    ]);
    expect(await previewWarnings(later, withIncremental({ row_order: "desc" }))).toEqual([]);
    expect(await previewWarnings(later, withIncremental())).toEqual([]);
  });
});

describe("warnings about paging", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => ({ id: `${i}` }));
  const warningCodes = async (answer: () => unknown, endpoint: Dict) => {
    const { preview } = await openSource([], { answer, resource: { endpoint } });
    const { warnings } = JSON.parse((await preview("--json")).stdout);
    return warnings.map(({ code }: PrintedWarning) => code);
  };
  const offsetPaginator = { type: "offset", limit: 100 };

  it.each<[name: string, body: unknown, endpoint: Dict]>([
    [
      "as many records as the limit and no total",
      { data: hundred },
      { paginator: offsetPaginator },
    ],
    [
      "as many records as the limit on the only page",
      { data: hundred },
      { paginator: "single_page", params: { per_page: 100 } },
    ],
    ["a usual page size on the only page", { data: hundred }, { paginator: "single_page" }],
  ])("preview warns of a first page with %s", async (_, body, endpoint) => {
    expect(await warningCodes(() => body, endpoint)).toEqual(["preview.page_full"]);
  });

  it.each<[name: string, body: unknown, endpoint: Dict]>([
    [
      "as many records as the limit and a total",
      { data: hundred, total: 300 },
      { paginator: offsetPaginator },
    ],
    ["fewer records than the limit", { data: hundred.slice(1) }, { paginator: offsetPaginator }],
    [
      "as many records as the limit and a flag for more pages",
      { data: hundred, more: true },
      { paginator: { ...offsetPaginator, has_more_path: "more" } },
    ],
    [
      "an unusual number of records on the only page",
      { data: hundred.slice(58) },
      { paginator: "single_page" },
    ],
    [
      "as many records as the limit and a next link",
      { data: hundred, next: "/rows?after=r100" },
      { paginator: { type: "json_link", next_url_path: "next" }, params: { limit: 100 } },
    ],
    [
      "numbered pages and a number of records",
      { data: hundred.slice(1), meta: { total_count: 300 } },
      { paginator: { type: "page_number", total_path: null } },
    ],
    [
      "a numbered next link and a number of records",
      { data: hundred.slice(1), count: 300, next: "/rows?page=2" },
      { paginator: "json_link" },
    ],
  ])("preview does not warn of a first page with %s", async (_, body, endpoint) => {
    expect(await warningCodes(() => body, endpoint)).toEqual([]);
  });

  it.each<[name: string, body: unknown, paginator: unknown]>([
    ["numbered pages without a count", { data: hundred.slice(1) }, "page_number"],
    [
      "numbered pages with a number of pages alone",
      { data: hundred.slice(1), total: 9 },
      "page_number",
    ],
    ["a numbered next link", { data: hundred.slice(1), next: "/rows?page=2" }, "json_link"],
    ["offsets without an overlap", { data: hundred.slice(1) }, { ...offsetPaginator, overlap: 0 }],
  ])("preview warns that rows may be missed where the first page has %s", async (_, body, paginator) => {
    expect(await warningCodes(() => body, { paginator })).toEqual(["preview.uncounted_pages"]);
  });

  it("preview says how to write down the selector and the paginator that the first answer has shown", async () => {
    const body = { data: hundred.slice(1), next: "/rows?after=r100" };
    const { preview } = await openSource([], {
      answer: () => body,
      resource: { endpoint: { data_selector: undefined, paginator: undefined } },
    });
    expect(JSON.parse((await preview("--json")).stdout).warnings).toEqual([
      {
        code: "preview.selector_found",
        field: null,
        message: 'data_selector is not set, and the records were found at "data"',
        hint: 'write it down: "data_selector": "data"',
      },
      {
        code: "preview.paginator_found",
        field: null,
        message: "paginator is not set, and was found by the first answer",
        hint: 'write it down: "paginator": {"type":"json_link","next_url_path":"next"}',
      },
    ]);
  });
});
