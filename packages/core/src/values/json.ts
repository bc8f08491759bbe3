import { Decimal } from "./decimal.ts";

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Decimal)
  );
}

/*
 * What moves between the rooms, in the order in which it moves:
 * PageRequest → Page(records) → Item[] → Batch → Counts → ResourceReport.
 */

/** JSON as tidetable reads it: every number exact. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | Decimal
  | string
  | JsonValue[]
  | { [member: string]: JsonValue };

export type JsonObject = { [member: string]: JsonValue };

/** A value of a record, and the bytes that a declared binary field becomes. */
export type FieldValue = JsonValue | Uint8Array;

/** An object, or a whole record. */
export type Members = Record<string, FieldValue>;
