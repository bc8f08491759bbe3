import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { offsetPages, openApi, type SeenRequest } from "../../support/api.ts";
import { commandFolder } from "../../support/command.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Dict = Record<string, unknown>;

interface Warned {
  code: string;
  field: string | null;
  message: string;
  hint: string;
}

/** A resource `rows` over an API, in the form that leaves nothing to be found out. */
async function open(
  rows: unknown[],
  { resource = {}, answer }: { resource?: Dict; answer?: (seen: SeenRequest) => unknown } = {},
) {
  const api = await openApi(
    answer ? (seen) => ({ body: answer(seen) }) : offsetPages(rows, { total: true }),
  );
  const folder = await commandFolder(engine);
  const { endpoint = {}, ...more } = resource as { endpoint?: Dict };
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
        ...more,
      },
    ],
  });
  const preview = (...argv: string[]) => folder.run(["preview", folder.file, "rows", ...argv]);
  return { api, preview, ...folder };
}

/** What it says of an API that answers with these records. */
async function warnings(rows: unknown[], resource: Dict = {}): Promise<Warned[]> {
  const { preview } = await open(rows, { resource });
  const { exit, stdout } = await preview("--json");
  expect(exit).toBe(0);
  return JSON.parse(stdout).warnings;
}

const declared = { columns: { id: { data_type: "bigint" } } };

