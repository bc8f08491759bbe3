import fc from "fast-check";
import { it } from "vitest";
import { isFailure, type TidetableError } from "../../packages/core/src/base/errors.ts";
import { cpuTime } from "./cpu.ts";

/*
 * Random inputs from a fixed seed. `npm test` always tries the same inputs, and TIDETABLE_FUZZ=20
 * tries twenty times as many.
 */

const SEED = 20_260_101;
const times = Number(process.env.TIDETABLE_FUZZ ?? 1);

/** The limit of CPU time for one input. Some kilobytes take microseconds, unless the code is quadratic. */
const MOST_MS = 2000;

/** Defines a test that tries `check` on this many inputs. */
export function fuzz<T>(
  sentence: string,
  runs: number,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void,
): void {
  const numRuns = runs * times;
  it(`${sentence} (${numRuns} inputs)`, { timeout: 60_000 + 1000 * numRuns }, () => {
    const property = fc.property(inputs, (input) => {
      // Garbage collection of earlier inputs may take time once or twice, but not three times.
      for (let tries = 0; tries < 3; tries++) if (cpuTime(() => check(input)) < MOST_MS) return;
      throw new Error(`takes more than ${MOST_MS} ms of CPU time`);
    });
    const result = fc.check(property, { seed: SEED, numRuns });
    if (!result.failed) return;
    // The input may be long. Small inputs come first, so no shrinking is needed.
    const report = fc.defaultReportMessage(result) ?? "";
    throw new Error(report.slice(0, 2000), { cause: result.errorInstance });
  });
}

/** Returns the error with which an action is refused. All other errors are crashes. */
export function refusalOf(action: () => unknown): TidetableError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
}

/** Any text, including control characters and half of a surrogate pair. */
export const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
);

/** A few words, repeated up to a hundred thousand characters. */
export const repeated = (words: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(10, 1000, 100_000),
      fc.constantFrom("", ...words),
    )
    .map(([partWords, length, end]) => {
      const part = partWords.join("");
      return part.repeat(Math.ceil(length / Math.max(1, part.length))) + end;
    });

/** A text with parts cut out, doubled or overwritten. */
export const mutated = (
  texts: readonly string[],
  words: readonly string[],
): fc.Arbitrary<string> => {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  const edit = fc.record({
    at: position,
    cut: fc.oneof(fc.nat(3), fc.nat(200)),
    put: fc.oneof(
      fc.constant(""),
      fc.constantFrom(...words),
      anyText,
      fc.tuple(position, fc.nat(60)),
    ),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 5 }))
    .map(([text, edits]) =>
      edits.reduce((now, { at, cut, put }) => {
        const start = Math.floor(at * now.length);
        const middle = typeof put === "string" ? put : pieceOf(now, put);
        return now.slice(0, start) + middle + now.slice(start + cut);
      }, text),
    );
};

const pieceOf = (text: string, [at, length]: [number, number]) => {
  const start = Math.floor(at * text.length);
  return text.slice(start, start + length);
};
