import { ConfigError } from "../base/errors.ts";
import { splitSecretText } from "../secrets/reference.ts";
import { isObject } from "../values/json.ts";
import { type JsonPath, parseJsonPath } from "./jsonpath.ts";

/*
 * Strings with references in braces: `{resources.users.id}`, `{incremental.start_value}` and
 * `{secrets.api_key}`. As in Python's format syntax, `{{` and `}}` are literal braces. In a string
 * with braces that stand alone, such as a GraphQL query or JSON, only references have a meaning.
 */

/** The values of an incremental that a reference can name. */
export const incrementalNames = [
  "start_value",
  "initial_value",
  "last_value",
  "end_value",
  "lag",
] as const;

export type TemplateReference =
  | { of: "incremental"; name: (typeof incrementalNames)[number] }
  | { of: "parent"; resource: string; field: JsonPath }
  /** `dlt.secrets["api_key"]` becomes this inside a string. */
  | { of: "secret"; name: string };

type TemplatePart = string | TemplateReference;

/** A string with values to fill in: literal strings and references in turn. */
export class Template {
  readonly parts: readonly TemplatePart[];

  constructor(parts: readonly TemplatePart[]) {
    this.parts = parts;
  }

  /** Defined when the template is a single reference: the value then keeps its type. */
  get whole(): TemplateReference | undefined {
    const [first] = this.parts;
    return typeof first === "object" && this.parts.length === 1 ? first : undefined;
  }
}

const bracePattern = /\{\{|\}\}|\{([^{}]+)\}/g;

/** The names that stand in `{…}`. */
export function placeholderNames(text: string): string[] {
  return [...text.matchAll(bracePattern)].flatMap(([, name]) => name ?? []);
}

/** Whether every brace is doubled or belongs to a name: only then are doubled braces an escape. */
const isFormatString = (text: string): boolean => !/[{}]/.test(text.replace(bracePattern, ""));

/** Throws a ConfigError for a reference that makes no sense. */
export function parseTemplate(text: string): string | Template {
  const hasEscapes = isFormatString(text);
  return joinParts(splitTemplate(text, parseReference, hasEscapes));
}

/** Names in braces that look like references, and are none: `{foo.bar.id}`. */
export const unknownReferences = (text: string): string[] =>
  placeholderNames(text)
    .filter((name) => /^[a-z_]\w*(?:\.[\w[\]*]+)+$/i.test(name))
    .filter((name) => !/^(?:resources|incremental|secrets)\./.test(name));

/** Parses references to secrets alone. Other braces stay unchanged. */
export function parseSecretReferences(text: string): string | Template {
  return joinParts(
    splitSecretText(text).map((part) =>
      typeof part === "string" ? part : { of: "secret", ...part },
    ),
  );
}

/**
 * Splits a string at its braces. `replace` returns the part for a name in braces; `written` is the
 * name with its braces. Doubled braces become single braces where they are an escape.
 */
export function splitTemplate(
  text: string,
  replace: (name: string, written: string) => TemplatePart,
  hasEscapes = true,
): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let position = 0;
  for (const match of text.matchAll(bracePattern)) {
    const [written, name] = match;
    const brace = hasEscapes ? written.slice(1) : written;
    parts.push(
      text.slice(position, match.index),
      name === undefined ? brace : replace(name, written),
    );
    position = match.index + written.length;
  }
  return [...parts, text.slice(position)];
}

/** Joins neighbouring strings. Parts without a reference become one string. */
export function joinParts(parts: readonly TemplatePart[]): string | Template {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const previous = joined.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof previous === "string")
      joined[joined.length - 1] = previous + part;
    else joined.push(part);
  }
  const [first = ""] = joined;
  return typeof first === "string" && joined.length <= 1 ? first : new Template(joined);
}

/** A name that is no reference stays as written, with its braces. */
export function parseReference(name: string, written: string): TemplatePart {
  const [namespace, ...words] = name.split(".");
  if (words.length === 0) return written;
  if (namespace === "incremental") return parseIncrementalReference(words.join("."));
  if (namespace === "secrets") return { of: "secret", name: words.join(".") };
  if (namespace !== "resources") return written;
  const [resource = "", ...field] = words;
  if (resource === "" || field.length === 0) {
    throw templateError(`{${name}} names no field of a resource`, "write {resources.parent.field}");
  }
  return { of: "parent", resource, field: parseJsonPath(field.join(".")) };
}

function parseIncrementalReference(text: string): TemplateReference {
  const name = incrementalNames.find((candidate) => candidate === text);
  if (name) return { of: "incremental", name };
  throw templateError(
    `{incremental.${text}} is no value of an incremental`,
    `there are ${incrementalNames.join(", ")}`,
  );
}

const templateError = (message: string, hint: string) =>
  new ConfigError({ code: "config.template", message, hint });

/** Every reference in a planned value, at any depth. */
export function* templateReferences(value: unknown): Generator<TemplateReference> {
  if (value instanceof Template) {
    for (const part of value.parts) if (typeof part === "object") yield part;
  } else if (Array.isArray(value)) {
    for (const element of value) yield* templateReferences(element);
  } else if (isObject(value)) {
    yield* templateReferences(Object.values(value));
  }
}
