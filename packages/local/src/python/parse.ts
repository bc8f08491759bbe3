import { parser } from "@lezer/python";
import type { Problem } from "@tidetable/core";

type Tree = ReturnType<typeof parser.parse>;
export type Node = Tree["topNode"];

/** A Python file, read and never run. */
export interface PythonFile {
  /** As the user named it. */
  arg: string;
  text: string;
  tree: Tree;
  /** The secrets that parameters stand for, as far as names.ts has looked. */
  parameters: Map<string, Node | undefined>;
}

// Without recovery from errors: that takes seconds for a hostile file, and guesses.
const strict = parser.configure({ strict: true });

export function parsePython(arg: string, raw: string): PythonFile | Problem {
  // What ends a line in Python; a form feed is a space there.
  const text = raw
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/\f/g, " ");
  let tree: Tree;
  try {
    tree = strict.parse(text);
  } catch (error) {
    const offset = /at (\d+)$/.exec(String(error))?.[1];
    return notPython(arg, text, Number(offset ?? 0));
  }
  const wrong = firstSlip(text, tree);
  return wrong === undefined
    ? { arg, text, tree, parameters: new Map() }
    : notPython(arg, text, wrong);
}

/** Never quotes the text: nobody knows which part of it is a credential. */
const notPython = (arg: string, text: string, offset: number): Problem => ({
  path: place(arg, text, offset),
  message: "this is not valid Python",
  hint: "if Python does take it, write it more simply, or put the config into a file of its own",
});

export function place(arg: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${arg}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** What the grammar lets pass and Python does not: an open text, a line that is indented wrongly. */
function firstSlip(text: string, tree: Tree): number | undefined {
  let slip: number | undefined;
  tree.iterate({
    enter: ({ name, from, to, node }) => {
      if (slip !== undefined) return false;
      if (name === "String" && !isClosed(text.slice(from, to))) slip = from;
      if (name === "Script" || name === "Body") slip = unevenLine(text, node);
      return slip === undefined;
    },
  });
  return slip;
}

const isClosed = (token: string) => /^\w*('''|"""|'|")[\s\S]*\1$/.test(token);

function unevenLine(text: string, block: Node): number | undefined {
  const indents = children(block)
    .filter(({ name }) => name !== "Comment")
    .flatMap(({ from }) => {
      const indent = text.slice(text.lastIndexOf("\n", from - 1) + 1, from);
      return indent.trim() === "" ? [{ from, indent }] : [];
    });
  const expected = block.name === "Script" ? "" : indents[0]?.indent;
  return indents.find(({ indent }) => indent !== expected)?.from;
}

export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(child);
  return found;
}

export const source = (
  { text }: Pick<PythonFile, "text">,
  { from, to }: { from: number; to: number },
) => text.slice(from, to);
