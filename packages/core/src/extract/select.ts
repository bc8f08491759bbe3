import { RequestError } from "../base/errors.ts";
import type { JsonPath, PathStep } from "../config/jsonpath.ts";
import { isNameWithSecret } from "../secrets/redact.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { isPlainNumber } from "../values/plain-number.ts";

/**
 * The result of a selector: a list, or the place where the path ended. An empty list proves an empty
 * page, and so does null under the last name of the path: Go writes an empty list so. No match does not.
 */
export type Selection = { records: JsonValue[] } | MissedSelection;

export interface MissedSelection {
  /** The part of the path that the body has, `$` for the body itself. */
  reached: string;
  /** The value at `reached`. */
  value: JsonValue;
}

/** The records of a page. A list of lists counts as a single list, a lone record as a list. */
export function selectRecords(body: JsonValue, { steps }: JsonPath): Selection {
  let matches = [body];
  for (const [index, step] of steps.entries()) {
    const deeper = matches.flatMap((value) => followStep(value, step));
    if (deeper.length === 0) {
      const isFilter = "all" in step || "where" in step;
      if (isFilter && matches.every((value) => Array.isArray(value))) return { records: [] };
      return { reached: writePath(steps.slice(0, index)), value: matches[0] as JsonValue };
    }
    matches = deeper;
  }
  const lastStep = steps.at(-1);
  const isUnderName = lastStep !== undefined && "name" in lastStep;
  const lists = isUnderName ? matches.filter((match) => match !== null) : matches;
  if (lists.length !== 1) return { records: lists.flat() as JsonValue[] };
  const [match] = lists;
  if (match === null) return { reached: writePath(steps), value: null };
  return { records: Array.isArray(match) ? (match.flat() as JsonValue[]) : [match as JsonValue] };
}

/** The value at a path to a single value, for instance a total or a cursor. */
export function findValue(
  body: JsonValue,
  { steps }: Pick<JsonPath, "steps">,
): JsonValue | undefined {
  let matches = [body];
  for (const step of steps) matches = matches.flatMap((value) => followStep(value, step));
  return matches[0];
}

/** Returns a list around each match: flatMap takes one level off, and a match may be a list itself. */
function followStep(value: JsonValue, step: PathStep): JsonValue[] {
  if ("name" in step) {
    return isObject(value) && Object.hasOwn(value, step.name)
      ? [value[step.name] as JsonValue]
      : [];
  }
  if ("all" in step) return elementsOf(value);
  if ("where" in step) {
    const path = { steps: step.where };
    return elementsOf(value).filter((element) => isSameScalar(findValue(element, path), step.is));
  }
  const element = Array.isArray(value) ? value.at(step.index) : undefined;
  return element === undefined ? [] : [element];
}

const elementsOf = (value: JsonValue): JsonValue[] =>
  Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];

/** Numbers are compared by their value, as in dlt, even where a string holds one. */
function isSameScalar(
  value: JsonValue | undefined,
  scalar: string | number | boolean | null,
): boolean {
  if (typeof scalar !== "number" || value === null || typeof value === "boolean") {
    return value === scalar;
  }
  return isPlainNumber(String(value)) && Number(value) === scalar;
}

/** dlt expects a list of records under these names. */
const usualListNames = new Set([
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

/** Paths that are found in an answer go into logs and checkpoints. */
const MAX_FOUND_NAME = 256;

/** Says whether a path that is found may be logged and stored: the API chose its names. */
export const isStorablePath = (names: readonly string[]): boolean =>
  names.every((name) => name.length <= MAX_FOUND_NAME && !isNameWithSecret(name));

/**
 * The path to the records of a body, where the config names none, as in dlt: the first list with a
 * usual name, or the first list, or the body itself as a single record. Unlike in dlt, null under a
 * usual name is an empty list, unless the body is a record with the key of its resource.
 */
export function detectSelector(body: JsonValue, keyFields: readonly string[] = []): JsonPath {
  const lists = Array.isArray(body) ? [] : findPaths(body, Array.isArray);
  const steps =
    lists.find((path) => usualListNames.has(path.at(-1) ?? "") && isStorablePath(path)) ??
    lists.find(isStorablePath);
  if (!steps && lists.length > 0) throw listNameError();
  const path = (steps ?? emptyListIn(body, keyFields) ?? []).map((name) => ({ name }));
  return { text: writePath(path), steps: path };
}

/** The path to null under a usual name, in a body without lists that cannot be a record itself. */
function emptyListIn(body: JsonValue, keyFields: readonly string[]): string[] | undefined {
  if (!isObject(body)) return undefined;
  const hasKey = keyFields.length > 0;
  if (hasKey && keyFields.every((field) => body[field] != null)) return undefined;
  // A record without a key may have null anywhere inside. On top, the name tells.
  const depth = hasKey ? DETECT_DEPTH : 1;
  return findPaths(body, (value) => value === null).find(
    (path) => path.length <= depth && usualListNames.has(path.at(-1) ?? ""),
  );
}

const listNameError = () =>
  new RequestError({
    code: "extract.selector",
    message: `every list of the answer stands under a name that is a credential of this source or has more than ${MAX_FOUND_NAME} characters`,
    hint: "set data_selector to the list of the records",
    retryable: false,
  });

function findPaths(
  value: JsonValue,
  isWanted: (value: JsonValue) => boolean,
  path: string[] = [],
): string[][] {
  if (isWanted(value)) return [path];
  if (!isObject(value) || path.length === DETECT_DEPTH) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    findPaths(member, isWanted, [...path, name]),
  );
}

/** The text of a path, as a config writes it. */
export function writePath(steps: readonly PathStep[]): string {
  const parts = steps.map((step) => {
    if ("name" in step)
      return isPlainName(step.name) ? `.${step.name}` : `[${quoteText(step.name)}]`;
    if ("where" in step) {
      const scalar = typeof step.is === "string" ? quoteText(step.is) : step.is;
      return `[?(@.${writePath(step.where)}==${scalar})]`;
    }
    return "all" in step ? "[*]" : `[${step.index}]`;
  });
  return parts.join("").replace(/^\./, "") || "$";
}

/** JSON.stringify would not do: a path has no escapes such as `\n` and `\u0000`. */
const quoteText = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

const isPlainName = (name: string): boolean => /^[^\s.[\]*`'"()?,:$]+$/.test(name);
