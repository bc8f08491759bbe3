import type { Problem } from "@tidetable/core";
import { type Expression, type Literal, literalsOfKind } from "../sources/literal.ts";
import { checkOtherArguments, chooseCall, configExpression } from "./calls.ts";
import { expressionProblem, problemAt } from "./excerpt.ts";
import { commentText, literalOf } from "./literal.ts";
import { type Node, type PythonFile, parsePython, sourceText } from "./parse.ts";

/** The source in a Python file. */
export interface PythonSource {
  file: PythonFile;
  /** The dict, or an expression in its place. */
  config: Literal;
  /** The statement with the dict. The comments above it belong to the source. */
  statement: Node;
  /** Arguments beside the dict with a meaning in dlt, but without support here. */
  unreadArguments: Problem[];
  /** Arguments beside the dict that have no effect in tidetable. */
  remarks: Problem[];
}

/**
 * Reads the dlt `rest_api_source({ … })` of a Python file, without running the file. `name` chooses
 * between several calls.
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

  const node = configExpression(file, call);
  if ("message" in node) return { problems: [node] };
  const config = literalOf(file, node);
  if (config.kind === "dict" || config.kind === "expression") {
    return { file, config, statement: statementAround(node), ...checkOtherArguments(file, call) };
  }
  return { problems: [problemAt(file, node, "the source has to be a dict")] };
}

/** A person does not read more problems at once. */
const MAX_PROBLEMS = 50;

/** The expressions in a config, each as a problem. */
export function expressionProblems({ file, config }: PythonSource): Problem[] {
  const expressions = literalsOfKind(config, "expression");
  const problems = expressions
    .slice(0, MAX_PROBLEMS)
    .map((expression) => expressionProblem(file, expression));
  if (expressions.length > MAX_PROBLEMS) {
    const message = `and ${expressions.length - MAX_PROBLEMS} more are no literals`;
    problems.push({ path: file.arg, message });
  }
  return problems;
}

function statementAround(node: Node): Node {
  let statement = node;
  while (statement.parent && !/^(Script|Body)$/.test(statement.parent.name)) {
    statement = statement.parent;
  }
  return statement;
}

/** The lines of comments directly above a statement. */
export function commentsAbove(file: PythonFile, statement: Node): string[] {
  const lines: string[] = [];
  let below: Node = statement;
  for (let node = statement.prevSibling; node?.name === "Comment"; node = node.prevSibling) {
    const gap = file.text.slice(node.to, below.from);
    const startsItsLine = /(^|\n)[ \t]*$/.test(file.text.slice(0, node.from));
    if (!startsItsLine || gap.split("\n").length > 2) break;
    lines.unshift(commentText(file, node));
    below = node;
  }
  return lines;
}

/** Returns a function for the original text of an expression. */
export const expressionText =
  (file: PythonFile) =>
  (expression: Expression): string =>
    sourceText(file, expression);
