import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Decimal } from "@tidetable/reader";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openApi } from "../../support/api.ts";
import { commandFolder } from "../../support/command.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Dict = Record<string, unknown>;

/** Resources over an API that answers each path with what stands there as JSON text. */
async function open(resources: Record<string, Dict>, answers: Record<string, string>) {
  const api = await openApi(({ path }) => ({
    body: answers[path.slice(1)] ?? "[]",
    headers: { "content-type": "application/json" },
  }));
  const folder = await commandFolder(engine);
  await folder.source({
    client: { base_url: api.url },
    resources: Object.entries(resources).map(([name, more]) => ({
      name,
      primary_key: "id",
      endpoint: { path: name, paginator: "single_page" },
      ...more,
    })),
  });
  const types = (...argv: string[]) => folder.run(["types", folder.file, ...argv]);
  const run = async () => expect((await folder.run(["run", folder.file])).exit).toBe(0);
  return { ...folder, types, mirror: run };
}

/** Every kind of field; the second record has each of them another way. */
const tickets = `[
  { "id": 1, "subject": "lamp", "created_at": "2026-01-01T00:00:00Z", "size": 2, "price": 1.5,
    "weight": 2, "exact": 0.12345678901234567891, "paid": true, "note": null, "never": null,
    "customer": { "name": "Ada", "zip code": null, "vip": true }, "tags": ["a", null],
    "lines": [{ "qty": 2 }], "nothing": [], "mixed": 1, "file": "AQI=", "sometimes": 1,
    "sizes": { ${Array.from({ length: 65 }, (_, i) => `"u${i}": ${i}`)} } },
  { "id": 2, "subject": "desk", "created_at": "2026-01-02", "size": 3, "price": 2, "weight": 2.5,
    "exact": 2, "paid": false, "note": "*/", "customer": { "name": "Bo", "zip code": "1" },
    "tags": [], "lines": [], "nothing": [], "mixed": "x", "file": "AQI=", "sizes": {} }
]`;

const shop = {
  support_tickets: {
    columns: {
      subject: { data_type: "text", nullable: false, description: "What it is about */ or not" },
      weight: { data_type: "double", nullable: false },
      due: { data_type: "timestamp" },
      file: { data_type: "binary", nullable: false },
    },
  },
};

const written = (
  file: string,
) => `// Made by \`tidetable types ${file}\`: make it anew rather than change it.

import type { Decimal } from "@tidetable/reader";

/** A row of ${file.replace(".json", "")}/support_tickets, by version 1 of its schema. */
export interface SupportTickets {
  id: string;
  /** What it is about *\\/ or not */
  subject: string;
  weight: number;
  due: string | null;
  file: Uint8Array;
  created_at: string;
  customer: {
    name: string;
    vip?: boolean;
    "zip code": string | null;
  };
  exact: number | bigint | Decimal;
  lines: {
    qty: number | bigint;
  }[];
  mixed: number | bigint | string;
  never?: unknown;
  note: string | null;
  nothing: unknown[];
  paid: boolean;
  price: number | bigint;
  size: number | bigint;
  sizes: Record<string, number | bigint>;
  sometimes?: number | bigint;
  tags: (string | null)[];
}

/** The rows of each table: table<Tables["support_tickets"]>(…). */
export interface Tables {
  "support_tickets": SupportTickets;
}
`;

/** Values that are wrong in one field each. */
const row = {
  id: "1",
  subject: "lamp",
  weight: 2,
  due: null,
  file: new Uint8Array([1, 2]),
  created_at: "2026-01-01T00:00:00Z",
  customer: { name: "Ada", vip: true, "zip code": null },
  exact: new Decimal("0.12345678901234567891"),
  lines: [{ qty: 2n }],
  mixed: "x",
  note: null,
  nothing: [],
  paid: true,
  price: 1.5,
  size: 9007199254740993n,
  sizes: { u1: 1 },
  tags: ["a", null],
};
const wrong: Record<string, unknown> = {
  id: 1,
  subject: null,
  weight: 2n,
  due: 5,
  file: "AQI=",
  customer: { name: null, "zip code": null },
  exact: "0.5",
  lines: [{ qty: "2" }],
  mixed: true,
  note: 1,
  nothing: {},
  paid: "yes",
  price: null,
  sizes: { u1: "1" },
  tags: [1],
};

