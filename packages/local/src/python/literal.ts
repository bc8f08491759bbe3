import { type Commented, DEEPEST, type Dict, type List, type Literal } from "../literal.ts";
import { parameterSecret } from "./names.ts";
import { children, type Node, type PythonFile, source } from "./parse.ts";
import { foreign } from "./refuse.ts";
import { numberOf, textOf } from "./tokens.ts";

/** A Python expression as the literal that it is. Parts that are none stand in it as foreign. */
export function literal(file: PythonFile, node: Node, depth = 0): Literal {
  if (depth > DEEPEST) return foreign(file, node, "what is nested so deeply", "a config is not");
  switch (node.name) {
    case "DictionaryExpression":
      return dict(file, node, depth);
    case "ArrayExpression":
    case "TupleExpression":
      return list(file, node, depth);
    case "ParenthesizedExpression": {
      const [inner, ...more] = children(node).filter(({ name }) => !/^([()]|Comment)$/.test(name));
      if (inner && more.length === 0) return literal(file, inner, depth + 1);
      return foreign(file, node);
    }
    case "String":
    case "ContinuedString":
      return text(file, node);
    case "Number":
    case "UnaryExpression":
      return number(file, node);
    case "Boolean":
      return { kind: "scalar", value: source(file, node) === "True" };
    case "None":
      return { kind: "scalar", value: null };
    default: {
      const name = secretName(file, node);
      return name === undefined ? foreign(file, node) : { kind: "secret", name };
    }
  }
}

function text(file: PythonFile, node: Node): Literal {
  const parts = node.name === "String" ? [node] : children(node);
  const texts = parts
    .filter(({ name }) => name !== "Comment")
    .map((part) => (part.name === "String" ? textOf(source(file, part)) : undefined));
  return texts.includes(undefined)
    ? foreign(file, node)
    : { kind: "scalar", value: texts.join("") };
}

function number(file: PythonFile, node: Node): Literal {
  const [, sign, digits] = /^([-+]?)\s*([\d.][.\w+-]*)$/.exec(source(file, node)) ?? [];
  const value = digits && numberOf(digits);
  if (typeof value !== "number") return foreign(file, node);
  return { kind: "scalar", value: sign === "-" ? -value : value };
}

/** `dlt.secrets["name"]`, or the parameter of a source function that stands for one. */
function secretName(file: PythonFile, node: Node): string | undefined {
  if (node.name === "VariableName") {
    const value = parameterSecret(file, node);
    return value?.name === "VariableName" ? source(file, value) : value && secretName(file, value);
  }
  const [object, open, name, close] = children(node);
  if (node.name !== "MemberExpression" || !object || !name) return undefined;
  if (source(file, object) !== "dlt.secrets" || open?.name !== "[" || close?.name !== "]") {
    return undefined;
  }
  const read = literal(file, name);
  return read.kind === "scalar" && typeof read.value === "string" && read.value !== ""
    ? read.value
    : undefined;
}

function dict(file: PythonFile, node: Node, depth: number): Dict {
  const { parts, ...layout } = elements(file, node);
  const seen = new Set<string>();
  const entries = parts.map(({ nodes, ...comments }): Dict["entries"][number] => {
    const [keyNode, colon, valueNode] = nodes;
    const [from, to] = [nodes[0]?.from ?? 0, nodes.at(-1)?.to ?? 0];
    const instead = (...words: [what?: string, hint?: string]) => ({
      ...comments,
      key: undefined,
      value: foreign(file, { name: keyNode?.name ?? "", from, to }, ...words),
    });
    if (!keyNode || colon?.name !== ":" || !valueNode) {
      return instead("a dict inside of a dict by **", "write its keys here");
    }
    const key = literal(file, keyNode, depth + 1);
    if (key.kind === "foreign") return instead(key.what, key.hint);
    if (key.kind !== "scalar" || typeof key.value !== "string") {
      return instead("a key that is not a text", "write it in quotes");
    }
    if (seen.has(key.value)) {
      return instead(`the key "${key.value}" a second time`, "Python takes the last one; keep one");
    }
    seen.add(key.value);
    return { ...comments, key: key.value, value: literal(file, valueNode, depth + 1) };
  });
  return { kind: "dict", entries, ...layout };
}

function list(file: PythonFile, node: Node, depth: number): List {
  const { parts, ...layout } = elements(file, node);
  const items = parts.map(({ nodes, ...comments }) => {
    const [first, second] = nodes as [Node, Node?];
    const value: Literal = second
      ? foreign(file, { name: first.name, from: first.from, to: second.to })
      : literal(file, first, depth + 1);
    return { ...comments, value };
  });
  return { kind: "list", items, ...layout };
}

/** What stands between the commas of a bracket, each with its comments. */
function elements(file: PythonFile, bracket: Node) {
  const parts: (Commented & { nodes: Node[] })[] = [];
  let before: string[] = [];
  let last: Node | undefined;
  let open = false;
  for (const node of children(bracket).slice(1, -1)) {
    const part = parts.at(-1);
    if (node.name === "Comment") {
      const isAbove = !last || file.text.slice(last.to, node.from).includes("\n");
      if (part && !isAbove && part.after === undefined) part.after = commentText(file, node);
      else before.push(commentText(file, node));
      continue;
    }
    if (node.name === ",") open = false;
    else if (open) part?.nodes.push(node);
    else {
      parts.push({ nodes: [node], before });
      before = [];
      open = true;
    }
    last = node;
  }
  return { parts, end: before, oneLine: !source(file, bracket).includes("\n") };
}

export const commentText = (file: PythonFile, comment: Node): string =>
  source(file, comment)
    .replace(/^#+:?\s?/, "")
    .trimEnd();
