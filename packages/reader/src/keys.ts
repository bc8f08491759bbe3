import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { JsonObject } from "@tidetable/core";
import { ReadError, RecordError } from "@tidetable/core/internal/config";
import { rowKey } from "@tidetable/core/internal/tables";
import type { KeyAttribute, KeyPlan } from "@tidetable/core/plan";
import type { TableAccess } from "./table-access.ts";

/** Makes DynamoDB's key of a row from the record's own fields, exactly as a run makes it. */
export function tableKey(fields: object, { label, plan: { key } }: TableAccess) {
  const keyFields = key.fields.length > 0 ? key.fields : [key.hash.name];
  return makeKey(fields, { ...key, fields: keyFields }, label);
}

/** Makes the value of one key attribute. */
export function keyAttribute(
  value: unknown,
  attribute: KeyAttribute,
  { label }: TableAccess,
): AttributeValue {
  const { name } = attribute;
  const singleKey = { fields: [name], rowId: undefined, hash: attribute, range: undefined };
  return makeKey({ [name]: value }, singleKey, label).item[name] as AttributeValue;
}

function makeKey(fields: object, key: KeyPlan, label: string) {
  // The caller may pass a whole row, which has more fields than the key.
  const keyFields = Object.entries(fields).filter(([name]) => key.fields.includes(name));
  try {
    return rowKey(Object.fromEntries(keyFields.map(toApiValue)) as JsonObject, key);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new ReadError({
      code: "read.key",
      message: `${label}: ${error.message}`,
      hint: `give { ${key.fields.join(", ")} }`,
      cause: error,
    });
  }
}

/** An API sends bytes as base64, and the key is made from what an API sends. */
const toApiValue = ([name, value]: [string, unknown]) => [
  name,
  value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
];
