import { spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const launcher = fileURLToPath(new URL("../../scripts/launch.mjs", import.meta.url));

/** A clone with nothing installed, and an npm on the PATH that "installs" tools which tell their arguments. */
let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "tidetable-launch-"));
  await mkdir(join(clone, "scripts"));
  await cp(launcher, join(clone, "scripts/launch.mjs"));
  await writeFile(join(clone, "package-lock.json"), "{}");
  await addTool("packages/cli/bin/tidetable.mjs", "tidetable");
  await addExecutable(
    "bin/npm",
    `echo "npm $*"; mkdir -p node_modules; cp -r tools/* node_modules/; echo {} > node_modules/.package-lock.json`,
  );
  for (const [name, path] of Object.entries(tools)) await addTool(`tools/${path}`, name);
});
afterEach(() => rm(clone, { recursive: true }));

const tools = {
  vitest: "vitest/vitest.mjs",
  biome: "@biomejs/biome/bin/biome",
  tsc: "typescript/bin/tsc",
  knip: "knip/bin/knip.js",
  sst: "sst/bin/sst.mjs",
};

async function writeTool(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(clone, path)), { recursive: true });
  await writeFile(join(clone, path), text);
}

const addTool = (path: string, name: string, first = "") =>
  writeTool(path, `${first};console.log(["${name}", ...process.argv.slice(2)].join(" "))`);

async function addExecutable(path: string, script: string): Promise<void> {
  await writeTool(path, `#!/bin/sh\n${script}\n`);
  await chmod(join(clone, path), 0o755);
}

function startLauncher(args: string[], nodeOptions: string[] = []) {
  const script = join(clone, "scripts/launch.mjs");
  const child = spawn(process.execPath, [...nodeOptions, script, ...args], {
    cwd: tmpdir(),
    env: { ...process.env, PATH: join(clone, "bin") + delimiter + process.env.PATH },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const end = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, end };
}

const runLauncher = (...args: string[]) => startLauncher(args).end;

describe("installing", () => {
  it("the launcher installs once in a new clone, and says why", async () => {
    const first = await runLauncher("test");
    expect(first).toEqual({
      code: 0,
      stdout: "npm ci --include=dev --no-audit --no-fund\nvitest run\n",
      stderr: "nothing is installed yet: running npm ci once\n",
    });
    expect(await runLauncher("test")).toEqual({ code: 0, stdout: "vitest run\n", stderr: "" });
  });

  it("the launcher installs again after package-lock.json has changed, but not after it was only touched", async () => {
    await runLauncher("test");
    const later = new Date(Date.now() + 60_000);
    await utimes(join(clone, "package-lock.json"), later, later);
    expect((await runLauncher("test")).stderr).toBe("");

    await writeFile(join(clone, "package-lock.json"), `{"changed":true}`);
    await utimes(join(clone, "package-lock.json"), later, later);
    expect((await runLauncher("test")).stderr).toBe(
      "package-lock.json has changed: running npm ci once\n",
    );
  });

  it("the launcher does not install after a person's own npm install", async () => {
    await cp(join(clone, "tools"), join(clone, "node_modules"), { recursive: true });
    await writeFile(join(clone, "node_modules/.package-lock.json"), "{}");
    expect((await runLauncher("test")).stdout).toBe("vitest run\n");
  });

  it("a failed installation ends the launch with npm's exit code, and is repeated the next time", async () => {
    await addExecutable("bin/npm", "mkdir -p node_modules; exit 7");
    expect(await runLauncher("test")).toEqual({
      code: 7,
      stdout: "",
      stderr: "nothing is installed yet: running npm ci once\nnpm ci failed with exit code 7\n",
    });
    expect((await runLauncher("test")).code).toBe(7);
  });
});

describe("the words of package.json", () => {
  it.each([
    ["start", "tidetable start --data x\n"],
    ["test", "vitest run --data x\n"],
    ["fix", "biome check --write --data x\n"],
    ["dev", "sst dev --data x\n"],
    ["deploy", "sst deploy --data x\n"],
  ])("npm run %s passes its arguments on", async (task, stdout) => {
    await runLauncher("test");
    expect((await runLauncher(task, "--data", "x")).stdout).toBe(stdout);
  });

  it("an unknown word gets a usage line from the launcher", async () => {
    expect(await runLauncher("strat")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "usage: node scripts/launch.mjs start|test|fix|bench|bench:peers|soak|simulate|test:lambda|pack|pack:check|infra|dev|deploy|check\n",
    });
  });

  it("npm run check runs every check under its heading and fails if one of them fails", async () => {
    await runLauncher("test");
    await addTool("node_modules/typescript/bin/tsc", "tsc", "process.exitCode = 2");
    const { code, stdout } = await runLauncher("check");
    expect(code).toBe(1);
    expect(stdout).toBe(`
── format and lint
biome check

── types
tsc -p .

── unused code
knip

── tests
vitest run

passed  format and lint
FAILED  types
passed  unused code
passed  tests
`);
  });
});

describe("the launcher stands aside", () => {
  it("the launcher passes an exit code through", async () => {
    await runLauncher("test");
    await addTool("node_modules/vitest/vitest.mjs", "vitest", "process.exitCode = 3");
    expect((await runLauncher("test")).code).toBe(3);
  });

  it.each([
    "SIGINT",
    "SIGTERM",
  ] as const)("the launcher forwards %s to the child, which decides how to end", async (signal) => {
    await runLauncher("test");
    const waits = `process.on("${signal}", () => { console.log("cleaned up"); process.exit(4); });
      setInterval(() => {}, 1000);`;
    await addTool("packages/cli/bin/tidetable.mjs", "tidetable", waits);
    const { child, end } = startLauncher(["start"]);
    child.stdout.once("data", () => child.kill(signal));
    expect(await end).toMatchObject({ code: 4, stdout: "tidetable start\ncleaned up\n" });
  });

  it("the launcher's exit code for a child ended by a signal is 128 plus the signal's number", async () => {
    await runLauncher("test");
    await addTool(
      "node_modules/vitest/vitest.mjs",
      "vitest",
      `process.kill(process.pid, "SIGKILL")`,
    );
    expect((await runLauncher("test")).code).toBe(137);
  });
});

it("the launcher refuses a Node that is too old in one clear line", async () => {
  const pretend = `Object.defineProperty(process, "versions", { value: { node: "18.20.1" } })`;
  const { code, stdout, stderr } = await startLauncher(
    ["test"],
    ["--import", `data:text/javascript,${pretend}`],
  ).end;
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(
    "tidetable needs Node 20.19 or newer, and this is 18.20.1; see https://nodejs.org\n",
  );
});
