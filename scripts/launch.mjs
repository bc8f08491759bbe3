// Runs the tasks of package.json's "scripts", after an installation if one is needed. npm skips `pre`
// scripts under `ignore-scripts`, so the installation is done here. The launcher has no dependencies,
// because it runs before they are installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const LOWEST_NODE = [20, 19];

const inPackages = (path) => `node_modules/${path}`;
const vitest = [inPackages("vitest/vitest.mjs"), "run"];
const biome = [inPackages("@biomejs/biome/bin/biome"), "check"];
const sst = inPackages("sst/bin/sst.mjs");

/** The command lines of Node. A person's arguments are appended. */
const tasks = {
  start: ["packages/cli/bin/tidetable.mjs", "start"],
  test: vitest,
  fix: [...biome, "--write"],
  bench: ["--import", "tsx", "bench/index.ts"],
  "bench:peers": ["--import", "tsx", "bench/peers/index.ts"],
  soak: ["--import", "tsx", "bench/index.ts", "soak"],
  simulate: ["--import", "tsx", "scripts/simulate.ts"],
  "test:lambda": ["scripts/test-lambda.mjs"],
  pack: ["scripts/pack.mjs"],
  "pack:check": ["scripts/pack-check.mjs"],
  infra: ["scripts/infra.mjs"],
  dev: [sst, "dev"],
  deploy: [sst, "deploy"],
};

/** `npm run check -- --no-tests` leaves out the tests. */
const checks = {
  "format and lint": biome,
  types: [inPackages("typescript/bin/tsc"), "-p", "."],
  "unused code": [inPackages("knip/bin/knip.js")],
  tests: vitest,
};

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
process.exitCode = await launch(process.argv[2], process.argv.slice(3));

async function launch(task, args) {
  const versionProblem = checkNodeVersion(process.versions.node);
  if (versionProblem) return refuse(versionProblem);
  if (task !== "check" && !Object.hasOwn(tasks, task)) {
    return refuse(`usage: node scripts/launch.mjs ${[...Object.keys(tasks), "check"].join("|")}`);
  }
  const installCode = await installPackages();
  if (installCode !== 0) return installCode;
  if (task === "check") return runChecks(args.includes("--no-tests"));
  return runNode([...tasks[task], ...args]);
}

function refuse(line) {
  console.error(line);
  return 2;
}

function checkNodeVersion(version) {
  const [major, minor] = version.split(".").map(Number);
  const [lowestMajor, lowestMinor] = LOWEST_NODE;
  const isSupported = major > lowestMajor || (major === lowestMajor && minor >= lowestMinor);
  if (isSupported) return undefined;
  return `tidetable needs Node ${LOWEST_NODE.join(".")} or newer, and this is ${version}; see https://nodejs.org`;
}

/** Resolves to an exit code: 0 when the installed packages are those of package-lock.json. */
async function installPackages() {
  const lockHash = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  const reason = installReason(lockHash);
  if (!reason) return 0;
  console.error(`${reason}: running npm ci once`);
  const code = await runCommand("npm", ["ci", "--include=dev", "--no-audit", "--no-fund"], {
    // On Windows npm is a .cmd file, which only a shell can start.
    shell: process.platform === "win32",
  });
  if (code === 0) writeFileSync(inPackages(".tidetable-lock"), lockHash);
  else console.error(`npm ci failed with exit code ${code}`);
  return code;
}

/** Undefined when the launcher, or npm itself, has installed the packages of the lock file. */
function installReason(lockHash) {
  const installed = statSync(inPackages(".package-lock.json"), { throwIfNoEntry: false });
  if (!installed) return "nothing is installed yet";
  if (installed.mtimeMs >= statSync("package-lock.json").mtimeMs) return undefined;
  const installedHash = readIfPresent(inPackages(".tidetable-lock"));
  return installedHash === lockHash ? undefined : "package-lock.json has changed";
}

function readIfPresent(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function runChecks(withoutTests) {
  const results = [];
  for (const [name, args] of Object.entries(checks)) {
    if (withoutTests && name === "tests") continue;
    console.log(`\n── ${name}`);
    const code = await runNode(args);
    results.push({ name, code });
    if (code > 128) break; // a signal ended the check, and the person wants to stop
  }
  console.log("");
  for (const { name, code } of results) console.log(`${code === 0 ? "passed" : "FAILED"}  ${name}`);
  return results.every(({ code }) => code === 0) ? 0 : 1;
}

function runNode(args) {
  return runCommand(process.execPath, args);
}

/** Runs a command at the terminal and forwards signals. Resolves to the exit code. */
function runCommand(command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: "inherit",
    // On Node 20 the SDK would print a warning before any other output.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", ...process.env },
    ...options,
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forwardSignal = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forwardSignal);
  return new Promise((resolve) => {
    const finish = (code) => {
      for (const signal of signals) process.off(signal, forwardSignal);
      resolve(code);
    };
    child.on("exit", (code, signal) => finish(code ?? 128 + constants.signals[signal]));
    child.on("error", (error) => {
      console.error(`${command} cannot be started: ${error.message}`);
      finish(127);
    });
  });
}
