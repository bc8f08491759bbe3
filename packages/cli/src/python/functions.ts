import type { CallArgument } from "./arguments.ts";
import { parameterNamesOf } from "./parameters.ts";
import type { PythonFile } from "./scopes.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type Context, evaluate, type Frame, type FunctionValue, type Value } from "./values.ts";

/** The result of a call of a function that has one `return`, and of a lambda. */
export function evaluateFunction(
  context: Context,
  call: Node,
  { node, context: home }: FunctionValue,
  args: readonly CallArgument[],
): Value {
  const { file } = context;
  const result = resultOf(home.file, node);
  if (!result) {
    const hint =
      "a function with one return at its end is read, without branches and loops around it";
    return unknownBecause(
      file,
      call,
      "a call of a function that is a program cannot be read",
      hint,
    );
  }
  const values = boundArguments(context, home, node, args);
  if (!values) return unreadable(file, call);
  const frame: Frame = { file: home.file, functionNode: node, values, outer: home.frame };
  const value = evaluate({ ...home, depth: context.depth, frame }, result);
  return value.kind === "expression" ? { ...value, code: () => sourceText(file, call) } : value;
}

/** The expression that a function returns, if it does so once, at its end. */
export function resultOf(file: PythonFile, node: Node): Node | undefined {
  const last = node.lastChild;
  if (node.name === "LambdaExpression") return last ?? undefined;
  if (!last || node.firstChild?.name === "async") return undefined;
  const exits = exitsOf(file, node);
  const [exit] = exits;
  const statement = childNodes(last)
    .filter(({ name }) => name !== "Comment")
    .at(-1);
  const isAtEnd = exits.length === 1 && exit?.from === statement?.from;
  const content = exit ? childNodes(exit) : [];
  return isAtEnd && exit?.name === "ReturnStatement" && content.length === 2
    ? content[1]
    : undefined;
}

/** The `return` and `yield` of a function, without those of functions inside of it. */
export function exitsOf(file: PythonFile, functionNode: Node): Node[] {
  const exits: Node[] = [];
  file.tree.iterate({
    from: functionNode.from,
    to: functionNode.to,
    enter: (cursor) => {
      if (cursor.to <= functionNode.from || cursor.from >= functionNode.to) return false;
      const isInner = /^(FunctionDefinition|LambdaExpression|ClassDefinition)$/.test(cursor.name);
      if (isInner && cursor.from > functionNode.from) return false;
      if (/^(ReturnStatement|Yield(Statement|Expression))$/.test(cursor.name))
        exits.push(cursor.node);
      return true;
    },
  });
  return exits;
}

function boundArguments(
  context: Context,
  home: Context,
  node: Node,
  args: readonly CallArgument[],
): Map<string, Value> | undefined {
  const scope = home.file.scopes.byOffset.get(`${node.name} ${node.from}`);
  const parameters = [...(scope?.bindings.values() ?? [])]
    .flat()
    .filter(({ kind }) => kind === "parameter");
  if (parameters.some(({ isStarred }) => isStarred) || args.some(({ stars }) => stars !== "")) {
    return undefined;
  }
  const positional = args.filter(({ keyword }) => keyword === undefined);
  const order =
    node.name === "LambdaExpression"
      ? parameters.map(({ name }) => name)
      : parameterNamesOf(home.file, node);
  if (positional.length > order.length) return undefined;
  const values = new Map<string, Value>();
  for (const { name, value } of parameters) {
    const argument =
      args.find(({ keyword }) => keyword === name) ?? positional[order.indexOf(name)];
    if (argument) values.set(name, evaluate(context, argument.value));
    else if (value) values.set(name, evaluate({ ...home, depth: context.depth }, value));
    else return undefined;
  }
  const isKnown = args.every(({ keyword }) => keyword === undefined || values.has(keyword));
  return isKnown ? values : undefined;
}
