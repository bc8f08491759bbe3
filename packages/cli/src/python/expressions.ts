import type { Expression } from "../sources/literal.ts";
import { type Node, type PythonFile, sourceText } from "./parse.ts";

/*
 * Names for unreadable expressions in messages, and hints for replacing the expressions.
 */

const paginatorTypes: Record<string, string> = {
  SinglePagePaginator: "single_page",
  OffsetPaginator: "offset",
  PageNumberPaginator: "page_number",
  JSONResponseCursorPaginator: "cursor",
  HeaderCursorPaginator: "header_cursor",
  JSONLinkPaginator: "json_link",
  JSONResponsePaginator: "json_link",
  HeaderLinkPaginator: "header_link",
};
const authTypes: Record<string, string> = {
  BearerTokenAuth: "bearer",
  APIKeyAuth: "api_key",
  ApiKeyAuth: "api_key",
  HttpBasicAuth: "http_basic",
  OAuth2ClientCredentials: "oauth2_client_credentials",
};
const configTypes = { ...paginatorTypes, ...authTypes };

const expressionNames: Record<string, string> = {
  CallExpression: "a call",
  VariableName: "a name",
  LambdaExpression: "a function",
  FormatString: "an f-string",
  SetExpression: "a set",
  MemberExpression: "a member of an object",
  ConditionalExpression: "an if",
  ArrayComprehensionExpression: "a comprehension",
  DictionaryComprehensionExpression: "a comprehension",
  SetComprehensionExpression: "a comprehension",
  ComprehensionExpression: "a comprehension",
  AwaitExpression: "an await",
  Ellipsis: "an ellipsis",
  "*": "a list inside a list by *",
};

export function expressionAt(
  file: PythonFile,
  node: Pick<Node, "name" | "from" | "to">,
  subject = expressionSubject(sourceText(file, node), node.name),
  hint = expressionHint(file, sourceText(file, node), node.name),
): Expression {
  return { kind: "expression", subject, hint, from: node.from, to: node.to };
}

function expressionSubject(code: string, nodeName: string): string {
  if (code.startsWith("dlt.config")) return "dlt.config";
  if (code === "dlt.secrets.value") return "a secret without its name";
  if (/String$/.test(nodeName)) return stringSubject(code);
  if (isNumber(code, nodeName)) return "a number that a double cannot hold";
  return expressionNames[nodeName] ?? "an expression";
}

const isNumber = (code: string, nodeName: string) =>
  /^(Number|UnaryExpression)$/.test(nodeName) && /^[-+]?\s*[\d.]/.test(code);

function stringSubject(code: string): string {
  if (/^\w*b/i.test(code)) return "a bytes string";
  return /(^|\s)r?[ft]r?["']/i.test(code) ? "an f-string" : "an escape in this string";
}

function expressionHint(file: PythonFile, code: string, nodeName: string): string {
  const type = configTypes[/^(?:\w+\.)*(\w+)\s*\(/.exec(code)?.[1] ?? ""];
  if (type) return `write it as a dict: {"type": "${type}", …}, its arguments as keys`;
  if (/^(\w+\.)*Session\(/.test(code)) return "leave it out: it has no meaning here";
  if (/^(\w+\.)*incremental[([]/.test(code)) {
    return `write a dict: "incremental": {"cursor_path": …}`;
  }
  if (code.startsWith("dlt.config")) {
    return `write the value itself; for a credential it is dlt.secrets["name"]`;
  }
  if (/^dlt\.secrets|environ|getenv/.test(code)) {
    const key = /["']([\w.-]+)["']/.exec(code)?.[1] ?? "name";
    return `for a credential write dlt.secrets["${key.toLowerCase()}"], else the value itself`;
  }
  if (isNumber(code, nodeName)) return "write it as a string, in quotes";
  if (nodeName === "SetExpression") return "write a list, in [ ]";
  if (/String$/.test(nodeName)) return "write the string itself";
  const functionHint = `functions need a TypeScript source: \`tidetable import ${file.arg}\` begins one`;
  if (nodeName === "LambdaExpression") return functionHint;
  if (nodeName === "VariableName") return `write its value here; ${functionHint}`;
  return "only literals are read, nothing is executed: write the value itself";
}
