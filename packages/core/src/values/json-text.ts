import { Decimal } from "./decimal.ts";
import type { JsonValue } from "./json.ts";

/** A list or an object of which some members have been written. */
interface OpenValue {
  value: Nested;
  /** The names of an object's members, in the order in which they are written. */
  names: readonly string[] | undefined;
  length: number;
  written: number;
}

interface JsonTextOptions {
  /** Members are ordered by name, and equal values become equal strings. */
  sorted?: boolean;
  /** The text ends soon after this many characters, without being JSON any more. */
  maxLength?: number;
}

/**
 * Writes a value as JSON with every number exact, which JSON.stringify cannot do before Node 21. A
 * loop instead of a recursion also writes values that are nested too deeply to be stored. Apart from
 * the text, only the way to the current value is held: an API may send millions of values.
 */
export function jsonText(
  value: JsonValue,
  { sorted = false, maxLength = Number.POSITIVE_INFINITY }: JsonTextOptions = {},
): string {
  if (isLeaf(value)) return leafText(value);
  const open: OpenValue[] = [];
  let text = "";
  const enter = (nested: Nested) => {
    text += Array.isArray(nested) ? "[" : "{";
    open.push(openValue(nested, sorted));
  };
  enter(value);
  for (let inner = open.at(-1); inner && text.length <= maxLength; inner = open.at(-1)) {
    if (inner.written === inner.length) {
      text += inner.names ? "}" : "]";
      open.pop();
      continue;
    }
    if (inner.written > 0) text += ",";
    const name = inner.names?.[inner.written];
    if (name !== undefined) text += `${JSON.stringify(name)}:`;
    const member = (inner.value as Record<string, JsonValue>)[name ?? inner.written] as JsonValue;
    inner.written += 1;
    if (isLeaf(member)) text += leafText(member);
    else enter(member);
  }
  return text;
}

function openValue(value: Nested, sorted: boolean): OpenValue {
  if (Array.isArray(value)) return { value, names: undefined, length: value.length, written: 0 };
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (sorted) names.sort();
  return { value, names, length: names.length, written: 0 };
}

type Leaf = Exclude<JsonValue, JsonValue[] | { [member: string]: JsonValue }>;

type Nested = Exclude<JsonValue, Leaf>;

const isLeaf = (value: JsonValue): value is Leaf =>
  typeof value !== "object" || value === null || value instanceof Decimal;

const leafText = (value: Leaf): string =>
  typeof value === "bigint" || value instanceof Decimal ? String(value) : JSON.stringify(value);
