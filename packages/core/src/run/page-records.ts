import { RequestError } from "../base/errors.ts";
import type { ParentPlan, ResourcePlan, StepPlan } from "../config/plan-types.ts";
import { applySteps } from "../extract/processing-steps.ts";
import { findValue } from "../extract/select.ts";
import type { SpoolRow } from "../state/spool.ts";
import { isObject, type JsonObject, type JsonValue } from "../values/json.ts";

/** What of a record goes into the spool. A field that it has not stays out. */
export function spoolRow(record: JsonValue, { spooled }: Pick<ResourcePlan, "spooled">): SpoolRow {
  const row: SpoolRow = {};
  for (const path of spooled) {
    const value = findValue(record, path);
    if (value !== undefined) row[path.text] = value;
  }
  return row;
}

/** The fields of the parent's record that each record gets. Undefined: this one is to be left out. */
export function fieldsFrom(row: SpoolRow, resource: ResourcePlan): JsonObject | undefined {
  const { plan, needed, include, onMissing } = resource.parent as ParentPlan;
  const missing = needed.find((field) => row[field] == null);
  if (missing !== undefined) {
    if (onMissing === "skip") return undefined;
    throw withoutValue(missing, row, plan);
  }
  return Object.fromEntries(
    include.map(({ field, as }) => {
      const value = row[field.text];
      if (value === undefined) throw withoutValue(field.text, row, plan);
      return [as, value];
    }),
  );
}

/** A page's records with the parent's fields, as the config's functions leave them. */
export function made(
  records: JsonValue[],
  added: JsonObject,
  steps: readonly StepPlan[],
): JsonValue[] {
  const withFields =
    Object.keys(added).length === 0
      ? records
      : records.map((one) => (isObject(one) ? { ...one, ...added } : one));
  return steps.length === 0 ? withFields : applySteps(withFields, steps);
}

const withoutValue = (field: string, row: SpoolRow, { name }: ResourcePlan) =>
  new RequestError({
    code: "extract.parent_field",
    message: `a record of ${name} has ${row[field] === null ? "null" : "nothing"} at "${field}"`,
    hint: `correct the field's name, or set "on_parent_value_missing": "skip"`,
    retryable: false,
  });
