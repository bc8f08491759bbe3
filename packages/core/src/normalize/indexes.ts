import { RecordError } from "../base/errors.ts";
import type { IndexPlan, KeyAttribute } from "../config/plan-types.ts";
import { Decimal } from "../values/decimal.ts";
import type { FieldValue, Members } from "../values/json.ts";
import { keyLimits } from "./keys.ts";
import { utf8Bytes } from "./values.ts";

const typeNames = {
  S: "a string",
  N: "a number",
  B: "binary",
  BOOL: "a boolean",
  L: "a list",
  M: "an object",
} as const;

/**
 * Returns the members without nulls in index keys: DynamoDB refuses a row with such a null. Without
 * it, the row is in the table and only absent from the index.
 */
export function withoutNullKeys(members: Members, indexes: readonly IndexPlan[]): Members {
  const nullFields = indexes
    .flatMap(({ hash, range }) => [hash.name, ...(range ? [range.name] : [])])
    .filter((field) => Object.hasOwn(members, field) && members[field] === null);
  if (nullFields.length === 0) return members;
  return Object.fromEntries(Object.entries(members).filter(([name]) => !nullFields.includes(name)));
}

/**
 * Throws a RecordError for any other value that an index of the table cannot hold: changing the
 * value would falsify the row.
 */
export function checkIndexKeys(members: Members, indexes: readonly IndexPlan[]): void {
  for (const { name, hash, range } of indexes) {
    checkIndexKey(members, hash, keyLimits.hash, name);
    if (range) checkIndexKey(members, range, keyLimits.range, name);
  }
}

function checkIndexKey(
  members: Members,
  { name: field, type }: KeyAttribute,
  maxBytes: number,
  index: string,
): void {
  const value = Object.hasOwn(members, field) ? members[field] : undefined;
  if (value === undefined || value === null) return;
  const refusal = (problem: string) =>
    new RecordError({
      code: "record.index_key",
      message: `the field "${field}" ${problem}, and the index ${index} takes ${typeNames[type]}`,
      path: field,
    });
  const valueType = typeOf(value);
  if (valueType !== type) throw refusal(`is ${typeNames[valueType]}`);
  if (valueType === "N") return;
  const bytes = typeof value === "string" ? utf8Bytes(value) : (value as Uint8Array).length;
  if (bytes === 0) throw refusal("is empty");
  if (bytes > maxBytes) throw refusal(`has ${bytes} bytes, over DynamoDB's ${maxBytes}`);
}

/** The type that DynamoDB gives to a value other than null. */
function typeOf(value: Exclude<FieldValue, null>): keyof typeof typeNames {
  if (typeof value === "string") return "S";
  if (typeof value === "boolean") return "BOOL";
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Decimal)
    return "N";
  if (value instanceof Uint8Array) return "B";
  return Array.isArray(value) ? "L" : "M";
}
