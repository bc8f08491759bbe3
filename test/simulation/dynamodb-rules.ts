import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { TableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { invalid } from "./dynamodb-errors.ts";
import type { Item } from "./expressions.ts";

/* What AWS refuses. Engines on a laptop are laxer, so this list is the strict one. */

const limits = Object.freeze({
  itemBytes: 400 * 1024,
  hashBytes: 2048,
  rangeBytes: 1024,
  depth: 32,
  digits: 38,
  nameBytes: 65_535,
});

/** A copy of an item that keeps all the rules of a table; throws a ValidationException otherwise. */
export function accepted(item: Item, table: TableDefinition): Item {
  checkKey(item, table);
  const measure = { bytes: 0 };
  const copy = copyMap(item, measure, 0);
  if (measure.bytes > limits.itemBytes) throw invalid("Item size has exceeded 400 KB");
  return copy;
}

/** The key of an item as one text, equal for equal keys. */
export function keyOf(item: Item, { KeySchema }: TableDefinition): string {
  return KeySchema.map(({ AttributeName }) => {
    const value = item[AttributeName ?? ""];
    return value?.S ?? value?.N ?? Buffer.from(value?.B ?? []).toString("base64");
  }).join("\u0000");
}

export function checkKey(item: Item, { KeySchema, AttributeDefinitions }: TableDefinition): void {
  for (const { AttributeName: name = "", KeyType } of KeySchema) {
    const type = AttributeDefinitions.find((one) => one.AttributeName === name)?.AttributeType;
    const value = item[name];
    if (value === undefined) throw invalid(`missing the key ${name}`);
    const [is, content] = Object.entries(value)[0] ?? [];
    if (is !== type) throw invalid(`the key ${name} is of type ${is}, not ${type}`);
    const bytes = Buffer.byteLength(content);
    const limit = KeyType === "HASH" ? limits.hashBytes : limits.rangeBytes;
    if (bytes === 0 || bytes > limit) throw invalid(`the key ${name} has ${bytes} bytes`);
  }
}

/** A GetItem's or DeleteItem's key: the key and nothing else. */
export function checkKeyOnly(key: Item, table: TableDefinition): void {
  checkKey(key, table);
  if (Object.keys(key).length !== table.KeySchema.length) throw invalid("not the table's key");
}

interface Measure {
  bytes: number;
}

function copyMap(map: Item, measure: Measure, depth: number): Item {
  const copy: Item = {};
  for (const [name, value] of Object.entries(map)) {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > limits.nameBytes) throw invalid("an attribute name's length");
    measure.bytes += bytes;
    copy[name] = copyValue(value, measure, depth);
  }
  return copy;
}

function copyValue(value: AttributeValue, measure: Measure, depth: number): AttributeValue {
  if (depth > limits.depth) throw invalid("Nesting Levels have exceeded supported limits");
  if (value.S !== undefined) {
    if (/\p{Surrogate}/u.test(value.S)) throw invalid("a string that is not Unicode");
    measure.bytes += Buffer.byteLength(value.S);
    return { S: value.S };
  }
  if (value.N !== undefined) {
    measure.bytes += 21;
    return { N: number(value.N) };
  }
  measure.bytes += 1;
  if (value.L !== undefined) {
    return { L: value.L.map((one) => copyValue(one, measure, depth + 1)) };
  }
  if (value.M !== undefined) return { M: copyMap(value.M, measure, depth + 1) };
  if (value.BOOL !== undefined) return { BOOL: value.BOOL };
  if (value.NULL !== undefined) return { NULL: true };
  if (value.B !== undefined) {
    measure.bytes += value.B.length;
    return { B: value.B };
  }
  throw invalid("an attribute value of no known type");
}

/** As it comes back: no exponent where there was none, no zeros that say nothing. */
function number(text: string): string {
  const match = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) throw invalid("not a number");
  const digits = `${match[1]}${match[2] ?? ""}`.replace(/^0+/, "").replace(/0+$/, "");
  if (digits.length > limits.digits) throw invalid("more than 38 significant digits");
  const size = Math.abs(Number(text));
  if (size !== 0 && (size < 1e-130 || size >= 1e126)) throw invalid("a number out of range");
  return text;
}
