import type { Problem } from "../../base/errors.ts";
import { isDict } from "../dict.ts";
import { canBeKey, planDisposition, versionType } from "../rows.ts";
import type { SettledResource } from "../settle.ts";
import type { Locate } from "./locate.ts";

/** Problems between a primary_key, the write_disposition and the key's columns. */
export function keyProblems(
  { primary_key, write_disposition, columns }: SettledResource,
  locate: Locate,
): Problem[] {
  const problems: Problem[] = [];
  if (primary_key.length === 0 && write_disposition?.disposition === "merge") {
    problems.push({
      path: locate("write_disposition"),
      message: "merge needs a primary_key to tell records apart",
      hint: `add "primary_key": "id", or use "append"`,
    });
  }
  if (new Set(primary_key).size < primary_key.length) {
    problems.push({
      path: locate("primary_key"),
      message: "primary_key names a field twice",
      hint: "name each field once",
    });
  }
  for (const field of primary_key) {
    const column = columns[field];
    if (!isDict(column)) continue;
    if (!canBeKey(column.data_type)) {
      problems.push({
        path: locate("columns", field, "data_type"),
        message: `"${field}" is part of the primary_key, and this type cannot be a key`,
        hint: "declare text, bigint, decimal, double or binary",
      });
    }
    if (column.nullable === true) {
      problems.push({
        path: locate("columns", field, "nullable"),
        message: `"${field}" is part of the primary_key and cannot be null`,
        hint: "remove nullable",
      });
    }
  }
  return problems;
}

/** Problems between `write_mode: "ordered"`, the key and the version_field. */
export function orderProblems(resource: SettledResource, locate: Locate): Problem[] {
  const { write_mode, version_field, columns } = resource;
  if (write_mode !== "ordered") {
    if (version_field === undefined) return [];
    return [
      {
        path: locate("version_field"),
        message: "a version_field is for rows that are written in order",
        hint: `add "write_mode": "ordered", or remove it`,
      },
    ];
  }
  const problems: Problem[] = [];
  if (planDisposition(resource) !== "merge" || resource.primary_key.length === 0) {
    problems.push({
      path: locate("write_mode"),
      message: "only rows that are merged by a primary_key have an order",
      hint: `add "primary_key": "id" and "write_disposition": "merge", or use "batch"`,
    });
  }
  if (version_field === undefined) {
    problems.push({
      path: locate("write_mode"),
      message: "ordered needs a version_field to tell which row is newer",
      hint: `add "version_field": "updated_at", or use "batch"`,
    });
  } else if (!versionType(columns[version_field]?.data_type)) {
    problems.push({
      path: locate("version_field"),
      message: "the column of the version_field has no data_type by which rows can be ordered",
      hint: "declare text, timestamp, date, bigint, decimal or double in columns",
    });
  }
  return problems;
}
