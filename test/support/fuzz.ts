import fc from "fast-check";
import { it } from "vitest";
import { isFailure, type TidetableError } from "../../packages/core/src/base/errors.ts";

/*
 * Inputs that nobody writes by hand. The seed is fixed: `npm test` tries the same every time, and
 * TIDETABLE_FUZZ=20 goes on to twenty times as many.
 */

const SEED = 20_260_101;
const times = Number(process.env.TIDETABLE_FUZZ ?? 1);

/** CPU time for one input of some kilobytes, which takes microseconds unless something is quadratic. */
const MOST_MS = 2000;

/** A test that tries `check` on so many inputs. */
export function fuzz<T>(
  promise: string,
  runs: number,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void,
): void {
  const numRuns = runs * times;
  it(`${promise} (${numRuns} inputs)`, { timeout: 60_000 + 1000 * numRuns }, () => {
    const property = fc.property(inputs, (input) => {
      // The collector of what earlier inputs left behind takes its time, too, but not three times.
      for (let tries = 0; tries < 3; tries++) if (timeOf(() => check(input)) < MOST_MS) return;
      throw new Error(`takes more than ${MOST_MS} ms of CPU time`);
    });
    const found = fc.check(property, { seed: SEED, numRuns });
    if (!found.failed) return;
    // The input may be long, and is told as it was found: small ones come first.
    const report = fc.defaultReportMessage(found) ?? "";
    throw new Error(report.slice(0, 2000), { cause: found.errorInstance });
  });
}

function timeOf(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What an action is refused with. Whatever else it throws is a crash. */
export function refusalOf(action: () => unknown): TidetableError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
}

/** Any text: half of a surrogate pair and control characters, too. */
export const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
);

/** A few words again and again, up to a hundred thousand characters. */
export const repeated = (words: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(10, 1000, 100_000),
      fc.constantFrom("", ...words),
    )
    .map(([some, length, end]) => {
      const part = some.join("");
      return part.repeat(Math.ceil(length / Math.max(1, part.length))) + end;
    });

/** One of the texts, with some of it cut out, doubled or overwritten. */
export const mutated = (
  texts: readonly string[],
  words: readonly string[],
): fc.Arbitrary<string> => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const edit = fc.record({
    at: place,
    cut: fc.oneof(fc.nat(3), fc.nat(200)),
    put: fc.oneof(fc.constant(""), fc.constantFrom(...words), anyText, fc.tuple(place, fc.nat(60))),
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
