import {
  cpSync,
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

export interface PlantedFile {
  file: string;
  text: string;
}

/**
 * Plants bugs in the files of a folder, one at a time. A bug has to compile: the simulation would
 * notice a file that does not run at all, and that would say nothing about its invariants.
 */
export class Planter {
  readonly #folder: string;
  readonly #options: ts.CompilerOptions;
  /** The files as they stand on disk. Each is parsed once, for the checks of all bugs. */
  readonly #parsedFiles = new Map<string, ts.SourceFile | undefined>();
  /** The program of the last check, from which the next takes what has not changed. */
  #program: ts.Program | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    this.#options = ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;
  }

  /** The file with the bug in it. Throws where it has no place, more than one, or wrong code. */
  plant(bug: Bug): PlantedFile {
    const places = findMarkers(this.#folder).filter(({ name }) => name === bug.marker);
    const [place] = places;
    if (!place || places.length > 1) {
      throw new Error(`"${bug.name}": the marker "${bug.marker}" stands ${places.length} times`);
    }
    const { file } = place;
    const text = replaceMarked(file, readFileSync(file, "utf8"), bug);
    const problems = this.#compileErrors(file, text);
    if (problems.length > 0) {
      throw new Error(`"${bug.name}" does not compile: ${problems.join("; ")}`);
    }
    return { file, text };
  }

  #compileErrors(file: string, text: string): string[] {
    const host = ts.createCompilerHost(this.#options);
    const { getSourceFile } = host;
    host.getSourceFile = (name, language) => {
      if (name === file) return ts.createSourceFile(name, text, language);
      const parsed = this.#parsedFiles.get(name) ?? getSourceFile(name, language);
      this.#parsedFiles.set(name, parsed);
      return parsed;
    };
    const program = ts.createProgram([file], this.#options, host, this.#program);
    this.#program = program;
    const source = program.getSourceFile(file);
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
  }
}

function replaceMarked(file: string, text: string, { marker, replacement }: Bug): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const node = outermostAfter(source, new RegExp(`/[/*] planted: ${marker}(?![a-z0-9-])`));
  if (!node) throw new Error(`no code stands after the marker "${marker}" in ${file}`);
  const code = text.slice(node.getStart(source), node.end);
  return (
    text.slice(0, node.getStart(source)) +
    replacement.replaceAll("$&", () => code) +
    text.slice(node.end)
  );
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

/** A scratch copy of the engine with a bug in it, and the script that runs its simulation. */
export function plantedCopy(bug: Bug): { script: string; remove(): void } {
  const { file, text } = new Planter(coreFolder).plant(bug);
  const scratch = mkdtempSync(join(tmpdir(), "tidetable-bug-"));
  for (const path of neededPaths) {
    cpSync(join(root, path), join(scratch, path), {
      recursive: true,
      filter: (from) => !from.endsWith("node_modules"),
    });
  }
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"));
  writeFileSync(file.replace(root, scratch), text);
  return {
    script: join(scratch, "scripts/simulate.ts"),
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}
