import { hash } from "node:crypto";
import { RequestError } from "../base/errors.ts";
import type { KeyPlan, ParentPlan, ResourcePlan, StepPlan } from "../config/plan-types.ts";
import { applySteps } from "../extract/processing-steps.ts";
import { findValue } from "../extract/select.ts";
import type { RowNaming } from "../normalize/keys.ts";
import type { SpoolRow } from "../state/spool.ts";
import { isObject, type JsonObject, type JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";

/** Returns the fields of a record that go into the spool, without fields that the record lacks. */
export function spoolRow(record: JsonValue, { spooled }: Pick<ResourcePlan, "spooled">): SpoolRow {
  const row: SpoolRow = {};
  for (const path of spooled) {
    const value = findValue(record, path);
    if (value !== undefined) row[path.text] = value;
  }
  return row;
}

/** The values that a child takes from a parent record. */
export interface ParentValues {
  /** The values that the child's requests use. They also name rows without a primary key. */
  named: JsonObject;
  /** The fields that are added to each record of the child. */
  added: JsonObject;
}

/** Throws a RequestError `extract.parent_field` when the parent's record lacks a value. */
export function parentValues(row: SpoolRow, resource: ResourcePlan): ParentValues {
  const { plan, needed, include } = resource.parent as ParentPlan;
  for (const field of needed) {
    const value = row[field];
    if (value == null || value === "") throw withoutValue(field, value, plan);
  }
  const added = include.map(({ paths, as }) => {
    const value = paths.map(({ text }) => row[text]).find((field) => field !== undefined);
    if (value === undefined) throw withoutValue(paths.at(-1)?.text ?? as, value, plan);
    return [as, value] as const;
  });
  return {
    named: Object.fromEntries(needed.map((field) => [field, row[field] ?? null])),
    added: Object.fromEntries(added),
  };
}

/** Adds the parent's fields to the records and applies the processing steps of the config. */
export function withSteps(
  records: JsonValue[],
  added: JsonObject,
  steps: readonly StepPlan[],
): JsonValue[] {
  const withFields =
    Object.keys(added).length === 0
      ? records
      : records.map((record) => (isObject(record) ? { ...record, ...added } : record));
  return steps.length === 0 ? withFields : applySteps(withFields, steps);
}

/** Leaves out records that format 1 stored, which named rows without a key differently. */
export function withoutBoundary(
  records: JsonValue[],
  boundary: readonly string[],
  { fields }: KeyPlan,
): JsonValue[] {
  if (boundary.length === 0) return records;
  const identity = (record: JsonValue) =>
    fields.length > 0 && isObject(record) ? fields.map((name) => record[name] ?? null) : record;
  const hashOf = (record: JsonValue) =>
    hash("sha256", jsonText(identity(record), { sorted: true }), "base64url").slice(0, 11);
  return records.filter((record) => !boundary.includes(hashOf(record)));
}

/** Returns the values that, with the record, name a row without a primary key. */
export const rowNaming = (parent: ParentValues | undefined, readId: string): RowNaming => ({
  parent: parent?.named ?? null,
  added: Object.keys(parent?.added ?? {}),
  readId,
  findValue,
});

function withoutValue(field: string, value: JsonValue | undefined, { name }: ResourcePlan) {
  const valueText = value === null ? "null" : value === "" ? "an empty string" : "nothing";
  return new RequestError({
    code: "extract.parent_field",
    message: `a record of ${name} has ${valueText} at "${field}"`,
    hint: `correct the field's name, or set "on_parent_value_missing": "skip"`,
    retryable: false,
  });
}
