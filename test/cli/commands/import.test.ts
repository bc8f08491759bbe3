import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { sources } from "@tidetable/sources";
import fc from "fast-check";
import ts from "typescript";
import { beforeEach, describe, expect, it, test } from "vitest";
import type { DictLiteral, Literal } from "../../../packages/cli/src/sources/literal.ts";
import { sourceFileText } from "../../../packages/cli/src/sources/typescript.ts";
import { type CommandResult, openCliFolder } from "../../support/cli.ts";
import { runCommand } from "../../support/stage.ts";

const root = resolve(import.meta.dirname, "../../..");
const documents = join(root, "test/sources/seeds");

let folder: string;
let put: (name: string, content: unknown) => Promise<void>;
let cli: (args: string[]) => Promise<CommandResult>;
beforeEach(async () => {
  ({ folder, put, cli } = await openCliFolder({ "package.json": { type: "module" } }));
});
const runImport = (...argv: string[]) => runCommand(["import", ...argv], { cwd: folder });
const readOutput = (name: string) => readFile(join(folder, name), "utf8");

/** Runs the linter on files in packages/sources, and returns its changes and messages. */
async function lintSources(files: Record<string, string>): Promise<string[]> {
  const sourcesFolder = join(folder, "packages/sources/src");
  await mkdir(sourcesFolder, { recursive: true });
  await cp(join(root, "biome.json"), join(folder, "biome.json"));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(sourcesFolder, name), text);
  const args = ["check", "--vcs-enabled=false", "--write", sourcesFolder];
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin/biome"), args, {
    cwd: folder,
    encoding: "utf8",
  });
  const after = Object.keys(files).map((name) => readOutput(join("packages/sources/src", name)));
  const changed = (await Promise.all(after)).filter((text, i) => text !== Object.values(files)[i]);
  return status === 0 ? changed : [stdout + stderr, ...changed];
}

/** Compiles with the repository's strict options, and returns the messages. */
function compileSources(files: string[]): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  // Stands for core, without the SDK.
  const paths = { "@tidetable/core": [join(root, "packages/core/src/config/source.ts")] };
  const typeRoots = [join(root, "node_modules/@types")];
  const program = ts.createProgram(files, { ...options, paths, typeRoots });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

interface Plan {
  resources: object[];
}

describe("the five documents become sources", () => {
  it(
    "with the plans of the registered ones, to the liking of compiler and linter",
    {
      timeout: 60_000,
    },
    async () => {
      const files = (await readdir(documents)).sort();
      const written: Record<string, string> = {};
      for (const [i, name] of Object.keys(sources).entries()) {
        const document = await readFile(join(documents, files[i] ?? ""), "utf8");
        await put(`${name}.py`, document.match(/```python\n(.*?)```/s)?.[1]);
        const { exit } = await runImport(`${name}.py`, "--out", `${name}.ts`);
        expect(exit).toBe(0);
        written[`${name}.ts`] = await readOutput(`${name}.ts`);
      }
      const resources = async (...args: string[]) =>
        (await cli(["plan", ...args, "--json"]))
          .json()
          .sources.map(({ resources: one }: Plan) => one);
      expect(await resources(...Object.keys(written))).toEqual(await resources());
      expect(compileSources(Object.keys(written).map((name) => join(folder, name)))).toEqual([]);
      expect(await lintSources(written)).toEqual([]);
    },
  );
});

const crm = `
import dlt
from dlt.sources.rest_api import rest_api_source

# The CRM of the sales people.
# Ask Kim for a key.
source = rest_api_source({
    "client": {
        "base_url": HOST,
        "auth": {"type": "api_key", "api_key": dlt.secrets["key"]},  # read only
        "headers": {"X-Team": f"{TEAM}"},
    },
    "resources": [
        # the newest first
        {
            "name": "deals",
            "primary_key": ("id",),
            **common,
            "processing_steps": [
                {"filter": lambda deal: (
                    deal["open"]
                )},
            ],
        },
    ],
})
`;

