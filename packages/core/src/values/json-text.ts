import { Decimal } from "./decimal.ts";
import type { JsonValue } from "./json.ts";

type Piece = { text: string } | { value: JsonValue };

/**
 * Writes a value as JSON with every number exact, which JSON.stringify cannot do before Node 21. If
 * `sorted`, members are ordered by name, and equal values become equal strings. A loop instead of a
 * recursion also writes values that are nested too deeply to be stored.
 */
export function jsonText(value: JsonValue, { sorted = false } = {}): string {
  let text = "";
  const pending: Piece[] = [{ value }];
  for (let piece = pending.pop(); piece; piece = pending.pop()) {
    if ("text" in piece) text += piece.text;
    else if (isLeaf(piece.value)) text += leafText(piece.value);
    else for (const inner of expandNested(piece.value, sorted).reverse()) pending.push(inner);
  }
  return text;
}

type Leaf = Exclude<JsonValue, JsonValue[] | { [member: string]: JsonValue }>;

const isLeaf = (value: JsonValue): value is Leaf =>
  typeof value !== "object" || value === null || value instanceof Decimal;

const leafText = (value: Leaf): string =>
  typeof value === "bigint" || value instanceof Decimal ? String(value) : JSON.stringify(value);

function expandNested(value: Exclude<JsonValue, Leaf>, sorted: boolean): Piece[] {
  if (Array.isArray(value)) {
    const elements = value.map((element): Piece[] => [{ value: element }]);
    return encloseParts("[", elements, "]");
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (sorted) names.sort();
  const members = names.map((name): Piece[] => [
    { text: `${JSON.stringify(name)}:` },
    { value: value[name] as JsonValue },
  ]);
  return encloseParts("{", members, "}");
}

function encloseParts(open: string, parts: Piece[][], close: string): Piece[] {
  const separated = parts.flatMap((part, index) => (index === 0 ? part : [{ text: "," }, ...part]));
  return [{ text: open }, ...separated, { text: close }];
}
