import { randomUUID } from "node:crypto";
import { parse } from "json-custom-numbers";
import { limits } from "../base/limits.ts";
import { Decimal } from "./decimal.ts";
import type { JsonValue } from "./json.ts";

/** Below this many digits a double gives back the decimal number that it was read from. */
const DOUBLE_HOLDS = 15;

/** Longer ones stay text: DynamoDB holds 38 digits, and arithmetic on a megabyte of them takes seconds. */
const LONGEST = 100;

/**
 * Reads JSON with every number exact: a double where it holds the number, else a bigint or a
 * Decimal. The error does not quote the text: it may be a token. A RangeError says that there are
 * more values in it than memory is meant for.
 */
export function parseJson(text: string): JsonValue {
  // Each takes a character at least: the usual page need not be counted.
  if (text.length > limits.values && countValues(text) > limits.values) throw new RangeError();
  try {
    return /* planted: exact-numbers */ mayBeInexact(text) ? parseExactly(text) : JSON.parse(text);
  } catch {
    throw new SyntaxError("not valid JSON");
  }
}

/** Of a list or an object, what opens it counts for its first member, and a comma for each further one. */
function countValues(text: string): number {
  let values = 1;
  let inText = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 34 /* " */) inText = !inText;
    else if (!inText) values += code === 44 /* , */ || code === 91 /* [ */ || code === 123 ? 1 : 0;
    else if (code === 92 /* \ */) index += 1;
  }
  return values;
}

/**
 * A cheap look for numbers that a double might not hold. It may be wrong about what stands in
 * strings, which costs time only.
 */
function mayBeInexact(text: string): boolean {
  return hasLongNumber(text) || exponentOfThreeDigits.test(text);
}

// Only these leave a double's range: 15 digits times 10^±99 are well inside of it.
const exponentOfThreeDigits = /(?:^|[:,[\s])-?[\d.]+[eE][+-]?\d{3}/;

// A run of 16 characters covers an index of 15 modulo 16, so every 16th is enough to look at.
function hasLongNumber(text: string): boolean {
  const stride = DOUBLE_HOLDS + 1;
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
  const read = (json: string): JsonValue => parse(json, undefined, (_, number) => exact(number));
  const renamed = text.replace(protoName, `"${STAND_IN}"`);
  return renamed === text ? read(text) : restore(read(renamed));
}

function exact(text: string): number | bigint | Decimal {
  if (text.length > LONGEST) return new Decimal(text);
  const number = Number(text);
  if (text.length <= DOUBLE_HOLDS && !/e/i.test(text)) return number;
  if (Number.isFinite(number) && canonical(String(number)) === canonical(text)) return number;
  return /^-?\d+$/.test(text) ? BigInt(text) : new Decimal(text);
}

/** One spelling per number: `1.50e3` and `1500` are `15e2`. */
function canonical(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e(.+))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/(?<!0)0+$/, "");
  if (significant === "") return "0";
  const scale = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${sign}${significant}e${scale}`;
}

/*
 * The exact parser assigns members, and to assign `__proto__` sets an object's prototype instead.
 * So that member goes by another name meanwhile. The pattern knows its escaped spellings; a quote
 * with no backslash before it opens a string.
 */
const STAND_IN = `__proto__${randomUUID()}`;

const anySpelling = [..."__proto__"].map((letter) => {
  const hex = letter.charCodeAt(0).toString(16).replace("f", "[fF]");
  return `(?:${letter}|\\\\u00${hex})`;
});

const protoName = new RegExp(`(?<!\\\\)"${anySpelling.join("")}"(?=\\s*:)`, "g");

function restore(body: JsonValue): JsonValue {
  const pending = [body];
  // The list grows while it is walked: no recursion, whatever the depth.
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
