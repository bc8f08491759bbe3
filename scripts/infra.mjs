// Runs `npm run infra:install`, `infra:check`, `infra:test` and `infra:smoke`. These tasks need the SST
// platform: the components and types of the installed sst version, downloaded from npm once.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const sstFolder = "node_modules/sst";
const platformFolder = ".sst/platform";
const vitest = ["node_modules/vitest/vitest.mjs", "run"];
const smokeTest = "test/infra/smoke.test.ts";
/** The tests in test/infra are skipped without this variable. */
const infraEnvironment = { TIDETABLE_INFRA: "1" };

/** The tasks return an exit code. They run after the installation of the platform. */
const tasks = {
  install: () => 0,
  check: checkTypes,
  test: (args) =>
    runNode([...vitest, "test/infra", "--exclude", smokeTest, ...args], infraEnvironment),
  smoke: (args) => runNode([...vitest, smokeTest, ...args], infraEnvironment),
};

process.exitCode = runTask(process.argv[2], process.argv.slice(3));

function runTask(task, args) {
  if (!Object.hasOwn(tasks, task)) {
    console.error(`usage: node scripts/infra.mjs ${Object.keys(tasks).join("|")}`);
    return 2;
  }
  return installPlatform() || tasks[task](args);
}

/**
 * Prints the type errors in `stacks/` and `packages/sst`. Errors in other packages are left out: the
 * platform needs compiler options that these do not follow, and `npm run check` checks them.
 */
function checkTypes() {
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.infra.json", "--pretty", "false"];
  const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
  const errors = stdout
    .split(/\n(?=\S)/)
    .filter((text) => text && !/^packages\/(?!sst\/)/.test(text));
  for (const error of errors) console.log(error);
  return stdout === "" || errors.length > 0 ? status : 0;
}

/** Returns an exit code: 0 when the platform has the version of the installed sst. */
function installPlatform() {
  const { version } = JSON.parse(readFileSync(`${sstFolder}/package.json`, "utf8"));
  if (isInstalled(version)) return 0;
  console.log(`installing the platform of sst ${version} into ${platformFolder}: a minute, 330 MB`);
  const code = runNode([`${sstFolder}/bin/sst.mjs`, "install", "--stage", "infra"], {
    SST_SKIP_DEPENDENCY_CHECK: "1", // Pulumi's engine, which is not on npm
    SST_NO_BUN: "1",
    SST_TELEMETRY_DISABLED: "1",
  });
  if (code === 0 && isInstalled(version)) return 0;
  console.error("sst could not install its platform; .sst/log/sst.log says more");
  return code || 1;
}

/** SST writes the version file first, and config.d.ts after the last package. */
function isInstalled(version) {
  const isComplete = existsSync(`${platformFolder}/config.d.ts`);
  return isComplete && readFileSync(`${platformFolder}/version`, "utf8") === version;
}

function runNode(args, env) {
  const options = { stdio: "inherit", env: { ...process.env, ...env } };
  return spawnSync(process.execPath, args, options).status ?? 1;
}
