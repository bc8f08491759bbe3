import type { Problem } from "@tidetable/core";
import type { Foreign } from "../literal.ts";
import { type Node, type PythonFile, place } from "./parse.ts";

/** So much of a line is shown, left of the caret and in total; and so much is looked at for it. */
const LEFT = 60;
const WIDTH = 100;
const NEAR = 500;

export function problemAt(
  file: PythonFile,
  { from, to }: { from: number; to: number },
  message: string,
  hint?: string,
): Problem {
  return {
    path: place(file.arg, file.text, from),
    message: `${message}: ${clipped(shown(file, from, Math.min(to, from + NEAR)).replace(/\s+/g, " "), WIDTH)}`,
    hint,
    snippet: snippet(file, from),
  };
}

export const refusal = (file: PythonFile, { what, hint, from, to }: Foreign): Problem =>
  problemAt(file, { from, to }, `${what} can not be read`, hint);

/** The line and a caret under the place. */
function snippet(file: PythonFile, offset: number): string {
  const { text } = file;
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const [rest = ""] = text.slice(offset, offset + NEAR).split("\n", 1);
  const left = shown(file, Math.max(start, offset - NEAR), offset);
  const right = shown(file, offset, offset + rest.length).trimEnd();
  const cut = Math.max(0, left.length - LEFT);
  const line = clipped(left.slice(cut) + right, WIDTH);
  const number = String(text.slice(0, start).split("\n").length);
  const caret = " ".repeat(left.length - cut);
  return `${number} | ${line}\n${" ".repeat(number.length)} | ${caret}^`;
}

const clipped = (text: string, most: number) =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/**
 * A part of the file as a message may show it. A text can be a credential: only texts that are
 * names stay, such as keys.
 */
function shown({ text, tree }: PythonFile, from: number, to: number): string {
  let out = "";
  let at = from;
  const replace = (node: { from: number; to: number }, by: string) => {
    out += text.slice(at, Math.max(at, node.from)) + by;
    at = Math.max(at, Math.min(node.to, to));
  };
  tree.iterate({
    from,
    to,
    enter: ({ name, node }) => {
      if (node.to <= from || node.from >= to) return false;
      if (name === "Comment") replace(node, "");
      else if (!/^(Format)?String$/.test(name) || isName(text, node)) return true;
      else replace(node, node.from < from ? "…" : hidden(text.slice(node.from, node.to)));
      return false;
    },
  });
  // Nothing that could steer a terminal; one for one, so that the caret stands right.
  return (out + text.slice(at, to)).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ");
}

function hidden(token: string): string {
  const [open = "", quote = ""] = /^\w*('''|"""|'|")/.exec(token) ?? [];
  return token.length === open.length + quote.length ? token : `${open}…${quote}`;
}

/** A key of a dict, what stands in a subscript, or what an environment is asked for. */
function isName(text: string, node: Node): boolean {
  const { parent, prevSibling, nextSibling } = node;
  if (nextSibling?.name === ":") return parent?.name === "DictionaryExpression";
  if (prevSibling?.name === "[") return parent?.name === "MemberExpression";
  const callee = parent?.name === "ArgList" ? parent.parent?.firstChild : undefined;
  return (
    prevSibling?.name === "(" &&
    callee != null &&
    /^((os\.)?getenv|os\.environ\.get|dlt\.(secrets|config)\.get)$/.test(
      text.slice(callee.from, callee.to),
    )
  );
}
