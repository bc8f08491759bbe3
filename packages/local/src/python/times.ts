import type { CallArgument } from "./arguments.ts";
import type { Node } from "./tree.ts";
import { unreadable } from "./unknown.ts";
import type { Context, Value } from "./values.ts";

/** A method of a time, or a function that makes one. Undefined for any other call. */
export function timeCall(
  _context: Context,
  _node: Node,
  _object: Value,
  _method: string,
  _args: readonly CallArgument[],
): Value | undefined {
  return undefined;
}

/** A time plus or minus a duration. */
export function timeArithmetic(
  { file }: Context,
  node: Node,
  _left: Value,
  _operator: "+" | "-",
  _right: Value,
): Value {
  return unreadable(file, node);
}
