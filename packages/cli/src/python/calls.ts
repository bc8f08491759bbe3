import { type Problem, spellingHint } from "@tidetable/core";
import { problemAt } from "./excerpt.ts";
import { enclosingFunctions, resolveVariable } from "./names.ts";
import { childNodes, type Node, type PythonFile, positionText, sourceText } from "./parse.ts";
import { decodeString } from "./tokens.ts";

/** A call of `rest_api_source` or `rest_api_resources` in a file. */
export interface Call {
  node: Node;
  /** The names for choosing the call: the argument `name=`, the variable, the enclosing functions. */
  names: string[];
  args: Argument[];
}

interface Argument {
  /** Undefined for a positional argument. */
  keyword: string | undefined;
  value: Node;
  /** Whether the argument is `*args` or `**kwargs`. */
  isStarred: boolean;
}

const calleePattern = /^(\w+\.)*rest_api_(source|resources)$/;

/** A person does not read more entries at once. */
const MAX_LISTED = 20;

/** Parameters of dlt's function that have no meaning in DynamoDB. */
const meaninglessKeyword = /^(section|max_table_nesting|root_key|schema|spec|parallelized)$/;

function findSourceCalls(file: PythonFile): Call[] {
  const calls: Call[] = [];
  file.tree.iterate({
    enter: ({ name, node }) => {
      const callee = name === "CallExpression" ? node.firstChild : null;
      if (!callee || !calleePattern.test(sourceText(file, callee))) return;
      const args = argumentsOf(file, node);
      calls.push({ node, args, names: namesOf(file, node, args) });
    },
  });
  return calls;
}

function argumentsOf(file: PythonFile, call: Node): Argument[] {
  const list = call.getChild("ArgList");
  const nodes = (list ? childNodes(list) : []).filter(({ name }) => name !== "Comment");
  const args: Argument[] = [];
  for (let i = 1; i < nodes.length - 1; i++) {
    const [node, next] = [nodes[i] as Node, nodes[i + 1] as Node];
    if (node.name === ",") continue;
    if (/^\*/.test(node.name)) args.push({ keyword: undefined, value: next, isStarred: true });
    else if (next.name === "AssignOp") {
      const value = nodes[i + 2] as Node;
      args.push({ keyword: sourceText(file, node), value, isStarred: false });
    } else args.push({ keyword: undefined, value: node, isStarred: false });
    while (i + 1 < nodes.length - 1 && nodes[i + 1]?.name !== ",") i++;
  }
  return args;
}

function namesOf(file: PythonFile, call: Node, args: Argument[]): string[] {
  const { parent } = call;
  const variable = parent?.name === "AssignStatement" ? parent.getChild("VariableName") : null;
  const name = nameArgument(args)?.value;
  return [
    ...(name?.name === "String" ? [decodeString(sourceText(file, name)) ?? ""] : []),
    ...(variable ? [sourceText(file, variable)] : []),
    ...enclosingFunctions(call).flatMap((functionNode) => {
      const functionName = functionNode.getChild("VariableName");
      return functionName ? [sourceText(file, functionName)] : [];
    }),
  ];
}

/** Finds an argument by dlt's signature: `rest_api_source(config, name=None, …)`. */
const findArgument = (index: number, name: string) => (args: Argument[]) =>
  args.find(({ keyword, isStarred }) => keyword === name && !isStarred) ??
  args.filter(({ keyword, isStarred }) => keyword === undefined && !isStarred)[index];
const configArgument = findArgument(0, "config");
const nameArgument = findArgument(1, "name");

/** Chooses the only call of the file, or the call with this name. */
export function chooseCall(file: PythonFile, name: string | undefined): Call | Problem {
  const calls = findSourceCalls(file);
  const [firstCall, ...otherCalls] = calls;
  if (!firstCall) {
    return {
      path: file.arg,
      message: "there is no call of rest_api_source in this file",
      hint: "write `source = rest_api_source({ … })`",
    };
  }
  if (otherCalls.length === 0) return firstCall;

  const namedCalls = calls.filter(({ names }) => name !== undefined && names.includes(name));
  if (namedCalls.length === 1) return namedCalls[0] as Call;
  const firstNames = calls.flatMap(({ names }) => names.slice(0, 1));
  const positions = calls.slice(0, MAX_LISTED).map(({ node, names }) => {
    const position = positionText(file.arg, file.text, node.from);
    return names[0] === undefined ? position : `${names[0]} (${position})`;
  });
  return {
    path: file.arg,
    message: `${calls.length} sources are in this file: ${positions.join(", ")}`,
    hint:
      name === undefined || namedCalls.length > 1
        ? "choose one by its name with --name"
        : `none of them is ${name}: ${spellingHint(name, firstNames)}`,
  };
}

/** The dict's node: the argument itself, or the value of the variable that is the argument. */
export function configExpression(file: PythonFile, call: Call): Node | Problem {
  const config = configArgument(call.args);
  if (!config) return problemAt(file, call.node, "there is no dict in this call");
  if (config.value.name !== "VariableName") return config.value;
  const resolved = resolveVariable(file, config.value);
  if ("value" in resolved) return resolved.value;
  const hint = "write the dict into the call itself";
  return problemAt(file, resolved.cause, resolved.message, hint);
}

/** Reports the call's arguments beside the dict and the name. */
export function checkOtherArguments(
  file: PythonFile,
  call: Call,
): { unreadArguments: Problem[]; remarks: Problem[] } {
  const usedArguments = [configArgument(call.args), nameArgument(call.args)];
  const otherArguments = call.args
    .filter((argument) => !usedArguments.includes(argument))
    .slice(0, MAX_LISTED);
  const isMeaningless = ({ keyword = "" }: Argument) => meaninglessKeyword.test(keyword);
  return {
    unreadArguments: otherArguments
      .filter((argument) => !isMeaningless(argument))
      .map(({ value }) =>
        problemAt(
          file,
          value,
          "an argument that is not read",
          `only the dict is read; its "resource_defaults" hold what all resources share`,
        ),
      ),
    remarks: otherArguments.filter(isMeaningless).map(({ value, keyword = "" }) => ({
      path: `${positionText(file.arg, file.text, value.from)} ${keyword}`,
      message: "means nothing in DynamoDB and has no effect",
    })),
  };
}
