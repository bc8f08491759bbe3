import {
  type Commented,
  type Dict,
  type Foreign,
  type List,
  type Literal,
  ofKind,
} from "./literal.ts";

/*
 * A literal as TypeScript, formatted as the formatter of packages/sources would, for there it goes.
 */

const WIDTH = 100;
const TAB = "    ";

export interface Written {
  config: Dict;
  /** The lines of comments above the source. */
  comments: string[];
  /** The text of what is not translated. */
  textOf: (foreign: Foreign) => string;
}

/** A source file: `export default rest_api_source({ … })`. */
export function sourceFile({ config, comments, textOf }: Written): string {
  const names = [...(ofKind(config, "secret").length > 0 ? ["dlt"] : []), "rest_api_source"];
  return [
    `import { ${names.join(", ")} } from "@tidetable/core";\n\n`,
    ...(ofKind(config, "foreign").length > 0 ? [todo] : []),
    ...comments.map((line) => `${comment(line)}\n`),
    `export default rest_api_source(${expanded(config, "", textOf)});\n`,
  ].join("");
}

const todo = `// What is marked TODO is not translated: this file loads when nothing calls this any more.
function todo(): never {
${TAB}throw new Error("what is marked TODO has to be written first");
}

`;

type TextOf = Written["textOf"];
type Bracket = Dict | List;

/** `room`: what else stands on the line, the comma behind it included. */
function write(literal: Literal, indent: string, room: number, textOf: TextOf): string {
  const flat = flatText(literal);
  if (flat !== undefined && indent.length + room + flat.length <= WIDTH) return flat;
  switch (literal.kind) {
    case "dict":
    case "list":
      return expanded(literal, indent, textOf);
    default:
      return flat ?? "todo()";
  }
}

/** On one line, unless a person would not write it so. */
function flatText(literal: Literal): string | undefined {
  switch (literal.kind) {
    case "scalar":
      return typeof literal.value === "string" ? quoted(literal.value) : numberText(literal.value);
    case "secret":
      return `dlt.secrets[${quoted(literal.name)}]`;
    case "foreign":
      return undefined;
    case "dict": {
      if (literal.entries.length + literal.end.length === 0) return "{}";
      if (!literal.oneLine || literal.end.length > 0) return undefined;
      const entries = literal.entries.map(({ key, value, ...comments }) => {
        const text = key === undefined || isCommented(comments) ? undefined : flatText(value);
        return text && `${keyText(key ?? "")}: ${text}`;
      });
      return entries.includes(undefined) ? undefined : `{ ${entries.join(", ")} }`;
    }
    case "list": {
      const items = literal.items.map((item) =>
        isCommented(item) ? undefined : flatText(item.value),
      );
      if (items.includes(undefined) || literal.end.length > 0 || isTable(literal)) return undefined;
      return `[${items.join(", ")}]`;
    }
  }
}

const isCommented = ({ before, after }: Commented) => before.length > 0 || after !== undefined;

/** Several dicts or lists of several members each: the formatter gives each its own line. */
function isTable({ items }: List): boolean {
  const sizes = (kind: "dict" | "list") =>
    items.map(({ value }) => (value.kind === kind ? size(value) : 0));
  return (
    items.length > 1 && (["dict", "list"] as const).some((kind) => Math.min(...sizes(kind)) > 1)
  );
}

const size = (bracket: Bracket) =>
  bracket.kind === "dict" ? bracket.entries.length : bracket.items.length;

function expanded(bracket: Bracket, indent: string, textOf: TextOf): string {
  const inner = indent + TAB;
  const [open, close] = bracket.kind === "dict" ? "{}" : "[]";
  if (bracket.kind === "list" && isNumbers(bracket)) {
    return `${open}\n${filled(bracket, inner)}\n${indent}${close}`;
  }
  const members = bracket.kind === "dict" ? bracket.entries : bracket.items;
  const lines = members.flatMap((member, i) => {
    const comma = i === members.length - 1 ? "" : ",";
    const { before, after, value } = member;
    const text = memberText(member, inner, comma.length, textOf);
    const todos = value.kind === "foreign" ? todoLines(textOf(value)) : [];
    const end = after === undefined ? "" : ` ${comment(after)}`;
    return [...before.map(comment), ...todos, `${text}${comma}${end}`];
  });
  const all = [...lines, ...bracket.end.map(comment)];
  return `${open}\n${all.map((line) => inner + line).join("\n")}\n${indent}${close}`;
}

function memberText(
  member: Dict["entries"][number] | List["items"][number],
  indent: string,
  comma: number,
  textOf: TextOf,
): string {
  if (!("key" in member)) return write(member.value, indent, comma, textOf);
  if (member.key === undefined) return "...(todo() as object)";
  const key = keyText(member.key);
  const text = write(member.value, indent, key.length + 2 + comma, textOf);
  const { value } = member;
  const isLong = indent.length + key.length + 2 + text.length + comma > WIDTH;
  // Behind a key that is as short as this, a line of its own would win nothing.
  const breaks =
    isLong && key.length >= 7 && value.kind === "scalar" && typeof value.value === "string";
  return breaks ? `${key}:\n${indent}${TAB}${text}` : `${key}: ${text}`;
}

const isNumbers = ({ items }: List) =>
  items.length > 1 &&
  items.every(
    (item) =>
      item.value.kind === "scalar" && typeof item.value.value === "number" && !isCommented(item),
  );

/** Numbers fill their lines. */
function filled({ items }: List, indent: string): string {
  const lines: string[] = [];
  for (const [i, { value }] of items.entries()) {
    const text = `${flatText(value)}${i === items.length - 1 ? "" : ","}`;
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + text.length > WIDTH) lines.push(indent + text);
    else lines[lines.length - 1] = `${line} ${text}`;
  }
  return lines.join("\n");
}

const comment = (line: string): string => (line === "" ? "//" : `// ${line}`);

function todoLines(text: string): string[] {
  const [first = "", ...more] = text.split("\n");
  const margin = Math.min(...more.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  return [`TODO: ${first}`, ...more.map((line) => line.slice(margin))].map((line) =>
    comment(line.trimEnd()),
  );
}

/** As a computed key `__proto__` is a member; written plainly it would be something else. */
function keyText(key: string): string {
  if (key === "__proto__") return `["__proto__"]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

const numberText = (value: number | boolean | null): string => String(value).replace("e+", "e");

/** In the quotes that need fewer escapes. */
function quoted(text: string): string {
  const json = JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  const count = (quote: string) => text.split(quote).length - 1;
  if (count('"') <= count("'")) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
