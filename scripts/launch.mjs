// What the words of package.json's "scripts" do. Installs first when that is needed, and not in a
// `pre` script: npm skips those under `ignore-scripts`. No dependencies: it runs before there are any.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const LOWEST_NODE = [20, 19];

const packages = (path) => `node_modules/${path}`;
const vitest = [packages("vitest/vitest.mjs"), "run"];
const biome = [packages("@biomejs/biome/bin/biome"), "check"];
const sst = packages("sst/bin/sst.mjs");

/** Each is a Node command line; what a person adds goes behind it. */
const tasks = {
  start: ["packages/local/bin/tidetable.mjs", "start"],
  test: vitest,
  fix: [...biome, "--write"],
  bench: ["--import", "tsx", "bench/index.ts"],
  "bench:peers": ["--import", "tsx", "bench/peers/index.ts"],
  soak: ["--import", "tsx", "bench/index.ts", "soak"],
  simulate: ["--import", "tsx", "scripts/simulate.ts"],
  "test:lambda": ["scripts/test-lambda.mjs"],
  infra: ["scripts/infra.mjs"],
  dev: [sst, "dev"],
  deploy: [sst, "deploy"],
};

/** `npm run check -- --no-tests` leaves the last one out. */
const checks = {
  "format and lint": biome,
  types: [packages("typescript/bin/tsc"), "-p", "."],
  "unused code": [packages("knip/bin/knip.js")],
  tests: vitest,
};

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
process.exitCode = await launch(process.argv[2], process.argv.slice(3));

async function launch(task, args) {
  const old = tooOld(process.versions.node);
  if (old) return refuse(old);
  if (task !== "check" && !Object.hasOwn(tasks, task)) {
    return refuse(`usage: node scripts/launch.mjs ${[...Object.keys(tasks), "check"].join("|")}`);
  }
  const failed = await install();
  if (failed) return failed;
  return task === "check" ? check(args.includes("--no-tests")) : node([...tasks[task], ...args]);
}

function refuse(line) {
  console.error(line);
  return 2;
}

function tooOld(version) {
  const [major, minor] = version.split(".").map(Number);
  const enough = major > LOWEST_NODE[0] || (major === LOWEST_NODE[0] && minor >= LOWEST_NODE[1]);
  if (enough) return undefined;
  return `tidetable needs Node ${LOWEST_NODE.join(".")} or newer, and this is ${version}; see https://nodejs.org`;
}

/** Resolves to an exit code: 0 when what is installed is what package-lock.json says. */
async function install() {
  const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  const why = staleness(lock);
  if (!why) return 0;
  console.error(`${why}: running npm ci once`);
  const code = await run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"], {
    // npm is a .cmd file there, which only a shell can start.
    shell: process.platform === "win32",
  });
  if (code === 0) writeFileSync(packages(".tidetable-lock"), lock);
  else console.error(`npm ci failed with exit code ${code}`);
  return code;
}

/** Why to install; undefined when this launcher, or npm itself, did so for this lock file. */
function staleness(lock) {
  const installed = statSync(packages(".package-lock.json"), { throwIfNoEntry: false });
  if (!installed) return "nothing is installed yet";
  if (installed.mtimeMs >= statSync("package-lock.json").mtimeMs) return undefined;
  return read(packages(".tidetable-lock")) === lock ? undefined : "package-lock.json has changed";
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function check(withoutTests) {
  const results = [];
  for (const [name, args] of Object.entries(checks)) {
    if (withoutTests && name === "tests") continue;
    console.log(`\n── ${name}`);
    const code = await node(args);
    results.push({ name, code });
    if (code > 128) break; // ended by a signal: the person wants out
  }
  console.log("");
  for (const { name, code } of results) console.log(`${code === 0 ? "passed" : "FAILED"}  ${name}`);
  return results.every(({ code }) => code === 0) ? 0 : 1;
}

function node(args) {
  return run(process.execPath, args);
}

/** Runs a command to its end with this terminal, and hands signals on. Resolves to its exit code. */
function run(command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: "inherit",
    // On Node 20 the SDK would announce the end of its support in front of everything else.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", ...process.env },
    ...options,
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve) => {
    const end = (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code);
    };
    child.on("exit", (code, signal) => end(code ?? 128 + constants.signals[signal]));
    child.on("error", (error) => {
      console.error(`${command} can not be started: ${error.message}`);
      end(127);
    });
  });
}
