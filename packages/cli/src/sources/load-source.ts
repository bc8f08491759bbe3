import { access } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { rest_api_source, type Source, type SourceConfig, type Sources } from "@tidetable/core";
import { ConfigError, findNotices, isSource, spellingHint } from "@tidetable/core/internal/config";
import { fillStageValues, type Problem, stageValuesFor, validate } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { localNames } from "../base/names.ts";
import { currentProject, findProject } from "../base/project.ts";
import { problemLines } from "../output/render.ts";
import type { PythonSource } from "../python/load.ts";
import { type Literal, literalToConfig } from "./literal.ts";
import { openPythonProject } from "./python-project.ts";
import { importErrorLine, importModule, loadRegisteredSources } from "./registered-sources.ts";
import { parseJsonSource, readSourceText, unreadableProblem } from "./source-file.ts";
import { readValuePlaces } from "./stage-files.ts";

/** A valid source, with the name for tables. */
export interface LoadedSource {
  name: string;
  source: Source;
  /** Parts of the file without an effect in tidetable. */
  remarks?: Problem[];
}

/**
 * Turns SOURCE arguments into sources: registered names or paths of files; without an argument,
 * every registered source. Throws a single ConfigError with the problems of every source.
 */
export async function loadSources(
  args: readonly string[],
  { name, stage, set }: { name?: string; stage?: string; set?: Record<string, string> },
  io: Io,
): Promise<LoadedSource[]> {
  // A file needs no project around it, and none of the project's modules is loaded for it.
  const needsRegistered = args.length === 0 || !args.every(looksLikeFile);
  const registered = needsRegistered ? await loadRegisteredSources(io) : {};
  const sourceArgs = args.length > 0 ? args : Object.keys(registered);
  if (sourceArgs.length === 0) throw invalidSourcesError([noSourcesProblem(io)]);
  if (name !== undefined && sourceArgs.length > 1) {
    throw invalidSourcesError([
      { path: "--name", message: `it names one source, and here are ${sourceArgs.length}` },
    ]);
  }
  const results = await Promise.all(
    sourceArgs.map((arg) => loadSource(arg, { name, stage, registered, io })),
  );
  const isOnlyOne = sourceArgs.length === 1;
  const folder = findProject(io.cwd)?.folder ?? io.cwd;
  const values = readValuePlaces(folder, stage ?? localNames.stage, set);
  const filled = results
    .filter((result): result is LoadedSource => "source" in result)
    .map((loaded) => {
      const stageValues = stageValuesFor(values.places, loaded.name);
      return { ...loaded, ...fillStageValues(loaded.source, stageValues, values.howToSet) };
    });
  const loadedSources: LoadedSource[] = filled.map(({ problems: _, ...loaded }) => loaded);
  const problems = [
    ...results.flatMap((result) => ("problems" in result ? result.problems : [])),
    ...values.problems,
    ...filled.flatMap((loaded) =>
      prefixPaths(loaded.problems, isOnlyOne ? undefined : loaded.name),
    ),
    ...findDuplicateNames(loadedSources),
    ...filled.flatMap(({ name, source, problems: missing }) => {
      // A place whose value is missing cannot be judged.
      const isJudged = ({ path }: Problem) => !missing.some((problem) => problem.path === path);
      const found = validate(source, name).filter(isJudged);
      return prefixPaths(found, isOnlyOne ? undefined : name);
    }),
  ];
  if (problems.length > 0) throw invalidSourcesError(problems);

  const remarks = loadedSources.flatMap(({ name, source, remarks = [] }) => [
    ...remarks,
    ...prefixPaths(findNotices(source), isOnlyOne ? undefined : name),
  ]);
  if (remarks.length > 0) io.stderr.write(problemLines(remarks, "warning: "));
  return loadedSources;
}

/** Puts the source's name in front of the problems' paths. Not needed for a single source. */
const prefixPaths = (problems: Problem[], sourceName: string | undefined): Problem[] =>
  sourceName === undefined
    ? problems
    : problems.map((problem) => {
        const path = problem.path ? `${sourceName}: ${problem.path}` : sourceName;
        return { ...problem, path };
      });

function findDuplicateNames(loadedSources: LoadedSource[]): Problem[] {
  const names = loadedSources.map(({ name }) => name);
  const duplicates = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...duplicates].map((name) => ({
    path: name,
    message: "two sources have this name",
    hint: "run them one by one, one of them with --name",
  }));
}

type Problems = { problems: Problem[] };
type FileContent = Pick<LoadedSource, "source" | "remarks"> | Problems;
type FileLoader = (
  path: string,
  arg: string,
  name: string | undefined,
  io: Io,
) => Promise<FileContent>;

const fileLoaders: Record<string, FileLoader> = {
  ".json": loadJsonFile,
  ".ts": loadModule,
  ".js": loadModule,
  ".py": loadPythonFile,
};

const singleProblem = (path: string, message: string, hint?: string): Problems => ({
  problems: [{ path, message, hint }],
});

