import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bundleFunctions,
  type FunctionBundles,
} from "../packages/local/src/runner/function-bundles.ts";

/*
 * The packages of which something is in what AWS runs. They are checked in, so that a new one, or
 * another version, is a line in a change that somebody reads.
 *
 *   node --import tsx scripts/bundle-packages.ts [FOLDER]
 *
 * FOLDER gets the bundles themselves, for a release.
 */

const root = fileURLToPath(new URL("..", import.meta.url));
export const packagesFile = join(root, "functions/bundle-packages.json");

interface Package {
  name: string;
  version: string;
  license: string;
}

/** By bundle, in the order of their names. */
export function bundlePackages(bundles: FunctionBundles): Record<string, Package[]> {
  return Object.fromEntries(
    Object.entries(bundles).map(([name, { inputs }]) => [name, packagesOf(inputs)]),
  );
}

function packagesOf(inputs: string[]): Package[] {
  // To the last node_modules: a package may have others of its own.
  const folders = inputs.flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, folder, "package.json"), "utf8"),
    );
    return { name, version, license };
  });
}

/** One package on a line, as `{ "schedule": ["undici@7.30.2 MIT", …], … }`. */
export const asLines = (packages: Record<string, Package[]>): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(packages).map(([bundle, all]) => [
      bundle,
      all.map(({ name, version, license }) => `${name}@${version} ${license}`),
    ]),
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kept = process.argv[2];
  const folder = kept ?? mkdtempSync(join(tmpdir(), "tidetable-packages-"));
  const lines = asLines(bundlePackages(await bundleFunctions(folder)));
  if (!kept) rmSync(folder, { recursive: true });
  writeFileSync(packagesFile, `${JSON.stringify(lines, null, 2)}\n`);
}
