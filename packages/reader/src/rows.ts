import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { type DataType, Decimal } from "@tidetable/core";
import type { Item } from "@tidetable/core/internal";
import { numberText } from "@tidetable/core/internal/tables";
import type { TableAccess } from "./table-access.ts";
import type { Numeric } from "./types.ts";

export type Row = Record<string, unknown>;

/** Returns the function that converts an item to a row, with `fields` only or with all fields. */
export function rowReader(
  { plan: { columns, key } }: Pick<TableAccess, "plan">,
  fields?: readonly string[],
): (item: Item) => Row {
  const requestedFields = fields && new Set(fields);
  const isRequested = (name: string) => !requestedFields || requestedFields.has(name);
  const types = new Map(Object.entries(columns).map(([name, { dataType }]) => [name, dataType]));
  const keyNames = new Set([...key.fields, key.hash.name]);
  // An absent field is read as null, so that its type need not say `| undefined`, too.
  const nullableFields = Object.keys(columns).filter(
    (name) => columns[name]?.nullable !== false && !keyNames.has(name) && isRequested(name),
  );
  return (item) => {
    const row: Row = {};
    for (const [name, value] of Object.entries(item)) {
      // The SDK loses the value of a top-level member `__proto__`, but keeps the name.
      if (value && isRequested(name)) setMember(row, name, toValue(value, types.get(name)));
    }
    for (const name of nullableFields) {
      if (!Object.hasOwn(row, name)) setMember(row, name, null);
    }
    return row;
  };
}

function toValue(attribute: AttributeValue, type?: DataType): unknown {
  if (attribute.S !== undefined) return attribute.S;
  if (attribute.N !== undefined) {
    return type === "double" ? Number(attribute.N) : readNumber(attribute.N);
  }
  if (attribute.BOOL !== undefined) return attribute.BOOL;
  if (attribute.B !== undefined) return attribute.B;
  if (attribute.L !== undefined) return attribute.L.map((element) => toValue(element));
  if (attribute.M === undefined) return null;
  const members: Row = {};
  for (const [name, member] of Object.entries(attribute.M)) {
    setMember(members, name, toValue(member));
  }
  return members;
}

/** Sets a member even if it is named `__proto__`, which an assignment takes for the prototype. */
function setMember(row: Row, name: string, value: unknown): void {
  if (name !== "__proto__") {
    row[name] = value;
    return;
  }
  const flags = { enumerable: true, configurable: true, writable: true };
  Object.defineProperty(row, name, { value, ...flags });
}

/**
 * Reads a number with every digit: as `number` where a double holds it exactly, as `bigint` for a
 * whole number beyond 2^53, and otherwise as Decimal.
 */
export function readNumber(text: string): Numeric {
  const number = Number(text);
  // Equal numbers get one spelling: `1.50` becomes `1.5`, `1e3` becomes `1000`.
  const exact = numberText(new Decimal(text)) ?? text;
  const [digits = "", zeros = "0"] = exact.split("e");
  const isWhole = !digits.includes(".") && !zeros.startsWith("-");
  if (isWhole && !Number.isSafeInteger(number)) return BigInt(digits) * 10n ** BigInt(zeros);
  return numberText(number) === exact ? number : new Decimal(exact);
}
