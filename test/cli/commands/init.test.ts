import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { offsetPages, openApi } from "../../support/api.ts";
import { openCliFolder } from "../../support/cli.ts";

const root = resolve(import.meta.dirname, "../../..");
const bin = join(root, "packages/cli/bin/tidetable.mjs");
const init = ["init", "shop", "--packages", "packages", "--no-install", "--yes"];

/** A folder with a stand-in for the packed packages, which a project only names. */
async function openFolder() {
  const { folder, cli } = await openCliFolder();
  mkdirSync(join(folder, "packages"));
  for (const name of ["tidetable", "tidetable-core", "tidetable-sst"]) {
    writeFileSync(join(folder, `packages/${name}-0.1.0.tgz`), "");
  }
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  /** The command below the folder, as after `cd`. */
  const cliIn = (path: string, ...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((done) => {
      const options = { cwd: join(folder, path), env: { ...process.env, NO_COLOR: "1" } };
      execFile(process.execPath, [bin, ...args], options, (error, stdout, stderr) =>
        done({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  return { folder, cli, read, write, cliIn };
}

describe("init", () => {
  it("init writes a project whose sources are known by name from every folder below it", async () => {
    const { cli, cliIn, read } = await openFolder();
    expect(await cli(init)).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(read("shop/package.json"))).toEqual({
      name: "shop",
      private: true,
      type: "module",
      tidetable: { app: "shop", sources: "./sources/index.ts" },
      dependencies: {
        "@tidetable/core": "file:../packages/tidetable-core-0.1.0.tgz",
        "@tidetable/sst": "file:../packages/tidetable-sst-0.1.0.tgz",
      },
      devDependencies: { tidetable: "file:../packages/tidetable-0.1.0.tgz", sst: "^4.17.1" },
    });
    const { code, stdout } = await cliIn("shop/functions", "plan", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).sources).toMatchObject([
      { source: "pokemon", schedule: { expression: "rate(1 day)" } },
    ]);
    const staged = await cliIn("shop", "plan", "--stage", "dev", "--json");
    expect(JSON.parse(staged.stdout).sources[0].resources[0].table).toBe(
      "shop-dev-pokemon.pokemon",
    );
  });

  it("init a second time changes nothing, and brings back no file that the user has emptied", async () => {
    const { cli, read, write } = await openFolder();
    await cli(init);
    write("shop/sst.config.ts", "// mine");
    write("shop/sources/pokemon.ts", "// mine");
    write("shop/AGENTS.md", "<!-- tidetable -->mine");
    const before = ["package.json", "sources/index.ts", ".gitignore"].map((file) =>
      read(`shop/${file}`),
    );
    const { json } = await cli([...init, "--json"]);
    expect(new Set(json().files.map(({ action }: { action: string }) => action))).toEqual(
      new Set(["kept"]),
    );
    expect(
      ["package.json", "sources/index.ts", ".gitignore"].map((file) => read(`shop/${file}`)),
    ).toEqual(before);
    expect(
      ["sst.config.ts", "sources/pokemon.ts", "AGENTS.md"].map((file) => read(`shop/${file}`)),
    ).toEqual(["// mine", "// mine", "<!-- tidetable -->mine"]);
  });

  it("init in an app keeps its files, takes its name from sst.config.ts, and prints the lines for run()", async () => {
    const { cli, read, write } = await openFolder();
    write("shop/package.json", '{\n    "name": "web",\n    "scripts": { "dev": "sst dev" }\n}\n');
    write(
      "shop/sst.config.ts",
      'export default $config({ app: () => ({ name: "store", home: "aws" }) });',
    );
    write("shop/.gitignore", "node_modules\n");
    const { code, stdout } = await cli(init);
    expect(code).toBe(0);
    expect(stdout).toContain('const mirror = new Tidetable("Mirror", {');
    expect(read("shop/sst.config.ts")).not.toContain("Tidetable");
    expect(read("shop/package.json")).toMatch(/^\{\n {4}"name": "web",\n {4}"scripts"/);
    expect(JSON.parse(read("shop/package.json")).tidetable.app).toBe("store");
    expect(read("shop/.gitignore")).toBe("node_modules\n.sst\n.tidetable\n");
  });

  it("init without the packages writes nothing and says where they come from", async () => {
    const { cli, folder } = await openFolder();
    const { code, stderr } = await cli(["init", "other", "--no-install", "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "--packages: @tidetable/core is on no registry yet; name the folder with the packed tarballs of this version: --packages FOLDER (docs/start.md)\n",
    );
    expect(() => readFileSync(join(folder, "other/package.json"))).toThrow("ENOENT");
  });
});

describe("add and list", () => {
  const dict = {
    client: {
      base_url: "https://api.example.com",
      auth: { type: "bearer", token: { $secret: "key" } },
    },
    resources: [{ name: "deals", primary_key: "id" }],
  };

  it("list names the gallery and what is registered", async () => {
    const { cli, cliIn } = await openFolder();
    await cli(init);
    const { stdout } = await cliIn("shop", "list", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      gallery: expect.arrayContaining([
        { name: "pokemon", summary: expect.stringContaining("PokéAPI") },
      ]),
      registered: ["pokemon"],
    });
  });

  it("add writes a source of a dict, a dlt file or an OpenAPI document, and runs know it by name", async () => {
    const { cli, cliIn, read, write } = await openFolder();
    await cli([...init, "--source", "none"]);
    write("crm.json", JSON.stringify(dict));
    write(
      "desk.py",
      `source = rest_api_source(${JSON.stringify(dict).replace('{"$secret":"key"}', 'dlt.secrets["key"]')})`,
    );
    write(
      "open api.json",
      JSON.stringify({
        openapi: "3.0.0",
        servers: [{ url: "https://api.example.com" }],
        paths: {
          "/rows": {
            get: {
              responses: {
                200: {
                  content: {
                    "application/json": {
                      schema: { type: "array", items: { properties: { id: {} } } },
                    },
                  },
                },
              },
            },
          },
        },
      }),
    );
    for (const file of ["../crm.json", "../desk.py", "../open api.json"]) {
      expect(await cliIn("shop", "add", file)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(read("shop/sources/index.ts")).toContain("register({ crm, desk, open_api })");
    const { stdout } = await cliIn("shop", "plan", "--json");
    expect(
      JSON.parse(stdout).sources.map(({ source, secrets, schedule }: Record<string, unknown>) => ({
        source,
        secrets,
        schedule,
      })),
    ).toMatchObject([
      { source: "crm", secrets: ["key"], schedule: { expression: "rate(1 hour)" } },
      { source: "desk", secrets: ["key"], schedule: { expression: "rate(1 hour)" } },
      { source: "open_api", secrets: [] },
    ]);
  });

  it.each([
    [
      "zendesc",
      /^zendesc: there is no such source in the gallery; .*; or name a \.py or \.json file\n$/,
    ],
    [
      "api.yaml",
      /^api\.yaml: not a file .*; an OpenAPI document in YAML has to be turned into JSON first\n$/,
    ],
    ["missing.json", /^missing\.json: there is no such file\n$/],
    ["bad.json", /^client: "client" is missing/],
  ])("add %s is refused and writes nothing", async (arg, message) => {
    const { cli, cliIn, read, write } = await openFolder();
    await cli(init);
    write("shop/bad.json", "{}");
    const before = read("shop/sources/index.ts");
    const { code, stderr } = await cliIn("shop", "add", arg);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(read("shop/sources/index.ts")).toBe(before);
  });

  it("add does not replace a file, and leaves a file of another shape to its author", async () => {
    const { cli, cliIn, write } = await openFolder();
    await cli(init);
    expect(await cliIn("shop", "add", "pokemon")).toMatchObject({
      code: 2,
      stderr:
        "sources/pokemon.ts: there is such a file already; give the source another name with --name\n",
    });
    write("shop/sources/index.ts", "export const sources = {};\n");
    const { code, stdout } = await cliIn("shop", "add", "pokemon", "--name", "monsters");
    expect(code).toBe(0);
    expect(stdout).toContain('import monsters from "./monsters.js";');
  });

  it("add registers a module that stands in its place already, and copies one from elsewhere", async () => {
    const { cli, cliIn, read, write } = await openFolder();
    await cli(init);
    write("shop/sources/mine.ts", read("shop/sources/pokemon.ts"));
    write("other.ts", read("shop/sources/pokemon.ts"));
    for (const file of ["sources/mine.ts", "../other.ts"]) {
      expect(await cliIn("shop", "add", file)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(read("shop/sources/index.ts")).toContain("register({ pokemon, mine, other })");
    expect(read("shop/sources/other.ts")).toBe(read("other.ts"));
  });
});

describe("a project's sources", () => {
  it("run fills the tables of the project's own folder", async () => {
    const { cli, cliIn, write } = await openFolder();
    const api = await openApi(offsetPages([{ id: 1 }, { id: 2 }]));
    await cli([...init, "--source", "none"]);
    write(
      "crm.json",
      JSON.stringify({
        client: { base_url: api.url },
        resources: [
          {
            name: "rows",
            primary_key: "id",
            endpoint: { data_selector: "data", paginator: { type: "offset", limit: 10 } },
          },
        ],
      }),
    );
    await cliIn("shop", "add", "../crm.json");
    const run = await cliIn("shop", "run", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({
      status: "succeeded",
      resources: [{ written: 2 }],
    });
    const { stdout } = await cliIn("shop/sources", "items", "crm/rows", "--json");
    expect(stdout).toBe('{"id":"1"}\n{"id":"2"}\n');
  });

  it.each([
    ["gone.ts", undefined, "gone.ts: there is no such file, which"],
    [
      "odd.ts",
      "export default 5;",
      "odd.ts: it exports no registered sources; write `export const sources = register({ … })`",
    ],
    ["bad.ts", "throw new Error('no');", "bad.ts: the file cannot be loaded: Error: no"],
  ])("sources in %s are refused with what to write", async (file, text, message) => {
    const { cliIn, write } = await openFolder();
    write("shop/package.json", JSON.stringify({ tidetable: { app: "shop", sources: file } }));
    if (text) write(`shop/${file}`, text);
    const { code, stderr } = await cliIn("shop", "plan");
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
