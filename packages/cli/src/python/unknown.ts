import type { Expression } from "../sources/literal.ts";
import { configTypes } from "./dlt-classes.ts";
import { problemAt } from "./excerpt.ts";
import type { PythonFile } from "./scopes.ts";
import { type Node, sourceText } from "./tree.ts";

/*
 * Names for expressions without a known value, and hints for replacing them.
 */

const expressionNames: Record<string, string> = {
  CallExpression: "a call",
  VariableName: "a name",
  LambdaExpression: "a function",
  FormatString: "an f-string",
  SetExpression: "a set",
  MemberExpression: "a member of an object",
  ConditionalExpression: "an if",
  ArrayComprehensionExpression: "a comprehension",
  DictionaryComprehensionExpression: "a comprehension",
  SetComprehensionExpression: "a comprehension",
  ComprehensionExpression: "a comprehension",
  AwaitExpression: "an await",
  Ellipsis: "an ellipsis",
};

type Range = Pick<Node, "name" | "from" | "to">;

/** An expression that cannot be read: "a call cannot be read: …". */
export const unreadable = (
  file: PythonFile,
  node: Range,
  subject?: string,
  hint?: string,
): Expression =>
  unknownBecause(file, node, () => `${subject ?? subjectOf(file, node)} cannot be read`, hint);

/** An expression without a value, for a reason. `cause` is the place of the reason, if it is another. */
export function unknownBecause(
  file: PythonFile,
  node: Range,
  message: string | (() => string),
  hint?: string,
  cause?: { file: PythonFile; node: Range },
): Expression {
  return {
    kind: "expression",
    problem: () =>
      problemAt(
        cause?.file ?? file,
        cause?.node ?? node,
        typeof message === "string" ? message : message(),
        hint ?? hintFor(file, sourceText(file, node), node.name),
      ),
    code: () => sourceText(file, node),
  };
}

function subjectOf(file: PythonFile, node: Range): string {
  const code = sourceText(file, node);
  if (code === "dlt.secrets.value" || code === "dlt.config.value")
    return "a value without its name";
  if (/String$/.test(node.name)) return stringSubject(code);
  if (isNumber(code, node.name)) return "a number that a double cannot hold";
  return expressionNames[node.name] ?? "an expression";
}

const isNumber = (code: string, nodeName: string) =>
  /^(Number|UnaryExpression)$/.test(nodeName) && /^[-+]?\s*[\d.]/.test(code);

function stringSubject(code: string): string {
  if (/^\w*b/i.test(code)) return "a bytes string";
  return /(^|\s)r?[ft]r?["']/i.test(code) ? "an f-string" : "an escape in this string";
}

function hintFor(file: PythonFile, code: string, nodeName: string): string {
  const type = configTypes[/^(?:\w+\.)*(\w+)\s*\(/.exec(code)?.[1] ?? ""];
  if (type) return `write it as a dict: {"type": "${type}", …}, its arguments as keys`;
  if (/^(\w+\.)*Session\(/.test(code)) return "leave it out: it has no meaning here";
  if (/^dlt\.(secrets|config)\.value/.test(code)) {
    return `write dlt.secrets["name"] or dlt.config["name"]`;
  }
  if (isNumber(code, nodeName)) return "write it as a string, in quotes";
  if (nodeName === "SetExpression") return "write a list, in [ ]";
  if (/String$/.test(nodeName)) return "write the string itself";
  const functionHint = `functions need a TypeScript source: \`tidetable import ${file.arg}\` begins one`;
  if (nodeName === "LambdaExpression") return functionHint;
  if (nodeName === "VariableName") return `write its value here; ${functionHint}`;
  return "nothing of the file is executed: write the value itself, or a name whose value stands in the file";
}
