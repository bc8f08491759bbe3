import type { parser } from "@lezer/python";

type Tree = ReturnType<typeof parser.parse>;
export type Node = Tree["topNode"];

/** A parsed text. It is never run. */
export interface SourceTree {
  /** The file's name on the command line. */
  arg: string;
  text: string;
  tree: Tree;
}

/** The position as `file:line:column`. */
export function positionText(arg: string, text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `${arg}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

export function childNodes(node: Node): Node[] {
  const nodes: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) nodes.push(child);
  return nodes;
}

/** The part of the file's text that a node covers. */
export const sourceText = (
  { text }: Pick<SourceTree, "text">,
  { from, to }: { from: number; to: number },
) => text.slice(from, to);

export const commentText = (file: SourceTree, comment: Node): string =>
  sourceText(file, comment)
    .replace(/^#+:?\s?/, "")
    .trimEnd();