describe("types", () => {
  it("says to run first, exit code 2, where nothing is known", async () => {
    const { file, types } = await open({ rows: {} }, {});
    expect(await types()).toEqual({
      exit: 2,
      stdout: "",
      stderr: `${file}: nothing is known of its fields: it has not run, and it declares none; run it first: npx tidetable run ${file}\n`,
    });
  });

  it("leaves out what has not run, and says so", async () => {
    const { name, types } = await open({ rows: {}, known: { columns: { a: {} } } }, {});
    const { exit, stdout, stderr } = await types();
    expect(exit).toBe(0);
    expect(stderr).toBe(`${name}.rows: left out, for it has no schema yet; run it first\n`);
    expect(stdout).toContain("export interface Known {\n  id: string;\n  a: unknown;\n}\n");
    expect(stdout).not.toContain("Rows");
  });

  it("writes an interface for each table, the same one until the schema changes", async () => {
    const { file, types, mirror } = await open(shop, { support_tickets: tickets });
    await mirror();
    const { stdout } = await types();
    expect(stdout).toBe(written(file));
    await mirror();
    expect((await types()).stdout).toBe(stdout);
  });

  it("--out writes the file, over an older one", async () => {
    const { file, types, mirror, read } = await open(shop, { support_tickets: tickets });
    await mirror();
    for (let twice = 0; twice < 2; twice++) {
      const { exit, stdout, stderr } = await types("--out", "rows.d.ts");
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
      expect(stderr).toBe("rows.d.ts: written, with 1 type\n");
    }
    expect(await read("rows.d.ts")).toBe(written(file));
    expect(await types("--out", "no/such/folder.d.ts")).toMatchObject({
      exit: 2,
      stderr: "no/such/folder.d.ts: the file cannot be written (ENOENT)\n",
    });
  });

  it("--json has the text and what is in it", async () => {
    const { name, file, types, mirror } = await open(shop, { support_tickets: tickets });
    await mirror();
    expect(JSON.parse((await types("--json")).stdout)).toEqual({
      source: name,
      out: null,
      typescript: written(file),
      resources: [{ resource: "support_tickets", version: 1, type: "SupportTickets" }],
    });
  });
});

