#!/usr/bin/env node
// Writes what is published: a folder and a tarball for each package. In the repository packages export
// TypeScript, and nothing is built; what users install is JavaScript with declarations.
//
//   node scripts/pack.mjs [FOLDER] [--repository URL]      (default: dist/packages)
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import ts from "typescript";
import { buildCli } from "./build-cli.mjs";

const root = resolve(import.meta.dirname, "..");
const readManifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const { version, license, engines } = readManifest(root);

/** The packages in the order in which they are built: each may need the declarations of the former. */
const packages = [
  {
    folder: "core",
    description: "The engine of tidetable, which mirrors REST APIs into DynamoDB tables",
    files: ["rest_api.schema.json"],
  },
  {
    folder: "reader",
    description: "Typed reads of the tables that tidetable fills",
  },
  {
    folder: "sst",
    description: "An SST component with everything that tidetable needs in AWS",
  },
  {
    folder: "cli",
    description: "Mirrors REST APIs into DynamoDB tables: run, check, preview, plan and more",
    // The sources to start from; programs that are started for themselves, and what they import.
    files: [
      "bin",
      "gallery",
      "src/base/guard.mjs",
      "src/engine/dynalite-equality.mjs",
      "src/engine/engine-process.mjs",
      "src/lambda/bootstrap.mjs",
    ],
    // The bundle has the others.
    dependencies: ["dynalite", "esbuild", "level", "tsx"],
  },
  {
    folder: "create",
    description: "Starts a project with tidetable",
    files: ["bin"],
  },
];

/** undici's private files are imported, so that no other version fits. */
const exactDependencies = /^(undici|tidetable|@tidetable\/.*)$/;

/** Writes all packages into the folder. Returns the names of the tarballs. */
export async function packAll(folder, repository) {
  rmSync(folder, { recursive: true, force: true });
  const built = new Map();
  for (const definition of packages) {
    const source = join(root, "packages", definition.folder);
    const target = join(folder, definition.folder);
    const manifest = readManifest(source);
    mkdirSync(target, { recursive: true });
    if (definition.folder === "cli") await copyCli(target);
    else if (manifest.exports) compile(source, target, built);
    for (const file of definition.files ?? []) {
      cpSync(join(source, file), join(target, file), { recursive: true });
    }
    for (const bin of Object.values(manifest.bin ?? {})) chmodSync(join(target, bin), 0o755);
    cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
    const published = publishedManifest(manifest, definition, repository);
    if (definition.folder === "create") bundleCommand(join(folder, "cli"), target, published);
    writeFileSync(join(target, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
    writeFileSync(join(target, "README.md"), `# ${manifest.name}\n\n${definition.description}.\n`);
    built.set(manifest.name, { target, exports: published.exports ?? {} });
  }
  return packages.map((definition) => makeTarball(join(folder, definition.folder), folder));
}

/** Emits JavaScript and declarations of the package's own files into `dist`. */
function compile(source, target, built) {
  const src = join(source, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(src, file));
  const options = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    resolveJsonModule: true,
    verbatimModuleSyntax: true,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    stripInternal: false,
    rootDir: src,
    outDir: join(target, "dist"),
    types: ["node"],
    paths: Object.fromEntries(
      [...built].flatMap(([name, other]) =>
        Object.entries(other.exports)
          .filter(([, entry]) => entry.types)
          .map(([path, entry]) => [name + path.slice(1), [join(other.target, entry.types)]]),
      ),
    ),
  };
  const program = ts.createProgram(files, options);
  // Without SST's globals the component has no types here; `npm run infra:check` has checked it.
  const hasGlobals = !files.some((file) => /\$(util|app|cli)\b/.test(readFileSync(file, "utf8")));
  const problems = hasGlobals ? ts.getPreEmitDiagnostics(program) : [];
  const emitProblems = files.flatMap((file) => {
    const sourceFile = program.getSourceFile(file);
    return sourceFile ? program.emit(sourceFile, writeEmitted).diagnostics : [];
  });
  const all = [...problems, ...(hasGlobals ? emitProblems : [])];
  if (all.length === 0) return;
  const host = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => "\n",
  };
  throw new Error(ts.formatDiagnostics(all, host));
}

/** tsc leaves `.ts` in the imports of declarations, which no released file has. */
function writeEmitted(path, text) {
  const released = path.endsWith(".d.ts")
    ? text.replace(/((?:from|import\()\s*"\.[^"]*)\.ts"/g, '$1.js"')
    : text;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, released);
}

/**
 * Puts the command into create-tidetable's tarball: one file then starts a project, wherever it lies.
 * `init` needs none of the command's dependencies.
 */
function bundleCommand(command, target, published) {
  const copy = join(target, "node_modules/tidetable");
  cpSync(command, copy, { recursive: true });
  const { dependencies: _, ...manifest } = readManifest(command);
  writeFileSync(join(copy, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  published.bundleDependencies = ["tidetable"];
}

async function copyCli(target) {
  await buildCli();
  cpSync(join(root, "packages/cli/dist"), join(target, "dist"), { recursive: true });
}

function publishedManifest(
  manifest,
  { folder, description, files = [], dependencies },
  repository,
) {
  const hasDist = folder === "cli" || manifest.exports !== undefined;
  const names = dependencies ?? Object.keys(manifest.dependencies ?? {});
  return {
    name: manifest.name,
    version,
    description,
    license,
    type: "module",
    engines,
    ...(repository
      ? { repository: { type: "git", url: repository, directory: `packages/${folder}` } }
      : {}),
    ...(manifest.sideEffects === undefined ? {} : { sideEffects: manifest.sideEffects }),
    ...(manifest.bin ? { bin: manifest.bin } : {}),
    ...(manifest.exports ? { exports: publishedExports(manifest.exports) } : {}),
    files: [...(hasDist ? ["dist"] : []), ...files],
    dependencies: Object.fromEntries(
      names.map((name) => [name, publishedRange(name, manifest.dependencies[name])]),
    ),
    publishConfig: { access: "public", provenance: true },
  };
}

const publishedRange = (name, exact) => (exactDependencies.test(name) ? exact : `^${exact}`);

/** `./src/plan.ts` becomes `./dist/plan.js` with its declarations. Other files stay as they are. */
const publishedExports = (exports) =>
  Object.fromEntries(
    Object.entries({ ...exports, "./package.json": "./package.json" }).map(([path, file]) => {
      if (!file.endsWith(".ts")) return [path, file];
      const emitted = file.replace("./src/", "./dist/").replace(/\.ts$/, "");
      return [path, { types: `${emitted}.d.ts`, default: `${emitted}.js` }];
    }),
  );

function makeTarball(packageFolder, folder) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { status, stdout, stderr } = spawnSync("npm", args, {
    cwd: packageFolder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`npm pack failed in ${packageFolder}:\n${stderr}`);
  const [{ filename, size, unpackedSize }] = JSON.parse(stdout);
  return { file: join(folder, filename), size, unpackedSize };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { repository: { type: "string" } },
  });
  const folder = resolve(positionals[0] ?? join(root, "dist/packages"));
  const kB = (bytes) => `${Math.round(bytes / 1000)} kB`;
  for (const { file, size, unpackedSize } of await packAll(folder, values.repository)) {
    console.log(`${relative(root, file)}: ${kB(size)}, ${kB(unpackedSize)} unpacked`);
  }
}
