import { access } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  ConfigError,
  isSource,
  notices,
  type Problem,
  rest_api_source,
  type Source,
  type SourceConfig,
  type Sources,
  suggest,
} from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";
import type { Io } from "./io.ts";
import { type Literal, toConfig } from "./literal.ts";
import { problemLines } from "./render.ts";
import { readJson, readText, unreadable } from "./source-file.ts";

/** A source that has passed validation, under the name that its tables carry. */
export interface Loaded {
  name: string;
  source: Source;
  /** What its file says without an effect here. */
  remarks?: Problem[];
}

/**
 * Turns SOURCE arguments into sources: registered names or paths of files; all registered ones when
 * there is none. Throws one ConfigError with everything that is wrong with any of them.
 */
export async function loadSources(
  args: readonly string[],
  { name, stage }: { name?: string; stage?: string },
  io: Io,
): Promise<Loaded[]> {
  const wanted = args.length > 0 ? args : Object.keys(sources);
  if (name !== undefined && wanted.length > 1) {
    throw invalid([
      { path: "--name", message: `it names one source, and here are ${wanted.length}` },
    ]);
  }
  const results = await Promise.all(wanted.map((arg) => loadOne(arg, { name, stage, io })));
  const loaded = results.filter((one): one is Loaded => "source" in one);
  const problems = [
    ...results.flatMap((one) => ("problems" in one ? one.problems : [])),
    ...sameNames(loaded),
    ...loaded.flatMap((one) => located(validate(one.source, one.name), one, wanted)),
  ];
  if (problems.length > 0) throw invalid(problems);

  const remarks = loaded.flatMap((one) => [
    ...(one.remarks ?? []),
    ...located(notices(one.source), one, wanted),
  ]);
  if (remarks.length > 0) io.stderr.write(problemLines(remarks, "warning: "));
  return loaded;
}

/** What is wrong with one of several sources says with which. */
const located = (problems: Problem[], { name }: Loaded, wanted: readonly string[]) =>
  wanted.length === 1
    ? problems
    : problems.map((one) => ({ ...one, path: one.path ? `${name}: ${one.path}` : name }));

function sameNames(loaded: Loaded[]): Problem[] {
  const names = loaded.map(({ name }) => name);
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => ({
    path: name,
    message: "two sources have this name",
    hint: "run them one by one, one of them with --name",
  }));
}

type Result = Loaded | { problems: Problem[] };

const failed = (path: string, message: string, hint?: string): { problems: Problem[] } => ({
  problems: [{ path, message, hint }],
});

type Found = Pick<Loaded, "source" | "remarks"> | { problems: Problem[] };
type Loader = (path: string, arg: string, name: string | undefined) => Promise<Found>;

const loaders: Record<string, Loader> = {
  ".json": fromJson,
  ".ts": fromModule,
  ".js": fromModule,
  ".py": fromPython,
};

async function loadOne(
  arg: string,
  { name, stage, io }: { name: string | undefined; stage: string | undefined; io: Io },
): Promise<Result> {
  const all: Sources = sources;
  const registered = Object.hasOwn(all, arg) ? all[arg] : undefined;
  if (registered) return { name: name ?? arg, source: registered };
  if (stage !== undefined && looksLikeFile(arg)) return notDeployed(arg, stage);

  const extension = extname(arg);
  const load = loaders[extension];
  if (!load) return unknown(arg);
  const found = await load(resolve(io.cwd, arg), arg, name);
  return "problems" in found ? found : { name: name ?? basename(arg, extension), ...found };
}

const looksLikeFile = (arg: string) => /[/\\.]/.test(arg);

const notDeployed = (arg: string, stage: string) =>
  failed(
    arg,
    "a stage has the registered sources, and no files",
    `put it into packages/sources/src and its name into index.ts there, then: npx sst deploy --stage ${stage}`,
  );

function unknown(arg: string) {
  if (looksLikeFile(arg)) {
    return failed(arg, "not a source file", "it has to end with .json, .py, .ts or .js");
  }
  return failed(arg, "there is no source of this name", suggest(arg, Object.keys(sources)));
}

async function fromJson(path: string, arg: string): Promise<Found> {
  const text = await readText(path, arg);
  if (typeof text !== "string") return { problems: [text] };
  const dict = readJson(arg, text);
  return "problems" in dict ? dict : { source: sourceOf(dict) };
}

async function fromPython(path: string, arg: string, name: string | undefined): Promise<Found> {
  const text = await readText(path, arg);
  if (typeof text !== "string") return { problems: [text] };
  // With a grammar behind it that only these files need.
  const { readPython, refusals } = await import("./python/load.ts");
  const read = readPython(arg, text, name);
  if ("problems" in read) return read;
  const problems = [...refusals(read), ...read.unread];
  if (problems.length > 0) return { problems };
  return { source: sourceOf(read.config), remarks: read.remarks };
}

/** Whether it is a config is for `validate` to say. */
export const sourceOf = (literal: Literal): Source =>
  rest_api_source(toConfig(literal) as SourceConfig);

/** bin/resolve.mjs lets such a file find `@tidetable/core` wherever it lies. */
async function fromModule(path: string, arg: string): Promise<Found> {
  const absent = await access(path).catch((error: NodeJS.ErrnoException) => error);
  if (absent) return { problems: [unreadable(arg, absent)] };
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return failed(arg, `the file can not be loaded: ${reason.replace(/(?<!\s)\s*\n\s*/g, " ")}`);
  }
  if (isSource(loaded.default)) return { source: loaded.default };
  return failed(
    arg,
    "its default export is not a source",
    "write `export default rest_api_source({ … })`",
  );
}

function invalid(problems: Problem[]): ConfigError {
  return new ConfigError({
    code: "config.invalid",
    message: `${problems.length} problem${problems.length === 1 ? "" : "s"} with the sources`,
    problems,
  });
}
