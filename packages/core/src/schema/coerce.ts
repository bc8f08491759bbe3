import type { DataType } from "../config/data-types.ts";
import { Decimal } from "../values/decimal.ts";
import type { FieldValue } from "../values/json.ts";
import { readTime } from "../values/time.ts";
import { kindOf, kinds } from "./kinds.ts";

/** A value that is not null, as its declared type has it. Undefined: it can not be that without a loss. */
type Coerce = (value: NonNullable<FieldValue>, precision: number | undefined) => Fitted;

type Fitted = NonNullable<FieldValue> | undefined;

/**
 * The value in its declared type. What is of this type already comes back as it is; what can be
 * turned into it and back without a loss is turned; for anything else the answer is undefined.
 */
export function coerce(
  value: NonNullable<FieldValue>,
  type: DataType,
  precision?: number | undefined,
): Fitted {
  const { is, from } = types[type];
  return (kindOf(value) & is) > 0 ? value : from(value, precision);
}

const { bigint, double, decimal, text, timestamp, date, time, bool, object, list, binary } = kinds;

const numbers = bigint | double | decimal;

const texts = text | timestamp | date | time;

const never: Coerce = () => undefined;

const types: Record<DataType, { is: number; from: Coerce }> = {
  text: { is: texts, from: toText },
  bigint: { is: bigint, from: toInteger },
  wei: { is: bigint, from: toInteger },
  double: { is: numbers, from: toNumber },
  decimal: { is: numbers, from: toNumber },
  bool: { is: bool, from: toBool },
  timestamp: { is: timestamp, from: toTimestamp },
  date: { is: date, from: never },
  time: { is: time, from: never },
  binary: { is: binary, from: toBytes },
  json: { is: numbers | texts | bool | object | list | binary, from: never },
};

function toText(value: NonNullable<FieldValue>): Fitted {
  return kindOf(value) & (numbers | bool) ? String(value) : undefined;
}

/** As JSON writes a whole number: one with a leading zero would come back without it. */
const whole = /^(?:0|-?[1-9]\d*)$/;

/** As programs write it: an exponent stands behind one digit. With two digits of it, DynamoDB holds it. */
const number = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|[1-9](?:\.\d+)?[eE][+-]?\d\d?)$/;

/** DynamoDB's; more digits would be refused there. */
const MAX_DIGITS = 38;

function toInteger(value: NonNullable<FieldValue>): Fitted {
  if (typeof value !== "string") return undefined;
  if (!whole.test(value)) return toEpoch(value);
  if (value.length > MAX_DIGITS) return undefined;
  const found = Number(value);
  return Number.isSafeInteger(found) ? found : BigInt(value);
}

/** An instant in UTC on a whole second is a number of seconds, as DynamoDB's TTL counts them. */
function toEpoch(value: string): Fitted {
  if (kindOf(value) !== timestamp || !/[Zz]$/.test(value)) return undefined;
  const found = readTime(value);
  const isWhole = found && found.ms >= 0 && found.ms % 1000 === 0 && !/[1-9]/.test(found.finer);
  return isWhole ? found.ms / 1000 : undefined;
}

function toNumber(value: NonNullable<FieldValue>): Fitted {
  if (typeof value !== "string" || !number.test(value)) return undefined;
  if (value.length > MAX_DIGITS) return undefined;
  const found = Number(value);
  // Where a double would round, the text itself stays the number.
  return Number.isFinite(found) && String(found) === value ? found : new Decimal(value);
}

function toBool(value: NonNullable<FieldValue>): Fitted {
  if (value === "true") return true;
  return value === "false" ? false : undefined;
}

/** In which unit a number counts from 1970, by the digits of a second that the column declares. */
const perSecond: Record<number, bigint> = { 0: 1n, 3: 1_000n, 6: 1_000_000n, 9: 1_000_000_000n };

const LAST_SECOND = Date.parse("9999-12-31T23:59:59Z") / 1000;

function toTimestamp(value: NonNullable<FieldValue>, precision = 0): Fitted {
  const units = perSecond[precision];
  const isCount = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!units || !isCount) return undefined;
  // Nanoseconds are beyond what a double counts.
  const count = BigInt(value as number | bigint);
  const second = Number(count / units);
  if (count < 0n || second > LAST_SECOND) return undefined;
  const digits = String(count % units).padStart(precision, "0");
  const instant = new Date(second * 1000).toISOString();
  return instant.replace(".000Z", precision === 0 ? "Z" : `.${digits}Z`);
}

function toBytes(value: NonNullable<FieldValue>): Fitted {
  if (typeof value !== "string") return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value ? bytes : undefined;
}
