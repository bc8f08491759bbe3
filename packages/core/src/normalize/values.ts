import { RecordError } from "../base/errors.ts";
import { Decimal } from "../values/decimal.ts";
import { numberBytes, numberText } from "../values/dynamodb-number.ts";
import type { FieldValue, JsonValue, Members } from "../values/json.ts";

/** DynamoDB's limits. The embedded engine does not check every limit, so this file does. */
const limits = Object.freeze({
  itemBytes: 400 * 1024, // names and values
  nameBytes: 65_535, // of one attribute
  levels: 32, // an attribute of the item is level 1
});

/** A record as DynamoDB reads it in a request: `{"id":{"S":"7"},"price":{"N":"9.5"}}`. */
export interface ItemText {
  itemText: string;
  /** The same with the key attributes alone. */
  rowKeyText: string;
  /** The item's size as DynamoDB counts it. */
  bytes: number;
}

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
 * Writes a record as the text of its item, and checks and measures the item on the way. The key
 * attributes come first and replace members of the same names. Every record is written, so speed
 * matters. Throws a RecordError for a record that DynamoDB would refuse.
 */
export function writeItem(members: Members, key: Members = {}): ItemText {
  const conversion: Conversion = { bytes: 0, path: [] };
  const keyText = writeMembers(key, 1, conversion);
  const otherText = writeMembers(members, 1, conversion, key);
  const { bytes } = conversion;
  if (bytes > limits.itemBytes) {
    throw new RecordError({
      code: "record.too_large",
      message: `the item has ${bytes} bytes and DynamoDB takes ${limits.itemBytes}`,
      path: "",
    });
  }
  const comma = keyText === "" || otherText === "" ? "" : ",";
  return { itemText: `{${keyText}${comma}${otherText}}`, rowKeyText: `{${keyText}}`, bytes };
}

/** Writes the members of an object, apart from those that `replaced` has. */
function writeMembers(
  members: Members,
  level: number,
  conversion: Conversion,
  replaced?: Members,
): string {
  let text = "";
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value === undefined || (replaced && Object.hasOwn(replaced, name))) continue;
    if (text !== "") text += ",";
    text += writeName(name, level, conversion);
    conversion.path[level - 1] = name;
    text += writeValue(value, level, conversion);
  }
  return text;
}

/** A name with its quotes and its colon, and the size that DynamoDB counts for it. */
interface WrittenName {
  text: string;
  bytes: number;
}

/** Records have the same names again and again. Long names, which are rare, are not kept. */
const writtenNames = new Map<string, WrittenName>();

const mostNames = Object.freeze({ count: 4_096, length: 64 });

function writeName(name: string, level: number, conversion: Conversion): string {
  let written = writtenNames.get(name);
  if (!written) {
    written = { text: `${JSON.stringify(name)}:`, bytes: nameBytes(name, level, conversion) };
    if (name.length <= mostNames.length && writtenNames.size < mostNames.count) {
      writtenNames.set(name, written);
    }
  }
  conversion.bytes += written.bytes;
  return written.text;
}

function nameBytes(name: string, level: number, conversion: Conversion): number {
  const bytes = utf8Bytes(name);
  if (bytes > 0 && bytes <= limits.nameBytes) return bytes;
  const problem = bytes === 0 ? "is empty" : bytes < 0 ? "is not valid Unicode" : "is too long";
  throw refusal("record.name", `a field's name ${problem}`, level - 1, conversion);
}

function writeValue(value: FieldValue, level: number, conversion: Conversion): string {
  if (level > limits.levels) {
    const message = `it is nested more than ${limits.levels} levels deep`;
    throw refusal("record.depth", message, level, conversion);
  }
  if (typeof value === "string") {
    const bytes = utf8Bytes(value);
    if (bytes < 0) throw refusal("record.text", "a string is not valid Unicode", level, conversion);
    conversion.bytes += bytes;
    return `{"S":${JSON.stringify(value)}}`;
  }
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Decimal) {
    const text = numberText(value);
    if (text === undefined) throw refusal("record.number", NUMBER_REFUSED, level, conversion);
    conversion.bytes += numberBytes(text);
    return `{"N":"${text}"}`;
  }
  if (value === null || typeof value === "boolean") {
    conversion.bytes += 1;
    return value === null ? '{"NULL":true}' : `{"BOOL":${value}}`;
  }
  if (value instanceof Uint8Array) {
    conversion.bytes += value.length;
    return `{"B":"${Buffer.from(value).toString("base64")}"}`;
  }
  // DynamoDB counts three bytes for a list or a map, and one for each entry.
  conversion.bytes += 3;
  if (Array.isArray(value)) return `{"L":[${writeElements(value, level + 1, conversion)}]}`;
  conversion.bytes += countMembers(value);
  return `{"M":{${writeMembers(value, level + 1, conversion)}}}`;
}

function writeElements(list: readonly JsonValue[], level: number, conversion: Conversion): string {
  let text = "";
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ",";
    conversion.path[level - 1] = index;
    text += writeValue(list[index] as JsonValue, level, conversion);
  }
  conversion.bytes += list.length;
  return text;
}

function countMembers(members: Members): number {
  let count = 0;
  for (const name of Object.keys(members)) if (members[name] !== undefined) count += 1;
  return count;
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
