import { MAX_DEPTH } from "../sources/literal.ts";
import { changeOf } from "./changes.ts";
import { parameterValue } from "./parameters.ts";
import { type Binding, findBindings } from "./scopes.ts";
import { literalSize } from "./size.ts";
import { type Node, sourceText } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type Context, evaluate, frameFor, isLiteral, type Value } from "./values.ts";

/** The value of a name. It has none where it could be different at run time. */
export function evaluateName(context: Context, node: Node): Value {
  const { file } = context;
  const bindings = findBindings(file, node);
  const name = sourceText(file, node);
  if (!bindings) return { kind: "named", name };
  const loopValue = frameFor(context, bindings[0])?.values.get(name);
  if (loopValue && bindings[0]?.kind === "loop") return loopValue;
  const imports = new Set(bindings.map(({ imported }) => imported));
  const [imported] = imports;
  const [binding, second] = bindings;
  if (imports.size === 1 && imported !== undefined && binding) {
    return checkUse(context, node, binding, importedValue(context, node, imported));
  }
  if (!binding) return unreadable(file, node);
  if (second) {
    const cause = { file, node: second.node };
    const hint = "give it one value, or write the value here";
    return unknownBecause(file, node, "a name that gets a value twice", hint, cause);
  }
  return bindingValue(context, node, binding);
}

function bindingValue(context: Context, node: Node, binding: Binding): Value {
  const { file, session } = context;
  const noValue = () => unknownBecause(file, node, "a name without one value in this file");
  switch (binding.kind) {
    case "function":
      return binding.value ? { kind: "function", context, node: binding.value } : noValue();
    case "class":
      return binding.value ? { kind: "class", context, node: binding.value } : noValue();
    case "assignment":
    case "parameter":
      break;
    default:
      return noValue();
  }
  const isShared = context.frame === undefined;
  const key = `${file.arg} ${binding.node.from}`;
  const value = session.once(key, isShared, () =>
    binding.kind === "parameter"
      ? parameterValue(context, binding)
      : binding.value
        ? evaluate(context, binding.value)
        : noValue(),
  );
  if (!value) return noValue();
  return checkUse(context, node, binding, value);
}

/** A dict or list has no value where the file changes it, and none that is too large to repeat. */
export function checkUse(context: Context, node: Node, binding: Binding, value: Value): Value {
  const { session, depth } = context;
  const { file } = context;
  if (!isLiteral(value) || (value.kind !== "dict" && value.kind !== "list")) return value;
  const change = changeOf(file, binding);
  if (change) {
    const what = value.kind === "dict" ? "a dict" : "a list";
    const cause = { file, node: change };
    const hint = "write the whole value where it is first set";
    return unknownBecause(file, node, `${what} that may change here`, hint, cause);
  }
  const size = literalSize(value);
  if (depth + size.depth > MAX_DEPTH || !session.spend(size.members)) {
    return unreadable(file, node, "so large a config", "a config is smaller");
  }
  return value;
}

/** A name from another file of the project, or a thing of a library. */
export function importedValue(context: Context, node: Node, imported: string): Value {
  const { file, session } = context;
  const dot = imported.lastIndexOf(".");
  const [module, name] = [imported.slice(0, dot), imported.slice(dot + 1)];
  const otherFile = /[^.]/.test(module) ? session.openModule(module, file) : undefined;
  if (!otherFile) return { kind: "named", name: imported };
  const [binding, second] = otherFile.scopes.module.bindings.get(name) ?? [];
  if (!binding || second) return { kind: "named", name: imported };
  const other: Context = { ...context, file: otherFile, frame: undefined };
  if (binding.kind === "import" && binding.imported) {
    return importedValue(other, binding.node, binding.imported);
  }
  const value = bindingValue(other, binding.node, binding);
  return value.kind === "expression" ? { ...value, code: () => sourceText(file, node) } : value;
}
