import type { PythonFile } from "./scopes.ts";
import { childNodes, type Node, sourceText } from "./tree.ts";

export interface CallArgument {
  /** Undefined for a positional argument. */
  keyword: string | undefined;
  value: Node;
  /** `*args` or `**kwargs`. */
  stars: "" | "*" | "**";
}

export function argumentsOf(file: PythonFile, call: Node): CallArgument[] {
  const list = call.getChild("ArgList");
  const nodes = (list ? childNodes(list) : []).filter(({ name }) => name !== "Comment");
  const args: CallArgument[] = [];
  for (let i = 1; i < nodes.length - 1; i++) {
    const [node, next] = [nodes[i] as Node, nodes[i + 1] as Node];
    if (node.name === ",") continue;
    if (node.name === "*" || node.name === "**") {
      args.push({ keyword: undefined, value: next, stars: node.name });
    } else if (next.name === "AssignOp") {
      args.push({ keyword: sourceText(file, node), value: nodes[i + 2] as Node, stars: "" });
    } else args.push({ keyword: undefined, value: node, stars: "" });
    while (i + 1 < nodes.length - 1 && nodes[i + 1]?.name !== ",") i++;
  }
  return args;
}

/** Finds an argument by its name or its position. */
export const findArgument = (
  args: readonly CallArgument[],
  index: number,
  name: string,
): CallArgument | undefined =>
  args.find(({ keyword, stars }) => keyword === name && stars === "") ??
  args.filter(({ keyword, stars }) => keyword === undefined && stars === "")[index];
