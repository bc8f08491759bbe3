import { readFile, stat } from "node:fs/promises";
import type { Problem } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { DEEPEST, type Dict, fromJson, isExact } from "./literal.ts";

/** A dlt dict is some kilobytes. */
const LARGEST = 1024 * 1024;

/** A text, or what keeps the file from being one. */
export async function readText(path: string, arg: string): Promise<string | Problem> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return { path: arg, message: "this is not a file" };
    if (found.size > LARGEST) {
      return {
        path: arg,
        message: "the file is too large for a source",
        hint: "1 MiB is the most",
      };
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) return { path: arg, message: "the file is not text in UTF-8" };
    return unreadable(arg, error as NodeJS.ErrnoException);
  }
}

export const unreadable = (arg: string, { code }: NodeJS.ErrnoException): Problem =>
  code === "ENOENT"
    ? {
        path: arg,
        message: "there is no such file",
        hint: `known by name: ${Object.keys(sources).join(", ")}`,
      }
    : { path: arg, message: `the file can not be read (${code})` };

/** The dict of a JSON file, without the `$schema` that is there for editors. */
export function readJson(arg: string, text: string): Dict | { problems: Problem[] } {
  const hint = "it holds a dlt rest_api dict";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problems: [{ path: arg, message: `not valid JSON${position(text, error)}`, hint }] };
  }
  const problems = unfit(arg, text);
  if (problems.length > 0) return { problems };
  const literal = fromJson(value);
  if (literal.kind !== "dict") {
    return { problems: [{ path: arg, message: "not a JSON object", hint }] };
  }
  return { ...literal, entries: literal.entries.filter(({ key }) => key !== "$schema") };
}

const token = /"(?:[^"\\]|\\[\s\S])*"?|[[{}\]]|-?\d[\d.eE+-]*/g;

/** What JSON can say and a config can not hold. */
function unfit(arg: string, text: string): Problem[] {
  const problems: Problem[] = [];
  let depth = 0;
  for (const { 0: word, index } of text.matchAll(token)) {
    if (/^[[{]/.test(word)) depth += 1;
    if (/^[\]}]/.test(word)) depth -= 1;
    if (depth > DEEPEST) return [{ path: arg, message: "it is nested too deeply for a config" }];
    if (/^[-\d]/.test(word) && !isExact(word)) {
      problems.push({
        path: `${arg}: ${lineAndColumn(text, index)}`,
        message: "a number that a double can not hold",
        hint: "write it as a text, in quotes",
      });
    }
  }
  return problems;
}

/** Where, and no more: the parser's own message quotes the text, and a secret may stand there. */
function position(text: string, error: unknown): string {
  const offset = /at position (\d+)/.exec(String(error))?.[1];
  return offset === undefined ? "" : `: ${lineAndColumn(text, Number(offset))}`;
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
