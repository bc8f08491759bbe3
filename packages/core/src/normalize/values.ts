import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { RecordError } from "../base/errors.ts";
import type { Item } from "../flow.ts";
import { Decimal } from "../values/decimal.ts";
import { numberBytes, numberText } from "../values/dynamodb-number.ts";
import type { JsonValue } from "../values/json.ts";

/** DynamoDB's limits. The embedded engine does not check every limit, so this file does. */
const limits = Object.freeze({
  itemBytes: 400 * 1024, // names and values
  nameBytes: 65_535, // of one attribute
  levels: 32, // an attribute of the item is level 1
});

/** A JSON value, or the bytes of a binary key. */
type RecordValue = JsonValue | Uint8Array;

/** The state of a conversion, shared by all levels of the record. */
interface Conversion {
  /** The item's size so far, as DynamoDB counts it. */
  bytes: number;
  /**
   * The names and positions that lead to the current value. The first `level` entries are valid.
   */
  path: (string | number)[];
}

/**
 * Converts a record to DynamoDB's attribute values, and checks and measures the item on the way.
 * Every record is converted, so speed matters: the SDK's own converter takes four times as long,
 * and drops a member named `__proto__`. Throws a RecordError for a record that DynamoDB would
 * refuse.
 */
export function toItem(record: Record<string, RecordValue>): { item: Item; bytes: number } {
  const conversion: Conversion = { bytes: 0, path: [] };
  const item = toMap(record, 1, conversion);
  const { bytes } = conversion;
  if (bytes <= limits.itemBytes) return { item, bytes };
  throw new RecordError({
    code: "record.too_large",
    message: `the item has ${bytes} bytes and DynamoDB takes ${limits.itemBytes}`,
    path: "",
  });
}

function toMap(members: Record<string, RecordValue>, level: number, conversion: Conversion): Item {
  const map: Item = {};
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value === undefined) continue;
    conversion.bytes += nameBytes(name, level, conversion);
    conversion.path[level - 1] = name;
    const attribute = toAttribute(value, level, conversion);
    if (name === "__proto__") defineMember(map, name, attribute);
    else map[name] = attribute;
  }
  return map;
}

// An assignment to `__proto__` would set the prototype.
function defineMember(map: Item, name: string, value: AttributeValue): void {
  Object.defineProperty(map, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function nameBytes(name: string, level: number, conversion: Conversion): number {
  const bytes = utf8Bytes(name);
  if (bytes > 0 && bytes <= limits.nameBytes) return bytes;
  const problem = bytes === 0 ? "is empty" : bytes < 0 ? "is not valid Unicode" : "is too long";
  throw refusal("record.name", `a field's name ${problem}`, level - 1, conversion);
}

function toAttribute(value: RecordValue, level: number, conversion: Conversion): AttributeValue {
  if (level > limits.levels) {
    const message = `it is nested more than ${limits.levels} levels deep`;
    throw refusal("record.depth", message, level, conversion);
  }
  if (typeof value === "string") {
    const bytes = utf8Bytes(value);
    if (bytes < 0) throw refusal("record.text", "a string is not valid Unicode", level, conversion);
    conversion.bytes += bytes;
    return { S: value };
  }
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Decimal) {
    const text = numberText(value);
    if (text === undefined) throw refusal("record.number", NUMBER_REFUSED, level, conversion);
    conversion.bytes += numberBytes(text);
    return { N: text };
  }
  if (value === null || typeof value === "boolean") {
    conversion.bytes += 1;
    return value === null ? { NULL: true } : { BOOL: value };
  }
  if (value instanceof Uint8Array) {
    conversion.bytes += value.length;
    return { B: value };
  }
  // DynamoDB counts three bytes for a list or a map, and one for each entry.
  if (Array.isArray(value)) {
    conversion.bytes += 3 + value.length;
    return {
      L: value.map((element, index) => toElement(element, index, level + 1, conversion)),
    };
  }
  const map = toMap(value, level + 1, conversion);
  conversion.bytes += 3 + Object.keys(map).length;
  return { M: map };
}

function toElement(
  value: JsonValue,
  index: number,
  level: number,
  conversion: Conversion,
): AttributeValue {
  conversion.path[level - 1] = index;
  return toAttribute(value, level, conversion);
}

export const NUMBER_REFUSED =
  "a number does not fit: DynamoDB holds 38 digits and magnitudes from 1e-130 to 9.9e125";

function refusal(code: string, message: string, level: number, { path }: Conversion): RecordError {
  const pathText = path
    .slice(0, level)
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("");
  return new RecordError({ code, message, path: pathText.replace(/^\./, "") });
}

/** Counts the bytes of a string in UTF-8. Returns -1 when half of a surrogate pair is missing. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else {
      const nextUnit = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(nextUnit >= 0xdc00 && nextUnit <= 0xdfff)) return -1;
      bytes += 2;
      index++;
    }
  }
  return bytes;
}
