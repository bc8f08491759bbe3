import type { Problem } from "@tidetable/core/plan";
import { type DictLiteral, type Literal, literalsOfKind } from "../sources/literal.ts";
import { argumentsOf } from "./arguments.ts";
import { applyOutcomes } from "./effects.ts";
import { evaluateNode } from "./evaluate.ts";
import { problemAt } from "./excerpt.ts";
import { normalizeNames } from "./normal-names.ts";
import { placeOutsideValues } from "./outside.ts";
import { parsePython } from "./parse.ts";
import { type PythonFile, qualifiedName } from "./scopes.ts";
import { chooseSource, type SourceCode } from "./sources.ts";
import { evaluateLiteral } from "./to-literal.ts";
import { commentText, type Node, positionText } from "./tree.ts";
import { findOutcomes } from "./uses.ts";
import { type Context, type OpenModule, Session } from "./values.ts";

/** The source in a Python file. */
export interface PythonSource {
  file: PythonFile;
  /** The dict, or an expression in its place. */
  config: Literal;
  /** The comments above the statement with the dict. They belong to the source. */
  comments: string[];
  /** What the file does with the source that has a meaning in dlt, but none here. */
  unreadUses: Problem[];
  /** What has no effect in tidetable, and what was decided where the file leaves something open. */
  remarks: Problem[];
}

export interface ReadOptions {
  /** Chooses between several sources. */
  name?: string | undefined;
  line?: number | undefined;
  openModule?: OpenModule;
}

/** Reads the dlt `rest_api_source({ … })` of a Python file, without running the file. */
export function readPython(
  arg: string,
  text: string,
  { name, line, openModule = () => undefined }: ReadOptions = {},
): PythonSource | { problems: Problem[] } {
  const file = parsePython(arg, text);
  if ("message" in file) return { problems: [file] };
  const source = chooseSource(file, { name, line });
  if ("message" in source) return { problems: [source] };
  if (!source.config) {
    return { problems: [problemAt(file, source.node, "there is no dict in this call")] };
  }
  const session = new Session(openModule, evaluateNode);
  const context: Context = { file, session, frame: undefined, depth: 0 };
  const read = evaluateLiteral(context, source.config);
  if (read.kind !== "dict" && read.kind !== "expression") {
    return { problems: [problemAt(file, source.config, "the source has to be a dict")] };
  }
  const comments = commentsAbove(file, statementAround(source.config));
  const pipelines = checkPipelines(file);
  const ownArguments = checkOtherArguments(file, source);
  const unreadArguments = [...ownArguments.unreadArguments, ...pipelines.problems];
  const remarks = [...ownArguments.remarks, ...pipelines.remarks];
  if (read.kind === "expression") {
    return { file, config: read, comments, unreadUses: unreadArguments, remarks };
  }
  const used = applyOutcomes(context, read, findOutcomes(file, source.node));
  const { config, renamed } = normalizeNames(used.config);
  const placed = placeOutsideValues<DictLiteral>(config);
  return {
    file,
    config: placed.config,
    comments,
    unreadUses: [...unreadArguments, ...used.problems],
    remarks: [
      ...remarks,
      ...used.remarks,
      ...session.notes,
      ...[...renamed].map(([from, to]) => ({
        path: arg,
        message: `the resource "${from}" is named "${to}", as dlt names its table`,
      })),
      ...placed.secrets.map((secret) => outsideNote(arg, secret, "secret")),
      ...placed.values.map((value) => outsideNote(arg, value, "value")),
    ],
  };
}

/** Another file of the project. Undefined if it is not Python. */
export function parseModule(arg: string, text: string): PythonFile | undefined {
  const file = parsePython(arg, text);
  return "message" in file ? undefined : file;
}

const outsideNote = (arg: string, name: string, kind: "secret" | "value"): Problem => ({
  path: arg,
  message: `"${name}" comes from outside of the file, and is taken as the ${kind} "${name}"`,
});

/** Parameters of dlt's function that have no meaning in DynamoDB. */
const meaninglessKeyword = /^(section|max_table_nesting|root_key|schema|spec|parallelized)$/;

/** A person does not read more problems at once. */
const MAX_PROBLEMS = 50;

/** Reports the call's arguments beside the dict and the name. */
function checkOtherArguments(file: PythonFile, { args, config }: SourceCode) {
  const positional = args.filter(({ keyword, stars }) => keyword === undefined && stars === "");
  const others = args
    .filter(
      (argument) =>
        argument.value.from !== config?.from &&
        argument.keyword !== "name" &&
        argument !== positional[1],
    )
    .slice(0, MAX_PROBLEMS);
  const isMeaningless = ({ keyword = "" }) => meaninglessKeyword.test(keyword);
  const hint = `only the dict is read; its "resource_defaults" hold what all resources share`;
  return {
    unreadArguments: others
      .filter(({ keyword }) => !isMeaningless({ keyword: keyword ?? "" }))
      .map(({ value }) => problemAt(file, value, "an argument that is not read", hint)),
    remarks: others
      .filter(({ keyword }) => isMeaningless({ keyword: keyword ?? "" }))
      .map(({ value, keyword }) => ({
        path: `${positionText(file.arg, file.text, value.from)} ${keyword}`,
        message: "means nothing in DynamoDB and has no effect",
      })),
  };
}

/** What `dlt.pipeline(…)` says about every run. */
function checkPipelines(file: PythonFile): { problems: Problem[]; remarks: Problem[] } {
  const calls = [...(file.scopes.uses.get("dlt") ?? [])].flatMap((use) => {
    const call = use.parent?.parent;
    const callee = call?.name === "CallExpression" ? call.firstChild : null;
    return call && callee && qualifiedName(file, callee) === "dlt.pipeline" ? call : [];
  });
  const args = calls.flatMap((call) => argumentsOf(file, call)).slice(0, MAX_PROBLEMS);
  const refreshHint = "leave it out; `tidetable run --full-refresh` reads everything again";
  return {
    problems: args
      .filter(({ keyword }) => keyword === "refresh")
      .map(({ value }) => problemAt(file, value, "refresh cannot be read", refreshHint)),
    remarks: args
      .filter(({ keyword }) => keyword === "dev_mode" || keyword === "full_refresh")
      .map(({ keyword, value }) => ({
        path: positionText(file.arg, file.text, value.from),
        message: `${keyword} has no effect: the tables stay the same from run to run`,
      })),
  };
}

/** The expressions in a config, each as a problem. */
export function expressionProblems({ file, config }: PythonSource): Problem[] {
  const expressions = literalsOfKind(config, "expression");
  const problems = expressions.slice(0, MAX_PROBLEMS).map(({ problem }) => problem());
  if (expressions.length > MAX_PROBLEMS) {
    const message = `and ${expressions.length - MAX_PROBLEMS} more are no literals`;
    problems.push({ path: file.arg, message });
  }
  return problems;
}

function statementAround(node: Node): Node {
  let statement = node;
  while (statement.parent && !/^(Script|Body)$/.test(statement.parent.name)) {
    statement = statement.parent;
  }
  return statement;
}

/** The lines of comments directly above a statement. */
function commentsAbove(file: PythonFile, statement: Node): string[] {
  const lines: string[] = [];
  let below: Node = statement;
  for (let node = statement.prevSibling; node?.name === "Comment"; node = node.prevSibling) {
    const gap = file.text.slice(node.to, below.from);
    const startsItsLine = /(^|\n)[ \t]*$/.test(file.text.slice(0, node.from));
    if (!startsItsLine || gap.split("\n").length > 2) break;
    lines.unshift(commentText(file, node));
    below = node;
  }
  return lines;
}
