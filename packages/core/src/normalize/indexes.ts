import { RecordError } from "../base/errors.ts";
import type { IndexPlan, KeyAttribute } from "../config/plan-types.ts";
import type { Item } from "../flow.ts";
import { keyLimits } from "./keys.ts";
import { utf8Bytes } from "./values.ts";

const keyTypes = { S: "a string", N: "a number", B: "binary" } as const;

/**
 * Returns the item as the indexes of its table can hold it. DynamoDB refuses a row with a null in
 * an index key. Without the null, the row is in the table and only absent from the index. For any
 * other value that an index cannot hold, a RecordError is thrown: changing the value would falsify
 * the row.
 */
export function fitIndexes(item: Item, indexes: readonly IndexPlan[]): Item {
  let fitted = item;
  for (const { name, hash, range } of indexes) {
    fitted = fitIndexKey(fitted, hash, keyLimits.hash, name);
    if (range) fitted = fitIndexKey(fitted, range, keyLimits.range, name);
  }
  return fitted;
}

function fitIndexKey(
  item: Item,
  { name: field, type }: KeyAttribute,
  maxBytes: number,
  index: string,
): Item {
  const value = item[field];
  if (value === undefined) return item;
  if (value.NULL) {
    const { [field]: _, ...itemWithoutNull } = item;
    return itemWithoutNull;
  }
  const keyValue = value[type];
  const refusal = (problem: string) =>
    new RecordError({
      code: "record.index_key",
      message: `the field "${field}" ${problem}, and the index ${index} takes ${keyTypes[type]}`,
      path: field,
    });
  if (keyValue === undefined) throw refusal(`is ${describeType(value)}`);
  const bytes = typeof keyValue === "string" ? utf8Bytes(keyValue) : keyValue.length;
  if (bytes === 0) throw refusal("is empty");
  if (type !== "N" && bytes > maxBytes) {
    throw refusal(`has ${bytes} bytes, over DynamoDB's ${maxBytes}`);
  }
  return item;
}

const typeNames: Record<string, string> = {
  ...keyTypes,
  BOOL: "a boolean",
  L: "a list",
  M: "an object",
};

function describeType(value: Item[string]): string {
  const [type = "M"] = Object.keys(value);
  return typeNames[type] ?? type;
}