const translated = `import { dlt, rest_api_source } from "@tidetable/core";

// The parts marked TODO are not translated. This file loads when nothing calls todo() any more.
function todo(): never {
    throw new Error("the parts marked TODO have to be written first");
}

// The CRM of the sales people.
// Ask Kim for a key.
export default rest_api_source({
    client: {
        // TODO: HOST
        base_url: todo(),
        auth: { type: "api_key", api_key: dlt.secrets["key"] }, // read only
        headers: {
            // TODO: f"{TEAM}"
            "X-Team": todo()
        }
    },
    resources: [
        // the newest first
        {
            name: "deals",
            primary_key: ["id"],
            // TODO: **common
            ...(todo() as object),
            processing_steps: [
                {
                    // TODO: lambda deal: (
                    //     deal["open"]
                    // )
                    filter: todo()
                }
            ]
        }
    ]
});
`;

describe("what only Python could tell is marked", () => {
  it(
    "import marks an untranslated expression with its text, in a file that compiles and does not load",
    { timeout: 30_000 },
    async () => {
      await put("crm.py", crm);
      const { exit, stdout, stderr } = await runImport("crm.py", "--out", "crm.ts");
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
      expect(await readOutput("crm.ts")).toBe(translated);
      expect(stderr).toMatch(/^crm\.ts: written, with 4 TODOs$/m);
      expect(stderr).toMatch(/^TODO: crm\.py:9:21: a name without one value in this file: HOST; /m);

      expect(compileSources([join(folder, "crm.ts")])).toEqual([]);
      expect(await lintSources({ "crm.ts": translated })).toEqual([]);
      const { code, stderr: refusal } = await cli(["plan", "crm.ts"]);
      expect({ code, refusal }).toEqual({
        code: 2,
        refusal: expect.stringMatching(
          /^crm\.ts: .* the parts marked TODO have to be written first/,
        ),
      });
    },
  );

  it("import names an argument beside the dict that it does not read", async () => {
    await put("crm.py", `rest_api_source({"client": {}}, schema_contract="freeze")`);
    expect((await runImport("crm.py")).stderr).toMatch(
      /^warning: crm\.py:1:49: an argument that is not/m,
    );
  });
});

