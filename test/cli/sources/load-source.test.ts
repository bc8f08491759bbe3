import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, Secret } from "@tidetable/core/internal";
import { type Problem, planSource } from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSources } from "../../../packages/cli/src/sources/load-source.ts";

const bin = fileURLToPath(new URL("../../../packages/cli/bin/tidetable.mjs", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidetable-sources-"));
});
afterAll(() => rm(folder, { recursive: true }));

const resource = {
  name: "deals",
  primary_key: "id",
  endpoint: { data_selector: "data", paginator: { type: "offset", limit: 100 } },
};
const client = (api_key: unknown) => ({
  base_url: "https://api.example.com",
  auth: { type: "api_key", name: "key", api_key, location: "query" },
});
const crmDict = (api_key: unknown = { $secret: "crm_key" }) => ({
  client: client(api_key),
  resources: [resource],
});

async function writeSource(name: string, content: unknown): Promise<string> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(join(folder, name), text);
  return name;
}

async function loadArgs(args: string[], options: { name?: string } = {}) {
  let stderr = "";
  const loaded = await loadSources(args, options, {
    stdout: { write: () => {} },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
  });
  return { loaded, stderr };
}

async function problemsOf(args: string[], options = {}): Promise<readonly Problem[]> {
  const error = await loadArgs(args, options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).problems;
}

describe("SOURCE is a registered name", () => {
  it("all registered sources are loaded without a SOURCE", async () => {
    const { loaded } = await loadArgs([]);
    expect(loaded.map(({ name }) => name)).toEqual(Object.keys(sources));
  });

  it("an unknown SOURCE gets the nearest registered name as a hint", async () => {
    expect(await problemsOf(["tiketing"])).toEqual([
      {
        path: "tiketing",
        message: "there is no source of this name",
        hint: "did you mean ticketing?",
      },
    ]);
  });
});

describe("SOURCE is a JSON file", () => {
  it("a JSON file is a dlt dict with the file's name, and {$secret} stands for dlt.secrets", async () => {
    const { loaded, stderr } = await loadArgs([
      await writeSource("crm.json", { $schema: "x", ...crmDict() }),
    ]);
    expect(loaded.map(({ name }) => name)).toEqual(["crm"]);
    const { secrets, resources } = planSource((loaded[0] as (typeof loaded)[0]).source, "crm");
    expect(secrets).toEqual(["crm_key"]);
    expect(resources[0]?.auth).toMatchObject({ apiKey: expect.any(Secret) });
    expect(stderr).toBe("");
  });

  it("--name gives the source of a JSON file another name", async () => {
    const { loaded } = await loadArgs([await writeSource("crm.json", crmDict())], {
      name: "sales",
    });
    expect(loaded.map(({ name }) => name)).toEqual(["sales"]);
  });

  it("a JSON file may have a plain string as a secret, with a warning that does not show it (P15)", async () => {
    const { loaded, stderr } = await loadArgs([
      await writeSource("plain.json", crmDict("sk-12345")),
    ]);
    expect(loaded).toHaveLength(1);
    expect(stderr).toMatch(/^warning: client\.auth\.api_key: .*plain text/);
    expect(stderr).not.toContain("sk-12345");
  });

  it("the problem of invalid JSON names the file and never quotes it (P15)", async () => {
    for (const text of ['{"client": sk-12345}', '{"key": "sk-12345",}', '{"key": "sk-12345']) {
      const [problem] = await problemsOf([await writeSource("broken.json", text)]);
      expect(problem).toMatchObject({ path: "broken.json" });
      expect(problem?.message).toMatch(/^not valid JSON(: line 1, column \d+)?$/);
      expect(JSON.stringify(problem)).not.toContain("12345");
    }
  });

  it("a JSON file with a list, or with a malformed {$secret}, is refused", async () => {
    expect(await problemsOf([await writeSource("list.json", [])])).toMatchObject([
      { path: "list.json", message: "not a JSON object" },
    ]);
    const [problem] = await problemsOf([await writeSource("marker.json", crmDict({ $secret: 5 }))]);
    expect(problem?.path).toMatch(/^client\.auth\.api_key/);
  });
});

describe("SOURCE is a JSON file with more than a config can hold", () => {
  it.each([
    ["a number that is not exact", `{"client": {"n": 9007199254740993}}`, /double cannot hold/],
    ["an infinite number", `{"client": {"n": -1e999}}`, /double cannot hold/],
    ["200,000 levels", `${"[".repeat(200_000)}${"]".repeat(200_000)}`, /nested too deeply/],
    ["more than 1 MiB", `{"client": "${"x".repeat(1024 * 1024)}"}`, /too large/],
  ])("a JSON file with %s is refused", async (_, text, message) => {
    const problems = await problemsOf([await writeSource("unfit.json", text)]);
    expect(problems).toMatchObject([{ message: expect.stringMatching(message) }]);
  });

  it("digits in a string of a JSON file stay a string", async () => {
    const key = String.raw`\\"9007199254740993`;
    const [loaded] = (await loadArgs([await writeSource("digits.json", crmDict(key))])).loaded;
    expect(loaded?.source.config.client.auth).toMatchObject({ api_key: key });
  });

  it("a folder, and a file that is not UTF-8, are refused as SOURCE", async () => {
    await mkdir(join(folder, "folder.json"), { recursive: true });
    await writeFile(join(folder, "bytes.py"), Buffer.from([0x72, 0xff, 0xfe]));
    expect(await problemsOf(["folder.json", "bytes.py"])).toEqual([
      { path: "folder.json", message: "this is not a file" },
      { path: "bytes.py", message: "the file is not text in UTF-8" },
    ]);
  });
});

