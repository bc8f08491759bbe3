import type { Literal } from "../sources/literal.ts";
import { childNodes, type Node } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type Context, evaluate, isLiteral, type Value } from "./values.ts";

/** The nodes inside of brackets, without the comments. */
export const contentOf = (node: Node): Node[] =>
  childNodes(node)
    .slice(1, -1)
    .filter(({ name }) => name !== "Comment");

/** A value for a config. What leads to no literal stays code. */
export function evaluateLiteral(context: Context, node: Node): Literal {
  return toLiteral(context, node, evaluate(context, node));
}

export function toLiteral({ file }: Context, node: Node, value: Value): Literal {
  if (isLiteral(value)) return value;
  if (value.kind === "function") {
    const hint = `functions need a TypeScript source: \`tidetable import ${file.arg}\` begins one`;
    return unknownBecause(file, node, "a function cannot be read", hint);
  }
  if (value.kind === "relative") {
    const hint = `only an incremental's "initial_value" can be counted from now`;
    return unknownBecause(file, node, "a time that is counted from now has no value here", hint);
  }
  if (value.kind === "time" || value.kind === "duration") {
    const hint = `write it as the API does, as in "2026-01-31T00:00:00Z"`;
    return unknownBecause(file, node, "a time that is no text cannot be read", hint);
  }
  const isName = value.kind === "named" && node.name === "VariableName";
  if (!isName) return unreadable(file, node);
  const module = value.name.includes(".") ? value.name.replace(/\.[^.]*$/, "") : undefined;
  return unknownBecause(
    file,
    node,
    module === undefined
      ? "a name without one value in this file"
      : `a name from "${module}", which is no file of this project`,
  );
}
