import { access, readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  ConfigError,
  dlt,
  isSource,
  notices,
  type Problem,
  rest_api_source,
  type Source,
  type SourceConfig,
  suggest,
} from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import { sources } from "@tidetable/sources";
import type { Io } from "./io.ts";
import { problemLines } from "./render.ts";

/** A source that has passed validation, under the name that its tables carry. */
export interface Loaded {
  name: string;
  source: Source;
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

  const remarks = loaded.flatMap((one) => located(notices(one.source), one, wanted));
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

const failed = (path: string, message: string, hint?: string): Result => ({
  problems: [{ path, message, hint }],
});

const loaders: Record<string, (path: string, arg: string) => Promise<Source | Result>> = {
  ".json": fromJson,
  ".ts": fromModule,
  ".js": fromModule,
  ".py": async (_, arg) =>
    failed(arg, "Python files are not supported yet", "paste the dict into a .ts or .json file"),
};

async function loadOne(
  arg: string,
  { name, stage, io }: { name: string | undefined; stage: string | undefined; io: Io },
): Promise<Result> {
  const registered = Object.hasOwn(sources, arg) ? sources[arg] : undefined;
  if (registered) return { name: name ?? arg, source: registered };
  if (stage !== undefined && looksLikeFile(arg)) return notDeployed(arg, stage);

  const extension = extname(arg);
  const load = loaders[extension];
  if (!load) return unknown(arg);
  const found = await load(resolve(io.cwd, arg), arg);
  if (!isSource(found)) return found;
  return { name: name ?? basename(arg, extension), source: found };
}

const looksLikeFile = (arg: string) => /[/\\.]/.test(arg);

const notDeployed = (arg: string, stage: string): Result =>
  failed(
    arg,
    "a stage has the registered sources, and no files",
    `put it into packages/sources/src and its name into index.ts there, then: npx sst deploy --stage ${stage}`,
  );

function unknown(arg: string): Result {
  if (looksLikeFile(arg)) {
    return failed(arg, "not a source file", "it has to end with .json, .ts or .js");
  }
  return failed(arg, "there is no source of this name", suggest(arg, Object.keys(sources)));
}

async function fromJson(path: string, arg: string): Promise<Source | Result> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => error);
  if (text instanceof Error) return unreadable(arg, text);
  let dict: unknown;
  try {
    dict = JSON.parse(text, secretMarker);
  } catch (error) {
    return failed(arg, `not valid JSON${position(text, error)}`, "it holds a dlt rest_api dict");
  }
  if (typeof dict !== "object" || dict === null || Array.isArray(dict)) {
    return failed(arg, "not a JSON object", "it holds a dlt rest_api dict");
  }
  const { $schema: _, ...config } = dict as Record<string, unknown>;
  // Whether it is one is for `validate` to say.
  return rest_api_source(config as unknown as SourceConfig);
}

/** `{"$secret": "api_key"}` stands for `dlt.secrets["api_key"]`. */
function secretMarker(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$secret" in value)) return value;
  const name = value.$secret;
  const alone = Object.keys(value).length === 1;
  return alone && typeof name === "string" && name !== "" ? dlt.secrets[name] : value;
}

/** Where, and no more: the parser's own message quotes the text, and a secret may stand there. */
function position(text: string, error: unknown): string {
  const offset = /at position (\d+)/.exec(String(error))?.[1];
  if (offset === undefined) return "";
  const before = text.slice(0, Number(offset)).split("\n");
  return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** bin/resolve.mjs lets such a file find `@tidetable/core` wherever it lies. */
async function fromModule(path: string, arg: string): Promise<Source | Result> {
  const absent = await access(path).catch((error: NodeJS.ErrnoException) => error);
  if (absent) return unreadable(arg, absent);
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return failed(arg, `the file can not be loaded: ${reason.replace(/\s*\n\s*/g, " ")}`);
  }
  if (isSource(loaded.default)) return loaded.default;
  return failed(
    arg,
    "its default export is not a source",
    "write `export default rest_api_source({ … })`",
  );
}

const unreadable = (arg: string, { code }: NodeJS.ErrnoException): Result =>
  code === "ENOENT"
    ? failed(arg, "there is no such file", `known by name: ${Object.keys(sources).join(", ")}`)
    : failed(arg, `the file can not be read (${code})`);

function invalid(problems: Problem[]): ConfigError {
  return new ConfigError({
    code: "config.invalid",
    message: `${problems.length} problem${problems.length === 1 ? "" : "s"} with the sources`,
    problems,
  });
}
