import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { compareNumbers, type Item } from "@tidetable/core/internal";
import type { KeyAttribute, KeyPlan } from "@tidetable/core/plan";

/**
 * An item as JSON. The key's members come first, the remaining members in the order of names: the
 * text does not depend on the engine.
 */
export function itemJson(item: Item, { hash, range }: KeyPlan): string {
  const keyNames = [hash.name, ...(range ? [range.name] : [])];
  const otherNames = Object.keys(item).filter((name) => !keyNames.includes(name));
  return objectJson(item, [...keyNames, ...otherNames.sort()]);
}

const objectJson = (members: Item, names: string[]): string =>
  `{${names.flatMap((name) => {
    const value = members[name];
    return value ? [`${JSON.stringify(name)}:${valueJson(value)}`] : [];
  })}}`;

/** Numbers keep DynamoDB's digits, because a double would lose digits. */
function valueJson(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return value.N;
  if (value.BOOL !== undefined) return String(value.BOOL);
  if (value.M !== undefined) return objectJson(value.M, Object.keys(value.M).sort());
  if (value.L !== undefined) return `[${value.L.map(valueJson)}]`;
  if (value.B !== undefined) return JSON.stringify(toBase64(value.B));
  if (value.NS !== undefined) return `[${value.NS}]`;
  if (value.SS !== undefined) return JSON.stringify(value.SS);
  if (value.BS !== undefined) return JSON.stringify(value.BS.map(toBase64));
  return "null";
}

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Sorts items by hash key and range key, in DynamoDB's order of the key's types. */
export function compareByKey({ hash, range }: KeyPlan): (left: Item, right: Item) => number {
  const keys = range ? [hash, range] : [hash];
  return (left, right) => {
    for (const { name, type } of keys) {
      const order = compareValues(left[name], right[name], type);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Numbers compare by value, strings and binaries by their bytes. */
function compareValues(
  left: AttributeValue | undefined,
  right: AttributeValue | undefined,
  type: KeyAttribute["type"],
): number {
  if (type === "N") return compareNumbers(left?.N ?? "0", right?.N ?? "0");
  const bytesOf = (value: AttributeValue | undefined) => Buffer.from(value?.B ?? value?.S ?? "");
  return Buffer.compare(bytesOf(left), bytesOf(right));
}
