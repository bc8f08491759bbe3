// @ts-check
/*
 * dynalite compares maps and lists by reference, so that in a condition no map equals another: a row
 * with a nested value would never be found as it was scanned, and a refresh would delete none of
 * these. DynamoDB compares by value. Before a condition is checked, a nested value of the row that
 * equals one of the condition is replaced by that very one.
 */
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const db = createRequire(import.meta.url)("dynalite/db");

/** @typedef {Record<string, Record<string, unknown>>} Item */

/** Nested attribute values anywhere in a parsed condition. @type {(part: unknown) => Generator<Record<string, unknown>>} */
function* nestedIn(part) {
  if (typeof part !== "object" || part === null) return;
  if ("M" in part || "L" in part) yield/** @type {Record<string, unknown>} */ (part);
  else for (const inner of Object.values(part)) yield* nestedIn(inner);
}

/** @param {{ _condition?: { expression: unknown } }} data @param {Item} [item] */
function sharing(data, item = {}) {
  const values = [...nestedIn(data._condition?.expression)];
  if (values.length === 0) return item;
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      values.find((one) => isDeepStrictEqual(one, value)) ?? value,
    ]),
  );
}

const check = db.checkConditional;

/** Once per process, before the first request. */
export function compareByValue() {
  /** @param {{ _condition?: { expression: unknown } }} data @param {Item} [item] */
  db.checkConditional = (data, item) => check(data, sharing(data, item));
}
