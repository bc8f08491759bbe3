import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProject, type Project } from "../packages/cli/src/base/project.ts";
import {
  bundleFunctions,
  type FunctionBundles,
} from "../packages/cli/src/runner/function-bundles.ts";

/*
 * Lists the packages with code in the deployed bundles. The list is committed: a new package, or a
 * new version, is a line in a change for somebody to review.
 *
 *   node --import tsx scripts/bundle-packages.ts [FOLDER]
 *
 * FOLDER gets the bundles themselves, for a release.
 */

const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));
/** This repository, which is a project of its own packages. */
export const repository = findProject(repositoryRoot) as Project;
export const packagesFile = join(repositoryRoot, "functions/bundle-packages.json");

interface PackageInfo {
  name: string;
  version: string;
  license: string;
}

/** The packages of each bundle, sorted by path. */
export function bundlePackages(bundles: FunctionBundles): Record<string, PackageInfo[]> {
  return Object.fromEntries(
    Object.entries(bundles).map(([name, { inputs }]) => [name, packagesOf(inputs)]),
  );
}

function packagesOf(inputs: string[]): PackageInfo[] {
  // The last node_modules of a path counts, because a package may contain further packages.
  const folders = inputs.flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(repositoryRoot, folder, "package.json"), "utf8"),
    );
    return { name, version, license };
  });
}

/** The content of the file: `{ "schedule": ["undici@7.30.2 MIT", …], … }`. */
export const packageLines = (
  packagesByBundle: Record<string, PackageInfo[]>,
): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(packagesByBundle).map(([bundle, packages]) => [
      bundle,
      packages.map(({ name, version, license }) => `${name}@${version} ${license}`),
    ]),
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const releaseFolder = process.argv[2];
  const folder = releaseFolder ?? mkdtempSync(join(tmpdir(), "tidetable-packages-"));
  const lines = packageLines(bundlePackages(await bundleFunctions(repository, folder)));
  if (!releaseFolder) rmSync(folder, { recursive: true });
  writeFileSync(packagesFile, `${JSON.stringify(lines, null, 2)}\n`);
}
