import type { Problem } from "@tidetable/core/plan";
import type { PythonFile } from "./scopes.ts";
import { type Node, positionText } from "./tree.ts";

/** The characters of a line that a snippet shows left of the caret, and in total. */
const SHOWN_LEFT = 60;
const SHOWN_WIDTH = 100;
/** The characters around a problem that are looked at: a line can be as long as the file. */
const SCANNED_WIDTH = 500;

export function problemAt(
  file: PythonFile,
  { from, to }: { from: number; to: number },
  message: string,
  hint?: string,
): Problem {
  const code = withoutSecrets(file, from, Math.min(to, from + SCANNED_WIDTH)).replace(/\s+/g, " ");
  return {
    path: positionText(file.arg, file.text, from),
    message: `${message}: ${clipText(code, SHOWN_WIDTH)}`,
    hint,
    snippet: snippetAt(file, from),
  };
}

/** The line with its number, and a caret under the offset. */
function snippetAt(file: PythonFile, offset: number): string {
  const { text } = file;
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const [lineRest = ""] = text.slice(offset, offset + SCANNED_WIDTH).split("\n", 1);
  const left = withoutSecrets(file, Math.max(lineStart, offset - SCANNED_WIDTH), offset);
  const right = withoutSecrets(file, offset, offset + lineRest.length).trimEnd();
  const hiddenLeft = Math.max(0, left.length - SHOWN_LEFT);
  const line = clipText(left.slice(hiddenLeft) + right, SHOWN_WIDTH);
  const lineNumber = String(text.slice(0, lineStart).split("\n").length);
  const caretIndent = " ".repeat(left.length - hiddenLeft);
  return `${lineNumber} | ${line}\n${" ".repeat(lineNumber.length)} | ${caretIndent}^`;
}

const clipText = (text: string, maxLength: number) =>
  text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;

/**
 * A part of the file for a message. Any string may be a credential, and only names, like the keys of
 * dicts, are shown. Comments are left out.
 */
function withoutSecrets({ text, tree }: PythonFile, from: number, to: number): string {
  let shown = "";
  let position = from;
  const replaceNode = (node: { from: number; to: number }, replacement: string) => {
    shown += text.slice(position, Math.max(position, node.from)) + replacement;
    position = Math.max(position, Math.min(node.to, to));
  };
  tree.iterate({
    from,
    to,
    enter: ({ name, node }) => {
      if (node.to <= from || node.from >= to) return false;
      if (name === "Comment") replaceNode(node, "");
      else if (!/^(Format)?String$/.test(name) || isName(text, node)) return true;
      else replaceNode(node, node.from < from ? "…" : maskString(text.slice(node.from, node.to)));
      return false;
    },
  });
  // Control characters could steer a terminal. Each becomes one space, which keeps the caret in place.
  return (shown + text.slice(position, to)).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ");
}

function maskString(token: string): string {
  const [opening = "", quote = ""] = /^\w*('''|"""|'|")/.exec(token) ?? [];
  return token.length === opening.length + quote.length ? token : `${opening}…${quote}`;
}

/** Whether a string is a key of a dict, an index, or the name of an environment variable or secret. */
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
