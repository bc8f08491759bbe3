import {
  type Commented,
  type DictLiteral,
  type ListLiteral,
  type Literal,
  MAX_DEPTH,
} from "../sources/literal.ts";
import { expressionAt } from "./expressions.ts";
import { parameterSecret } from "./names.ts";
import { childNodes, type Node, type PythonFile, sourceText } from "./parse.ts";
import { decodeNumber, decodeString } from "./tokens.ts";

/** Reads Python code as a literal. Other code inside becomes expressions. */
export function literalOf(file: PythonFile, node: Node, depth = 0): Literal {
  if (depth > MAX_DEPTH) {
    return expressionAt(file, node, "code that is nested this deeply", "a config is not");
  }
  switch (node.name) {
    case "DictionaryExpression":
      return dictOf(file, node, depth);
    case "ArrayExpression":
    case "TupleExpression":
      return listOf(file, node, depth);
    case "ParenthesizedExpression": {
      const content = childNodes(node).filter(({ name }) => !/^([()]|Comment)$/.test(name));
      const [inner, ...otherNodes] = content;
      if (inner && otherNodes.length === 0) return literalOf(file, inner, depth + 1);
      return expressionAt(file, node);
    }
    case "String":
    case "ContinuedString":
      return stringOf(file, node);
    case "Number":
    case "UnaryExpression":
      return numberOf(file, node);
    case "Boolean":
      return { kind: "scalar", value: sourceText(file, node) === "True" };
    case "None":
      return { kind: "scalar", value: null };
    default: {
      const name = secretName(file, node);
      return name === undefined ? expressionAt(file, node) : { kind: "secret", name };
    }
  }
}

function stringOf(file: PythonFile, node: Node): Literal {
  const parts = node.name === "String" ? [node] : childNodes(node);
  const strings = parts
    .filter(({ name }) => name !== "Comment")
    .map((part) => (part.name === "String" ? decodeString(sourceText(file, part)) : undefined));
  return strings.includes(undefined)
    ? expressionAt(file, node)
    : { kind: "scalar", value: strings.join("") };
}

function numberOf(file: PythonFile, node: Node): Literal {
  const [, sign, digits] = /^([-+]?)\s*([\d.][.\w+-]*)$/.exec(sourceText(file, node)) ?? [];
  const value = digits && decodeNumber(digits);
  if (typeof value !== "number") return expressionAt(file, node);
  return { kind: "scalar", value: sign === "-" ? -value : value };
}

/** The name in `dlt.secrets["name"]`, or of a source function's parameter that stands for a secret. */
function secretName(file: PythonFile, node: Node): string | undefined {
  if (node.name === "VariableName") {
    const secret = parameterSecret(file, node);
    if (secret?.name === "VariableName") return sourceText(file, secret);
    return secret && secretName(file, secret);
  }
  const [object, open, name, close] = childNodes(node);
  if (node.name !== "MemberExpression" || !object || !name) return undefined;
  if (sourceText(file, object) !== "dlt.secrets" || open?.name !== "[" || close?.name !== "]") {
    return undefined;
  }
  const literal = literalOf(file, name);
  return literal.kind === "scalar" && typeof literal.value === "string" && literal.value !== ""
    ? literal.value
    : undefined;
}

function dictOf(file: PythonFile, node: Node, depth: number): DictLiteral {
  const { parts, ...layout } = bracketParts(file, node);
  const keys = new Set<string>();
  const entries = parts.map(({ nodes, ...comments }): DictLiteral["entries"][number] => {
    const [keyNode, colon, valueNode] = nodes;
    const range = { from: nodes[0]?.from ?? 0, to: nodes.at(-1)?.to ?? 0 };
    const expressionEntry = (subject: string, hint: string) => ({
      ...comments,
      key: undefined,
      value: expressionAt(file, { name: keyNode?.name ?? "", ...range }, subject, hint),
    });
    if (!keyNode || colon?.name !== ":" || !valueNode) {
      return expressionEntry("a dict inside a dict by **", "write its keys here");
    }
    const key = literalOf(file, keyNode, depth + 1);
    if (key.kind === "expression") return expressionEntry(key.subject, key.hint);
    if (key.kind !== "scalar" || typeof key.value !== "string") {
      return expressionEntry("a key that is not a string", "write it in quotes");
    }
    if (keys.has(key.value)) {
      const subject = `the key "${key.value}" a second time`;
      return expressionEntry(subject, "Python takes the last one; keep one");
    }
    keys.add(key.value);
    return { ...comments, key: key.value, value: literalOf(file, valueNode, depth + 1) };
  });
  return { kind: "dict", entries, ...layout };
}

function listOf(file: PythonFile, node: Node, depth: number): ListLiteral {
  const { parts, ...layout } = bracketParts(file, node);
  const items = parts.map(({ nodes, ...comments }) => {
    const [first, second] = nodes as [Node, Node?];
    const value: Literal = second
      ? expressionAt(file, { name: first.name, from: first.from, to: second.to })
      : literalOf(file, first, depth + 1);
    return { ...comments, value };
  });
  return { kind: "list", items, ...layout };
}

/** Splits the content of brackets at the commas. Each part has its comments. */
function bracketParts(file: PythonFile, bracket: Node) {
  const parts: (Commented & { nodes: Node[] })[] = [];
  let commentsAbove: string[] = [];
  let lastNode: Node | undefined;
  let isPartOpen = false;
  for (const node of childNodes(bracket).slice(1, -1)) {
    const part = parts.at(-1);
    if (node.name === "Comment") {
      const isOnNewLine = !lastNode || file.text.slice(lastNode.to, node.from).includes("\n");
      if (part && !isOnNewLine && part.commentAfter === undefined) {
        part.commentAfter = commentText(file, node);
      } else {
        commentsAbove.push(commentText(file, node));
      }
      continue;
    }
    if (node.name === ",") isPartOpen = false;
    else if (isPartOpen) part?.nodes.push(node);
    else {
      parts.push({ nodes: [node], commentsAbove });
      commentsAbove = [];
      isPartOpen = true;
    }
    lastNode = node;
  }
  const isOneLine = !sourceText(file, bracket).includes("\n");
  return { parts, commentsAtEnd: commentsAbove, isOneLine };
}

export const commentText = (file: PythonFile, comment: Node): string =>
  sourceText(file, comment)
    .replace(/^#+:?\s?/, "")
    .trimEnd();
