import { spellingHint } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";
import { argumentsOf, type CallArgument, findArgument } from "./arguments.ts";
import { enclosingFunctions, type PythonFile, qualifiedName } from "./scopes.ts";
import { decodeString } from "./tokens.ts";
import { childNodes, type Node, positionText, sourceText } from "./tree.ts";

/** A call of `rest_api_source` or `rest_api_resources` in a file, or a dict without such a call. */
export interface SourceCode {
  /** The call, or the dict. */
  node: Node;
  /** The expression of the dict. Undefined in a call without arguments. */
  config: Node | undefined;
  /** The names for choosing it: the argument `name=`, the variable, the enclosing functions. */
  names: string[];
  args: CallArgument[];
}

/** A person does not read more entries at once. */
const MAX_LISTED = 20;

const calleePattern = /(^|\.)rest_api_(source|resources)$/;

function findSources(file: PythonFile): SourceCode[] {
  const sources: SourceCode[] = [];
  file.tree.iterate({
    enter: (cursor) => {
      if (cursor.name !== "CallExpression") return;
      const { node } = cursor;
      const callee = calleeOf(node);
      if (!callee || !calleePattern.test(qualifiedName(file, callee) ?? "")) return;
      const args = argumentsOf(file, node);
      const config = findArgument(args, 0, "config")?.value;
      sources.push({ node, config, args, names: namesOf(file, node, args) });
    },
  });
  return sources.length > 0 ? sources : findConfigs(file);
}

/** The function that is called, also in `rest_api_source.with_args(…)(…)`. */
function calleeOf(call: Node): Node | null {
  const callee = call.firstChild;
  const isConfigured =
    callee?.name === "CallExpression" && callee.firstChild?.name === "MemberExpression";
  return isConfigured ? (callee.firstChild?.firstChild ?? null) : callee;
}

/** Dicts with a client and resources, in a file that makes no source of them. */
function findConfigs(file: PythonFile): SourceCode[] {
  const configs: SourceCode[] = [];
  file.tree.iterate({
    enter: (cursor) => {
      if (cursor.name !== "DictionaryExpression") return true;
      const keys = keysOf(file, cursor.node);
      if (!keys.includes("client") || !keys.includes("resources")) return true;
      const { node } = cursor;
      configs.push({ node, config: node, args: [], names: namesOf(file, node, []) });
      return false;
    },
  });
  return configs;
}

const keysOf = (file: PythonFile, dict: Node): (string | undefined)[] =>
  childNodes(dict).flatMap((node) =>
    node.name === "String" && node.nextSibling?.name === ":"
      ? decodeString(sourceText(file, node))
      : [],
  );

function namesOf(file: PythonFile, node: Node, args: CallArgument[]): string[] {
  const { parent } = node;
  const variable = parent?.name === "AssignStatement" ? parent.getChild("VariableName") : null;
  const nameNode = findArgument(args, 1, "name")?.value;
  const functions = enclosingFunctions(node);
  const decorators = functions.flatMap(({ parent: decorated }) =>
    decorated?.name === "DecoratedStatement" ? decorated.getChildren("Decorator") : [],
  );
  const nameArguments = [
    nameNode,
    ...decorators.map((decorator) => findArgument(argumentsOf(file, decorator), 9, "name")?.value),
  ];
  const identifiers = [variable, ...functions.map((one) => one.getChild("VariableName"))];
  const texts = [
    ...nameArguments.slice(0, 1).flatMap((one) => stringOf(file, one)),
    ...identifiers.flatMap((one) => (one ? sourceText(file, one) : [])),
    ...nameArguments.slice(1).flatMap((one) => stringOf(file, one)),
  ];
  return [...new Set(texts)];
}

function stringOf(file: PythonFile, node: Node | undefined): string[] {
  const text = node?.name === "String" ? decodeString(sourceText(file, node)) : undefined;
  return text === undefined ? [] : [text];
}

/** The only source of the file, the one with this name, or the one that begins on this line. */
export function chooseSource(
  file: PythonFile,
  { name, line }: { name: string | undefined; line: number | undefined },
): SourceCode | Problem {
  const sources = findSources(file);
  const [first, ...others] = sources;
  if (!first) {
    return {
      path: file.arg,
      message: "there is no call of rest_api_source in this file",
      hint: "write `source = rest_api_source({ … })`",
    };
  }
  const candidates =
    line === undefined ? sources : sources.filter((source) => lineOf(file, source) === line);
  const [atLine] = candidates;
  if (line !== undefined && candidates.length === 1 && atLine) return atLine;
  if (others.length === 0 && line === undefined) return first;
  const named = candidates.filter(({ names }) => name !== undefined && names.includes(name));
  if (named.length === 1) return named[0] as SourceCode;
  return severalSources(file, sources, line === undefined ? name : undefined);
}

const lineOf = (file: PythonFile, { node }: SourceCode) =>
  file.text.slice(0, node.from).split("\n").length;

function severalSources(
  file: PythonFile,
  sources: readonly SourceCode[],
  name: string | undefined,
): Problem {
  const uniqueNames = sources.map(({ names }) =>
    names.find(
      (candidate) => sources.filter((source) => source.names.includes(candidate)).length === 1,
    ),
  );
  const positions = sources.slice(0, MAX_LISTED).map(({ node }, i) => {
    const position = positionText(file.arg, file.text, node.from);
    return uniqueNames[i] === undefined ? position : `${uniqueNames[i]} (${position})`;
  });
  const isKnown = sources.some(({ names }) => name !== undefined && names.includes(name));
  const known = uniqueNames.filter((candidate) => candidate !== undefined);
  const byLine = `${file.arg}:LINE`;
  return {
    path: file.arg,
    message: `${sources.length} sources are in this file: ${positions.join(", ")}`,
    hint:
      name === undefined || isKnown || known.length === 0
        ? `choose one by its name with --name, or by its line as ${byLine}`
        : `none of them is ${name}: ${spellingHint(name, known)}`,
  };
}
