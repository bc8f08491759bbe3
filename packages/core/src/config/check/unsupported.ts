import type { Problem } from "../../base/errors.ts";
import { type Place, walk } from "../walk.ts";

/*
 * What the format has and DynamoDB has no counterpart for. It is refused, never ignored: a config
 * that validates does all that it says.
 */

interface Row {
  when: (place: Place) => boolean;
  what: string;
  hint: string;
}

const rows: Row[] = [
  {
    when: ({ pattern, value }) =>
      pattern === "resource.write_disposition.strategy" && value === "scd2",
    what: "a history of each row (scd2)",
    hint: `use "upsert" and turn on the table's stream, which has every change`,
  },
  {
    when: ({ pattern, value }) =>
      pattern === "resource.merge_key" ||
      (pattern === "resource.columns.*.merge_key" && value === true),
    what: "deleting by a merge_key",
    hint: "rows are merged by primary_key; a full refresh deletes what is gone",
  },
  {
    when: ({ pattern, value }) => pattern === "resource.table_name" && typeof value === "function",
    what: "a table per record",
    hint: "make a resource for each table, with a filter in processing_steps",
  },
];

/** `config` is spelled, so that what stands in resource_defaults is named once and there. */
export function unsupported(config: unknown): Problem[] {
  return [...walk(config)].flatMap((place) =>
    rows
      .filter(({ when }) => when(place))
      .map(({ what, hint }) => ({
        path: place.path,
        message: `${what} is not supported`,
        hint,
      })),
  );
}
