import type { Problem } from "@tidetable/core";
import { type Foreign, type Literal, ofKind } from "../literal.ts";
import { chooseCall, configOf, otherArguments } from "./calls.ts";
import { problemAt, refusal } from "./excerpt.ts";
import { commentText, literal } from "./literal.ts";
import { type Node, type PythonFile, parsePython, source } from "./parse.ts";

/** What a Python file says of a source. */
export interface PythonSource {
  file: PythonFile;
  /** The dict; what is no literal is foreign in it. */
  config: Literal;
  /** The statement with the dict: what stands above it belongs to it. */
  statement: Node;
  /** Arguments beside the dict that would mean something, and those that have no effect here. */
  unread: Problem[];
  remarks: Problem[];
}

/**
 * Reads the dlt `rest_api_source({ … })` of a Python file. Nothing is executed. Of several calls
 * `name` chooses one.
 */
export function readPython(
  arg: string,
  text: string,
  name: string | undefined,
): PythonSource | { problems: Problem[] } {
  const file = parsePython(arg, text);
  if ("message" in file) return { problems: [file] };
  const call = chooseCall(file, name);
  if ("message" in call) return { problems: [call] };

  const node = configOf(file, call);
  if ("message" in node) return { problems: [node] };
  const config = literal(file, node);
  if (config.kind === "dict" || config.kind === "foreign") {
    return { file, config, statement: statementOf(node), ...otherArguments(file, call) };
  }
  return { problems: [problemAt(file, node, "the source has to be a dict")] };
}

/** A person does not read more at once. */
const MOST = 50;

/** What keeps a literal from being a config. */
export function refusals({ file, config }: PythonSource): Problem[] {
  const found = ofKind(config, "foreign");
  const problems = found.slice(0, MOST).map((one) => refusal(file, one));
  if (found.length > MOST) {
    problems.push({ path: file.arg, message: `and ${found.length - MOST} more are no literals` });
  }
  return problems;
}

function statementOf(node: Node): Node {
  let statement = node;
  while (statement.parent && !/^(Script|Body)$/.test(statement.parent.name)) {
    statement = statement.parent;
  }
  return statement;
}

/** The lines of comments right above a statement. */
export function commentsAbove(file: PythonFile, statement: Node): string[] {
  const lines: string[] = [];
  let next: Node = statement;
  for (let node = statement.prevSibling; node?.name === "Comment"; node = node.prevSibling) {
    const between = file.text.slice(node.to, next.from);
    const isOwnLine = /(^|\n)[ \t]*$/.test(file.text.slice(0, node.from));
    if (!isOwnLine || between.split("\n").length > 2) break;
    lines.unshift(commentText(file, node));
    next = node;
  }
  return lines;
}

/** What is foreign, as it was written. */
export const textOf =
  (file: PythonFile) =>
  (foreign: Foreign): string =>
    source(file, foreign);
