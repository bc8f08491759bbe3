import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { ConfigError } from "@tidetable/core/internal/config";
import { packageFile } from "../base/package-files.ts";

/** The members of package.json that `init` reads or writes. */
export interface Manifest {
  name?: string;
  private?: boolean;
  type?: string;
  tidetable?: object;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** The packages that a project needs, and where in package.json they belong. */
const neededPackages = {
  dependencies: ["@tidetable/core", "@tidetable/sst"],
  devDependencies: ["tidetable"],
} as const;

/** Deploys the project. A project that is there has the version of its own choice. */
const sstVersion = "^4.17.1";

export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch {
    throw initError(path, "not valid JSON", "mend it first: nothing was written");
  }
}

/** The text of package.json with what the project needs; undefined where nothing is missing. */
export function completedManifest(
  folder: string,
  { app, packages }: { app: string; packages: string | undefined },
): string | undefined {
  const before = readManifest(folder);
  const manifest: Manifest = before ? { ...before } : { name: app, private: true, type: "module" };
  manifest.tidetable ??= { app, sources: "./sources/index.ts" };
  const isInstalled = (name: string) =>
    manifest.dependencies?.[name] ?? manifest.devDependencies?.[name];
  for (const section of ["dependencies", "devDependencies"] as const) {
    for (const name of neededPackages[section]) {
      if (isInstalled(name)) continue;
      const version = packageVersion(name, { folder, manifest, packages });
      manifest[section] = { ...manifest[section], [name]: version };
    }
  }
  if (!isInstalled("sst"))
    manifest.devDependencies = { ...manifest.devDependencies, sst: sstVersion };
  const text = before ? readFileSync(join(folder, "package.json"), "utf8") : "";
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  const after = `${JSON.stringify(manifest, null, indent)}\n`;
  return JSON.stringify(before) === JSON.stringify(manifest) ? undefined : after;
}

interface PackagePlace {
  folder: string;
  manifest: Manifest;
  packages: string | undefined;
}

/**
 * The packages are on no registry yet, where anybody could take their names: they come from a folder
 * of tarballs, the one that is named, or the one that this tidetable was installed from.
 */
function packageVersion(name: string, { folder, manifest, packages }: PackagePlace): string {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  const tarballs = packages ?? tarballFolder(folder, manifest);
  if (tarballs && existsSync(join(tarballs, file))) {
    const path = relative(folder, join(tarballs, file)).replaceAll("\\", "/");
    return `file:${path}`;
  }
  throw initError(
    tarballs ?? "--packages",
    tarballs ? `there is no ${file}` : `${name} is on no registry yet`,
    "name the folder with the packed tarballs of this version: --packages FOLDER (docs/start.md)",
  );
}

function tarballFolder(folder: string, { dependencies, devDependencies }: Manifest) {
  const versions = Object.entries({ ...dependencies, ...devDependencies });
  const found = versions.find(([name, at]) => /tidetable/.test(name) && /^file:.*\.tgz$/.test(at));
  return found && dirname(resolve(folder, found[1].slice("file:".length)));
}

export function initError(path: string, message: string, hint: string): ConfigError {
  return new ConfigError({ code: "cli.init", message, problems: [{ path, message, hint }] });
}
