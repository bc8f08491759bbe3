import type { DataType } from "../config/data-types.ts";
import { Decimal } from "../values/decimal.ts";
import type { FieldValue } from "../values/json.ts";
import { parseTime } from "../values/time.ts";
import { kindGroups, kindOf, kinds } from "./kinds.ts";

type Value = NonNullable<FieldValue>;

/** The converted value. Undefined when the conversion would lose something. */
type Coerced = Value | undefined;

/**
 * Returns the value in its declared type. A value of that type is returned unchanged. Any other
 * value is converted if the conversion can be undone without loss, and is undefined otherwise.
 */
export function coerceValue(value: Value, type: DataType, precision?: number | undefined): Coerced {
  const { accepts, convert } = conversions[type];
  return (kindOf(value) & accepts) > 0 ? value : convert(value, precision);
}

const { numbers, texts, nested } = kindGroups;

const { bigint, bool, timestamp, date, time, binary } = kinds;

interface Conversion {
  /** The kinds that already are of the type. */
  accepts: number;
  convert: (value: Value, precision: number | undefined) => Coerced;
}

const noConversion = (): Coerced => undefined;

const conversions: Record<DataType, Conversion> = {
  text: { accepts: texts, convert: toText },
  bigint: { accepts: bigint, convert: toInteger },
  wei: { accepts: bigint, convert: toInteger },
  double: { accepts: numbers, convert: toNumber },
  decimal: { accepts: numbers, convert: toNumber },
  bool: { accepts: bool, convert: toBool },
  timestamp: { accepts: timestamp, convert: toTimestamp },
  date: { accepts: date, convert: noConversion },
  time: { accepts: time, convert: noConversion },
  binary: { accepts: binary, convert: toBytes },
  json: { accepts: numbers | texts | bool | nested | binary, convert: noConversion },
};

function toText(value: Value): Coerced {
  return kindOf(value) & (numbers | bool) ? String(value) : undefined;
}

/** A whole number as JSON writes it. Leading zeros are refused, because they would be lost. */
const integerPattern = /^(?:0|-?[1-9]\d*)$/;

/** A number as programs write it. DynamoDB holds every number with an exponent of two digits. */
const numberPattern = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|[1-9](?:\.\d+)?[eE][+-]?\d\d?)$/;

/** DynamoDB refuses numbers with more digits. */
const MAX_DIGITS = 38;

function toInteger(value: Value): Coerced {
  if (typeof value !== "string") return undefined;
  if (!integerPattern.test(value)) return toEpochSeconds(value);
  if (value.length > MAX_DIGITS) return undefined;
  const integer = Number(value);
  return Number.isSafeInteger(integer) ? integer : BigInt(value);
}

/** Converts an instant in UTC on a whole second to seconds since 1970, as DynamoDB's TTL needs. */
function toEpochSeconds(value: string): Coerced {
  if (kindOf(value) !== timestamp || !/[Zz]$/.test(value)) return undefined;
  const instant = parseTime(value);
  if (!instant || instant.ms < 0) return undefined;
  const isWholeSecond = instant.ms % 1000 === 0 && !/[1-9]/.test(instant.digitsBelowMs);
  return isWholeSecond ? instant.ms / 1000 : undefined;
}

function toNumber(value: Value): Coerced {
  if (typeof value !== "string" || !numberPattern.test(value)) return undefined;
  if (value.length > MAX_DIGITS) return undefined;
  const number = Number(value);
  // A Decimal keeps the digits that a double would round.
  return Number.isFinite(number) && String(number) === value ? number : new Decimal(value);
}

function toBool(value: Value): Coerced {
  if (value === "true") return true;
  return value === "false" ? false : undefined;
}

/** Units per second, by the number of fractional digits that the column declares as precision. */
const unitsPerSecond: Record<number, bigint> = {
  0: 1n,
  3: 1_000n,
  6: 1_000_000n,
  9: 1_000_000_000n,
};

const LAST_SECOND = Date.parse("9999-12-31T23:59:59Z") / 1000;

function toTimestamp(value: Value, precision = 0): Coerced {
  const units = unitsPerSecond[precision];
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!units || !isInteger) return undefined;
  // A double cannot count nanoseconds since 1970 exactly.
  const count = BigInt(value as number | bigint);
  const second = Number(count / units);
  if (count < 0n || second > LAST_SECOND) return undefined;
  const digits = String(count % units).padStart(precision, "0");
  const instant = new Date(second * 1000).toISOString();
  return instant.replace(".000Z", precision === 0 ? "Z" : `.${digits}Z`);
}

function toBytes(value: Value): Coerced {
  if (typeof value !== "string") return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value ? bytes : undefined;
}
