import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../..");
const folders = [
  ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/src`),
  "functions",
  "stacks",
];

/** A regular expression of ours: a literal, or a call of RegExp, whose pattern is only known later. */
interface Found {
  file: string;
  /** As it stands in the source. */
  text: string;
  expression?: RegExp;
}

/** Every one in what runs in AWS and on a laptop, found in the syntax, so that a new one is among them. */
export function ownExpressions(): Found[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.m?ts$|\.mjs$/.test(path))
      .map((path) => `${folder}/${path}`)
      .flatMap((file) => expressionsIn(file, readFileSync(join(root, file), "utf8"))),
  );
}

export function expressionsIn(file: string, text: string): Found[] {
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      const expression = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ file, text: node.text, expression });
    }
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
    if (isCall && node.expression.getText() === "RegExp") {
      found.push({ file, text: node.getText() });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** A text that is made as long as is asked for. */
export interface Input {
  head: string;
  unit: string;
  end: string;
}

export const inputText = ({ head, unit, end }: Input, length: number): string =>
  head + unit.repeat(Math.ceil(length / unit.length)) + end;

/** Nothing of ours expects it: whatever has matched so far ends here. */
const FOREIGN = "\u0001";

/**
 * What makes a backtracking matcher go back: each letter and pair of its alphabet again and again,
 * behind a beginning that matches, before an end that does not.
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

/** The letters that a part of a pattern matches: the first and the last of ASCII, if it is one. */
function lettersOf(piece: string, flags: string): string[] {
  if (/^([()|^$*+?]|\(\?.*|\{\d.*|\\[bBk\d])$/.test(piece)) return [];
  const one = new RegExp(piece, flags.replace(/[gy]/g, ""));
  const matching = ascii.filter((letter) => one.test(letter));
  return [...matching.slice(0, 1), ...matching.slice(-1)];
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
  (letter) => letter !== FOREIGN,
);

function alphabet(expression: RegExp): string[] {
  const letters = partsOf(expression).flatMap((piece) => lettersOf(piece, expression.flags));
  return [...new Set(letters)].slice(0, 14);
}

/** The beginnings of a text that matches the first alternative everywhere. */
function beginnings(expression: RegExp): string[] {
  let text = "";
  let depth = 0;
  /** Where what is left out ends: another alternative, or what is only looked at. */
  let outside = Number.POSITIVE_INFINITY;
  for (const piece of partsOf(expression)) {
    if (piece.startsWith("(")) depth += 1;
    if (/^(\||\(\?<?[=!])$/.test(piece)) {
      outside = Math.min(outside, piece === "|" ? depth : depth - 1);
    }
    if (piece === ")") depth -= 1;
    if (depth < outside) outside = Number.POSITIVE_INFINITY;
    if (outside < Number.POSITIVE_INFINITY) continue;
    const times = Number(/^\{(\d+)/.exec(piece)?.[1] ?? 1) - 1;
    text +=
      text.slice(-1).repeat(Math.max(times, 0)) + (lettersOf(piece, expression.flags)[0] ?? "");
  }
  return Array.from({ length: Math.min(text.length, 24) }, (_, i) => text.slice(0, i + 1));
}
