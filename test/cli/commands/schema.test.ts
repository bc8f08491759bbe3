import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApi } from "../../support/api.ts";
import { openCommandFolder } from "../../support/command.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Dict = Record<string, unknown>;

/** A resource `rows` over an API whose records a test may change. */
async function openSource(records: Dict[], resource: Dict = {}) {
  const apiContent = { records };
  const api = await openApi(() => ({ body: apiContent.records }));
  const folder = await openCommandFolder(engine);
  await folder.source({
    client: { base_url: api.url },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        endpoint: { path: "r", paginator: "single_page" },
        ...resource,
      },
    ],
  });
  const target = `${folder.file}/rows`;
  const schema = (...argv: string[]) => folder.run(["schema", target, ...argv]);
  const refresh = async (next = apiContent.records) => {
    apiContent.records = next;
    const { exit, stdout, stderr } = await folder.run(["run", folder.file]);
    expect(exit, stderr).toBe(0);
    return stdout;
  };
  return { ...folder, shown: apiContent, target, schema, refresh };
}

const ticket = {
  id: 7,
  subject: "lamp",
  created_at: "2026-01-01T00:00:00Z",
  customer: { name: "Ada", "zip code": null },
  tags: ["a"],
  lines: [{ sku: "x", qty: 2 }],
};

const columns = {
  subject: { data_type: "text", nullable: false, description: "What it is about" },
  size: { data_type: "bigint" },
};

describe("schema, before the first run", () => {
  it("schema before the first run ends with exit code 2 and the next step if nothing is declared", async () => {
    const { target, file, schema } = await openSource([]);
    expect(await schema()).toEqual({
      exit: 2,
      stdout: "",
      stderr: `${target}: none of its fields is known: it has not run, and its source declares none; \`tidetable run\` finds them; \`tidetable preview ${file} rows\` looks without writing\n`,
    });
  });

  it("schema before the first run is version 0 with the declared columns", async () => {
    const { schema } = await openSource([], { columns });
    const { exit, stdout } = await schema("--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: 0,
      hash: null,
      first_seen: null,
      run_id: null,
      columns: {
        id: { nullable: false, primary_key: true },
        subject: {
          data_type: "text",
          nullable: false,
          description: "What it is about",
          declared: true,
        },
        size: { data_type: "bigint", nullable: true, declared: true },
      },
    });
    expect((await schema("--diff")).stdout).toContain("no run has ended yet");
  });

  it("schema ends with exit code 2 without a resource, and for a resource that is not stored", async () => {
    const { file, run } = await openSource([]);
    expect(await run(["schema", file])).toMatchObject({
      exit: 2,
      stderr: `${file}: a schema is printed for one resource; name it, as in ${file}/rows\n`,
    });
    const skipped = await openSource([], { selected: false });
    const { exit, stderr } = await skipped.schema();
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr: `${skipped.target}: nothing of it is stored, and so it has no schema\n`,
    });
  });
});

describe("schema, after a run", () => {
  it("schema prints a table of all fields, and the key as it is stored", async () => {
    const { name, schema, refresh } = await openSource([ticket], { columns });
    await refresh();
    const { stdout } = await schema();
    expect(stdout.replace(/seen \S+ by run \S+/, "seen T by run R")).toBe(
      `${name}.rows: version 1, first seen T by run R
key: id (bigint, stored as text key)

field              type         null  declared  key   description
id                 bigint       no              hash
subject            text         no    yes             What it is about
size               bigint       yes   yes
created_at         timestamp    no
customer           json object  no
customer.name      text         no
customer.zip code  null         yes
lines              json list    no
lines[]            json object  no
lines[].qty        bigint       no
lines[].sku        text         no
tags               json list    no
tags[]             text         no
`,
    );
  });

  it("schema --json has the version, and each column in dlt's words", async () => {
    const { schema, refresh } = await openSource([ticket]);
    await refresh();
    const { stdout, stderr } = await schema("--json");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      first_seen: expect.stringMatching(/^20\d\d-.*Z$/),
      run_id: expect.any(String),
      columns: {
        id: { data_type: "bigint", nullable: false, primary_key: true },
        created_at: { data_type: "timestamp", nullable: false },
        tags: { data_type: "json", items: { data_type: "text" } },
      },
    });
  });

  it("schema --json-schema describes an item, with its key as text and the attributes that tidetable adds", async () => {
    const { name, schema, refresh } = await openSource(
      [
        { ...ticket, a: "1", b: 2, paid: true, size: 1, note: null },
        { ...ticket, a: "2", b: 2, paid: false, size: "x" },
      ],
      {
        primary_key: ["id", "a", "b"],
        columns: { raw: { data_type: "binary" }, day: { data_type: "date" } },
      },
    );
    await refresh();
    const { stdout } = await schema("--json-schema");
    const string = { type: "string" };
    expect(JSON.parse(stdout)).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: `${name}.rows`,
      type: "object",
      properties: {
        id: string,
        _key: string,
        a: string,
        b: { type: "integer" },
        raw: { type: ["string", "null"], contentEncoding: "base64" },
        day: { type: ["string", "null"], format: "date" },
        subject: string,
        created_at: { type: "string", format: "date-time" },
        customer: {
          type: "object",
          properties: { name: string, "zip code": {} },
          required: ["name"],
          additionalProperties: true,
        },
        lines: {
          type: "array",
          items: {
            type: "object",
            properties: { qty: { type: "integer" }, sku: string },
            required: ["qty", "sku"],
            additionalProperties: true,
          },
        },
        note: {},
        paid: { type: "boolean" },
        size: { type: ["integer", "string"] },
        tags: { type: "array", items: string },
      },
      required: [
        ...["id", "_key", "a", "b", "created_at", "customer", "lines", "paid", "size"],
        ...["subject", "tags"],
      ],
      additionalProperties: true,
    });
  });

  it("schema --json-schema has a single schema for all fields whose names are data", async () => {
    const sizes = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`u${i}`, i]));
    const { schema, refresh } = await openSource([{ id: "1", sizes }]);
    await refresh();
    expect((await schema()).stdout).toMatch(/^sizes\.\* +bigint +no/m);
    const { properties } = JSON.parse((await schema("--json-schema")).stdout);
    expect(properties.sizes).toEqual({
      type: "object",
      additionalProperties: { type: "integer" },
    });
  });
});

