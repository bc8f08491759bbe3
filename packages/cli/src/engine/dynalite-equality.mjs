// @ts-check
/*
 * In conditions, dynalite compares maps and lists by reference, so that no map equals another. A
 * delete on the condition that a row with nested values is unchanged would never happen, and a
 * refresh would delete none of these rows. DynamoDB compares by value. So before dynalite checks a
 * condition, each nested value of the row that equals a value of the condition is replaced by the
 * condition's own object.
 */
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const dynalite = createRequire(import.meta.url)("dynalite/db");

/** @typedef {Record<string, Record<string, unknown>>} Item */

/** Yields the maps and lists in a parsed condition. @type {(part: unknown) => Generator<Record<string, unknown>>} */
function* nestedValues(part) {
  if (typeof part !== "object" || part === null) return;
  if ("M" in part || "L" in part) yield/** @type {Record<string, unknown>} */ (part);
  else for (const inner of Object.values(part)) yield* nestedValues(inner);
}

/** @param {{ _condition?: { expression: unknown } }} data @param {Item} [item] */
function shareEqualValues(data, item = {}) {
  const conditionValues = [...nestedValues(data._condition?.expression)];
  if (conditionValues.length === 0) return item;
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      conditionValues.find((candidate) => isDeepStrictEqual(candidate, value)) ?? value,
    ]),
  );
}

const checkConditional = dynalite.checkConditional;

/** Makes dynalite compare maps and lists by value. Called once per process, before the first request. */
export function compareByValue() {
  /** @param {{ _condition?: { expression: unknown } }} data @param {Item} [item] */
  dynalite.checkConditional = (data, item) => checkConditional(data, shareEqualValues(data, item));
}
