import { hash as digest } from "node:crypto";
import { RecordError } from "../base/errors.ts";
import type { JsonPath } from "../config/jsonpath.ts";
import type { KeyAttribute, KeyPlan, RowIdPlan } from "../config/plan-types.ts";
import type { Item } from "../flow.ts";
import { contentText } from "../values/content-text.ts";
import { Decimal } from "../values/decimal.ts";
import { canonicalNumber, numberText } from "../values/dynamodb-number.ts";
import type { JsonObject, JsonValue } from "../values/json.ts";
import { attributesOf } from "../values/wire-text.ts";
import { NUMBER_REFUSED, utf8Bytes, writeItem } from "./values.ts";

/** DynamoDB's limits for the value of a key attribute, in bytes. */
export const keyLimits = Object.freeze({ hash: 2048, range: 1024 });

/** What the name of a row without a key of its own is made of, beside its record. */
export interface RowNaming {
  /** The values that the request names of its parent's record. */
  parent: JsonObject | null;
  /** The fields that the record got from the parent: they do not belong to its content. */
  added: readonly string[];
  /** Drawn when the read began, and kept until one has completed. */
  readId: string;
  /** Follows a path in a record. */
  findValue: (record: JsonValue, path: JsonPath) => JsonValue | undefined;
}

export interface Key {
  /** Equal for two keys that DynamoDB takes for the same. */
  text: string;
  /** The key attributes, which replace the record's members of the same names in the item. */
  members: Record<string, KeyValue>;
}

/** A string for type S, a number for N, bytes for B. */
type KeyValue = string | Decimal | Uint8Array;

/** Returns the function that gives each record of a page its key, or throws a RecordError. */
export function keyMaker(plan: KeyPlan, naming: RowNaming): (record: JsonObject) => Key {
  const { rowId, hash } = plan;
  return rowId ? rowIdMaker(hash, rowId, naming) : (record) => keyOfRecord(record, plan);
}

/** Returns the text of a key as above, from an item as DynamoDB returns it. */
export function keyTextOf(item: Item, { hash, range }: KeyPlan): string {
  const attributeText = ({ name }: KeyAttribute): string => {
    const { S, N, B } = item[name] ?? {};
    return (
      S ?? (N === undefined ? Buffer.from(B ?? []).toString("base64") : String(canonicalNumber(N)))
    );
  };
  return range ? JSON.stringify([attributeText(hash), attributeText(range)]) : attributeText(hash);
}

/** Returns the key under which DynamoDB has the record's row. Throws a RecordError, too. */
export function rowKey(record: JsonObject, plan: KeyPlan): { text: string; item: Item } {
  const { text, members } = keyOfRecord(record, plan);
  return { text, item: attributesOf(writeItem(members).itemText) };
}

function keyOfRecord(record: JsonObject, { fields, hash, range }: KeyPlan): Key {
  const hashValue = readKeyValue(record, hash, keyLimits.hash);
  if (!range) return { text: valueText(hashValue), members: { [hash.name]: hashValue } };

  const isJoined = fields.length > 2;
  const rangeValue = isJoined
    ? joinRangeKey(record, fields.slice(1), range)
    : readKeyValue(record, range, keyLimits.range);
  return {
    text: JSON.stringify([valueText(hashValue), valueText(rangeValue)]),
    members: { [hash.name]: hashValue, [range.name]: rangeValue },
  };
}

// A plain separator would make one key of ["a-b", "c"] and ["a", "b-c"].
function joinRangeKey(record: JsonObject, fields: string[], range: KeyAttribute): string {
  refuseReservedName(record, range.name);
  const values = fields.map((name) => readKeyValue(record, { name, type: "S" }, Infinity));
  const text = JSON.stringify(values);
  refuseTooLong(utf8Bytes(text), keyLimits.range, fields.join(", "));
  return text;
}

/**
 * Returns the function that makes a `_row_id` for each record of a page. The same record makes the
 * same id, whichever read it comes from. Equal records of a page are told apart by their count; on
 * different pages they are one row.
 */
