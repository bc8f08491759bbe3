import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { type Bug, bugs } from "./bugs.ts";

const root = resolve(import.meta.dirname, "../..");
export const coreFolder = join(root, "packages/core/src");

/** A place where a bug can be planted: the code after a comment `planted: <name>`. */
export interface Marker {
  name: string;
  file: string;
}

const markerComment = /\/[/*] planted: ([a-z0-9-]+)/g;

/** Every marker in the TypeScript files of a folder. */
export function findMarkers(folder: string): Marker[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
  return files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(markerComment)].map(([, name = ""]) => ({
      name,
      file,
    })),
  );
}

/** Markers without a bug, and bugs without a marker. */
export function unpairedMarkers(markers: readonly Marker[]): string[] {
  const inSource = new Set(markers.map(({ name }) => name));
  const inBugs = new Set(bugs.map(({ marker }) => marker));
  const all = [...new Set([...inSource, ...inBugs])];
  return all.filter((name) => !inSource.has(name) || !inBugs.has(name)).sort();
}

/** A file of the engine with a bug in its text. */
export interface PlantedFile {
  file: string;
  text: string;
}

/**
 * Plants a bug in the file of a folder that has its marker. A bug has to compile: the simulation
 * would notice a file that does not run at all, and that would say nothing about its invariants.
 */
export function plantBug(bug: Bug, folder: string): PlantedFile {
  const planted = replaceMarked(bug, folder);
  const [errors = []] = compileErrors([planted]);
  if (errors.length > 0) throw new Error(`"${bug.name}" does not compile: ${errors.join("; ")}`);
  return planted;
}

/** Puts a bug in the place of the marked code. Throws where it has no place, or more than one. */
export function replaceMarked(bug: Bug, folder: string): PlantedFile {
  const places = findMarkers(folder).filter(({ name }) => name === bug.marker);
  const [place] = places;
  if (!place || places.length > 1) {
    throw new Error(`"${bug.name}": the marker "${bug.marker}" stands ${places.length} times`);
  }
  const { file } = place;
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const node = outermostAfter(source, new RegExp(`/[/*] planted: ${bug.marker}(?![a-z0-9-])`));
  if (!node) throw new Error(`no code stands after the marker "${bug.marker}" in ${file}`);
  const code = text.slice(node.getStart(source), node.end);
  const replacement = bug.replacement.replaceAll("$&", () => code);
  return {
    file,
    text: text.slice(0, node.getStart(source)) + replacement + text.slice(node.end),
  };
}

/**
 * The compile errors of each planted file. All files are checked in one program, each under a name
 * of its own beside the original, because several bugs may stand in one file.
 */
export function compileErrors(files: readonly PlantedFile[]): string[][] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const names = files.map(({ file }, n) => file.replace(/\.ts$/, `.planted-${n}.ts`));
  const texts = new Map(files.map(({ text }, n) => [names[n], text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language) => {
    const text = texts.get(name);
    return text === undefined
      ? getSourceFile(name, language)
      : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram(names, options, host);
  return names.map((name) => {
    const source = program.getSourceFile(name);
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
  });
}

/** The outermost statement, member or expression that begins right after the comment. */
function outermostAfter(source: ts.SourceFile, comment: RegExp): ts.Node | undefined {
  const visit = (node: ts.Node): ts.Node | undefined => {
    const before = source.text.slice(node.pos, node.getStart(source));
    return comment.test(before) ? node : ts.forEachChild(node, visit);
  };
  return ts.forEachChild(source, visit);
}

/** Everything that a simulation needs of the repository. */
const neededPaths = [
  "package.json",
  "tsconfig.json",
  "packages/core",
  "test/simulation",
  "scripts",
];

/**
 * A scratch copy of the engine with a bug in it, and the script that runs its simulation. That each bug
 * compiles is a test.
 */
export function plantedCopy(bug: Bug): { script: string; remove(): void } {
  const { file, text } = replaceMarked(bug, coreFolder);
  const scratch = mkdtempSync(join(tmpdir(), "tidetable-bug-"));
  for (const path of neededPaths) {
    cpSync(join(root, path), join(scratch, path), {
      recursive: true,
      filter: (from) => !from.endsWith("node_modules"),
    });
  }
  // The engine has versions of its own of some packages.
  for (const modules of ["node_modules", "packages/core/node_modules"]) {
    if (existsSync(join(root, modules))) symlinkSync(join(root, modules), join(scratch, modules));
  }
  writeFileSync(file.replace(root, scratch), text);
  return {
    script: join(scratch, "scripts/simulate.ts"),
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}
