#!/usr/bin/env node
// Checks what is published, on the Node that runs this file: `npm run pack:check`. The packages are
// packed, looked at by publint and attw, and used outside of the repository, from their tarballs.
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { packAll } from "./pack.mjs";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "tidetable-pack-"));
const environment = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

/** Runs a command to its end, and throws with its output where it fails. */
function run(name, command, args, options = {}) {
  const began = performance.now();
  try {
    const output = execFileSync(command, args, {
      encoding: "utf8",
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    console.log(`ok      ${name} (${Math.round(performance.now() - began)} ms)`);
    return output;
  } catch (error) {
    console.error(`FAILED  ${name}\n${error.stdout ?? ""}${error.stderr ?? error}`);
    throw new Error(`${name} failed`);
  }
}

const inModules = (path) => join(root, "node_modules", path);

/** Looks at each package: are manifest, files and types what Node and bundlers expect? */
function lint(packages) {
  for (const { file } of packages) {
    const name = file.split("/").at(-1);
    run(`publint ${name}`, process.execPath, [
      inModules("publint/src/cli.js"),
      "run",
      file,
      "--strict",
    ]);
    const isCommand = /\/(create-)?tidetable-\d/.test(file);
    // CommonJS reaches the packages by import() alone, and TypeScript 4's resolution does not.
    const ignored = ["cjs-resolves-to-esm"];
    const attw = inModules("@arethetypeswrong/cli/dist/index.js");
    const args = [attw, file, "--profile", "node16", "--ignore-rules", ...ignored];
    if (!isCommand)
      run(`attw ${name}`, process.execPath, [
        ...args,
        "--exclude-entrypoints",
        "./rest_api.schema.json",
        "./package.json",
      ]);
    run(`npm publish --dry-run ${name}`, "npm", [
      "publish",
      "--dry-run",
      "--provenance=false",
      "--ignore-scripts",
      file,
    ]);
  }
}

const source = `import { rest_api_source } from "@tidetable/core";

export const crm = rest_api_source(
  {
    client: { base_url: "https://api.acme-crm.io/v2" },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: ["contacts", "deals"],
  },
  { schedule: "rate(1 hour)" },
);

export default crm;
`;
const projectFiles = {
  "package.json": JSON.stringify({
    name: "shop",
    private: true,
    type: "module",
    tidetable: { app: "shop", sources: "./sources/index.ts" },
  }),
  "sources/crm.ts": source,
  "sources/index.ts": `import { register } from "@tidetable/core";
import { crm } from "./crm.ts";

export const sources = register({ crm });
`,
  "functions/worker.ts": `import { worker } from "@tidetable/core/lambda";
import { sources } from "../sources/index.ts";

export const handler = worker({ sources });
`,
  "functions/schedule.ts": `import { scheduler } from "@tidetable/core/lambda";
import { sources } from "../sources/index.ts";

export const handler = scheduler({ sources });
`,
  "read.ts": `import { table } from "@tidetable/reader";
import { sources } from "./sources/index.ts";

export const deals = table(sources.crm, "deals", { app: "shop", stage: "dev" });
export const columns: string = deals.name;
`,
  "imports.mjs": `import { Decimal, register, rest_api_source } from "@tidetable/core";
import { scheduler, worker } from "@tidetable/core/lambda";
import { planSource, validate, version } from "@tidetable/core/plan";
import { table } from "@tidetable/reader";
import schema from "@tidetable/core/rest_api.schema.json" with { type: "json" };

const source = rest_api_source({ client: { base_url: "https://a.example" }, resources: ["rows"] });
const sources = register({ a: source });
if (validate(source, "a").length > 0) throw new Error("a valid source has problems");
const names = planSource(source, "a").resources.map(({ name }) => name);
const parts = [typeof worker({ sources }), typeof scheduler({ sources }), typeof table, typeof schema];
console.log([version, new Decimal("1.10").toString(), ...names, ...parts].join(" "));
`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "ES2023",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: ["node"],
      skipLibCheck: false,
    },
    include: ["*.ts", "sources", "functions"],
  }),
};

