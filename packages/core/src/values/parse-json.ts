import { randomUUID } from "node:crypto";
import { parse } from "json-custom-numbers";
import { limits } from "../base/limits.ts";
import { Decimal } from "./decimal.ts";
import type { JsonValue } from "./json.ts";
import { isSameNumber } from "./number-parts.ts";

/** A double gives back every decimal number of up to this many digits. */
const DOUBLE_DIGITS = 15;

/**
 * Longer numbers stay strings. DynamoDB holds 38 digits, and arithmetic with a megabyte of digits
 * takes seconds.
 */
const LONGEST_NUMBER = 100;

/**
 * Reads JSON with every number exact: as a double if a double holds the number, else as a bigint or
 * a Decimal. The error does not quote the text, which may be a token. A RangeError means that the
 * text has more values than `limits.values`.
 */
export function parseJson(text: string): JsonValue {
  // Each value takes at least one character, so an ordinary page need not be counted.
  if (text.length > limits.values && countValues(text) > limits.values) throw new RangeError();
  try {
    return /* planted: exact-numbers */ mayBeInexact(text) ? parseExactly(text) : JSON.parse(text);
  } catch {
    throw new SyntaxError("not valid JSON");
  }
}

/** An opening bracket counts as the first member of a list or an object, a comma as each further one. */
function countValues(text: string): number {
  let values = 1;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 34 /* " */) inString = !inString;
    else if (!inString)
      values += code === 44 /* , */ || code === 91 /* [ */ || code === 123 ? 1 : 0;
    else if (code === 92 /* \ */) index += 1;
  }
  return values;
}

/**
 * Looks cheaply for numbers that a double might not hold. Digits in strings may be mistaken for a
 * number, which costs time only.
 */
function mayBeInexact(text: string): boolean {
  return hasLongNumber(text) || exponentOfThreeDigits.test(text);
}

// Smaller exponents stay within a double's range, because 15 digits times 10^±99 do.
const exponentOfThreeDigits = /(?:^|[:,[\s])-?[\d.]+[eE][+-]?\d{3}/;

// A number of 16 characters covers an index of 15 modulo 16, so a look at every 16th is enough.
function hasLongNumber(text: string): boolean {
  const stride = DOUBLE_DIGITS + 1;
  for (let index = stride - 1; index < text.length; index += stride) {
    if (!inNumber(text, index)) continue;
    let start = index;
    let end = index + 1;
    while (inNumber(text, start - 1)) start -= 1;
    while (inNumber(text, end)) end += 1;
    if (end - start >= stride) return true;
  }
  return false;
}

function inNumber(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return (code >= 48 /* 0 */ && code <= 57) /* 9 */ || code === 46; /* . */
}

function parseExactly(text: string): JsonValue {
  const parseAll = (json: string): JsonValue =>
    parse(json, undefined, (_, number) => parseExactNumber(number));
  const renamed = text.replace(protoName, `"${STAND_IN}"`);
  return renamed === text ? parseAll(text) : restoreProtoNames(parseAll(renamed));
}

function parseExactNumber(text: string): number | bigint | Decimal {
  if (text.length > LONGEST_NUMBER) return new Decimal(text);
  const number = Number(text);
  if (text.length <= DOUBLE_DIGITS && !/e/i.test(text)) return number;
  if (Number.isFinite(number) && isSameNumber(String(number), text)) return number;
  return /^-?\d+$/.test(text) ? BigInt(text) : new Decimal(text);
}

/*
 * The exact parser assigns members, and an assignment to `__proto__` would set an object's prototype.
 * Therefore a member of that name has another name during the parsing. The pattern knows all escaped
 * spellings; a quote without a backslash before it opens a string.
 */
const STAND_IN = `__proto__${randomUUID()}`;

const anySpelling = [..."__proto__"].map((letter) => {
  const hex = letter.charCodeAt(0).toString(16).replace("f", "[fF]");
  return `(?:${letter}|\\\\u00${hex})`;
});

const protoName = new RegExp(`(?<!\\\\)"${anySpelling.join("")}"(?=\\s*:)`, "g");

function restoreProtoNames(body: JsonValue): JsonValue {
  const pending = [body];
  // The list grows during the loop, which replaces a recursion of unlimited depth.
  for (const value of pending) {
    if (typeof value !== "object" || value === null || value instanceof Decimal) continue;
    for (const member of Object.values(value)) pending.push(member);
    if (Array.isArray(value) || !Object.hasOwn(value, STAND_IN)) continue;
    const descriptor = {
      value: value[STAND_IN],
      enumerable: true,
      configurable: true,
      writable: true,
    };
    Object.defineProperty(value, "__proto__", descriptor);
    delete value[STAND_IN];
  }
  return body;
}