describe("a schema that has changed", () => {
  const next = { ...ticket, subject: null, tags: [1], priority: 2 };
  const changes = [
    '"priority" is new (bigint)',
    '"subject" not null → nullable',
    '"tags[]" text → ',
  ];

  it("schema --diff shows each change since the previous version", async () => {
    const { name, schema, refresh } = await openSource([ticket]);
    await refresh();
    expect((await schema("--diff")).stdout).toBe(`${name}.rows: version 1 is the first\n`);
    expect(JSON.parse((await schema("--diff", "--json")).stdout)).toEqual({
      version: 1,
      before: null,
      changes: [],
    });
    await refresh([next]);
    expect((await schema("--diff")).stdout).toBe(`${name}.rows: version 2 compared with version 1
+ priority (bigint)
~ subject not null → nullable
~ tags[] text → bigint | text
`);
    expect(JSON.parse((await schema("--diff", "--json")).stdout)).toMatchObject({
      version: 2,
      before: 1,
      changes: [
        { field: "priority", change: "new", before: null },
        { field: "subject", change: "nullable", before: "not null", after: "nullable" },
        { field: "tags[]", change: "type", before: "text", after: "bigint | text" },
      ],
    });
  });

  it("run, status and state report a changed schema", async () => {
    const { name, file, run, refresh, schema } = await openSource([ticket]);
    expect(await refresh()).not.toContain("schema");
    expect((await run(["status", file])).stdout).toMatch(/ v1\n$/);

    const summary = await refresh([next]);
    const status = (await run(["status", file])).stdout;
    expect(status).toMatch(/ v2 \(3 changed\)\n\n/);
    for (const change of changes) {
      const line = `${name}.rows, schema version 2: ${change}`;
      expect(summary).toContain(line);
      expect(status).toContain(line);
    }
    const [{ runs }] = JSON.parse((await run(["status", file, "--json"])).stdout).resources;
    expect(runs[0].schema).toMatchObject({ version: 2, changed: 3 });

    const { hash } = JSON.parse((await schema("--json")).stdout);
    const [state] = JSON.parse((await run(["state", file, "--json"])).stdout).resources;
    expect(state.schema).toEqual({ version: 2, hash });
    expect((await run(["state", file])).stdout).toMatch(/ v2 +-\n$/);

    await refresh();
    expect((await run(["status", file])).stdout).toMatch(/ v2\n$/);
  });

  it("only reset --tables forgets a schema, and the version numbers continue after it", async () => {
    const { target, shown, run, refresh, schema } = await openSource([ticket], {
      schema_contract: "freeze",
    });
    await refresh();
    shown.records = [{ id: 7, other: true }];
    await run(["reset", target, "--yes"]);
    expect((await run(["run", target.replace("/rows", "")])).stdout).toContain('"other"');

    expect(await run(["reset", target, "--tables", "--yes"])).toMatchObject({ exit: 0 });
    await refresh();
    const { version, columns } = JSON.parse((await schema("--json")).stdout);
    expect(version).toBe(2);
    expect(Object.keys(columns)).toEqual(["id", "other"]);
  });

  it("the summary of a run counts the values that the contract left out, if there are any", async () => {
    const { refresh } = await openSource([ticket], {
      schema_contract: { columns: "discard_value" },
    });
    expect(await refresh()).not.toContain("discarded");
    expect(await refresh([next])).toMatch(/written +discarded_values +retries[\s\S]* 1 +1 +0 /);
  });

  it("the summary of a run lists the first of many schema changes, and the command that shows the others", async () => {
    const { file, run, refresh } = await openSource([{ id: "1" }]);
    await refresh();
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`n${i}`, i]));
    const lines = (await refresh([{ id: "1", ...many }])).match(/schema version 2: .*/g);
    expect(lines).toHaveLength(6);
    expect(lines?.at(-1)).toBe(
      `schema version 2: and 4 changes more: tidetable schema ${file}/rows --diff`,
    );
    expect((await run(["status", file])).stdout).toContain(lines?.at(-1));
    expect((await run(["schema", `${file}/rows`, "--diff"])).stdout).toContain("+ n8 (bigint)");
  });
});
