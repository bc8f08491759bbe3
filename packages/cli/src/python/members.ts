import type { DictLiteral, Literal } from "../sources/literal.ts";
import { memberOf } from "./containers.ts";
import { checkUse, importedValue } from "./names.ts";
import { timeMethod } from "./times.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type ClassValue, type Context, evaluate, stringIn, type Value } from "./values.ts";

/** `object.name` and `object[key]`. */
export function evaluateMember(context: Context, node: Node): Value {
  const { file } = context;
  const [objectNode, mark, inner, ...rest] = childNodes(node).filter(
    ({ name }) => name !== "Comment",
  );
  if (!objectNode || !inner) return unreadable(file, node);
  const object = evaluate(context, objectNode);
  if (object.kind === "expression") return { ...object, code: () => sourceText(file, node) };
  if (mark?.name === ".") return attributeOf(context, node, object, sourceText(file, inner));
  const isSlice = rest.length !== 1 || inner.name === ":";
  return isSlice ? unreadable(file, node) : elementOf(context, node, object, inner);
}

function attributeOf(context: Context, node: Node, object: Value, name: string): Value {
  const { file } = context;
  if (object.kind === "named") {
    if (object.name === "argparse.arguments") return { kind: "value", name, mayBeSecret: true };
    return importedValue(context, node, `${object.name}.${name}`);
  }
  if (object.kind === "time" && name === "int_timestamp") {
    return timeMethod(context, node, object, "timestamp", []) ?? unreadable(file, node);
  }
  if (object.kind === "class") return classConstant(context, node, object, name);
  return unreadable(file, node);
}

/** `Settings.BASE_URL`, where the class gives it one value. */
function classConstant(context: Context, node: Node, object: ClassValue, name: string): Value {
  const { file } = object.context;
  const scope = file.scopes.byOffset.get(`ClassDefinition ${object.node.from}`);
  const [binding, second] = scope?.bindings.get(name) ?? [];
  const isConstant = binding?.kind === "assignment" && binding.value && !second;
  if (!isConstant || !binding.value) {
    return unknownBecause(context.file, node, "a member without one value in its class");
  }
  const value = evaluate({ ...object.context, depth: context.depth }, binding.value);
  const [classBinding] = scope?.outer?.bindings.get(classNameOf(object)) ?? [];
  return classBinding ? checkUse(context, node, classBinding, value) : value;
}

const classNameOf = ({ context: { file }, node }: ClassValue): string => {
  const name = node.getChild("VariableName");
  return name ? sourceText(file, name) : "";
};

/** `CONFIG["a"]`, `LIST[0]`, `dlt.secrets["key"]` and `os.environ["KEY"]`. */
function elementOf(context: Context, node: Node, object: Value, keyNode: Node): Value {
  const { file } = context;
  const key = evaluate(context, keyNode);
  const name = stringIn(key);
  if (object.kind === "named") {
    const outside = name === undefined ? undefined : outsideValue(object.name, name);
    return outside ?? unreadable(file, node);
  }
  if (object.kind === "dict" && name !== undefined) {
    const value = memberOf(object, name);
    if (value && !hasCode(object)) return value;
    return unknownBecause(file, node, `no key "${name}" is known in this dict`);
  }
  const index = key.kind === "scalar" && typeof key.value === "number" ? key.value : undefined;
  const element =
    object.kind === "list" && index !== undefined ? object.items.at(index)?.value : undefined;
  return element ?? unreadable(file, node);
}

const hasCode = ({ entries }: DictLiteral) => entries.some(({ key }) => key === undefined);

/** A secret, or a value from outside: from dlt's config, from the environment. */
export function outsideValue(container: string, name: string): Literal | undefined {
  if (name === "") return undefined;
  if (container === "dlt.secrets") return { kind: "secret", name };
  if (container === "dlt.config") return { kind: "value", name };
  if (/^((os\.)?environ|airflow\.(\w+\.)*Variable)$/.test(container)) {
    return { kind: "value", name: name.toLowerCase(), mayBeSecret: true };
  }
  return undefined;
}