describe("preview", () => {
  const rows = [
    { id: 1, name: "a", size: 5, at: "2026-01-01T00:00:00Z", big: null, nested: { on: true } },
    { id: 2, name: null, size: 2.5, at: "2026-01-02T00:00:00Z", nested: { on: false } },
  ];

  it("--json has the key, the columns, the records and the warnings, and nothing else", async () => {
    const { preview } = await open(rows, { resource: declared });
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

  it("shows records as they would be stored, with all digits", async () => {
    const body = '{"data": [{"id": 1, "exact": 9007199254740993123, "n": "7"}], "total": 1}';
    const { preview } = await open([], {
      answer: () => body,
      resource: { columns: { n: { data_type: "bigint" } } },
    });
    const { stdout } = await preview("--json");
    expect(stdout).toContain('"records":[{"id":1,"exact":9007199254740993123,"n":7}]');
  });

  it("as text has a table of records, the fields beside what is declared, and the key", async () => {
    const { name, preview } = await open(rows, {
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

warning: "id" is a bigint and becomes a text key, since columns does not declare its type: keys sort as texts; keep it, or declare "columns": {"id": {"data_type": "bigint"}} before the first deploy: a table's key never changes
`);
  });

  it("fits its table of records to the terminal, and says what is left out", async () => {
    const wide = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, "x"]));
    const { run, file } = await open([{ id: "1", text: "y".repeat(300), ...wide }]);
    const { stdout } = await run(["preview", file, "rows"], 60);
    const [, , heads = "", row = "", rest] = stdout.split("\n");
    expect(heads.length).toBeLessThan(60);
    expect(row).toMatch(/^1 {3}y{23}… {2}x/);
    expect(rest).toBe("and 27 more fields");
  });

  it("learns from all records of the pages that it reads, and prints so many", async () => {
    const many = Array.from({ length: 250 }, (_, i) => ({
      id: `${i}`,
      ...(i < 99 ? { a: 1 } : {}),
    }));
    const { api, preview } = await open(many);
    const few = JSON.parse((await preview("--limit", "3", "--json")).stdout);
    expect(few.records).toHaveLength(3);
    expect(few.schema.columns.a.nullable).toBe(true);
    expect(api.requests).toHaveLength(1);
    const more = JSON.parse((await preview("--limit", "150", "--json")).stdout);
    expect(more.records).toHaveLength(150);
    expect(api.requests).toHaveLength(3);
  });

  it("writes nothing and needs no table", async () => {
    const { name, preview } = await open(rows);
    await preview();
    const { TableNames = [] } = await engine.dynamodb.send(new ListTablesCommand({}));
    expect(TableNames.filter((one) => one.includes(name))).toEqual([]);
  });

  it("reads a child with what its parent's first page has, and stops after ten pages", async () => {
    const api = await openApi(({ path }) => ({
      body: path === "/users" ? Array.from({ length: 50 }, (_, id) => ({ id })) : [],
    }));
    const { source, run, file } = await commandFolder(engine);
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
  it("is exit code 1 with the API's answer, in the document, too", async () => {
    const { name, preview } = await open([], { resource: { endpoint: { data_selector: "rows" } } });
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

  it("is exit code 2 for a resource that is not there, before anything is asked", async () => {
    const { api, run, file } = await open([]);
    const { exit, stderr } = await run(["preview", file, "row"]);
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr: `${file}/row: there is no resource of this name; did you mean rows?\n`,
    });
    expect(api.requests).toEqual([]);
  });
});

describe("preview warns of", () => {
  it.each<[name: string, rows: unknown[], resource: Dict, expected: Partial<Warned>]>([
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
      "values at which a frozen run fails",
      [{ id: "7", size: "12 kg" }],
      { columns: { size: { data_type: "bigint" } }, schema_contract: "freeze" },
      { code: "preview.value_type", hint: expect.stringContaining("a run fails at them") },
    ],
    [
      "null where it is declared away",
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
      "names that are data",
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
  ])("%s", async (_, rows, resource, expected) => {
    const [first, ...others] = await warnings(rows, resource);
    expect(first).toMatchObject(expected);
    expect(others).toEqual([]);
    expect(first?.message).not.toBe("");
    expect(first?.hint).not.toBe("");
  });

  it("nothing of a key that is declared, whatever the API sends", async () => {
    const text = { columns: { id: { data_type: "text" } } };
    expect(await warnings([{ id: 7 }], text)).toEqual([]);
    expect(await warnings([{ id: 7 }], declared)).toEqual([]);
  });
});

describe("preview warns of a cursor", () => {
  const incremental = (more: Dict = {}) => ({
    endpoint: {
      incremental: { cursor_path: "at", initial_value: "2026-01-02", ...more },
      params: { since: "{incremental.start_value}" },
    },
  });
  const rows = [
    { id: "1", at: "2026-01-01" },
    { id: "2", at: "2026-01-04" },
    { id: "3", at: "2026-01-03" },
  ];

  it("that a record has not", async () => {
    const [first] = await warnings([{ id: "1" }], incremental());
    expect(first).toMatchObject({ code: "preview.cursor", field: "at" });
    expect(first?.message).toContain('records[0] of the page has no value at cursor_path "at"');
  });

  it("that the API does not know: it sends what was not asked for", async () => {
    expect(await warnings(rows, incremental())).toMatchObject([
      { code: "preview.cursor_range", message: expect.stringContaining("1 of 3 records") },
    ]);
  });

  it("that does not come in the order that row_order says", async () => {
    const later = rows.slice(1);
    expect(await warnings(later, incremental({ row_order: "asc" }))).toMatchObject([
      { code: "preview.cursor_order", field: "at" },
    ]);
    expect(await warnings(later, incremental({ row_order: "desc" }))).toEqual([]);
    expect(await warnings(later, incremental())).toEqual([]);
  });
});

describe("preview warns of paging", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => ({ id: `${i}` }));
  const codes = async (answer: () => unknown, endpoint: Dict) => {
    const { preview } = await open([], { answer, resource: { endpoint } });
    const { warnings } = JSON.parse((await preview("--json")).stdout);
    return warnings.map(({ code }: Warned) => code);
  };
  const offset = { type: "offset", limit: 100 };

  it.each<[name: string, body: unknown, endpoint: Dict, codes: string[]]>([
    ["the limit and no total", { data: hundred }, { paginator: offset }, ["preview.page_full"]],
    ["the limit and a total", { data: hundred, total: 300 }, { paginator: offset }, []],
    ["less than the limit", { data: hundred.slice(1) }, { paginator: offset }, []],
    [
      "the limit, and the API says whether there is more",
      { data: hundred, more: true },
      { paginator: { ...offset, has_more_path: "more" } },
      [],
    ],
    [
      "the limit on the only page",
      { data: hundred },
      { paginator: "single_page", params: { per_page: 100 } },
      ["preview.page_full"],
    ],
    [
      "as many as APIs usually send, on the only page",
      { data: hundred },
      { paginator: "single_page" },
      ["preview.page_full"],
    ],
    [
      "any other number on the only page",
      { data: hundred.slice(58) },
      { paginator: "single_page" },
      [],
    ],
    [
      "the limit and a next link",
      { data: hundred, next: "/rows?page=2" },
      { paginator: { type: "json_link", next_url_path: "next" }, params: { limit: 100 } },
      [],
    ],
  ])("%s: %#", async (_, body, endpoint, expected) => {
    expect(await codes(() => body, endpoint)).toEqual(expected);
  });

  it("what the first answer has shown is to be written down", async () => {
    const body = { data: hundred.slice(1), next: "/rows?page=2" };
    const { preview } = await open([], {
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
