import { readFile, stat } from "node:fs/promises";
import type { Problem } from "@tidetable/core/plan";
import { type DictLiteral, isExactNumber, jsonToLiteral, MAX_DEPTH } from "./literal.ts";

/** A dlt dict has some kilobytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads the text of a source file. Returns a problem when the file has none. */
export async function readSourceText(path: string, arg: string): Promise<string | Problem> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return { path: arg, message: "this is not a file" };
    if (stats.size > MAX_FILE_BYTES) {
      return {
        path: arg,
        message: "the file is too large for a source",
        hint: "1 MiB is the most",
      };
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) return { path: arg, message: "the file is not text in UTF-8" };
    return unreadableProblem(arg, error as NodeJS.ErrnoException);
  }
}

export const unreadableProblem = (arg: string, { code }: NodeJS.ErrnoException): Problem =>
  code === "ENOENT"
    ? { path: arg, message: "there is no such file" }
    : { path: arg, message: `the file cannot be read (${code})` };

/** Parses the dict of a JSON file. Leaves out `$schema`, which only editors read. */
export function parseJsonSource(arg: string, text: string): DictLiteral | { problems: Problem[] } {
  const hint = "it holds a dlt rest_api dict";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = `not valid JSON${errorPosition(text, error)}`;
    return { problems: [{ path: arg, message, hint }] };
  }
  const problems = unsupportedTokens(arg, text);
  if (problems.length > 0) return { problems };
  const literal = jsonToLiteral(value);
  if (literal.kind !== "dict") {
    return { problems: [{ path: arg, message: "not a JSON object", hint }] };
  }
  return { ...literal, entries: literal.entries.filter(({ key }) => key !== "$schema") };
}

const jsonToken = /"(?:[^"\\]|\\[\s\S])*"?|[[{}\]]|-?\d[\d.eE+-]*/g;

/** Finds values that JSON allows and a config cannot hold. */
function unsupportedTokens(arg: string, text: string): Problem[] {
  const problems: Problem[] = [];
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(jsonToken)) {
    if (/^[[{]/.test(token)) depth += 1;
    if (/^[\]}]/.test(token)) depth -= 1;
    if (depth > MAX_DEPTH) return [{ path: arg, message: "it is nested too deeply for a config" }];
    if (/^[-\d]/.test(token) && !isExactNumber(token)) {
      problems.push({
        path: `${arg}: ${lineAndColumn(text, index)}`,
        message: "a number that a double cannot hold",
        hint: "write it as a string, in quotes",
      });
    }
  }
  return problems;
}

/** Only the position: the parser's message quotes the text, which may be a secret. */
function errorPosition(text: string, error: unknown): string {
  const offset = /at position (\d+)/.exec(String(error))?.[1];
  return offset === undefined ? "" : `: ${lineAndColumn(text, Number(offset))}`;
}

function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
