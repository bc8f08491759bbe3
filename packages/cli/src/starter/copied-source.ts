import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { ConfigError, spellingHint } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";
import { sourceNameOf } from "../base/names.ts";
import { type DictLiteral, jsonToLiteral } from "../sources/literal.ts";
import { readPythonSource, sourceFromLiteral } from "../sources/load-source.ts";
import { validateOpen } from "../sources/open-values.ts";
import { sourceFileText } from "../sources/typescript.ts";
import { readGallery } from "./gallery.ts";
import { isOpenapi, openapiToConfig } from "./openapi.ts";

/** The largest OpenAPI documents, such as GitHub's, have some 12 MB. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** The file of a source that is about to be written into a project. */
export interface CopiedSource {
  name: string;
  text: string;
  /** Lines about what the original says and the source does not. */
  notes: string[];
  /** The original, where it is a module that may stand in its place already. */
  path?: string;
}

/** Reads what `add` names: a source of the gallery, or a dlt or OpenAPI file. */
export async function readOriginal(
  arg: string,
  { name, cwd }: { name: string | undefined; cwd: string },
): Promise<CopiedSource> {
  const entry = readGallery().find((one) => one.name === arg);
  if (entry) return { name: name ?? entry.name, text: entry.text, notes: [] };
  const extension = extname(arg).replace(/:\d+$/, "");
  const sourceName = name ?? nameOf(basename(arg.replace(/:\d+$/, ""), extension));
  if (extension === ".py") return readPythonFile(arg, { name, sourceName, cwd });
  if (extension === ".ts") {
    const text = await readText(arg, cwd);
    return { name: sourceName, text, notes: [], path: resolve(cwd, arg) };
  }
  if (extension === ".json") return readJsonFile(arg, { sourceName, cwd });
  if (/[/\\.]/.test(arg)) {
    const hint =
      extension === ".yaml" || extension === ".yml"
        ? "an OpenAPI document in YAML has to be turned into JSON first"
        : "it has to be a source (.ts), a dlt file (.py or .json) or an OpenAPI document (.json)";
    throw originalError({ path: arg, message: "not a file that a source can be made of", hint });
  }
  const names = readGallery().map((one) => one.name);
  const hint = `${spellingHint(arg, names)}; or name a .py or .json file`;
  throw originalError({ path: arg, message: "there is no such source in the gallery", hint });
}

/** A source's name that is a variable's name as well. */
export function nameOf(text: string): string {
  const name = sourceNameOf(text);
  return /^[a-z]/.test(name) ? name : `source_${name}`;
}

async function readPythonFile(
  arg: string,
  { name, sourceName, cwd }: { name: string | undefined; sourceName: string; cwd: string },
): Promise<CopiedSource> {
  const source = await readPythonSource(arg, { path: resolve(cwd, arg), name, cwd });
  if ("problems" in source) throw originalError(...source.problems);
  const { config, comments, expressionProblems, unreadUses, remarks } = source;
  if (config.kind !== "dict") throw originalError(...expressionProblems);
  if (expressionProblems.length === 0) requireValid(config, sourceName);
  const open = [...expressionProblems, ...unreadUses, ...remarks];
  return {
    name: sourceName,
    text: textOf(config, comments),
    notes: open.map(({ path, message, hint }) => `${path}: ${message}${hint ? `; ${hint}` : ""}`),
  };
}

async function readJsonFile(
  arg: string,
  { sourceName, cwd }: { sourceName: string; cwd: string },
): Promise<CopiedSource> {
  let document: unknown;
  try {
    document = JSON.parse(await readText(arg, cwd));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw originalError({ path: arg, message: "not valid JSON" });
  }
  const { config, notes } = isOpenapi(document)
    ? openapiToConfig(document)
    : { config: withoutSchema(document), notes: [] };
  const literal = jsonToLiteral(config);
  if (literal.kind !== "dict") {
    throw originalError({ path: arg, message: "neither a dlt dict nor an OpenAPI document" });
  }
  requireValid(literal, sourceName);
  return { name: sourceName, text: textOf(literal, []), notes };
}

function requireValid(config: DictLiteral, name: string): void {
  const problems = validateOpen(sourceFromLiteral(config), name);
  if (problems.length > 0) throw originalError(...problems);
}

/** `$schema` is for editors. */
function withoutSchema(document: unknown): unknown {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return document;
  const { $schema: _, ...config } = document as Record<string, unknown>;
  return config;
}

const textOf = (config: DictLiteral, comments: string[]): string =>
  // A source without a schedule would be deployed and never run.
  sourceFileText({ config, comments }).replace(/\);\n$/, ', { schedule: "rate(1 hour)" });\n');

async function readText(arg: string, cwd: string): Promise<string> {
  try {
    const content = await readFile(resolve(cwd, arg));
    if (content.length > MAX_DOCUMENT_BYTES) {
      throw originalError({ path: arg, message: "the file is larger than 64 MiB" });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) {
      throw originalError({ path: arg, message: "the file is not text in UTF-8" });
    }
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === "ENOENT" ? "there is no such file" : `the file cannot be read (${code})`;
    throw originalError({ path: arg, message });
  }
}

/** The credentials that a source's text names. */
export const secretsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/\bdlt\.secrets\["([^"]+)"\]/g)].map(([, name]) => name as string)),
];

const originalError = (...problems: Problem[]) =>
  new ConfigError({ code: "cli.add", message: problems[0]?.message ?? "", problems });
