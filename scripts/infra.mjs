// `npm run infra:install`, `infra:check`, `infra:test` and `infra:smoke`: what takes the SST platform,
// which is the components and types of this version of sst. It comes from npm alone, once.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const sst = "node_modules/sst";
const platform = ".sst/platform";
const vitest = ["node_modules/vitest/vitest.mjs", "run"];
const smoke = "test/infra/smoke.test.ts";
/** Without it these tests would be skipped. */
const wanted = { TIDETABLE_INFRA: "1" };

/** Each gives an exit code, and starts when the platform is there. */
const tasks = {
  install: () => 0,
  check: types,
  test: (args) => node([...vitest, "test/infra", "--exclude", smoke, ...args], wanted),
  smoke: (args) => node([...vitest, smoke, ...args], wanted),
};

process.exitCode = infra(process.argv[2], process.argv.slice(3));

function infra(task, args) {
  if (!Object.hasOwn(tasks, task)) {
    console.error(`usage: node scripts/infra.mjs ${Object.keys(tasks).join("|")}`);
    return 2;
  }
  return install() || tasks[task](args);
}

/**
 * What is wrong in `stacks/`. The packages come along under options that the platform's sources
 * need and ours do not keep to; `npm run check` has checked those.
 */
function types() {
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.infra.json", "--pretty", "false"];
  const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
  const errors = stdout.split(/\n(?=\S)/).filter((text) => text && !text.startsWith("packages/"));
  for (const error of errors) console.log(error);
  return stdout === "" || errors.length > 0 ? status : 0;
}

/** Gives an exit code: 0 when the platform is that of the installed sst. */
function install() {
  const { version } = JSON.parse(readFileSync(`${sst}/package.json`, "utf8"));
  if (installed(version)) return 0;
  console.log(`installing the platform of sst ${version} into ${platform}: a minute, 330 MB`);
  const code = node([`${sst}/bin/sst.mjs`, "install", "--stage", "infra"], {
    SST_SKIP_DEPENDENCY_CHECK: "1", // Pulumi's engine, which is not on npm
    SST_NO_BUN: "1",
    SST_TELEMETRY_DISABLED: "1",
  });
  if (code === 0 && installed(version)) return 0;
  console.error("sst could not install its platform; .sst/log/sst.log says more");
  return code || 1;
}

/** SST writes the version first, and these types when all packages are there. */
function installed(version) {
  const types = existsSync(`${platform}/config.d.ts`);
  return types && readFileSync(`${platform}/version`, "utf8") === version;
}

function node(args, env) {
  const options = { stdio: "inherit", env: { ...process.env, ...env } };
  return spawnSync(process.execPath, args, options).status ?? 1;
}
