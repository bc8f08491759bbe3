import type { Problem } from "../../base/errors.ts";
import { findIncrementals, type LocatedIncremental } from "../incremental.ts";
import type { SettledResource } from "../settle.ts";
import { walkConfig } from "../walk.ts";
import type { Locate } from "./locate.ts";

/** Problems between an endpoint's incrementals and the references to their values. */
export function incrementalProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const [first, second] = findIncrementals(endpoint);
  if (second) {
    return [
      {
        path: locate("endpoint", ...second.keys),
        message: "this endpoint has an incremental already, and a run has one cursor",
        hint: `keep one; "{incremental.start_value}" puts its start value into more places`,
      },
    ];
  }
  if (first) return backfillProblems(first, locate);
  const { path, params, headers, json, data } = endpoint;
  return [...walkConfig({ path, params, headers, json, data })]
    .filter(({ value }) => typeof value === "string" && value.includes("{incremental."))
    .map(({ keys }) => ({
      path: locate("endpoint", ...keys),
      message: "{incremental.…} needs an incremental, and the endpoint has none",
      hint: `add "incremental": { "cursor_path": "updated_at" } to the endpoint`,
    }));
}

/** An end_value needs an initial_value before it. */
function backfillProblems({ keys, config }: LocatedIncremental, locate: Locate): Problem[] {
  const pathOf = (key: string) => locate("endpoint", ...keys, key);
  const { initial_value, end_value, step, last_value_func } = config;
  if (end_value == null) {
    if (step == null) return [];
    return [
      {
        path: pathOf("step"),
        message: "step is for a backfill, and without an end_value this is none",
        hint: "add an end_value, or remove it",
      },
    ];
  }
  if (initial_value == null) {
    return [
      {
        path: pathOf("end_value"),
        message: "an end_value needs an initial_value",
        hint: "a backfill reads from one to the other",
      },
    ];
  }
  const isNumber = (value: unknown) => typeof value === "number";
  const isMixed = isNumber(initial_value) !== isNumber(end_value);
  const [low, high] =
    last_value_func === "min" ? [end_value, initial_value] : [initial_value, end_value];
  if (typeof last_value_func === "function" || (!isMixed && low <= high)) return [];
  return [
    {
      path: pathOf("end_value"),
      message: isMixed
        ? "end_value is of another type than initial_value"
        : "the end lies before the start",
      hint: "write both as the API writes the cursor, the start first",
    },
  ];
}
