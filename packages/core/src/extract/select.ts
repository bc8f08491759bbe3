import type { Path, Step } from "../config/jsonpath.ts";
import { isNumeric } from "../values/compare-numbers.ts";
import { isObject, type JsonValue } from "../values/json.ts";

/**
 * What a selector found: a list (an empty one is an empty page), or where its way ended. No match
 * and null are kept apart from an empty list: a page without records has to be proved.
 */
export type Selection =
  | { records: JsonValue[] }
  | {
      /** The part of the path that was there, `$` for the body itself. */
      reached: string;
      /** What stood at `reached`. */
      found: JsonValue;
    };

/** The records of a page. A list of lists counts as one list, a lone record as a list of one. */
export function select(body: JsonValue, { steps }: Path): Selection {
  let matches = [body];
  for (const [index, step] of steps.entries()) {
    const next = matches.flatMap((value) => follow(value, step));
    if (next.length === 0) {
      const chooses = "all" in step || "where" in step;
      if (chooses && matches.every((value) => Array.isArray(value))) return { records: [] };
      return { reached: writePath(steps.slice(0, index)), found: matches[0] as JsonValue };
    }
    matches = next;
  }
  const [only] = matches;
  if (matches.length > 1) return { records: matches.flat() as JsonValue[] };
  if (only === null) return { reached: writePath(steps), found: null };
  return { records: Array.isArray(only) ? (only.flat() as JsonValue[]) : [only as JsonValue] };
}

/** The one value at a path: the total of a list, a cursor. */
export function find(body: JsonValue, { steps }: Pick<Path, "steps">): JsonValue | undefined {
  let matches = [body];
  for (const step of steps) matches = matches.flatMap((value) => follow(value, step));
  return matches[0];
}

// Always a list around the match: flatMap takes off one level, and a match may be a list itself.
function follow(value: JsonValue, step: Step): JsonValue[] {
  if ("name" in step) {
    return isObject(value) && Object.hasOwn(value, step.name)
      ? [value[step.name] as JsonValue]
      : [];
  }
  if ("all" in step) return elements(value);
  if ("where" in step)
    return elements(value).filter((one) => equals(find(one, { steps: step.where }), step.is));
  const element = Array.isArray(value) ? value.at(step.index) : undefined;
  return element === undefined ? [] : [element];
}

const elements = (value: JsonValue): JsonValue[] =>
  Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];

/** Numbers by what they are worth, whatever holds them; as in dlt, also those in texts. */
function equals(value: JsonValue | undefined, wanted: string | number | boolean | null): boolean {
  if (typeof wanted !== "number" || value === null || typeof value === "boolean") {
    return value === wanted;
  }
  return isNumeric(String(value)) && Number(value) === wanted;
}

/** The names that dlt expects a list of records under. */
const listNames = new Set([
  "data",
  "items",
  "results",
  "entries",
  "records",
  "rows",
  "entities",
  "payload",
  "content",
  "objects",
  "values",
]);

const DETECT_DEPTH = 3;

/**
 * The path to the records of a body, where the config names none: the first list with a usual
 * name, else the first list, else the body as the one record. As in dlt.
 */
export function detect(body: JsonValue): Path {
  const lists = Array.isArray(body) ? [] : listsIn(body, []);
  const steps = lists.find((path) => listNames.has(path.at(-1) ?? "")) ?? lists[0] ?? [];
  const path = steps.map((name) => ({ name }));
  return { text: writePath(path), steps: path };
}

function listsIn(value: JsonValue, path: string[]): string[][] {
  if (Array.isArray(value)) return [path];
  if (!isObject(value) || path.length === DETECT_DEPTH) return [];
  return Object.entries(value).flatMap(([name, member]) => listsIn(member, [...path, name]));
}

/** A path as a config has it. */
export function writePath(steps: readonly Step[]): string {
  const parts = steps.map((step) => {
    if ("name" in step) return isPlain(step.name) ? `.${step.name}` : `[${quoted(step.name)}]`;
    if ("where" in step) {
      const is = typeof step.is === "string" ? quoted(step.is) : step.is;
      return `[?(@.${writePath(step.where)}==${is})]`;
    }
    return "all" in step ? "[*]" : `[${step.index}]`;
  });
  return parts.join("").replace(/^\./, "") || "$";
}

/** Not as JSON does it: a path knows no `\n` and no `\u0000`. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

const isPlain = (name: string): boolean => /^[^\s.[\]*`'"()?,:$]+$/.test(name);
