import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  expressionsIn,
  type Input,
  inputs,
  inputText,
  ownExpressions,
} from "./support/regular-expressions.ts";

/*
 * Text from an API, a config or an event is matched against our regular expressions. An expression
 * with quadratic backtracking takes a second for 50 KB and half an hour for 1 MB, so all of them have
 * to be linear.
 */

const MEGABYTE = 2 ** 20;
const SCREENED = 2 ** 12;

/** This many of the slowest screened inputs are timed again. */
const FINALISTS = 20;

/** Linear matches of 1 MB differ by a factor of 50. A quadratic match takes 100,000 times as long. */
const MARGIN = 400;

/** Examples of the patterns that calls of RegExp build, by file. The syntax does not show them. */
const builtPatterns: Record<string, RegExp[]> = {
  "packages/core/src/config/check/schema.ts": [/^subnet-[0-9a-f]{8,17}$/],
  "packages/core/src/values/parse-json.ts": [/(?<!\\)"(?:_|\\u005[fF])(?:p|\\u0070)"(?=\s*:)/g],
  "packages/core/src/extract/auth/sealed.ts": [/0f1ex((?:[0-9a-f]{2})*)x/g],
  "packages/core/src/schema/kinds.ts": [
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[Tt ](?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d{1,18})?)?(?: ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?$/,
  ],
  "packages/cli/src/sample/server.ts": [/^\/tickets\/(?<id>[^/]+)\/comments$/],
};

const context: { run?: () => void } = createContext({});

const allExpressions = ownExpressions();
const literals = allExpressions.flatMap(({ file, text, expression }) =>
  expression ? [{ file, text, expression }] : [],
);
const calls = allExpressions.filter(({ expression }) => !expression);

describe("the regular expressions of this repository", () => {
  it.each(literals)("the expression $text in $file is linear on 1 MB that is made to be slow", ({
    expression,
  }) => {
    expect(findSlowInput(expression)).toBeUndefined();
  });

  it("every file that calls RegExp has example patterns in this test", () => {
    expect([...new Set(calls.map(({ file }) => file))].sort()).toEqual(
      Object.keys(builtPatterns).sort(),
    );
  });

  const patterns = Object.entries(builtPatterns).flatMap(([file, expressions]) =>
    expressions.map((expression) => ({ file, expression })),
  );
  it.each(patterns)("the pattern $expression, built in $file, is linear on 1 MB", ({
    expression,
  }) => {
    expect(findSlowInput(expression)).toBeUndefined();
  });
});

describe("the search for slow expressions", () => {
  it.each([
    /\/+$/,
    /"(?:[^"\\]|\\.)*"/g,
    /^(\w+\s?)*$/,
    /<([^>]*)>/g,
  ])("the slow expression %s is found", (expression) => {
    expect(findSlowInput(expression)).toBeDefined();
  });

  it("literals and calls of RegExp are found wherever they stand in a file", () => {
    const text = "const f = (s) => [s.match(/a+$/gi), new RegExp(s), RegExp('x').test(s), '/no/'];";
    expect(expressionsIn("a.ts", text).map(({ text: expressionText }) => expressionText)).toEqual([
      "/a+$/gi",
      "new RegExp(s)",
      "RegExp('x')",
    ]);
  });
});

/** Finds an input of 1 MB that takes longer than any linear match, in each of three tries. */
function findSlowInput(expression: RegExp): Input | undefined {
  const limit = MARGIN * linearTime(MEGABYTE);
  return screenInputs(expression).find((input) => {
    const text = inputText(input, MEGABYTE);
    return [1, 2, 3].every(() => !endsWithin(limit, () => timeMatch(expression, text)));
  });
}

/** Screens all inputs at a small length, and returns the slowest. */
function screenInputs(expression: RegExp): Input[] {
  const slowMs = MARGIN * linearTime(SCREENED);
  const times: { input: Input; time: number }[] = [];
  const screen = () => {
    for (const input of inputs(expression)) {
      // An input whose match never ends counts as the slowest.
      const entry = { input, time: Number.POSITIVE_INFINITY };
      times.push(entry);
      entry.time = screenInput(expression, input, slowMs);
      if (entry.time >= slowMs) return;
    }
  };
  endsWithin(1000, screen);
  const finalists = bySlowness(times)
    .slice(0, FINALISTS)
    .map(({ input, time }) => ({
      input,
      time: Number.isFinite(time) ? screenInput(expression, input, 0) : time,
    }));
  return bySlowness(finalists)
    .slice(0, 3)
    .map(({ input }) => input);
}

/** Times a match until one of three tries is fast, because a busy machine may interrupt a match. */
function screenInput(expression: RegExp, input: Input, slowMs: number): number {
  const text = inputText(input, SCREENED);
  let time = Number.POSITIVE_INFINITY;
  for (let attempt = 1; attempt <= 3 && time >= slowMs; attempt += 1) {
    time = Math.min(time, timeMatch(expression, text));
  }
  return time;
}

const bySlowness = <T extends { time: number }>(entries: T[]): T[] =>
  entries.toSorted((a, b) => b.time - a.time);

/** Measures a linear match on this machine. */
function linearTime(length: number): number {
  const text = "a".repeat(length);
  return Math.min(...[1, 2, 3].map(() => timeMatch(/[a-z]*!/y, text)));
}

/** Measures one match in milliseconds, or all matches of a global expression. */
function timeMatch(expression: RegExp, text: string): number {
  const began = performance.now();
  if (expression.global) text.replace(expression, "");
  else expression.exec(text);
  return performance.now() - began;
}

/** Says whether an action ends in time. Only a context of node:vm can interrupt a match. */
function endsWithin(limit: number, run: () => void): boolean {
  context.run = run;
  try {
    runInContext("run()", context, { timeout: Math.ceil(limit) });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return false;
  }
}