interface LoadOptions {
  name: string | undefined;
  stage: string | undefined;
  /** The sources that have a name in the project. */
  registered: Sources;
  io: Io;
}

async function loadSource(
  arg: string,
  { name, stage, registered, io }: LoadOptions,
): Promise<LoadedSource | Problems> {
  const source = Object.hasOwn(registered, arg) ? registered[arg] : undefined;
  if (source) return { name: name ?? arg, source };
  if (stage !== undefined && looksLikeFile(arg)) {
    return singleProblem(
      arg,
      "a stage has the registered sources, and no files",
      `register it (\`npx --no tidetable add ${arg}\` does), then: npx sst deploy --stage ${stage}`,
    );
  }

  const extension = extname(arg).replace(/:\d+$/, "");
  const loadFile = fileLoaders[extension];
  if (!loadFile) return unknownSource(arg, Object.keys(registered), io);
  const content = await loadFile(resolve(io.cwd, arg), arg, name, io);
  return "problems" in content
    ? content
    : { name: name ?? basename(arg.replace(/:\d+$/, ""), extension), ...content };
}

const looksLikeFile = (arg: string) => /[/\\.]/.test(arg);

function unknownSource(arg: string, registeredNames: string[], io: Io): Problems {
  if (looksLikeFile(arg)) {
    return singleProblem(arg, "not a source file", "it has to end with .json, .py, .ts or .js");
  }
  const hint = currentProject(io.cwd) ? spellingHint(arg, registeredNames) : noProjectHint;
  return singleProblem(arg, "there is no source of this name", hint);
}

const noProjectHint =
  "names are known inside a project, whose package.json has the member tidetable (`npx --no tidetable init` writes one); or name a file, such as shop.json";

function noSourcesProblem(io: Io): Problem {
  const project = currentProject(io.cwd);
  if (!project) {
    return { path: "command line", message: "there is no project here", hint: noProjectHint };
  }
  const hint = "`npx --no tidetable list` shows sources to begin with, and `add` copies one";
  return { path: project.sourcesFile, message: "no source is registered", hint };
}

async function loadJsonFile(path: string, arg: string): Promise<FileContent> {
  const text = await readSourceText(path, arg);
  if (typeof text !== "string") return { problems: [text] };
  const dict = parseJsonSource(arg, text);
  return "problems" in dict ? dict : { source: sourceFromLiteral(dict) };
}

async function loadPythonFile(
  path: string,
  arg: string,
  name: string | undefined,
  io: Io,
): Promise<FileContent> {
  const python = await readPythonSource(arg, { path, name, cwd: io.cwd });
  if ("problems" in python) return python;
  const problems = [...python.expressionProblems, ...python.unreadUses];
  if (problems.length > 0) return { problems };
  return { source: sourceFromLiteral(python.config), remarks: python.remarks };
}

/** Reads `crm.py`, or the source of `crm.py` that begins on a line: `crm.py:41`. */
export async function readPythonSource(
  arg: string,
  { path, name, cwd }: { path: string; name: string | undefined; cwd: string },
): Promise<(PythonSource & { expressionProblems: Problem[] }) | Problems> {
  const [, file = arg, line] = /^(.*\.py):(\d+)$/.exec(arg) ?? [];
  const text = await readSourceText(path.slice(0, path.length - arg.length + file.length), file);
  if (typeof text !== "string") return { problems: [text] };
  // Imported only here, because the Python grammar takes time to load.
  const { readPython, expressionProblems, parseModule } = await import("../python/load.ts");
  const python = readPython(file, text, {
    name,
    line: line === undefined ? undefined : Number(line),
    openModule: openPythonProject(cwd, parseModule),
  });
  if ("problems" in python) return python;
  return { ...python, expressionProblems: expressionProblems(python) };
}

/** Builds a source from any literal. `validate` tells later whether the literal is a config. */
export const sourceFromLiteral = (literal: Literal): Source =>
  rest_api_source(literalToConfig(literal) as SourceConfig);

/** Imports a module whose default export is a source. */
async function loadModule(
  path: string,
  arg: string,
  _name: string | undefined,
  io: Io,
): Promise<FileContent> {
  const accessError = await access(path).catch((error: NodeJS.ErrnoException) => error);
  if (accessError) return { problems: [unreadableProblem(arg, accessError)] };
  let module: { default?: unknown };
  try {
    module = await importModule(path, io);
  } catch (error) {
    return singleProblem(arg, `the file cannot be loaded: ${importErrorLine(error)}`);
  }
  if (isSource(module.default)) return { source: module.default };
  return singleProblem(
    arg,
    "its default export is not a source",
    "write `export default rest_api_source({ … })`",
  );
}

function invalidSourcesError(problems: Problem[]): ConfigError {
  return new ConfigError({
    code: "config.invalid",
    message: `${problems.length} problem${problems.length === 1 ? "" : "s"} with the sources`,
    problems,
  });
}
