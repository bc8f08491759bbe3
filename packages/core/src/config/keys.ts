import type { DataType, KeyAttribute, KeyPlan } from "./plan-types.ts";
import type { ColumnConfig } from "./types.ts";

// DynamoDB has three key types; whatever else is declared is written as text.
const keyTypes: Partial<Record<DataType, KeyAttribute["type"]>> = {
  text: "S",
  bigint: "N",
  decimal: "N",
  double: "N",
  binary: "B",
};

/** One field is the hash key, a second one the range key; from three on `_key` joins the rest. */
export function planKey(fields: string[], columns: Record<string, ColumnConfig>): KeyPlan {
  const [first, second, ...more] = fields;
  if (first === undefined) {
    return { fields, hash: { name: "_row_id", type: "S" }, range: undefined };
  }
  const attribute = (name: string): KeyAttribute => {
    const type = columns[name]?.data_type;
    return { name, type: (type && keyTypes[type]) ?? "S" };
  };
  const range = second === undefined ? undefined : attribute(second);
  const joined: KeyAttribute = { name: "_key", type: "S" };
  return { fields, hash: attribute(first), range: more.length > 0 ? joined : range };
}
