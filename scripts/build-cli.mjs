#!/usr/bin/env node
// Writes the command line as one bundle into packages/cli/dist. It starts in a quarter of the time
// from there (TIDETABLE_BUILT=1), so the tests run it so.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { builtEntries } from "../packages/cli/bin/built.mjs";

const root = resolve(import.meta.dirname, "..");
const cliFolder = join(root, "packages/cli");

export function buildCli() {
  const { build } = createRequire(join(cliFolder, "package.json"))("esbuild");
  return build({
    absWorkingDir: root,
    entryPoints: { cli: join(cliFolder, "src/cli.ts"), ...entryFiles() },
    outdir: join(cliFolder, "dist"),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    minifySyntax: true,
    minifyWhitespace: true,
    external: ["esbuild", "dynalite", "tsx"],
    // Packages in CommonJS ask for Node's own modules.
    banner: {
      js: 'import { createRequire as createBundleRequire } from "node:module"; const require = createBundleRequire(import.meta.url);',
    },
    logLevel: "error",
    write: false,
  }).then(({ outputFiles }) => writeChanged(join(cliFolder, "dist"), outputFiles));
}

/** What a user's source file imports is in the same bundle, so that both have the same classes. */
function entryFiles() {
  const files = Object.entries(builtEntries).map(([specifier, entry]) => {
    const [, name, path = "."] = /^@tidetable\/(\w+)(?:\/(.+))?$/.exec(specifier) ?? [];
    const folder = join(root, "packages", name);
    const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return [entry, join(folder, exports[path === "." ? "." : `./${path}`])];
  });
  return Object.fromEntries(files);
}

/** Leaves unchanged files alone, because a command may be starting from them. */
function writeChanged(folder, files) {
  mkdirSync(folder, { recursive: true });
  const paths = new Set(files.map(({ path }) => path));
  for (const name of readdirSync(folder)) {
    if (!paths.has(join(folder, name))) rmSync(join(folder, name), { recursive: true });
  }
  for (const { path, text } of files) if (contentOf(path) !== text) writeFileSync(path, text);
}

function contentOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCli();
