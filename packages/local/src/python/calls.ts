import { type Problem, suggest } from "@tidetable/core";
import { problemAt } from "./excerpt.ts";
import { functionsAround, variable } from "./names.ts";
import { children, type Node, type PythonFile, place, source } from "./parse.ts";
import { textOf } from "./tokens.ts";

/** One call of `rest_api_source` (or of its sister for functions) in a file. */
export interface Call {
  node: Node;
  /** What a person may call it: its variable, its function, its `name=`. */
  names: string[];
  args: Argument[];
}

interface Argument {
  /** Undefined for one by position. */
  keyword: string | undefined;
  value: Node;
  /** `*` or `**`. */
  star: boolean;
}

const callee = /^(\w+\.)*rest_api_(source|resources)$/;

/** A person does not read more at once. */
const MOST = 20;

/** What dlt's function takes beside the dict, without a meaning in DynamoDB. */
const meaningless = /^(section|max_table_nesting|root_key|schema|spec|parallelized)$/;

export function sourceCalls(file: PythonFile): Call[] {
  const calls: Call[] = [];
  file.tree.iterate({
    enter: ({ name, node }) => {
      const called = name === "CallExpression" ? node.firstChild : null;
      if (!called || !callee.test(source(file, called))) return;
      const args = argumentsOf(file, node);
      calls.push({ node, args, names: namesOf(file, node, args) });
    },
  });
  return calls;
}

function argumentsOf(file: PythonFile, call: Node): Argument[] {
  const list = call.getChild("ArgList");
  const nodes = (list ? children(list) : []).filter(({ name }) => name !== "Comment");
  const args: Argument[] = [];
  for (let i = 1; i < nodes.length - 1; i++) {
    const [node, next] = [nodes[i] as Node, nodes[i + 1] as Node];
    if (node.name === ",") continue;
    if (/^\*/.test(node.name)) args.push({ keyword: undefined, value: next, star: true });
    else if (next.name === "AssignOp") {
      const value = nodes[i + 2] as Node;
      args.push({ keyword: source(file, node), value, star: false });
    } else args.push({ keyword: undefined, value: node, star: false });
    while (i + 1 < nodes.length - 1 && nodes[i + 1]?.name !== ",") i++;
  }
  return args;
}

function namesOf(file: PythonFile, call: Node, args: Argument[]): string[] {
  const { parent } = call;
  const assigned = parent?.name === "AssignStatement" ? parent.getChild("VariableName") : null;
  const given = nameArgument(args)?.value;
  return [
    ...(given?.name === "String" ? [textOf(source(file, given)) ?? ""] : []),
    ...(assigned ? [source(file, assigned)] : []),
    ...functionsAround(call).flatMap((fn) => {
      const name = fn.getChild("VariableName");
      return name ? [source(file, name)] : [];
    }),
  ];
}

/** As dlt declares it: `rest_api_source(config, name=None, …)`. */
const parameter = (index: number, name: string) => (args: Argument[]) =>
  args.find(({ keyword, star }) => keyword === name && !star) ??
  args.filter(({ keyword, star }) => keyword === undefined && !star)[index];
const configArgument = parameter(0, "config");
const nameArgument = parameter(1, "name");

/** The call that is meant: the only one, or the one of this name. */
export function chooseCall(file: PythonFile, name: string | undefined): Call | Problem {
  const calls = sourceCalls(file);
  const [only, ...others] = calls;
  if (!only) {
    return {
      path: file.arg,
      message: "there is no call of rest_api_source in this file",
      hint: "write `source = rest_api_source({ … })`",
    };
  }
  if (others.length === 0) return only;

  const named = calls.filter(({ names }) => name !== undefined && names.includes(name));
  if (named.length === 1) return named[0] as Call;
  const known = calls.flatMap(({ names }) => names.slice(0, 1));
  const places = calls.slice(0, MOST).map(({ node, names }) => {
    const at = place(file.arg, file.text, node.from);
    return names[0] === undefined ? at : `${names[0]} (${at})`;
  });
  return {
    path: file.arg,
    message: `${calls.length} sources are in this file: ${places.join(", ")}`,
    hint:
      name === undefined || named.length > 1
        ? "choose one by its name with --name"
        : `none of them is ${name}: ${suggest(name, known)}`,
  };
}

/** The expression of the dict: the argument itself, or what the variable in its place was given. */
export function configOf(file: PythonFile, call: Call): Node | Problem {
  const config = configArgument(call.args);
  if (!config) return problemAt(file, call.node, "there is no dict in this call");
  if (config.value.name !== "VariableName") return config.value;
  const resolved = variable(file, config.value);
  if ("value" in resolved) return resolved.value;
  return problemAt(file, resolved.wrong, resolved.what, "write the dict into the call itself");
}

/** What the call takes beside the dict and the name. */
export function otherArguments(
  file: PythonFile,
  call: Call,
): Record<"unread" | "remarks", Problem[]> {
  const used = [configArgument(call.args), nameArgument(call.args)];
  const others = call.args.filter((one) => !used.includes(one)).slice(0, MOST);
  const isIdle = ({ keyword = "" }: Argument) => meaningless.test(keyword);
  return {
    unread: others
      .filter((one) => !isIdle(one))
      .map(({ value }) =>
        problemAt(
          file,
          value,
          "an argument that is not read",
          `the dict is; what all resources share is its "resource_defaults"`,
        ),
      ),
    remarks: others.filter(isIdle).map(({ value, keyword = "" }) => ({
      path: `${place(file.arg, file.text, value.from)} ${keyword}`,
      message: "means nothing in DynamoDB and has no effect",
    })),
  };
}
