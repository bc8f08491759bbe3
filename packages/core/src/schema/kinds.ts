import type { DataType } from "../config/data-types.ts";
import { Decimal } from "../values/decimal.ts";
import type { FieldValue } from "../values/json.ts";

/*
 * What values are, as bits: what has been seen of a field is then one number, and seeing more is
 * one operation. Null is no kind. The bits are stored: a kind keeps the number that it has.
 */
export const kinds = {
  bigint: 1,
  double: 2,
  /** A number that a double does not hold. */
  decimal: 4,
  text: 8,
  timestamp: 16,
  date: 32,
  time: 64,
  bool: 128,
  object: 256,
  list: 512,
  binary: 1024,
} as const;

const { bigint, double, decimal, text, timestamp, date, time, bool, object, list, binary } = kinds;

const numbers = bigint | double | decimal;

const texts = text | timestamp | date | time;

const nested = object | list;

/** Of a value that is not null. `seen` saves looking closer at the texts of a field that has plain ones. */
export function kindOf(value: NonNullable<FieldValue>, seen = 0): number {
  switch (typeof value) {
    case "string":
      return seen & text ? text : textKind(value);
    case "number":
      return Number.isInteger(value) ? bigint : double;
    case "bigint":
      return bigint;
    case "boolean":
      return bool;
    default:
      if (Array.isArray(value)) return list;
      if (value instanceof Decimal) return decimal;
      return value instanceof Uint8Array ? binary : object;
  }
}

/** Of two kinds of text in one field it is the plain one that holds both. */
export function join(a: number, b: number): number {
  const both = a | b;
  const found = both & texts;
  // One bit alone: a power of two.
  return (found & (found - 1)) === 0 ? both : (both & ~texts) | text;
}

const DATE = String.raw`\d{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1\d|2[0-9]))`;

const CLOCK = String.raw`(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d{1,18})?)?`;

const ZONE = String.raw`(?: ?(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?))?`;

const dated = new RegExp(`^${DATE}(?:[Tt ]${CLOCK}${ZONE})?$`);

const clocked = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,18})?$/;

const LONGEST_TIMESTAMP = 50;

const DASH = 45;

const COLON = 58;

function textKind(value: string): number {
  // Most texts are neither: two characters tell that without an expression.
  if (value.length > LONGEST_TIMESTAMP) return text;
  if (value.charCodeAt(4) === DASH && value.charCodeAt(7) === DASH) {
    if (!dated.test(value) || isNoLeapDay(value)) return text;
    return value.length === "2024-01-01".length ? date : timestamp;
  }
  if (value.charCodeAt(2) === COLON && clocked.test(value)) return time;
  return text;
}

function isNoLeapDay(value: string): boolean {
  if (!value.startsWith("02-29", 5)) return false;
  const year = Number(value.slice(0, 4));
  return year % 4 > 0 || (year % 100 === 0 && year % 400 > 0);
}

/**
 * The data type of a field, from all kinds that it has had: one that holds them all, or `json` when
 * they have nothing in common. Undefined while it has only been null.
 */
export function dataTypeOf(seen: number): DataType | undefined {
  if (seen === 0) return undefined;
  const groups = [numbers, texts, bool, nested, binary].filter((group) => seen & group);
  if (groups.length > 1 || seen & nested) return "json";
  return typesOf(seen).at(-1);
}

/** Whether a field that has had these kinds is what it was with a value of this one. */
export function isSameType(seen: number, kind: number): boolean {
  if (seen & kind) return true;
  return (kind & nested) === 0 && `${typesOf(join(seen, kind))}` === `${typesOf(seen)}`;
}

/** The data types that a field has had, each number type standing for the narrower ones. */
export function typesOf(seen: number): DataType[] {
  const number = seen & decimal ? "decimal" : seen & double ? "double" : "bigint";
  const found: (DataType | false)[] = [
    (seen & numbers) > 0 && number,
    (seen & text) > 0 && "text",
    (seen & timestamp) > 0 && "timestamp",
    (seen & date) > 0 && "date",
    (seen & time) > 0 && "time",
    (seen & bool) > 0 && "bool",
    (seen & nested) > 0 && "json",
    (seen & binary) > 0 && "binary",
  ];
  return found.filter((type) => type !== false);
}
