import type { Literal, Scalar } from "../sources/literal.ts";
import { argumentsOf, type CallArgument, findArgument } from "./arguments.ts";
import { dictOf, entryValue, memberOf, mergeDicts } from "./containers.ts";
import { configTypes, positionalParameters, typedDicts } from "./dlt-classes.ts";
import { evaluateFunction } from "./functions.ts";
import { outsideValue } from "./members.ts";
import { joinTexts, textOf } from "./strings.ts";
import { timeMethod, timeResult } from "./times.ts";
import { evaluateLiteral } from "./to-literal.ts";
import { type Node, sourceText } from "./tree.ts";
import { unreadable } from "./unknown.ts";
import { type Context, evaluate, stringIn, type Value } from "./values.ts";

export function evaluateCall(context: Context, node: Node): Value {
  const { file } = context;
  const calleeNode = node.firstChild;
  if (!calleeNode) return unreadable(file, node);
  const args = argumentsOf(file, node);
  const property = calleeNode.getChild("PropertyName");
  const objectNode =
    property && calleeNode.name === "MemberExpression" ? calleeNode.firstChild : null;
  if (property && objectNode) {
    const object = evaluate(context, objectNode);
    const method = sourceText(file, property);
    const time = timeMethod(context, node, object, method, args);
    if (time) return time;
    if (method === "parse_args") return { kind: "named", name: "argparse.arguments" };
    if (object.kind === "expression") return { ...object, code: () => sourceText(file, node) };
    if (object.kind !== "named" && object.kind !== "class") {
      return methodResult(context, node, object, method, args) ?? unreadable(file, node);
    }
  }
  const callee = evaluate(context, calleeNode);
  if (callee.kind === "function") return evaluateFunction(context, node, callee, args);
  if (callee.kind === "named") return libraryResult(context, node, callee.name, args);
  return unreadable(file, node);
}

/** A call of a function of dlt, of Python's library or of Python itself. */
function libraryResult(
  context: Context,
  node: Node,
  name: string,
  args: readonly CallArgument[],
): Value {
  const { file } = context;
  const className = name.split(".").at(-1) ?? "";
  const [first] = args;
  if (Object.hasOwn(configTypes, className)) return configDict(context, node, className, args);
  if (/^(dlt\.sources\.|dlt\.extract\.|)incremental$/.test(name)) {
    return configDict(context, node, "incremental", args);
  }
  if (typedDicts.test(name) || name === "dict") return keywordDict(context, node, args);
  if (/^(typing\.)?cast$/.test(name) && args[1]) return evaluate(context, args[1].value);
  if (/^(copy\.)?(deepcopy|copy)$/.test(name) && first) return evaluate(context, first.value);
  if (name === "str" && first && args.length === 1) {
    return textOf(context, node, evaluate(context, first.value));
  }
  if (/^(list|tuple)$/.test(name) && first && args.length === 1) {
    const value = evaluate(context, first.value);
    return value.kind === "list" ? value : unreadable(file, node);
  }
  const container =
    /^(.*\.)?(?:getenv|get)$/.exec(name)?.[1] ?? (name === "getenv" ? "os." : undefined);
  if (container !== undefined) return outsideGet(context, node, container, args);
  if (name === "int" && first && args.length === 1) {
    const value = evaluate(context, first.value);
    return value.kind === "relative" ? value : unreadable(file, node);
  }
  return timeResult(context, name, args) ?? unreadable(file, node);
}

/** `os.getenv("KEY", "default")`, `dlt.secrets.get("key")` and the like. */
function outsideGet(
  context: Context,
  node: Node,
  container: string,
  args: readonly CallArgument[],
): Literal {
  const { file } = context;
  const [nameArgument] = args;
  const name = nameArgument && stringIn(evaluate(context, nameArgument.value));
  const place = container.replace(/\.$/, "").replace(/^os$/, "os.environ");
  const outside = name === undefined ? undefined : outsideValue(place, name);
  const fallbackNode = findArgument(args, 1, place === "os.environ" ? "default" : "")?.value;
  if (!outside) return unreadable(file, node);
  // The second argument of dlt's own `get` is a type.
  if (outside.kind !== "value" || !fallbackNode || place !== "os.environ") return outside;
  const fallback = evaluate(context, fallbackNode);
  if (fallback.kind !== "scalar") return unreadable(file, node);
  return { ...outside, fallback: fallback.value };
}

/** `PageNumberPaginator(base_page=1, …)` is `{"type": "page_number", "base_page": 1, …}`. */
function configDict(
  context: Context,
  node: Node,
  className: string,
  args: readonly CallArgument[],
): Literal {
  const parameters = positionalParameters[className] ?? [];
  let position = 0;
  const named = args.map((argument) => {
    if (argument.keyword !== undefined || argument.stars !== "") return argument;
    const keyword = parameters[position++];
    return keyword === undefined ? argument : { ...argument, keyword };
  });
  const type: Scalar = { kind: "scalar", value: configTypes[className] ?? className };
  const typeEntry = dictOf([{ key: "type", value: type, commentsAbove: [] }]);
  const dict = keywordDict(context, node, named);
  if (dict.kind !== "dict") return dict;
  const isOneLine = !sourceText(context.file, node).includes("\n");
  return { ...mergeDicts([typeEntry, dict]), isOneLine };
}