function rowIdMaker(
  { name }: KeyAttribute,
  plan: RowIdPlan,
  naming: RowNaming,
): (record: JsonObject) => Key {
  const partsOf = plan.kind === "version" ? versionParts(plan, naming) : contentParts(plan, naming);
  return (record) => {
    refuseReservedName(record, name);
    const id = digest("sha256", contentText([naming.parent, ...partsOf(record)]), "base64url");
    return { text: id, members: { [name]: id } };
  };
}

const versionParts =
  ({ fields, cursor }: Extract<RowIdPlan, { kind: "version" }>, { findValue }: RowNaming) =>
  (record: JsonObject): JsonValue[] => {
    const key = fields.map((field) => readKeyValue(record, { name: field, type: "S" }, Infinity));
    // planted: names-of-versions
    return [key.map(valueText), findValue(record, cursor) ?? null];
  };

function contentParts(
  { isPerRead }: Extract<RowIdPlan, { kind: "content" }>,
  { added, readId }: RowNaming,
): (record: JsonObject) => JsonValue[] {
  const fieldsOfParent = new Set(added);
  const occurrences = new Map<string, number>();
  return (record) => {
    const content = digest("sha256", contentText(record, fieldsOfParent), "base64url");
    const occurrence = occurrences.get(content) ?? 0;
    occurrences.set(content, occurrence + 1);
    return [
      content,
      occurrence,
      .../* planted: names-of-replaced-rows */ (isPerRead ? [readId] : []),
    ];
  };
}

function readKeyValue(
  record: JsonObject,
  { name, type }: KeyAttribute,
  maxBytes: number,
): KeyValue {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  if (value === undefined) throw keyError("key_missing", name, "is missing");
  if (value === null) throw keyError("key_missing", name, "is null");
  if (value === "") throw keyError("key_empty", name, "is empty");
  const keyValue = toKeyValue[type](value, name);
  if (typeof keyValue === "string") refuseTooLong(utf8Bytes(keyValue), maxBytes, name);
  if (keyValue instanceof Uint8Array) refuseTooLong(keyValue.length, maxBytes, name);
  return keyValue;
}

const toKeyValue: Record<KeyAttribute["type"], (value: JsonValue, name: string) => KeyValue> = {
  S(value, name) {
    if (typeof value === "string") return value;
    if (!isNumber(value)) throw keyError("key_type", name, `is ${describeType(value)}`);
    return keyNumberText(value, name);
  },
  N(value, name) {
    if (isNumber(value)) return new Decimal(keyNumberText(value, name));
    if (typeof value !== "string") throw keyError("key_type", name, `is ${describeType(value)}`);
    const text = canonicalNumber(value);
    if (text !== undefined) return new Decimal(text);
    throw keyError("key_type", name, "is a string that DynamoDB cannot hold as a number");
  },
  B(value, name) {
    const isBase64 =
      typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
    if (!isBase64) throw keyError("key_type", name, "is not a base64 string");
    return Buffer.from(value, "base64");
  },
};

type JsonNumber = number | bigint | Decimal;

const isNumber = (value: JsonValue): value is JsonNumber =>
  typeof value === "number" || typeof value === "bigint" || value instanceof Decimal;

const describeType = (value: JsonValue) =>
  Array.isArray(value) ? "a list" : typeof value === "boolean" ? "a boolean" : "an object";

const valueText = (value: KeyValue) =>
  value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value);

function keyNumberText(value: JsonNumber, path: string): string {
  const text = numberText(value);
  if (text !== undefined) return text;
  throw new RecordError({ code: "record.number", message: NUMBER_REFUSED, path });
}

function refuseTooLong(bytes: number, maxBytes: number, name: string): void {
  if (bytes <= maxBytes) return;
  throw keyError("key_too_long", name, `has ${bytes} bytes and DynamoDB takes ${maxBytes}`);
}

/** The table's key attribute would overwrite a field of the same name that the API sent. */
function refuseReservedName(record: JsonObject, name: string): void {
  if (!Object.hasOwn(record, name)) return;
  throw new RecordError({
    code: "record.key_reserved",
    message: `the record has a field "${name}", and the table needs that name for its key`,
    path: name,
  });
}

function keyError(code: string, field: string, problem: string): RecordError {
  return new RecordError({
    code: `record.${code}`,
    message: `the key field "${field}" ${problem}`,
    path: field,
  });
}
