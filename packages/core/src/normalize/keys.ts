import { hash as digest } from "node:crypto";
import { RecordError } from "../base/errors.ts";
import type { Path } from "../config/jsonpath.ts";
import type { KeyAttribute, KeyPlan, RowIdPlan } from "../config/plan-types.ts";
import type { Item } from "../flow.ts";
import { contentText } from "../values/content-text.ts";
import { Decimal } from "../values/decimal.ts";
import { canonical, numberText } from "../values/dynamodb-number.ts";
import type { JsonObject, JsonValue } from "../values/json.ts";
import { NUMBER, toItem, utf8Bytes } from "./values.ts";

/** DynamoDB's, for the value of a key. */
const maxBytes = Object.freeze({ hash: 2048, range: 1024 });

/** What the name of a row without a key of its own is made of, beside its record. */
export interface RowNaming {
  /** The values that the request names of its parent's record. */
  parent: JsonObject | null;
  /** The fields that the record got from the parent: they do not belong to its content. */
  added: readonly string[];
  /** Drawn when the read began, and kept until one has completed. */
  readId: string;
  /** Follows a path in a record. */
  find: (record: JsonValue, path: Path) => JsonValue | undefined;
}

interface Key {
  /** Equal when DynamoDB takes two keys for the same. */
  text: string;
  /** What stands in the item under the key's names, over the record's own members. */
  members: Record<string, Part>;
}

/** A text for S, a number for N, bytes for B. */
type Part = string | Decimal | Uint8Array;

/** The function that gives each record of a page its key, or throws a RecordError. */
export function keysOf(plan: KeyPlan, naming: RowNaming): (record: JsonObject) => Key {
  return plan.rowId ? rowIds(plan.hash, plan.rowId, naming) : (record) => keyOf(record, plan);
}

/** The same text as above, from the key attributes of an item as DynamoDB returns it. */
export function keyTextOf(item: Item, { hash, range }: KeyPlan): string {
  const text = ({ name }: KeyAttribute): string => {
    const { S, N, B } = item[name] ?? {};
    return S ?? (N === undefined ? Buffer.from(B ?? []).toString("base64") : String(canonical(N)));
  };
  return range ? JSON.stringify([text(hash), text(range)]) : text(hash);
}

/** What DynamoDB finds a record's row by. Throws a RecordError, too. */
export function rowKey(record: JsonObject, plan: KeyPlan): { text: string; item: Item } {
  const { text, members } = keyOf(record, plan);
  return { text, item: toItem(members).item };
}

function keyOf(record: JsonObject, { fields, hash, range }: KeyPlan): Key {
  const value = keyPart(record, hash, maxBytes.hash);
  if (!range) return { text: textOf(value), members: { [hash.name]: value } };

  const joined = fields.length > 2;
  const rest = joined ? join(record, fields, range) : keyPart(record, range, maxBytes.range);
  return {
    text: JSON.stringify([textOf(value), textOf(rest)]),
    members: { [hash.name]: value, [range.name]: rest },
  };
}

// Joined with a plain separator, ["a-b", "c"] and ["a", "b-c"] would be one key.
function join(record: JsonObject, fields: string[], range: KeyAttribute): string {
  refuseOwn(record, range.name);
  const texts = fields.slice(1).map((name) => keyPart(record, { name, type: "S" }, Infinity));
  const text = JSON.stringify(texts);
  refuseLong(utf8Bytes(text), maxBytes.range, fields.slice(1).join(", "));
  return text;
}

/**
 * The same record makes the same id, whichever read it comes from. Equal records of a page are told
 * apart by their count; on different pages they are one row.
 */
function rowIds(
  { name }: KeyAttribute,
  plan: RowIdPlan,
  { parent, added, readId, find }: RowNaming,
): (record: JsonObject) => Key {
  const left = new Set(added);
  const occurrences = new Map<string, number>();
  const isPerRead = /* planted: names-of-replaced-rows */ plan.kind === "content" && plan.isPerRead;
  return (record) => {
    refuseOwn(record, name);
    let parts: JsonValue[];
    if (plan.kind === "version") {
      const key = plan.fields.map((field) => keyPart(record, { name: field, type: "S" }, Infinity));
      // planted: names-of-versions
      parts = [parent, key.map(textOf), find(record, plan.cursor) ?? null];
    } else {
      const content = digest("sha256", contentText(record, left), "base64url");
      const occurrence = occurrences.get(content) ?? 0;
      occurrences.set(content, occurrence + 1);
      parts = [parent, content, occurrence, ...(isPerRead ? [readId] : [])];
    }
    const id = digest("sha256", contentText(parts), "base64url");
    return { text: id, members: { [name]: id } };
  };
}

function keyPart(record: JsonObject, { name, type }: KeyAttribute, max: number): Part {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  if (value === undefined) throw refused("key_missing", name, "is missing");
  if (value === null) throw refused("key_missing", name, "is null");
  if (value === "") throw refused("key_empty", name, "is empty");
  const part = parts[type](value, name);
  if (typeof part === "string") refuseLong(utf8Bytes(part), max, name);
  if (part instanceof Uint8Array) refuseLong(part.length, max, name);
  return part;
}

const parts: Record<KeyAttribute["type"], (value: JsonValue, name: string) => Part> = {
  S(value, name) {
    if (typeof value === "string") return value;
    if (!isNumber(value)) throw refused("key_type", name, `is ${kindOf(value)}`);
    return inRange(numberText(value), name);
  },
  N(value, name) {
    if (isNumber(value)) return new Decimal(inRange(numberText(value), name));
    if (typeof value !== "string") throw refused("key_type", name, `is ${kindOf(value)}`);
    const text = canonical(value);
    if (text === undefined)
      throw refused("key_type", name, "is text that DynamoDB can not hold as a number");
    return new Decimal(text);
  },
  B(value, name) {
    const isBase64 =
      typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
    if (!isBase64) throw refused("key_type", name, "is not base64 text");
    return Buffer.from(value, "base64");
  },
};

const isNumber = (value: JsonValue): value is number | bigint | Decimal =>
  typeof value === "number" || typeof value === "bigint" || value instanceof Decimal;

const kindOf = (value: JsonValue) =>
  Array.isArray(value) ? "a list" : typeof value === "boolean" ? "a boolean" : "an object";

const textOf = (part: Part) =>
  part instanceof Uint8Array ? Buffer.from(part).toString("base64") : String(part);

function inRange(text: string | undefined, path: string): string {
  if (text !== undefined) return text;
  throw new RecordError({ code: "record.number", message: NUMBER, path });
}

function refuseLong(bytes: number, max: number, name: string): void {
  if (bytes <= max) return;
  const message = `has ${bytes} bytes and DynamoDB takes ${max}`;
  throw refused("key_too_long", name, message);
}

// Overwriting a field that the API sent would lose it.
function refuseOwn(record: JsonObject, name: string): void {
  if (!Object.hasOwn(record, name)) return;
  throw new RecordError({
    code: "record.key_reserved",
    message: `the record has a field "${name}" of its own, the name of the key that is made`,
    path: name,
  });
}

function refused(code: string, field: string, what: string): RecordError {
  return new RecordError({
    code: `record.${code}`,
    message: `the key field "${field}" ${what}`,
    path: field,
  });
}