/** Installs the tarballs into a folder that has nothing else, and uses them there. */
function useOutside(packages) {
  const project = join(folder, "shop");
  for (const [path, text] of Object.entries(projectFiles)) {
    mkdirSync(join(project, path, ".."), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  const inProject = { cwd: project };
  const tarballs = packages.map(({ file }) => file);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  run("npm install of the tarballs", "npm", ["install", ...flags, ...tarballs], inProject);
  const imported = run("imports of every entry", process.execPath, ["imports.mjs"], inProject);
  if (!/^\d+\.\d+\.\d+ 1\.1\d* rows function function function object\n$/.test(imported)) {
    throw new Error(`the entries gave ${imported}`);
  }
  const cli = join(project, "node_modules/tidetable/bin/tidetable.mjs");
  run("tidetable --help", process.execPath, [cli, "--help"], inProject);
  const plan = run(
    "tidetable plan of a source file",
    process.execPath,
    [cli, "plan", "sources/crm.ts"],
    inProject,
  );
  if (!plan.includes("crm.deals")) throw new Error(`plan printed ${plan}`);
  const tsc = [inModules("typescript/bin/tsc"), "-p", project, "--typeRoots", inModules("@types")];
  run("tsc --strict of the project", process.execPath, tsc, inProject);
}

/** A public API in small, in the place of the first source's own. */
async function openStandIn() {
  const names = { pokemon: ["eevee", "pikachu"], location: ["kanto"], berry: ["cheri", "oran"] };
  const server = createServer((request, response) => {
    const [list, name] = new URL(request.url, "http://api").pathname.split("/").slice(3);
    const results = (names[list] ?? []).map((item) => ({ name: item }));
    const body = name ? { id: names.berry.indexOf(name) + 1, name } : { next: null, results };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

/**
 * From an empty folder: a project is created from the one tarball, its first run fills tables, and what
 * was written passes `tsc --strict` with either resolution of modules.
 */
async function createOutside(packages) {
  const inFolder = { cwd: join(folder, "packages") };
  const createTarball = packages.find(({ file }) => /create-tidetable/.test(file)).file;
  const create = ["exec", "--yes", "--package", createTarball, "--"];
  const answers = ["mirror", "--packages", ".", "--yes"];
  run("create-tidetable", "npm", [...create, "create-tidetable", ...answers], inFolder);
  const project = join(folder, "packages/mirror");
  const server = await openStandIn();
  const origin = `http://127.0.0.1:${server.address().port}`;
  const env = { ...environment, TIDETABLE_ORIGIN_POKEMON: origin, no_proxy: "127.0.0.1" };
  const cli = join(project, "node_modules/tidetable/bin/tidetable.mjs");
  try {
    // The stand-in answers in this process, so that the command must not block it.
    const text = await runBeside("tidetable run", [cli, "run", "--json"], { cwd: project, env });
    if (JSON.parse(text).status !== "succeeded") throw new Error(`run printed ${text}`);
  } finally {
    server.close();
  }
  const items = [cli, "items", "pokemon/berries", "--json"];
  const rows = run("tidetable items", process.execPath, items, { cwd: join(project, "sources") });
  if (rows.trim().split("\n").length !== 2) throw new Error(`items printed ${rows}`);
  for (const module of [[], ["--module", "nodenext", "--moduleResolution", "nodenext"]]) {
    const types = ["--typeRoots", inModules("@types")];
    const tsc = [inModules("typescript/bin/tsc"), "-p", project, ...module, ...types];
    run(`tsc --strict of what init wrote ${module[1] ?? ""}`, process.execPath, tsc);
  }
}

async function runBeside(name, args, options) {
  const began = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  console.log(`ok      ${name} (${Math.round(performance.now() - began)} ms)`);
  return stdout;
}

try {
  const packages = await packAll(join(folder, "packages"));
  lint(packages);
  useOutside(packages);
  await createOutside(packages);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
