import type { Foreign } from "../literal.ts";
import { type Node, type PythonFile, source } from "./parse.ts";

/*
 * What is no literal: how it is called, and what to write instead.
 */

const paginators: Record<string, string> = {
  SinglePagePaginator: "single_page",
  OffsetPaginator: "offset",
  PageNumberPaginator: "page_number",
  JSONResponseCursorPaginator: "cursor",
  HeaderCursorPaginator: "header_cursor",
  JSONLinkPaginator: "json_link",
  JSONResponsePaginator: "json_link",
  HeaderLinkPaginator: "header_link",
};
const auths: Record<string, string> = {
  BearerTokenAuth: "bearer",
  APIKeyAuth: "api_key",
  ApiKeyAuth: "api_key",
  HttpBasicAuth: "http_basic",
  OAuth2ClientCredentials: "oauth2_client_credentials",
};
const types = { ...paginators, ...auths };

const words: Record<string, string> = {
  CallExpression: "a call",
  VariableName: "a name",
  LambdaExpression: "a function",
  FormatString: "an f-string",
  SetExpression: "a set",
  MemberExpression: "what belongs to an object",
  ConditionalExpression: "an if",
  ArrayComprehensionExpression: "a comprehension",
  DictionaryComprehensionExpression: "a comprehension",
  SetComprehensionExpression: "a comprehension",
  ComprehensionExpression: "a comprehension",
  AwaitExpression: "an await",
  Ellipsis: "an ellipsis",
  "*": "a list inside of a list by *",
};

export function foreign(
  file: PythonFile,
  node: Pick<Node, "name" | "from" | "to">,
  what = subject(source(file, node), node.name),
  hint = remedy(file, source(file, node), node.name),
): Foreign {
  return { kind: "foreign", what, hint, from: node.from, to: node.to };
}

function subject(written: string, name: string): string {
  if (written.startsWith("dlt.config")) return "dlt.config";
  if (written === "dlt.secrets.value") return "a secret without its name";
  if (/String$/.test(name)) return stringWords(written);
  if (isNumber(written, name)) return "a number that a double can not hold";
  return words[name] ?? "an expression";
}

const isNumber = (written: string, name: string) =>
  /^(Number|UnaryExpression)$/.test(name) && /^[-+]?\s*[\d.]/.test(written);

function stringWords(written: string): string {
  if (/^\w*b/i.test(written)) return "a text of bytes";
  return /(^|\s)r?[ft]r?["']/i.test(written) ? "an f-string" : "an escape in this text";
}

function remedy(file: PythonFile, written: string, name: string): string {
  const type = types[/^(?:\w+\.)*(\w+)\s*\(/.exec(written)?.[1] ?? ""];
  if (type) return `write it as a dict: {"type": "${type}", …}, its arguments as keys`;
  if (/^(\w+\.)*Session\(/.test(written)) return "leave it out: it means nothing here";
  if (/^(\w+\.)*incremental[([]/.test(written)) {
    return `write a dict: "incremental": {"cursor_path": …}`;
  }
  if (written.startsWith("dlt.config")) {
    return `write the value itself; for a credential it is dlt.secrets["name"]`;
  }
  if (/^dlt\.secrets|environ|getenv/.test(written)) {
    const key = /["']([\w.-]+)["']/.exec(written)?.[1] ?? "name";
    return `for a credential write dlt.secrets["${key.toLowerCase()}"], else the value itself`;
  }
  if (isNumber(written, name)) return "write it as a text, in quotes";
  if (name === "SetExpression") return "write a list, in [ ]";
  if (/String$/.test(name)) return "write the text itself";
  const functions = `functions need a TypeScript source: \`tidetable import ${file.arg}\` begins one`;
  if (name === "LambdaExpression") return functions;
  if (name === "VariableName") return `write its value here; ${functions}`;
  return "only literals are read, nothing is executed: write the value itself";
}
