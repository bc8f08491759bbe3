import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../..");
const folders = [
  ...readdirSync(join(root, "packages"))
    .map((name) => `packages/${name}/src`)
    .filter((path) => existsSync(join(root, path))),
  "functions",
  "stacks",
];

/** A regular expression in our code. Only a literal shows its pattern; a call of RegExp does not. */
interface SourceExpression {
  file: string;
  /** The expression as the source has it. */
  text: string;
  expression?: RegExp;
}

/** Finds the expressions of all code that runs in AWS or on a laptop, by the syntax of every file. */
export function ownExpressions(): SourceExpression[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.m?ts$|\.mjs$/.test(path))
      .map((path) => `${folder}/${path}`)
      .flatMap((file) => expressionsIn(file, readFileSync(join(root, file), "utf8"))),
  );
}

export function expressionsIn(file: string, text: string): SourceExpression[] {
  const expressions: SourceExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      const expression = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      expressions.push({ file, text: node.text, expression });
    }
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
    if (isCall && node.expression.getText() === "RegExp") {
      expressions.push({ file, text: node.getText() });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return expressions;
}

/** An input that can be made as long as needed by repeating its unit. */
export interface Input {
  head: string;
  unit: string;
  end: string;
}

export const inputText = ({ head, unit, end }: Input, length: number): string =>
  head + unit.repeat(Math.ceil(length / unit.length)) + end;

/** No expression of ours expects this character, so every match ends here. */
const FOREIGN = "\u0001";

/**
 * Makes the inputs on which a backtracking matcher is slowest: each letter and each pair of its
 * alphabet repeated, after a beginning that matches and before an end that does not.
 */
export function inputs(expression: RegExp): Input[] {
  const letters = alphabet(expression);
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  const heads = beginnings(expression);
  const ends = ["", FOREIGN];
  return [
    ...combined([""], letters, [...ends, ...letters]),
    ...combined([""], pairs, ends),
    ...combined(heads, letters, ends),
    ...combined([""], heads, ends),
  ];
}

const combined = (heads: string[], units: string[], ends: string[]): Input[] =>
  heads.flatMap((head) => units.flatMap((unit) => ends.map((end) => ({ head, unit, end }))));

const part =
  /\[(?:\\.|[^\]\\])*\]|\\(?:u[\da-f]{4}|x[\da-f]{2}|p\{\w+\}|.)|\(\?<?[=!]|\(\?:|\(\?<\w+>|\{\d+(?:,\d*)?\}|[^\\]/gi;
const partsOf = ({ source }: RegExp): string[] => source.match(part) ?? [];

/** Returns the first and the last ASCII letter that a part of a pattern matches. */
function lettersOf(piece: string, flags: string): string[] {
  if (/^([()|^$*+?]|\(\?.*|\{\d.*|\\[bBk\d])$/.test(piece)) return [];
  const pieceExpression = new RegExp(piece, flags.replace(/[gy]/g, ""));
  const matching = ascii.filter((letter) => pieceExpression.test(letter));
  return [...matching.slice(0, 1), ...matching.slice(-1)];
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
  (letter) => letter !== FOREIGN,
);

function alphabet(expression: RegExp): string[] {
  const letters = partsOf(expression).flatMap((piece) => lettersOf(piece, expression.flags));
  return [...new Set(letters)].slice(0, 14);
}

/** Returns the beginnings of a text that matches the first alternative everywhere. */
function beginnings(expression: RegExp): string[] {
  let text = "";
  let depth = 0;
  /** The depth at which a skipped part ends: a further alternative, or a look-around. */
  let skippedDepth = Number.POSITIVE_INFINITY;
  for (const piece of partsOf(expression)) {
    if (piece.startsWith("(")) depth += 1;
    if (/^(\||\(\?<?[=!])$/.test(piece)) {
      skippedDepth = Math.min(skippedDepth, piece === "|" ? depth : depth - 1);
    }
    if (piece === ")") depth -= 1;
    if (depth < skippedDepth) skippedDepth = Number.POSITIVE_INFINITY;
    if (skippedDepth < Number.POSITIVE_INFINITY) continue;
    const times = Number(/^\{(\d+)/.exec(piece)?.[1] ?? 1) - 1;
    text +=
      text.slice(-1).repeat(Math.max(times, 0)) + (lettersOf(piece, expression.flags)[0] ?? "");
  }
  return Array.from({ length: Math.min(text.length, 24) }, (_, i) => text.slice(0, i + 1));
}
