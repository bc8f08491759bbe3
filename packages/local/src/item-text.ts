import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item, KeyAttribute, KeyPlan } from "@tidetable/core";

/*
 * Items for people and scripts: one JSON text each, and the order in which a key sorts.
 */

/** Members in the order of their names, the key's before all others: the same text on any engine. */
export function itemJson(item: Item, { hash, range }: KeyPlan): string {
  const key = [hash.name, ...(range ? [range.name] : [])];
  const rest = Object.keys(item).filter((name) => !key.includes(name));
  return objectJson(item, [...key, ...rest.sort()]);
}

const objectJson = (members: Item, names: string[]): string =>
  `{${names.flatMap((name) => {
    const value = members[name];
    return value ? [`${JSON.stringify(name)}:${valueJson(value)}`] : [];
  })}}`;

/** A number is written as its text: a double would lose digits. Binary is base64. */
function valueJson(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return value.N;
  if (value.BOOL !== undefined) return String(value.BOOL);
  if (value.M !== undefined) return objectJson(value.M, Object.keys(value.M).sort());
  if (value.L !== undefined) return `[${value.L.map(valueJson)}]`;
  if (value.B !== undefined) return JSON.stringify(base64(value.B));
  if (value.NS !== undefined) return `[${value.NS}]`;
  if (value.SS !== undefined) return JSON.stringify(value.SS);
  if (value.BS !== undefined) return JSON.stringify(value.BS.map(base64));
  return "null";
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Hash, then range; numbers by value, text and binary by bytes, as DynamoDB sorts a range. */
export function byKey({ hash, range }: KeyPlan): (a: Item, b: Item) => number {
  const keys = range ? [hash, range] : [hash];
  return (a, b) => {
    for (const key of keys) {
      const order = compare(a[key.name], b[key.name], key.type);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compare(
  a: AttributeValue | undefined,
  b: AttributeValue | undefined,
  type: KeyAttribute["type"],
): number {
  if (type === "N") return compareNumbers(a?.N ?? "0", b?.N ?? "0");
  const bytes = (value: AttributeValue | undefined) => Buffer.from(value?.B ?? value?.S ?? "");
  return Buffer.compare(bytes(a), bytes(b));
}

/** Of decimal texts, exact to the last of 38 digits. */
export function compareNumbers(a: string, b: string): number {
  const [x, y] = [scientific(a), scientific(b)];
  if (x.sign !== y.sign) return x.sign - y.sign;
  const size = x.exponent - y.exponent || (x.digits < y.digits ? -1 : Number(x.digits > y.digits));
  return x.sign * size;
}

/** sign × 0.digits × 10^exponent, so that the sizes of two compare by exponent, then by digits. */
function scientific(text: string): { sign: -1 | 0 | 1; exponent: number; digits: string } {
  const [, minus, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const leading = whole.length + fraction.length - digits.length;
  if (digits === "") return { sign: 0, exponent: 0, digits };
  return {
    sign: minus ? -1 : 1,
    exponent: Number(exponent) + whole.length - leading,
    digits: digits.replace(/(?<!0)0+$/, ""),
  };
}
