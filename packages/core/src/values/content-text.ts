import { Decimal } from "./decimal.ts";
import { numberText } from "./dynamodb-number.ts";
import type { JsonValue } from "./json.ts";
import { jsonText } from "./json-text.ts";

/** Deeper than DynamoDB stores: such a record never becomes a row, so its text need not be canonical. */
const DEPTH = 40;

const nothingLeftOut: ReadonlySet<string> = new Set();

/**
 * The content of a value as text, equal for equal contents: members in any order, numbers by their
 * value (`1.0` is `1`), and a member that is null counts as one that is not there. `leftOut` names
 * members of the value itself that are no part of its content.
 */
export function contentText(value: JsonValue, leftOut = nothingLeftOut, depth = 0): string {
  if (typeof value !== "object" || value === null) {
    return typeof value === "number" || typeof value === "bigint"
      ? (numberText(value) ?? String(value))
      : JSON.stringify(value);
  }
  if (value instanceof Decimal) return numberText(value) ?? String(value);
  if (depth > DEPTH) return jsonText(value, { sorted: true });
  if (Array.isArray(value)) {
    return `[${value.map((element) => contentText(element, nothingLeftOut, depth + 1)).join(",")}]`;
  }
  const names = Object.keys(value).sort();
  let text = "{";
  for (const name of names) {
    const member = value[name];
    if (member == null || leftOut.has(name)) continue;
    if (text.length > 1) text += ",";
    text += `${JSON.stringify(name)}:${contentText(member, nothingLeftOut, depth + 1)}`;
  }
  return `${text}}`;
}
