import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import {
  type JsonObject,
  type KeyAttribute,
  type KeyPlan,
  ReadError,
  RecordError,
  rowKey,
} from "@tidetable/core";
import type { Place } from "./place.ts";

/** What DynamoDB finds a row by, made of the record's own fields as a run makes it. */
export function keyOf(given: object, { about, plan: { key } }: Place) {
  const fields = key.fields.length > 0 ? key.fields : [key.hash.name];
  return made(given, { ...key, fields }, about);
}

/** The value of one attribute of a key. */
export function partOf(given: unknown, part: KeyAttribute, { about }: Place): AttributeValue {
  const alone = { fields: [part.name], rowId: undefined, hash: part, range: undefined };
  return made({ [part.name]: given }, alone, about).item[part.name] as AttributeValue;
}

function made(given: object, key: KeyPlan, about: string) {
  // A whole row may be given, which has more.
  const fields = Object.entries(given).filter(([name]) => key.fields.includes(name));
  try {
    return rowKey(Object.fromEntries(fields.map(asSent)) as JsonObject, key);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new ReadError({
      code: "read.key",
      message: `${about}: ${error.message}`,
      hint: `give { ${key.fields.join(", ")} }`,
      cause: error,
    });
  }
}

/** An API sends bytes as base64. */
const asSent = ([name, value]: [string, unknown]) => [
  name,
  value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
];