describe("where it goes", () => {
  const dict = {
    $schema: "x",
    client: {
      base_url: "https://api.example.com",
      auth: { type: "bearer", token: { $secret: "crm_token" } },
    },
    resources: ["deals"],
  };

  it("import prints the source to standard output and the next steps to standard error", async () => {
    await put("Sales-CRM.json", dict);
    const { exit, stdout, stderr } = await runImport("Sales-CRM.json");
    expect(exit).toBe(0);
    expect(stdout).toBe(`import { dlt, rest_api_source } from "@tidetable/core";

export default rest_api_source({
    client: {
        base_url: "https://api.example.com",
        auth: {
            type: "bearer",
            token: dlt.secrets["crm_token"]
        }
    },
    resources: ["deals"]
});
`);
    expect(stderr).toBe(`next:
  1. npx --no tidetable secrets set sales_crm.ts   (crm_token)
  2. npx --no tidetable check sales_crm.ts
  3. to deploy it, write { schedule: "rate(1 hour)" } after its dict, and register it in your project:
       npx --no tidetable add sales_crm.ts
`);
  });

  it("import replaces an existing file only with --yes", async () => {
    await put("crm.json", dict);
    await put("crm.ts", "mine");
    const { exit, stderr } = await runImport("crm.json", "--out", "crm.ts");
    expect(exit).toBe(2);
    expect(stderr).toBe("crm.ts: there is such a file already; --yes replaces it\n");
    expect(await readOutput("crm.ts")).toBe("mine");
    expect((await runImport("crm.json", "--out", "crm.ts", "--yes")).exit).toBe(0);
    expect(await readOutput("crm.ts")).toContain("rest_api_source");
  });

  it("import --json prints one document", async () => {
    await put("crm.py", crm);
    const { stdout, stderr } = await runImport("crm.py", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      source: "crm",
      out: null,
      typescript: translated,
      secrets: ["key"],
      todos: [{ path: "crm.py:9:21" }, { path: "crm.py:11:34" }, {}, {}],
      problems: [],
    });
    expect(stderr).toBe("");
  });

  it("import names the credentials that a config leaves out, and the problems of the config", async () => {
    const client = { ...dict.client, auth: "http_basic" };
    await put("crm.json", { ...dict, client });
    const good = JSON.parse((await runImport("crm.json", "--json")).stdout);
    expect(good).toMatchObject({ secrets: ["password", "username"], problems: [] });
    await put("crm.json", { ...dict, resource: [] });
    expect((await runImport("crm.json")).stderr).toMatch(
      /^wrong: resource: unknown key "resource"/m,
    );
  });

  test.each([
    ["crm.ts", "", "crm.ts: not a .py or .json file\n"],
    ["crm.json", "[]", "crm.json: not a JSON object; it holds a dlt rest_api dict\n"],
    ["crm.py", "x = 1", /^crm\.py: there is no call of rest_api_source/],
    ["crm.py", "rest_api_source(make())", /^crm\.py:1:17: a call cannot be read: make\(\)/],
    ["crm.py", "rest_api_source({", /^crm\.py:1:18: this is not valid Python/],
  ])("import of the file %s with the content %j is refused", async (name, content, message) => {
    await put(name, content);
    const { exit, stdout, stderr } = await runImport(name);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

// ── The formatter ────────────────────────────────────────────────────────────────────────────────

const word = fc.constantFrom("id", "page_size", "page-size", "__proto__", "1", "a.b", "it's");
const scalar = fc.oneof(
  fc.string({ maxLength: 12, unit: "binary" }),
  fc.string({ maxLength: 130 }),
  fc.constantFrom("it's", 'say "x"', `'""`, "x".repeat(95), "\n\t\\"),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(true, false, null),
);
const usually = <T, U>(usual: T, rare: U) =>
  fc.constantFrom<(T | U)[]>(...Array(8).fill(usual), rare);
const comments = fc.record({
  commentsAbove: usually([], ["note", ""]),
  commentAfter: usually(undefined, "why"),
});
const layout = { isOneLine: fc.boolean(), commentsAtEnd: usually([], ["the end"]) };
const { literal } = fc.letrec<{ literal: Literal }>((tie) => ({
  literal: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    fc.record({ kind: fc.constant("scalar"), value: scalar }),
    fc.record({ kind: fc.constant("secret"), name: fc.constantFrom("key", "a'b") }),
    fc.constant({
      kind: "expression",
      problem: () => ({ path: "", message: "" }),
      code: () => "lambda x: (\n        x\n    )",
    }),
    fc.array(fc.integer(), { maxLength: 30 }).map((numbers) => ({
      kind: "list",
      items: numbers.map((value) => ({ commentsAbove: [], value: { kind: "scalar", value } })),
      isOneLine: true,
      commentsAtEnd: [],
    })),
    fc.record({
      kind: fc.constant("list"),
      items: fc.array(
        fc.tuple(tie("literal"), comments).map(([value, more]) => ({ value, ...more })),
        { maxLength: 5 },
      ),
      ...layout,
    }),
    fc.record({
      kind: fc.constant("dict"),
      entries: fc.uniqueArray(
        fc
          .tuple(word, tie("literal"), comments)
          .map(([key, value, more]) => ({ key, value, ...more })),
        { maxLength: 5, selector: ({ key }) => key },
      ),
      ...layout,
    }),
  ) as fc.Arbitrary<Literal>,
}));

it("import writes any config in the format that the formatter would give it", async () => {
  const values = fc.sample(literal, { numRuns: 400, seed: 5 });
  const config: DictLiteral = {
    kind: "dict",
    entries: values.map((value, i) => ({ key: `k${i}`, value, commentsAbove: [] })),
    isOneLine: false,
    commentsAtEnd: [],
  };
  const typescript = sourceFileText({ config, comments: ["all"] });
  expect(await lintSources({ "any.ts": typescript })).toEqual([]);
});
