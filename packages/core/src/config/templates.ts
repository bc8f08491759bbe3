import { ConfigError } from "../base/errors.ts";
import { secretParts } from "../secrets/reference.ts";
import { type Path, parsePath } from "./jsonpath.ts";

/*
 * Values in braces: `{resources.users.id}`, `{incremental.start_value}` and `{secrets.api_key}`, in
 * Python's format syntax, where `{{` and `}}` are braces. A text without such a reference is left as
 * it is.
 */

/** What an incremental can fill in. */
export const incrementalNames = [
  "start_value",
  "initial_value",
  "last_value",
  "end_value",
  "lag",
] as const;

export type Reference =
  | { of: "incremental"; name: (typeof incrementalNames)[number] }
  | { of: "parent"; resource: string; field: Path }
  /** What `dlt.secrets["api_key"]` is inside of a text. */
  | { of: "secret"; name: string };

/** A text with values to fill in: texts and references in turn. */
export class Template {
  readonly parts: readonly (string | Reference)[];

  constructor(parts: readonly (string | Reference)[]) {
    this.parts = parts;
  }

  /** The reference that is all of the text: its value keeps its type. */
  get whole(): Reference | undefined {
    const [only, ...rest] = this.parts;
    return typeof only === "object" && rest.length === 0 ? only : undefined;
  }
}

const brace = /\{\{|\}\}|\{([^{}]+)\}/g;

const reference = /\{(?:resources|incremental|secrets)\./;

/** The names in a text's `{…}`. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(brace)].flatMap(([, name]) => name ?? []);
}

/** The same text, or what it is made of. Throws a ConfigError for a reference that makes no sense. */
export function parseTemplate(text: string): string | Template {
  return reference.test(text) ? join(texts(text, parseReference)) : text;
}

/** The same text, or one in which the secrets alone are filled in. */
export function parseSecrets(text: string): string | Template {
  return join(
    secretParts(text).map((part) => (typeof part === "string" ? part : { of: "secret", ...part })),
  );
}

/**
 * The parts of a text, with what `value` makes of each name in braces. Braces that are doubled are
 * braces.
 */
export function texts(
  text: string,
  value: (name: string, found: string) => string | Reference,
): (string | Reference)[] {
  const parts: (string | Reference)[] = [];
  let at = 0;
  for (const match of text.matchAll(brace)) {
    const [found, name] = match;
    parts.push(
      text.slice(at, match.index),
      name === undefined ? found.slice(1) : value(name, found),
    );
    at = match.index + found.length;
  }
  return [...parts, text.slice(at)];
}

/** Neighbouring texts become one; a template without a reference is a text. */
export function join(parts: readonly (string | Reference)[]): string | Template {
  const joined: (string | Reference)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof last === "string")
      joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  const [only = "", ...rest] = joined;
  return typeof only === "string" && rest.length === 0 ? only : new Template(joined);
}

/** A name in braces that is neither stays what it is, braces and all. */
export function parseReference(name: string, found: string): string | Reference {
  const [space, ...rest] = name.split(".");
  if (space === "incremental") return incrementalReference(rest.join("."));
  if (space === "secrets") return { of: "secret", name: rest.join(".") };
  if (space !== "resources") return found;
  const [resource = "", ...field] = rest;
  if (resource === "" || field.length === 0) {
    throw wrong(`{${name}} names no field of a resource`, "write {resources.parent.field}");
  }
  return { of: "parent", resource, field: parsePath(field.join(".")) };
}

function incrementalReference(name: string): Reference {
  const known = incrementalNames.find((one) => one === name);
  if (known) return { of: "incremental", name: known };
  throw wrong(
    `{incremental.${name}} is no value of an incremental`,
    `there are ${incrementalNames.join(", ")}`,
  );
}

const wrong = (message: string, hint: string) =>
  new ConfigError({ code: "config.template", message, hint });

/** Every reference in a value, however deep. */
export function* references(value: unknown): Generator<Reference> {
  if (value instanceof Template) {
    for (const part of value.parts) if (typeof part === "object") yield part;
  } else if (Array.isArray(value)) {
    for (const one of value) yield* references(one);
  } else if (typeof value === "object" && value !== null) {
    yield* references(Object.values(value));
  }
}
