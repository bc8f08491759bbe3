import {
  type Commented,
  type DictLiteral,
  type ListLiteral,
  type Literal,
  literalsOfKind,
  type SecretName,
  type TextLiteral,
  type ValueName,
} from "./literal.ts";

/*
 * Writes a literal as TypeScript, in the format that the formatter gives to packages/sources.
 */

const LINE_WIDTH = 100;
const INDENT = "    ";

export interface TypeScriptSource {
  config: DictLiteral;
  /** The lines of comments above the source. */
  comments: string[];
}

/** Writes a source file: `export default rest_api_source({ … })`. */
export function sourceFileText({ config, comments }: TypeScriptSource): string {
  const hasExpressions = literalsOfKind(config, "expression").length > 0;
  const names = namesOf(config);
  const hasFallback = names.some((name) => name.kind === "value" && name.fallback !== undefined);
  const usesDlt = names.some((name) => name.kind === "secret" || name.fallback === undefined);
  const imports = [
    ...(usesDlt ? ["dlt"] : []),
    "rest_api_source",
    ...(hasFallback ? ["value"] : []),
  ];
  return [
    `import { ${imports.join(", ")} } from "@tidetable/core";\n\n`,
    ...(hasExpressions ? [todoFunction] : []),
    ...comments.map((line) => `${commentLine(line)}\n`),
    `export default rest_api_source(${multilineText(config, "")});\n`,
  ].join("");
}

const todoFunction = `// The parts marked TODO are not translated. This file loads when nothing calls todo() any more.
function todo(): never {
${INDENT}throw new Error("the parts marked TODO have to be written first");
}

`;

type Bracket = DictLiteral | ListLiteral;

/** `reserved` is the width of the line's remaining text: the key and the comma. */
function literalText(literal: Literal, indent: string, reserved: number): string {
  const line = oneLineText(literal);
  if (line !== undefined && indent.length + reserved + line.length <= LINE_WIDTH) return line;
  switch (literal.kind) {
    case "dict":
    case "list":
      return multilineText(literal, indent);
    default:
      return line ?? "todo()";
  }
}

/** The literal on a single line. Undefined where the formatter would use several lines. */
function oneLineText(literal: Literal): string | undefined {
  switch (literal.kind) {
    case "scalar":
      return typeof literal.value === "string"
        ? quotedText(literal.value)
        : numberText(literal.value);
    case "secret":
    case "value":
      return nameText(literal);
    case "text":
      return templateText(literal);
    case "expression":
      return undefined;
    case "dict":
      return oneLineDict(literal);
    case "list":
      return oneLineList(literal);
  }
}

type Name = SecretName | ValueName;

/** The names of secrets and values in a config, inside of strings, too. */
const namesOf = (config: Literal): Name[] => [
  ...literalsOfKind(config, "secret"),
  ...literalsOfKind(config, "value"),
  ...literalsOfKind(config, "text").flatMap(({ parts }) =>
    parts.filter((part): part is Name => typeof part === "object"),
  ),
];

function nameText(name: Name): string {
  const quotedName = quotedText(name.name);
  if (name.kind === "secret") return `dlt.secrets[${quotedName}]`;
  const { fallback } = name;
  if (fallback === undefined) return `dlt.config[${quotedName}]`;
  return `value(${quotedName}, ${typeof fallback === "string" ? quotedText(fallback) : fallback})`;
}

/** A string with names inside, as a template string. */
function templateText({ parts }: TextLiteral): string {
  const texts = parts.map((part) =>
    typeof part === "string"
      ? JSON.stringify(part)
          .slice(1, -1)
          .replaceAll('\\"', '"')
          .replaceAll("`", "\\`")
          .replaceAll("${", "\\${")
      : `\${${nameText(part)}}`,
  );
  return `\`${texts.join("")}\``;
}

function oneLineDict({ entries, isOneLine, commentsAtEnd }: DictLiteral): string | undefined {
  if (entries.length + commentsAtEnd.length === 0) return "{}";
  if (!isOneLine || commentsAtEnd.length > 0) return undefined;
  const texts = entries.map(({ key, value, ...comments }) => {
    const text = key === undefined || isCommented(comments) ? undefined : oneLineText(value);
    return text && `${keyText(key ?? "")}: ${text}`;
  });
  return texts.includes(undefined) ? undefined : `{ ${texts.join(", ")} }`;
}

function oneLineList(list: ListLiteral): string | undefined {
  const texts = list.items.map((item) => (isCommented(item) ? undefined : oneLineText(item.value)));
  if (texts.includes(undefined) || list.commentsAtEnd.length > 0 || isTable(list)) return undefined;
  return `[${texts.join(", ")}]`;
}

