import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { type DataType, Decimal, type Item, numberText } from "@tidetable/core";
import type { Place } from "./place.ts";
import type { Numeric } from "./types.ts";

export type Row = Record<string, unknown>;

/** The function that makes a row of an item: of these fields, or of all that it has. */
export function rowsOf(
  { plan: { columns, key } }: Place,
  fields?: readonly string[],
): (item: Item) => Row {
  const wanted = fields && new Set(fields);
  const isWanted = (name: string) => !wanted || wanted.has(name);
  const types = new Map(Object.entries(columns).map(([name, { dataType }]) => [name, dataType]));
  const notNull = new Set([...key.fields, key.hash.name]);
  // So that a type says of them that they may be null, and not that they may be absent, too.
  const nullable = Object.keys(columns).filter(
    (name) => columns[name]?.nullable !== false && !notNull.has(name) && isWanted(name),
  );
  return (item) => {
    const row: Row = {};
    for (const [name, value] of Object.entries(item)) {
      // Of a member `__proto__` at the top the SDK loses the value.
      if (value && isWanted(name)) put(row, name, toValue(value, types.get(name)));
    }
    for (const name of nullable) if (!Object.hasOwn(row, name)) put(row, name, null);
    return row;
  };
}

function toValue(value: AttributeValue, type?: DataType): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return type === "double" ? Number(value.N) : numberOf(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.L !== undefined) return value.L.map((one) => toValue(one));
  if (value.M === undefined) return null;
  const members: Row = {};
  for (const [name, one] of Object.entries(value.M)) put(members, name, toValue(one));
  return members;
}

/** An assignment to `__proto__` would set the prototype. */
function put(row: Row, name: string, value: unknown): void {
  if (name !== "__proto__") {
    row[name] = value;
    return;
  }
  const as = { enumerable: true, configurable: true, writable: true };
  Object.defineProperty(row, name, { value, ...as });
}

/**
 * A number with all its digits: a `number` where a double holds it, a `bigint` for a whole number
 * beyond 2^53, a Decimal for the rest.
 */
export function numberOf(text: string): Numeric {
  const number = Number(text);
  // One spelling for equal numbers: `1.50` is `1.5`, `1e3` is `1000`.
  const exact = numberText(new Decimal(text)) ?? text;
  const [digits = "", zeros = "0"] = exact.split("e");
  const isWhole = !digits.includes(".") && !zeros.startsWith("-");
  if (isWhole && !Number.isSafeInteger(number)) return BigInt(digits) * 10n ** BigInt(zeros);
  return numberText(number) === exact ? number : new Decimal(exact);
}
