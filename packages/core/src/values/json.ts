import { Decimal } from "./decimal.ts";

/** Says whether a value has members: it is no list, no null and no exact number. */
export function isObject(value: JsonValue | undefined): value is JsonObject;
export function isObject(value: unknown): value is Record<string, unknown>;
export function isObject(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Decimal)
  );
}

/** A JSON value with every number exact. */
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

/** A JSON value in a record, or the bytes of a field that is declared as binary. */
export type FieldValue = JsonValue | Uint8Array;

/** The members of an object, or of a whole record. */
export type Members = Record<string, FieldValue>;
