import { parser } from "@lezer/python";
import type { Problem } from "@tidetable/core/plan";
import { patchForGrammar } from "./patch.ts";
import { indexScopes, type PythonFile } from "./scopes.ts";
import { childNodes, type Node, positionText, type SourceTree } from "./tree.ts";

// Recovery from errors is off: it guesses, and takes seconds for a hostile file.
const strictParser = parser.configure({ strict: true });

export function parsePython(arg: string, rawText: string): PythonFile | Problem {
  // Python's line ends become "\n", and a form feed becomes a space, as in Python.
  const text = rawText
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/\f/g, " ");
  let tree: SourceTree["tree"];
  try {
    tree = strictParser.parse(patchForGrammar(text));
  } catch (error) {
    const offset = /at (\d+)$/.exec(String(error))?.[1];
    return invalidPython(arg, text, Number(offset ?? 0));
  }
  const errorOffset = findUnnoticedError(text, tree);
  return errorOffset === undefined
    ? { arg, text, tree, scopes: indexScopes({ text, tree }) }
    : invalidPython(arg, text, errorOffset);
}

/** Quotes no text, because any part of the file may be a credential. */
const invalidPython = (arg: string, text: string, offset: number): Problem => ({
  path: positionText(arg, text, offset),
  message: "this is not valid Python",
  hint: "if Python does take it, write it more simply, or put the config into a file of its own",
});

/** Finds errors that the grammar accepts: an unclosed string, a line with a wrong indentation. */
function findUnnoticedError(text: string, tree: SourceTree["tree"]): number | undefined {
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
