import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { RecordError } from "../base/errors.ts";
import type { Item } from "../flow.ts";
import { Decimal } from "../values/decimal.ts";
import { numberBytes, numberText } from "../values/dynamodb-number.ts";
import type { JsonValue } from "../values/json.ts";

/** DynamoDB's, checked here because the embedded engine does not know them all. */
const limits = Object.freeze({
  itemBytes: 400 * 1024, // names and values
  nameBytes: 65_535, // of one attribute
  levels: 32, // an attribute of the item is level 1
});

/** What a record holds, and the bytes of a binary key. */
type RecordValue = JsonValue | Uint8Array;

/** How far the conversion has come: where it is, and what DynamoDB will count so far. */
interface Walk {
  bytes: number;
  /** The names and positions that lead to the value; its first `level` entries are valid. */
  path: (string | number)[];
}

/**
 * A record as DynamoDB's attribute values, converted, checked and measured in one pass: this is
 * done for every record, and costs a quarter of the SDK's own converter, which also drops a member
 * named `__proto__`. Throws a RecordError for what DynamoDB would not take.
 */
export function toItem(record: Record<string, RecordValue>): { item: Item; bytes: number } {
  const walk: Walk = { bytes: 0, path: [] };
  const item = toMap(record, 1, walk);
  if (walk.bytes <= limits.itemBytes) return { item, bytes: walk.bytes };
  throw new RecordError({
    code: "record.too_large",
    message: `the item has ${walk.bytes} bytes and DynamoDB takes ${limits.itemBytes}`,
    path: "",
  });
}

function toMap(members: Record<string, RecordValue>, level: number, walk: Walk): Item {
  const map: Item = {};
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value === undefined) continue;
    walk.bytes += nameBytes(name, level, walk);
    walk.path[level - 1] = name;
    const attribute = toAttribute(value, level, walk);
    if (name === "__proto__") own(map, name, attribute);
    else map[name] = attribute;
  }
  return map;
}

// An assignment to `__proto__` would set the prototype.
function own(map: Item, name: string, value: AttributeValue): void {
  Object.defineProperty(map, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function nameBytes(name: string, level: number, walk: Walk): number {
  const bytes = utf8Bytes(name);
  if (bytes > 0 && bytes <= limits.nameBytes) return bytes;
  const what = bytes === 0 ? "is empty" : bytes < 0 ? "is not valid Unicode" : "is too long";
  throw refused("record.name", `a field's name ${what}`, level - 1, walk);
}

function toAttribute(value: RecordValue, level: number, walk: Walk): AttributeValue {
  if (level > limits.levels) {
    const message = `it is nested more than ${limits.levels} levels deep`;
    throw refused("record.depth", message, level, walk);
  }
  if (typeof value === "string") {
    const bytes = utf8Bytes(value);
    if (bytes < 0) throw refused("record.text", "a text is not valid Unicode", level, walk);
    walk.bytes += bytes;
    return { S: value };
  }
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Decimal) {
    const text = numberText(value);
    if (text === undefined) throw refused("record.number", NUMBER, level, walk);
    walk.bytes += numberBytes(text);
    return { N: text };
  }
  if (value === null || typeof value === "boolean") {
    walk.bytes += 1;
    return value === null ? { NULL: true } : { BOOL: value };
  }
  if (value instanceof Uint8Array) {
    walk.bytes += value.length;
    return { B: value };
  }
  // DynamoDB counts three bytes for a list or a map, and one for each entry.
  if (Array.isArray(value)) {
    walk.bytes += 3 + value.length;
    return { L: value.map((element, n) => toElement(element, n, level + 1, walk)) };
  }
  const map = toMap(value, level + 1, walk);
  walk.bytes += 3 + Object.keys(map).length;
  return { M: map };
}

function toElement(value: JsonValue, n: number, level: number, walk: Walk): AttributeValue {
  walk.path[level - 1] = n;
  return toAttribute(value, level, walk);
}

/** Says what DynamoDB's numbers hold, of one that they do not. */
export const NUMBER =
  "a number does not fit: DynamoDB holds 38 digits and magnitudes from 1e-130 to 9.9e125";

function refused(code: string, message: string, level: number, walk: Walk): RecordError {
  const path = walk.path
    .slice(0, level)
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("");
  return new RecordError({ code, message, path: path.replace(/^\./, "") });
}

/** Bytes of a text in UTF-8, or -1 when half of a surrogate pair is missing. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else {
      const next = text.charCodeAt(i + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      bytes += 2;
      i++;
    }
  }
  return bytes;
}
