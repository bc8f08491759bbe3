import type { Problem } from "../../base/errors.ts";
import { type ConfigValue, walkConfig } from "../walk.ts";

/*
 * Features of dlt without a counterpart in DynamoDB are refused, never ignored: a config that
 * validates does everything it says.
 */

interface UnsupportedFeature {
  isUsedBy: (value: ConfigValue) => boolean;
  name: string;
  hint: string;
}

const unsupportedFeatures: UnsupportedFeature[] = [
  {
    isUsedBy: ({ pattern, value }) =>
      pattern === "resource.write_disposition.strategy" && value === "scd2",
    name: "a history of each row (scd2)",
    hint: `use "upsert" and turn on the table's stream, which has every change`,
  },
  {
    isUsedBy: ({ pattern }) =>
      /^resource\.write_disposition\.(source_filter|destination_scope)$/.test(pattern),
    name: "a condition in SQL",
    hint: "filter the records in processing_steps, or by the API's own parameters",
  },
  {
    isUsedBy: ({ pattern, value }) =>
      pattern === "resource.merge_key" ||
      (pattern === "resource.columns.*.merge_key" && value === true),
    name: "deleting by a merge_key",
    hint: "rows are merged by primary_key; a full refresh deletes rows that are gone",
  },
  {
    isUsedBy: ({ pattern, value }) =>
      pattern === "resource.table_name" && typeof value === "function",
    name: "a table per record",
    hint: "make a resource for each table, with a filter in processing_steps",
  },
];

/**
 * Expects an expanded config, not a settled one: a key in resource_defaults is then named once,
 * there.
 */
export function unsupportedProblems(expanded: unknown): Problem[] {
  return [...walkConfig(expanded)].flatMap((value) =>
    unsupportedFeatures
      .filter(({ isUsedBy }) => isUsedBy(value))
      .map(({ name, hint }) => ({
        path: value.path,
        message: `${name} is not supported`,
        hint,
      })),
  );
}
