import { RecordError } from "../base/errors.ts";
import type { IndexPlan, KeyAttribute } from "../config/plan-types.ts";
import type { Item } from "../flow.ts";
import { utf8Bytes } from "./values.ts";

const maxBytes = Object.freeze({ hash: 2048, range: 1024 });

const words = { S: "text", N: "a number", B: "binary" } as const;

/**
 * The item as its table's indexes can take it. A null in an index key would make DynamoDB refuse the
 * row: left out, the row is in the table and merely not in the index. Anything else that an index
 * can not hold throws a RecordError, for the table would have to hold something else than the API.
 */
export function fitIndexes(item: Item, indexes: readonly IndexPlan[]): Item {
  let fitted = item;
  for (const { name, hash, range } of indexes) {
    fitted = fit(fitted, hash, maxBytes.hash, name);
    if (range) fitted = fit(fitted, range, maxBytes.range, name);
  }
  return fitted;
}

function fit(item: Item, { name: field, type }: KeyAttribute, max: number, index: string): Item {
  const value = item[field];
  if (value === undefined) return item;
  if (value.NULL) {
    const { [field]: _, ...rest } = item;
    return rest;
  }
  const text = value[type];
  const is = (what: string) =>
    new RecordError({
      code: "record.index_key",
      message: `the field "${field}" ${what}, and the index ${index} takes ${words[type]}`,
      path: field,
    });
  if (text === undefined) throw is(`is ${wordOf(value)}`);
  const bytes = typeof text === "string" ? utf8Bytes(text) : text.length;
  if (bytes === 0) throw is("is empty");
  if (type !== "N" && bytes > max) throw is(`has ${bytes} bytes, over DynamoDB's ${max}`);
  return item;
}

function wordOf(value: Item[string]): string {
  const [type = ""] = Object.keys(value);
  return (
    (words as Record<string, string>)[type] ??
    { BOOL: "a boolean", L: "a list" }[type] ??
    "an object"
  );
}
