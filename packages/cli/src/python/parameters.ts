import { argumentsOf, type CallArgument } from "./arguments.ts";
import { type Binding, findBindings, type PythonFile, usesOf } from "./scopes.ts";
import { childNodes, type Node, positionText, sourceText } from "./tree.ts";
import { unknownBecause } from "./unknown.ts";
import { type Context, evaluate, frameFor, isNull, type Value } from "./values.ts";

/*
 * The values of functions' parameters: what the calls of the file give, else the default, else a
 * value from outside of the file.
 */

export function parameterValue(context: Context, binding: Binding): Value {
  const { file } = context;
  const frame = frameFor(context, binding);
  const given = frame?.values.get(binding.name);
  if (given) return given;
  if (frame || binding.isStarred || binding.scope.node.name !== "FunctionDefinition") {
    return unknownBecause(file, binding.node, "a parameter without one value in this file");
  }
  const calls = callsOf(file, binding.scope.node);
  const outside: Context = { ...context, frame: undefined };
  const values = calls.map((call) => {
    const argument = argumentOf(file, call, binding);
    if (argument === "unknown")
      return unknownBecause(file, call, "the arguments of this call cannot be read");
    return argument ? evaluate(outside, argument.value) : defaultValue(outside, binding, calls);
  });
  const [first, ...others] = values;
  if (!first) return defaultValue(outside, binding, calls);
  const differing = others.findIndex((value) => textOfValue(value) !== textOfValue(first));
  if (differing === -1) return first;
  const lines = calls.map(({ from }) => positionText(file.arg, file.text, from)).join(", ");
  return unknownBecause(
    file,
    binding.node,
    `a parameter that gets several values (${lines})`,
    "keep one of the calls in this file, or write a source for each",
  );
}

/** Equal for equal values. Unknown values need no comparison: any of them is refused. */
function textOfValue(value: Value): string {
  if (value.kind === "function" || value.kind === "class")
    return `${value.kind} ${value.node.from}`;
  return JSON.stringify(value);
}

/** The calls of a function in its file. Handed on as it is, a function is called without arguments. */
export function callsOf(file: PythonFile, functionNode: Node): Node[] {
  const name = functionNode.getChild("VariableName");
  const [binding] = (name && findBindings(file, name)) ?? [];
  if (binding?.kind !== "function") return [];
  return usesOf(file, binding).flatMap((use) =>
    use.parent?.name === "CallExpression" && use.parent.firstChild?.from === use.from
      ? use.parent
      : [],
  );
}

/** The parameters that can be given by position, in order. */
export function parameterNamesOf(file: PythonFile, functionNode: Node): string[] {
  const list = childNodes(functionNode).find(({ name }) => name === "ParamList");
  const nodes = list ? childNodes(list) : [];
  const end = nodes.findIndex(({ name }) => name === "*" || name === "**");
  return (end === -1 ? nodes : nodes.slice(0, end)).flatMap((node, i) =>
    node.name === "VariableName" && nodes[i - 1]?.name !== "AssignOp" ? sourceText(file, node) : [],
  );
}

function argumentOf(
  file: PythonFile,
  call: Node,
  { name, scope }: Binding,
): CallArgument | "unknown" | undefined {
  const args = argumentsOf(file, call);
  if (args.some(({ stars }) => stars !== "")) return "unknown";
  const byName = args.find(({ keyword }) => keyword === name);
  if (byName) return byName;
  const index = parameterNamesOf(file, scope.node).indexOf(name);
  return index === -1 ? undefined : args.filter(({ keyword }) => keyword === undefined)[index];
}

/** A parameter's value where no call gives one: dlt fills in what has no value or None. */
function defaultValue(context: Context, binding: Binding, calls: readonly Node[]): Value {
  const { file } = context;
  const { name, scope, value: node } = binding;
  const code = node && sourceText(file, node);
  const type = binding.node.nextSibling;
  const isSecretType = type?.name === "TypeDef" && /TSecret/.test(sourceText(file, type));
  if (code === "dlt.secrets.value") return { kind: "secret", name };
  if (code === "dlt.config.value") return { kind: "value", name };
  if (node === undefined) {
    if (isSecretType) return { kind: "secret", name };
    return { kind: "value", name, mayBeSecret: true };
  }
  const value = evaluate(context, node);
  const isFilledIn = calls.length === 0 || scope.node.parent?.name === "DecoratedStatement";
  if (!isNull(value) || !isFilledIn) return value;
  if (isSecretType) return { kind: "secret", name };
  return { kind: "value", name, mayBeSecret: true, fallback: null };
}
