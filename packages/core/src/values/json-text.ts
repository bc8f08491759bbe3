import { Decimal } from "./decimal.ts";
import type { JsonValue } from "./json.ts";

type Piece = { text: string } | { value: JsonValue };

/**
 * A value as JSON text with every number exact, which JSON.stringify can not do before Node 21.
 * `sorted` writes members in the order of their names, so that equal values have equal texts.
 * A loop instead of a recursion: it also writes what is nested too deeply to be stored.
 */
export function jsonText(value: JsonValue, { sorted = false } = {}): string {
  let text = "";
  const todo: Piece[] = [{ value }];
  for (let piece = todo.pop(); piece; piece = todo.pop()) {
    if ("text" in piece) text += piece.text;
    else if (isLeaf(piece.value)) text += leafText(piece.value);
    else for (const inner of pieces(piece.value, sorted).reverse()) todo.push(inner);
  }
  return text;
}

type Leaf = Exclude<JsonValue, JsonValue[] | { [member: string]: JsonValue }>;

const isLeaf = (value: JsonValue): value is Leaf =>
  typeof value !== "object" || value === null || value instanceof Decimal;

const leafText = (value: Leaf): string =>
  typeof value === "bigint" || value instanceof Decimal ? String(value) : JSON.stringify(value);

function pieces(value: Exclude<JsonValue, Leaf>, sorted: boolean): Piece[] {
  if (Array.isArray(value)) {
    const elements = value.map((element): Piece[] => [{ value: element }]);
    return enclosed("[", elements, "]");
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (sorted) names.sort();
  const members = names.map((name): Piece[] => [
    { text: `${JSON.stringify(name)}:` },
    { value: value[name] as JsonValue },
  ]);
  return enclosed("{", members, "}");
}

function enclosed(open: string, parts: Piece[][], close: string): Piece[] {
  const separated = parts.flatMap((part, n) => (n === 0 ? part : [{ text: "," }, ...part]));
  return [{ text: open }, ...separated, { text: close }];
}
