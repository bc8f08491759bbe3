import { parser } from "@lezer/python";
import type { Problem } from "@tidetable/core";

type Tree = ReturnType<typeof parser.parse>;
export type Node = Tree["topNode"];

/** A parsed Python file. It is never run. */
export interface PythonFile {
  /** The file's name on the command line. */
  arg: string;
  text: string;
  tree: Tree;
  /** A cache of names.ts: the secrets of parameters, by name and function. */
  parameterSecrets: Map<string, Node | undefined>;
}

// Recovery from errors is off: it guesses, and takes seconds for a hostile file.
const strictParser = parser.configure({ strict: true });

export function parsePython(arg: string, rawText: string): PythonFile | Problem {
  // Python's line ends become "\n", and a form feed becomes a space, as in Python.
  const text = rawText
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/\f/g, " ");
  let tree: Tree;
  try {
    tree = strictParser.parse(text);
  } catch (error) {
    const offset = /at (\d+)$/.exec(String(error))?.[1];
    return invalidPython(arg, text, Number(offset ?? 0));
  }
  const errorOffset = findUnnoticedError(text, tree);
  return errorOffset === undefined
    ? { arg, text, tree, parameterSecrets: new Map() }
    : invalidPython(arg, text, errorOffset);
}

/** Quotes no text, because any part of the file may be a credential. */
const invalidPython = (arg: string, text: string, offset: number): Problem => ({
  path: positionText(arg, text, offset),
  message: "this is not valid Python",
  hint: "if Python does take it, write it more simply, or put the config into a file of its own",
});

/** The position as `file:line:column`. */
export function positionText(arg: string, text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `${arg}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** Finds errors that the grammar accepts: an unclosed string, a line with a wrong indentation. */
function findUnnoticedError(text: string, tree: Tree): number | undefined {
  let errorOffset: number | undefined;
  tree.iterate({
    enter: ({ name, from, to, node }) => {
      if (errorOffset !== undefined) return false;
      if (name === "String" && !isClosedString(text.slice(from, to))) errorOffset = from;
      if (name === "Script" || name === "Body") errorOffset = findUnevenLine(text, node);
      return errorOffset === undefined;
    },
  });
  return errorOffset;
}

const isClosedString = (token: string) => /^\w*('''|"""|'|")[\s\S]*\1$/.test(token);

function findUnevenLine(text: string, block: Node): number | undefined {
  const indents = childNodes(block)
    .filter(({ name }) => name !== "Comment")
    .flatMap(({ from }) => {
      const indent = text.slice(text.lastIndexOf("\n", from - 1) + 1, from);
      return indent.trim() === "" ? [{ from, indent }] : [];
    });
  const expectedIndent = block.name === "Script" ? "" : indents[0]?.indent;
  return indents.find(({ indent }) => indent !== expectedIndent)?.from;
}

export function childNodes(node: Node): Node[] {
  const nodes: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) nodes.push(child);
  return nodes;
}

/** The part of the file's text that a node covers. */
export const sourceText = (
  { text }: Pick<PythonFile, "text">,
  { from, to }: { from: number; to: number },
) => text.slice(from, to);
