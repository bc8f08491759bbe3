import { RequestError } from "../base/errors.ts";
import type { ParentPlan, ResourcePlan, StepPlan } from "../config/plan-types.ts";
import { applySteps } from "../extract/processing-steps.ts";
import { findValue } from "../extract/select.ts";
import type { RowNaming } from "../normalize/keys.ts";
import type { SpoolRow } from "../state/spool.ts";
import { isObject, type JsonObject, type JsonValue } from "../values/json.ts";

/** The fields of a record that go into the spool. A field that the record does not have stays out. */
export function spoolRow(record: JsonValue, { spooled }: Pick<ResourcePlan, "spooled">): SpoolRow {
  const row: SpoolRow = {};
  for (const path of spooled) {
    const value = findValue(record, path);
    if (value !== undefined) row[path.text] = value;
  }
  return row;
}

/** What a child's records get from a record of its parent. */
export interface ParentValues {
  /** What the child's requests name of it: part of the name of a row without a key. */
  named: JsonObject;
  /** The fields that each record gets. */
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
    const value = paths.map(({ text }) => row[text]).find((found) => found !== undefined);
    if (value === undefined) throw withoutValue(paths.at(-1)?.text ?? as, value, plan);
    return [as, value] as const;
  });
  return {
    named: Object.fromEntries(needed.map((field) => [field, row[field] ?? null])),
    added: Object.fromEntries(added),
  };
}

/** A page's records with the parent's fields, as the config's functions leave them. */
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

/** What rows without a key of their own are named by, beside their records. */
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