describe("a row that the types allow", () => {
  it("is one that the reader can return, and no other; the zod schema takes the same", async () => {
    const { types, mirror } = await open(shop, { support_tickets: tickets });
    await mirror();
    const zod = (await types("--zod")).stdout;
    expect(zod).toMatch(/^\/\/ Made by `tidetable types \S+ --zod`: /);
    const check = [
      `import { Decimal } from "@tidetable/reader";`,
      `import type { SupportTickets, Tables } from "./rows.ts";`,
      `import type { SupportTickets as Parsed } from "./zod.ts";`,
      `export const row: Tables["support_tickets"] = {
        id: "1", subject: "lamp", weight: 2, due: null, file: new Uint8Array(), created_at: "",
        customer: { name: "Ada", vip: true, "zip code": null }, exact: new Decimal("0.5"),
        lines: [{ qty: 2n }], mixed: "x", note: null, nothing: [], paid: true, price: 1.5,
        size: 3n, sizes: { u1: 1 }, tags: ["a", null] };`,
      `export const missing: SupportTickets = {} as Omit<SupportTickets, "sometimes" | "never">;`,
      "// @ts-expect-error it is in every row",
      `export const less: SupportTickets = {} as Omit<SupportTickets, "price">;`,
      "// @ts-expect-error it is missing in some, and never null",
      `export const none: SupportTickets["sometimes"] = null;`,
      ...Object.entries(wrong).flatMap(([name, value]) => {
        const text = typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
        return [
          "// @ts-expect-error another type",
          `export const wrong_${name}: SupportTickets["${name}"] = ${text};`,
          "// @ts-expect-error another type",
          `export const unfit_${name}: Parsed["${name}"] = ${text};`,
        ];
      }),
    ].join("\n");
    const files = { "rows.ts": (await types()).stdout, "zod.ts": zod, "check.ts": check };
    expect(await problemsOf(files)).toEqual([]);

    const { SupportTickets: schema } = await import(join(await put(files), "zod.ts"));
    expect(schema.parse({ ...row, later: 1 })).toEqual({ ...row, later: 1 });
    for (const [name, value] of Object.entries(wrong)) {
      const { success } = schema.safeParse({ ...row, [name]: value });
      expect({ name, success }).toEqual({ name, success: false });
    }
    const { price: _, ...less } = row;
    expect(schema.safeParse(less).success).toBe(false);
    expect(schema.safeParse({ ...row, sometimes: null }).success).toBe(false);
  }, 120_000);
});

describe("names", () => {
  const names =
    '[{ "id": "1", "__proto__": 1, "a-b": 1, "class": 1, "é": 1, "": null, "x\\ny": 1 }]';

  it("of fields, whatever they are, make a file that compiles", async () => {
    const { types, mirror } = await open({ rows: {} }, { rows: names.replace(', "": null', "") });
    await mirror();
    const { stdout } = await types();
    for (const name of ['"__proto__"', '"a-b"', "class", '"é"', '"x\\ny"']) {
      expect(stdout).toContain(`  ${name}: number | bigint;\n`);
    }
    const zod = (await types("--zod")).stdout;
    expect(zod).toContain('  ["__proto__"]: ');
    expect(await problemsOf({ "rows.ts": stdout, "zod.ts": zod })).toEqual([]);
  });

  it("of resources make types that stand in nobody's way", async () => {
    const resources = ["record", "tables", "decimal", "a_b", "a__b", "2024_sales", "_"];
    const columns = { n: { data_type: "decimal" }, o: { data_type: "json" } };
    const { types } = await open(
      Object.fromEntries(resources.map((name) => [name, { columns }])),
      {},
    );
    const { stdout } = await types("--json");
    const { typescript, resources: made } = JSON.parse(stdout);
    expect(made.map(({ type }: { type: string }) => type)).toEqual([
      ...["Record2", "Tables2", "Decimal2", "AB", "AB2", "Row2024Sales", "Row"],
    ]);
    expect(await problemsOf({ "rows.ts": typescript })).toEqual([]);
  });

  it("that are data leave room for any name", async () => {
    const many = Array.from({ length: 1001 }, (_, i) => `"n${i}": ${i}`);
    const { types, mirror } = await open({ rows: {} }, { rows: `[{ "id": "1", ${many} }]` });
    await mirror();
    const { stdout } = await types();
    expect(stdout).toContain("  id: string;\n  [name: string]: unknown;\n}");
    expect(await problemsOf({ "rows.ts": stdout })).toEqual([]);
  });
});

const root = resolve(import.meta.dirname, "../../..");

/** The files in a folder where their imports are found. */
async function put(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(root, ".types-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** What the compiler has against these files. */
async function problemsOf(files: Record<string, string>): Promise<string[]> {
  const folder = await put(files);
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const paths = Object.keys(files).map((name) => join(folder, name));
  const program = ts.createProgram(paths, options);
  return paths.flatMap((path) => {
    const file = program.getSourceFile(path);
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    return found.map(
      ({ start = 0, messageText }) =>
        `${file?.text.slice(start).split("\n", 1)}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
}
