import { readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { rest_api_source } from "@tidetable/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCliFolder } from "../support/cli.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { fillTable } from "../support/tables.ts";

/*
 * The reader in an application outside of this repository's folders, as source and as a bundle.
 */

const root = resolve(import.meta.dirname, "../..");
const { build } = createRequire(join(root, "packages/cli/package.json"))("esbuild");
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  const source = rest_api_source({
    client: { base_url: "https://api.example.com" },
    resources: [{ name: "orders", primary_key: "id" }],
  });
  await fillTable(engine, { source, name: "shop", resource: "orders", stage: "local" }, [
    { id: 7, status: "open" },
    { id: 8 },
  ]);
});
afterAll(() => engine.close());

async function createApplication(code: string) {
  const { folder, cli } = await openCliFolder({
    "app.ts": code,
    "package.json": { type: "module" },
  });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const exec = (...command: string[]) =>
    cli(["exec", "--dynamodb", engine.endpoint, "--", process.execPath, ...command]);
  return { file: join(folder, "app.ts"), exec };
}

describe("the first lines of docs/reading.md", () => {
  const example = readFileSync(join(root, "packages/reader/examples/orders.ts"), "utf8");

  it("docs/reading.md begins with the compiled example", () => {
    const page = readFileSync(join(root, "docs/reading.md"), "utf8");
    expect(/```ts\n([\s\S]*?)```/.exec(page)?.[1]).toBe(example);
  });

  it("the example of docs/reading.md runs under `tidetable exec` and ends", async () => {
    const { exec } = await createApplication(example);
    const { code, stdout, stderr } = await exec("--import", tsx, "app.ts");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^OPEN\n\[ ('7', '8'|'8', '7') \]\n$/);
  });
});

describe("a bundle with the reader", () => {
  const code = `
    import { table } from "@tidetable/reader";
    import { sources } from "@tidetable/sources";
    console.log(table(sources.support, "support_tickets", { stage: "production" }).name);
    for await (const page of table(sources.generic, "resource_name").scan()) console.log(page);`;

  it("a bundle with the reader knows the names of sources and has no code of the engine", async () => {
    const { file, exec } = await createApplication(code);
    const { metafile } = await build({
      entryPoints: [file],
      outfile: file.replace("app.ts", "bundle.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      mainFields: ["module", "main"],
      banner: {
        js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
      },
      metafile: true,
      logLevel: "silent",
    });
    const [output] = Object.values<{ inputs: object }>(metafile.outputs);
    const inputs = Object.keys(output?.inputs ?? {});
    const engineCode =
      /undici|zod|secrets-manager|core\/src\/(schema|report|extract|state|load|run|preview|entry)\//;
    expect(inputs.filter((path) => engineCode.test(path))).toEqual([]);
    expect(inputs.some((path) => path.includes("client-dynamodb"))).toBe(true);

    const { stdout, stderr } = await exec("bundle.mjs");
    expect(stdout).toBe("tidetable-production-support.support_tickets\n");
    expect(stderr).toContain("the table tidetable-local-generic.resource_name does not exist");
    expect(stderr).toContain("npx --no tidetable run");
  });
});
