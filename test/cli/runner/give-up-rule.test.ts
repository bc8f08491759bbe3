import { expect, it } from "vitest";
import { createGiveUpRule } from "../../../packages/cli/src/runner/give-up-rule.ts";

const run = { source: "desk", resource: "notes", runId: "r1", at: 0 };
const MINUTE = 60_000;

/** A look at the state table: when it happens, and when the last attempt that it shows failed. */
type Look = [at: number, failedAt: number | undefined];

it.each([
  ["a run that has left no trace is waited for after 9 minutes", [[9 * MINUTE, undefined]]],
  [
    "a run that has failed once is waited for until the next attempt is due",
    [
      [0, 1],
      [2 * MINUTE, 1],
    ],
  ],
  [
    "the time until the next attempt begins again with a second failure",
    [
      [0, 1],
      [2 * MINUTE, 2],
      [4 * MINUTE, 2],
    ],
  ],
] as [string, Look[]][])("%s", (_title, looks) => {
  expect(reasonsAfter(looks).every((reason) => reason === undefined)).toBe(true);
});

it.each([
  [
    "a run that has left no trace is given up after ten minutes",
    [[10 * MINUTE, undefined]],
    "its worker has not begun for ten minutes",
  ],
  [
    "a run that has failed once is given up when no attempt follows in time",
    [
      [0, 1],
      [3 * MINUTE, 1],
    ],
    "all attempts failed",
  ],
  [
    "a run that has failed three times is given up at once",
    [
      [0, 1],
      [MINUTE, 2],
      [2 * MINUTE, 3],
    ],
    "all attempts failed",
  ],
] as [string, Look[], string][])("%s", (_title, looks, finalReason) => {
  const reasons = reasonsAfter(looks);
  expect(reasons.at(-1)).toBe(finalReason);
  expect(reasons.slice(0, -1).every((reason) => reason === undefined)).toBe(true);
});

/** Asks the rule at each look, and returns its answers. */
function reasonsAfter(looks: Look[]): (string | undefined)[] {
  let now = 0;
  const giveUpReason = createGiveUpRule({ now: () => now });
  return looks.map(([at, failedAt]) => {
    now = at;
    return giveUpReason(run, failedAt);
  });
}
