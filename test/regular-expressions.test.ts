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
 * What an API, a config or an event says is matched against expressions of ours. One that goes back
 * over what it has read takes a second for 50 KB and half an hour for 1 MB: all have to be linear.
 */

const MEGABYTE = 2 ** 20;
const SCREENED = 2 ** 12;

/** Between one linear match and another lies a factor of 50; a quadratic one of 1 MB takes 100,000. */
const MARGIN = 400;

/** What the calls of RegExp make, by their file: here the syntax alone does not tell the pattern. */
const made: Record<string, RegExp[]> = {
  "packages/core/src/config/check/schema.ts": [/^subnet-[0-9a-f]{8,17}$/],
  "packages/core/src/values/parse-json.ts": [/(?<!\\)"(?:_|\\u005[fF])(?:p|\\u0070)"(?=\s*:)/g],
  "packages/core/src/extract/auth/sealed.ts": [/0f1ex((?:[0-9a-f]{2})*)x/g],
  "packages/core/src/secrets/redact.ts": [/aab\/aab|aab%2Faab|aab/gi],
  "packages/core/src/schema/kinds.ts": [
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[Tt ](?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d{1,18})?)?(?: ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?$/,
  ],
  "packages/local/src/sample/server.ts": [/^\/tickets\/(?<id>[^/]+)\/comments$/],
};

const context: { run?: () => void } = createContext({});

const own = ownExpressions();
const literals = own.flatMap(({ file, text, expression }) =>
  expression ? [{ file, text, expression }] : [],
);
const calls = own.filter(({ expression }) => !expression);

describe("an expression of ours is linear on 1 MB that is made to be slow", () => {
  it.each(literals)("$text in $file", ({ expression }) => {
    expect(superlinear(expression)).toBeUndefined();
  });

  it("every call of RegExp has its pattern here", () => {
    expect([...new Set(calls.map(({ file }) => file))].sort()).toEqual(Object.keys(made).sort());
  });

  const patterns = Object.entries(made).flatMap(([file, expressions]) =>
    expressions.map((expression) => ({ file, expression })),
  );
  it.each(patterns)("$expression, made in $file", ({ expression }) => {
    expect(superlinear(expression)).toBeUndefined();
  });
});

describe("what this suite would find", () => {
  it.each([/\/+$/, /"(?:[^"\\]|\\.)*"/g, /^(\w+\s?)*$/, /<([^>]*)>/g])("%s", (expression) => {
    expect(superlinear(expression)).toBeDefined();
  });

  it("a literal or a call, wherever it stands in a file", () => {
    const text = "const f = (s) => [s.match(/a+$/gi), new RegExp(s), RegExp('x').test(s), '/no/'];";
    expect(expressionsIn("a.ts", text).map((found) => found.text)).toEqual([
      "/a+$/gi",
      "new RegExp(s)",
      "RegExp('x')",
    ]);
  });
});

/** The input that takes longer for 1 MB than any linear match, at each of three tries. */
function superlinear(expression: RegExp): Input | undefined {
  const limit = MARGIN * reference(MEGABYTE);
  return slowest(expression).find((input) => {
    const text = inputText(input, MEGABYTE);
    return [1, 2, 3].every(() => !within(limit, () => timeOf(expression, text)));
  });
}

/** The inputs that take longest for their length, by a short look at all of them. */
function slowest(expression: RegExp): Input[] {
  const enough = MARGIN * reference(SCREENED);
  const times: { input: Input; time: number }[] = [];
  const look = () => {
    for (const input of inputs(expression)) {
      const text = inputText(input, SCREENED);
      // It is the slowest if it never ends.
      const entry = { input, time: Number.POSITIVE_INFINITY };
      times.push(entry);
      entry.time = timeOf(expression, text);
      if (entry.time >= enough) return;
    }
  };
  within(1000, look);
  times.sort((a, b) => b.time - a.time);
  return times.slice(0, 3).map(({ input }) => input);
}

/** What a linear match takes here and now. */
function reference(length: number): number {
  const text = "a".repeat(length);
  return Math.min(...[1, 2, 3].map(() => timeOf(/[a-z]*!/y, text)));
}

/** In milliseconds, to the end of the text where it is made for that, as for `replace`. */
function timeOf(expression: RegExp, text: string): number {
  const began = performance.now();
  if (expression.global) text.replace(expression, "");
  else expression.exec(text);
  return performance.now() - began;
}

/** Whether it ended in so many milliseconds. Only there can a match be ended from outside. */
function within(limit: number, run: () => void): boolean {
  context.run = run;
  try {
    runInContext("run()", context, { timeout: Math.ceil(limit) });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return false;
  }
}