function keywordDict(context: Context, node: Node, args: readonly CallArgument[]): Literal {
  const { file } = context;
  const dicts = args.map(({ keyword, value, stars }) => {
    if (keyword !== undefined) {
      return dictOf([
        { key: keyword, value: entryValue(context, keyword, value), commentsAbove: [] },
      ]);
    }
    return stars === "*" ? unreadable(file, value) : evaluateLiteral(context, value);
  });
  const unknown = dicts.find(({ kind }) => kind === "expression");
  if (unknown) return { ...unknown, code: () => sourceText(file, node) } as Literal;
  const known = dicts.filter((dict) => dict.kind === "dict");
  if (known.length < dicts.length) return unreadable(file, node);
  const isOneLine = !sourceText(file, node).includes("\n");
  return { ...mergeDicts(known), isOneLine };
}

/** A method of a known value that only reads it. Undefined for any other. */
function methodResult(
  context: Context,
  node: Node,
  object: Value,
  method: string,
  args: readonly CallArgument[],
): Value | undefined {
  const values = args.map(({ value }) => evaluate(context, value));
  const [first, second] = values;
  if (object.kind === "dict") {
    const key = stringIn(first);
    if (method === "copy") return object;
    if (method !== "get" || key === undefined) return undefined;
    if (object.entries.some((entry) => entry.key === undefined)) return undefined;
    return memberOf(object, key) ?? second ?? { kind: "scalar", value: null };
  }
  if (object.kind === "list") return method === "copy" ? object : undefined;
  if (method === "join" && first?.kind === "list") return joinList(object, first.items);
  if (method === "format") return formatText(context, node, stringIn(object), args);
  const text = stringIn(object);
  return text === undefined ? undefined : textMethod(text, method, values);
}

function textMethod(text: string, method: string, values: readonly Value[]): Value | undefined {
  const [first, second] = values.map(stringIn);
  const scalar = (value: string): Value => ({ kind: "scalar", value });
  if (values.length === 0) {
    if (method === "strip") return scalar(text.trim());
    if (method === "lower") return scalar(text.toLowerCase());
    if (method === "upper") return scalar(text.toUpperCase());
    return undefined;
  }
  if (method === "replace" && first !== undefined && second !== undefined && first !== "") {
    return scalar(text.replaceAll(first, () => second));
  }
  if (first === undefined || [...first].length !== 1) return undefined;
  let [start, end] = [0, text.length];
  if (method === "strip" || method === "lstrip") while (text[start] === first) start++;
  if (method === "strip" || method === "rstrip")
    while (end > start && text[end - 1] === first) end--;
  return /^[lr]?strip$/.test(method) ? scalar(text.slice(start, end)) : undefined;
}

function joinList(separator: Value, items: readonly { value: Literal }[]): Value | undefined {
  const text = stringIn(separator);
  if (text === undefined) return undefined;
  const texts = items.flatMap(({ value }, i): Literal[] =>
    i === 0 ? [value] : [{ kind: "scalar", value: text }, value],
  );
  const areTexts = texts.every(
    (part) => /^(text|secret|value|expression)$/.test(part.kind) || stringIn(part) !== undefined,
  );
  return areTexts ? joinTexts(texts, (unknown) => unknown) : undefined;
}

/** `"{}/{name}".format(x, name=y)`, without conversions and formats. */
function formatText(
  context: Context,
  node: Node,
  template: string | undefined,
  args: readonly CallArgument[],
): Value | undefined {
  if (template === undefined || args.some(({ stars }) => stars !== "")) return undefined;
  const positional = args.filter(({ keyword }) => keyword === undefined);
  let position = 0;
  let isKnown = true;
  const parts = template.split(/(\{\{|\}\}|\{\w*\})/).map((part, i): Literal => {
    if (i % 2 === 0) {
      isKnown &&= !/[{}]/.test(part);
      return { kind: "scalar", value: part };
    }
    if (part === "{{" || part === "}}") return { kind: "scalar", value: part.slice(1) };
    const name = part.slice(1, -1);
    const argument = /^\d*$/.test(name)
      ? positional[name === "" ? position++ : Number(name)]
      : args.find(({ keyword }) => keyword === name);
    if (argument) return textOf(context, argument.value, evaluate(context, argument.value));
    isKnown = false;
    return { kind: "scalar", value: "" };
  });
  if (!isKnown) return undefined;
  return joinTexts(parts, (unknown) => ({
    ...unknown,
    code: () => sourceText(context.file, node),
  }));
}