describe("SOURCE is a Python file", () => {
  const pythonText = (token: string, more = "") => `
import dlt
from dlt.sources.rest_api import RESTAPIConfig, rest_api_source

config: RESTAPIConfig = {
    "client": {"base_url": "https://api.example.com", "auth": {"type": "bearer", "token": ${token}}},
    "resources": [{"name": "deals", "primary_key": ("id",)}],
}
source = rest_api_source(config${more})
raise SystemExit("nobody runs this")
`;

  it("a Python file is read and never run, and its source has the file's name", async () => {
    const { loaded, stderr } = await loadArgs([
      await writeSource("deals.py", pythonText(`dlt.secrets["t"]`)),
    ]);
    const [{ name, source }] = loaded as [(typeof loaded)[0]];
    expect(planSource(source, name)).toMatchObject({ name: "deals", secrets: ["t"] });
    expect(planSource(source, name).resources[0]?.key.fields).toEqual(["id"]);
    expect(stderr).toBe("");
  });

  it("arguments without an effect and plain secrets in a Python file are warnings", async () => {
    const text = pythonText(`"sk-12345"`, ", parallelized=True");
    const { loaded, stderr } = await loadArgs([await writeSource("deals.py", text)], {
      name: "crm",
    });
    expect(loaded.map(({ name }) => name)).toEqual(["crm"]);
    expect(stderr).toMatch(/^warning: deals\.py:9:47 parallelized: means nothing in DynamoDB/m);
    expect(stderr).toMatch(/^warning: client\.auth\.token: .*plain text/m);
    expect(stderr).not.toContain("sk-12345");
  });

  it("the problems of a Python file's config are those of any config", async () => {
    const text = pythonText(`dlt.secrets["t"]`).replace("primary_key", "primary_kye");
    expect(await problemsOf([await writeSource("deals.py", text)])).toEqual([
      {
        path: "resources[0].primary_kye",
        message: 'unknown key "primary_kye"',
        hint: "did you mean primary_key?",
      },
    ]);
  });
});

describe("several problems", () => {
  it("each problem names its source if there are several sources", async () => {
    const wrong = { ...crmDict(), resource: [] };
    const problems = await problemsOf([
      await writeSource("one.json", wrong),
      await writeSource("two.json", wrong),
      "nope",
    ]);
    const paths = problems.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["nope", "one: resource", "two: resource"]));
  });

  it("missing files and a file of another kind are reported together", async () => {
    const problems = await problemsOf(["missing.json", "missing.py", "crm.yaml"]);
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "missing.json: there is no such file",
      "missing.py: there is no such file",
      "crm.yaml: not a source file",
    ]);
  });

  it("two sources with the same name, and --name with two sources, are refused", async () => {
    await writeSource("ticketing.json", crmDict());
    expect(await problemsOf(["ticketing", "ticketing.json"])).toMatchObject([
      { path: "ticketing", message: "two sources have this name" },
    ]);
    expect(await problemsOf(["ticketing", "support"], { name: "crm" })).toMatchObject([
      { path: "--name" },
    ]);
  });
});

// These tests start the program, because bin/resolve.mjs makes a file find its imports.
describe("SOURCE is a TypeScript or JavaScript file anywhere on the disk", () => {
  const runProgram = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [bin, ...args], { cwd: folder }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  const source = `
        import { path } from "./paths.ts";
    export default rest_api_source(
      {
        "client": { "base_url": "https://api.example.com",
          "auth": { "type": "bearer", "token": dlt.secrets["crm_token"] } },
        "resources": [{ "name": "deals", "primary_key": "id",
          "endpoint": { path, "data_selector": "data", "paginator": "single_page" } }],
      },
      { schedule: "rate(1 hour)" },
    );`;

  it.each([
    "crm.ts",
    "crm.js",
  ])("the module %s finds @tidetable/core and its own imports", async (name) => {
    await writeSource("paths.ts", `export const path: string = "/v1/deals";`);
    const { code, stdout, stderr } = await runProgram(
      "plan",
      await writeSource(name, source),
      "--json",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout).sources[0]).toMatchObject({
      source: "crm",
      secrets: ["crm_token"],
      resources: [{ request: { url: "https://api.example.com/v1/deals" } }],
    });
  });

  it.each([
    ["throws.ts", `throw new Error("no such region");`, /throws\.ts: .*Error: no such region/],
    ["syntax.ts", "const x = {", /syntax\.ts: the file cannot be loaded: .*syntax\.ts:1/],
    ["import.ts", `import "not-there";`, /import\.ts: .*Cannot find package 'not-there'/],
    ["five.js", "export default 5;", /five\.js: its default export is not a source; write/],
    ["absent.ts", undefined, /absent\.ts: there is no such file/],
  ])("the module %s is refused with a message that names the file", async (name, content, message) => {
    if (content !== undefined) await writeSource(name, content);
    const { code, stdout, stderr } = await runProgram("plan", name);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