const isCommented = ({ commentsAbove, commentAfter }: Commented) =>
  commentsAbove.length > 0 || commentAfter !== undefined;

/** Whether a list holds several dicts or lists of several members each: the formatter breaks it. */
function isTable({ items }: ListLiteral): boolean {
  const sizesOf = (kind: "dict" | "list") =>
    items.map(({ value }) => (value.kind === kind ? bracketSize(value) : 0));
  return (
    items.length > 1 && (["dict", "list"] as const).some((kind) => Math.min(...sizesOf(kind)) > 1)
  );
}

const bracketSize = (bracket: Bracket) =>
  bracket.kind === "dict" ? bracket.entries.length : bracket.items.length;

function multilineText(bracket: Bracket, indent: string): string {
  const innerIndent = indent + INDENT;
  const [open, close] = bracket.kind === "dict" ? "{}" : "[]";
  if (bracket.kind === "list" && isNumberList(bracket)) {
    return `${open}\n${numberLines(bracket, innerIndent)}\n${indent}${close}`;
  }
  const members = bracket.kind === "dict" ? bracket.entries : bracket.items;
  const memberLines = members.flatMap((member, i) => {
    const comma = i === members.length - 1 ? "" : ",";
    const { commentsAbove, commentAfter, value } = member;
    const text = memberText(member, innerIndent, comma.length);
    const todos = value.kind === "expression" ? todoLines(value.code()) : [];
    const comment = commentAfter === undefined ? "" : ` ${commentLine(commentAfter)}`;
    return [...commentsAbove.map(commentLine), ...todos, `${text}${comma}${comment}`];
  });
  const lines = [...memberLines, ...bracket.commentsAtEnd.map(commentLine)];
  return `${open}\n${lines.map((line) => innerIndent + line).join("\n")}\n${indent}${close}`;
}

/** The shortest key after which the formatter moves a long string to a line of its own. */
const BREAKABLE_KEY_LENGTH = 7;

function memberText(
  member: DictLiteral["entries"][number] | ListLiteral["items"][number],
  indent: string,
  commaLength: number,
): string {
  if (!("key" in member)) return literalText(member.value, indent, commaLength);
  if (member.key === undefined) return "...(todo() as object)";
  const { value } = member;
  const key = keyText(member.key);
  const reserved = key.length + 2 + commaLength;
  const text = literalText(value, indent, reserved);
  const breaksAfterKey =
    indent.length + reserved + text.length > LINE_WIDTH &&
    key.length >= BREAKABLE_KEY_LENGTH &&
    value.kind === "scalar" &&
    typeof value.value === "string";
  return breaksAfterKey ? `${key}:\n${indent}${INDENT}${text}` : `${key}: ${text}`;
}

const isNumberList = ({ items }: ListLiteral) =>
  items.length > 1 &&
  items.every(
    (item) =>
      item.value.kind === "scalar" && typeof item.value.value === "number" && !isCommented(item),
  );

/** Puts as many numbers on each line as fit. */
function numberLines({ items }: ListLiteral, indent: string): string {
  const lines: string[] = [];
  for (const [i, { value }] of items.entries()) {
    const text = `${oneLineText(value)}${i === items.length - 1 ? "" : ","}`;
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + text.length > LINE_WIDTH) lines.push(indent + text);
    else lines[lines.length - 1] = `${line} ${text}`;
  }
  return lines.join("\n");
}

const commentLine = (line: string): string => (line === "" ? "//" : `// ${line}`);

/** An expression's text as a TODO comment, without the common indentation of the lines. */
function todoLines(text: string): string[] {
  const [firstLine = "", ...otherLines] = text.split("\n");
  const indents = otherLines.filter((line) => line.trim()).map((line) => line.search(/\S/));
  const margin = Math.min(...indents);
  return [`TODO: ${firstLine}`, ...otherLines.map((line) => line.slice(margin))].map((line) =>
    commentLine(line.trimEnd()),
  );
}

/** `__proto__` is written as a computed key, because a plain one would set the prototype. */
function keyText(key: string): string {
  if (key === "__proto__") return `["__proto__"]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quotedText(key);
}

const numberText = (value: number | boolean | null): string => String(value).replace("e+", "e");

/** Uses the quotes that need fewer escapes. */
function quotedText(text: string): string {
  const json = JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  const countOf = (quote: string) => text.split(quote).length - 1;
  if (countOf('"') <= countOf("'")) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
