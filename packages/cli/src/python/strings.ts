import type { Literal, TextLiteral, ValueName } from "../sources/literal.ts";
import { toLiteral } from "./to-literal.ts";
import { decodeString } from "./tokens.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";
import { unknownBecause, unreadable } from "./unknown.ts";
import { type Context, evaluate, type Value } from "./values.ts";

type Part = TextLiteral["parts"][number];

/** A string, or strings that stand side by side. */
export function evaluateStrings(context: Context, node: Node): Literal {
  const { file } = context;
  const nodes = node.name === "String" ? [node] : childNodes(node);
  const texts = nodes
    .filter(({ name }) => name !== "Comment")
    .map((part): Literal => {
      if (part.name === "FormatString") return evaluateFormatString(context, part);
      const text = part.name === "String" ? decodeString(sourceText(file, part)) : undefined;
      return text === undefined ? unreadable(file, node) : { kind: "scalar", value: text };
    });
  return joinTexts(texts, (unknown) => ({ ...unknown, code: () => sourceText(file, node) }));
}

type Unknown = Extract<Literal, { kind: "expression" }>;

/** Joins strings. The first unknown part makes the whole unknown. */
export function joinTexts(texts: readonly Literal[], wrap: (unknown: Unknown) => Literal): Literal {
  const parts: Part[] = [];
  for (const text of texts) {
    if (text.kind === "expression") return wrap(text);
    for (const part of partsOf(text)) {
      const last = parts.at(-1);
      if (typeof part === "string" && typeof last === "string") {
        parts[parts.length - 1] = last + part;
      } else if (part !== "") parts.push(part);
    }
  }
  const [first = ""] = parts;
  if (parts.length > 1) return { kind: "text", parts };
  return typeof first === "string" ? { kind: "scalar", value: first } : first;
}

function partsOf(text: Literal): Part[] {
  if (text.kind === "text") return text.parts;
  if (text.kind === "secret" || text.kind === "value") return [text];
  return text.kind === "scalar" ? [String(text.value)] : [];
}

export function evaluateFormatString(context: Context, node: Node): Literal {
  const { file } = context;
  const token = sourceText(file, node);
  const [, prefix = "", quote = ""] = /^(\w*)('''|"""|'|")/.exec(token) ?? [];
  if (/[bt]/i.test(prefix)) return unreadable(file, node);
  let position = node.from + prefix.length + quote.length;
  const texts: Literal[] = [];
  const addText = (to: number) => {
    const raw = file.text.slice(position, to).replace(/\{\{|\}\}/g, (braces) => braces.slice(1));
    const text = decodeString(`${prefix.replace(/f/i, "")}${quote}${raw}${quote}`);
    texts.push(text === undefined ? unreadable(file, node) : { kind: "scalar", value: text });
  };
  for (const part of childNodes(node)) {
    addText(part.from);
    texts.push(evaluateReplacement(context, part));
    position = part.to;
  }
  addText(node.to - quote.length);
  return joinTexts(texts, (unknown) => ({ ...unknown, code: () => token }));
}

/** `{x}` of an f-string. */
function evaluateReplacement(context: Context, node: Node): Literal {
  const { file } = context;
  const content = childNodes(node).slice(1, -1);
  const [inner, conversion, ...others] = content;
  const isPlain = !conversion || sourceText(file, conversion) === "!s";
  if (!inner || !isPlain || others.length > 0) {
    return unknownBecause(
      file,
      node,
      "a format of an f-string cannot be read",
      "write the string itself",
    );
  }
  return textOf(context, inner, toLiteral(context, inner, evaluate(context, inner)));
}

/** In a string Python would write a missing value as "None", which nobody means. */
function required({ fallback, ...value }: ValueName): ValueName {
  return fallback === undefined || fallback === null ? value : { ...value, fallback };
}

/** A value as Python's `str()` writes it. */
export function textOf(context: Context, node: Node, value: Value): Literal {
  const { file } = context;
  switch (value.kind) {
    case "expression":
    case "text":
    case "secret":
      return value;
    case "value":
      return required(value);
    case "scalar":
      if (typeof value.value === "string") return value;
      if (typeof value.value === "boolean") {
        return { kind: "scalar", value: value.value ? "True" : "False" };
      }
      if (!value.isFloat && /^-?\d+(\.\d+)?$/.test(String(value.value))) {
        return { kind: "scalar", value: String(value.value) };
      }
      return unreadable(file, node, "this value inside of a string");
    default:
      return unreadable(file, node, "this value inside of a string");
  }
}
