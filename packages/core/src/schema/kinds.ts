import type { DataType } from "../config/data-types.ts";
import { Decimal } from "../values/decimal.ts";
import type { FieldValue } from "../values/json.ts";

/*
 * Kinds of values, a bit for each: the kinds that a field has had are a single number, and adding a
 * kind is a single operation. Null has no kind. The numbers are stored, so a kind keeps its number.
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

/** Groups of kinds, each of which a column of one data type can hold. */
export const kindGroups = {
  numbers: bigint | double | decimal,
  texts: text | timestamp | date | time,
  nested: object | list,
} as const;

const { numbers, texts, nested } = kindGroups;

/**
 * The kind of a value. With `pastKinds`, the kinds that its field has had, a string is not
 * examined once the field has had plain text.
 */
export function kindOf(value: NonNullable<FieldValue>, pastKinds = 0): number {
  switch (typeof value) {
    case "string":
      return pastKinds & text ? text : textKind(value);
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

/** Joins two sets of kinds. Different kinds of text become plain text, which holds every text. */
export function joinKinds(leftKinds: number, rightKinds: number): number {
  const joined = leftKinds | rightKinds;
  const textKinds = joined & texts;
  // A power of two is a single bit.
  return (textKinds & (textKinds - 1)) === 0 ? joined : (joined & ~texts) | text;
}

const DATE = String.raw`\d{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1\d|2[0-9]))`;

const CLOCK = String.raw`(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d{1,18})?)?`;

const ZONE = String.raw`(?: ?(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?))?`;

const datePattern = new RegExp(`^${DATE}(?:[Tt ]${CLOCK}${ZONE})?$`);

const timePattern = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,18})?$/;

const LONGEST_TIMESTAMP = 50;

const DASH = 45;

const COLON = 58;

function textKind(value: string): number {
  // Most strings are plain text, which one or two characters tell faster than an expression.
  if (value.length > LONGEST_TIMESTAMP) return text;
  if (value.charCodeAt(4) === DASH && value.charCodeAt(7) === DASH) {
    if (!datePattern.test(value) || isInvalidLeapDay(value)) return text;
    return value.length === "2024-01-01".length ? date : timestamp;
  }
  if (value.charCodeAt(2) === COLON && timePattern.test(value)) return time;
  return text;
}

function isInvalidLeapDay(value: string): boolean {
  if (!value.startsWith("02-29", 5)) return false;
  const year = Number(value.slice(0, 4));
  return year % 4 > 0 || (year % 100 === 0 && year % 400 > 0);
}

/**
 * The data type of a field that has had the kinds: the narrowest type that holds every value, or
 * `json` for kinds without a common type. Undefined for a field that has only been null.
 */
export function dataTypeOf(fieldKinds: number): DataType | undefined {
  if (fieldKinds === 0) return undefined;
  const groups = [numbers, texts, bool, nested, binary].filter((group) => fieldKinds & group);
  if (groups.length > 1 || fieldKinds & nested) return "json";
  return dataTypesOf(fieldKinds).at(-1);
}

/** Says whether a value of `kind` leaves the data types of a field unchanged. */
export function keepsDataTypes(fieldKinds: number, kind: number): boolean {
  if (fieldKinds & kind) return true;
  if (kind & nested) return false;
  return `${dataTypesOf(joinKinds(fieldKinds, kind))}` === `${dataTypesOf(fieldKinds)}`;
}

/** The data types that a field has had. The widest number type stands for all number types. */
export function dataTypesOf(fieldKinds: number): DataType[] {
  const numberType = fieldKinds & decimal ? "decimal" : fieldKinds & double ? "double" : "bigint";
  const types: (DataType | false)[] = [
    (fieldKinds & numbers) > 0 && numberType,
    (fieldKinds & text) > 0 && "text",
    (fieldKinds & timestamp) > 0 && "timestamp",
    (fieldKinds & date) > 0 && "date",
    (fieldKinds & time) > 0 && "time",
    (fieldKinds & bool) > 0 && "bool",
    (fieldKinds & nested) > 0 && "json",
    (fieldKinds & binary) > 0 && "binary",
  ];
  return types.filter((type) => type !== false);
}
