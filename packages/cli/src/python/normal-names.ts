import type { DictLiteral, Literal } from "../sources/literal.ts";
import { dictOf, memberOf, setKey } from "./containers.ts";
import { stringIn } from "./values.ts";

/*
 * dlt makes names of tables out of the names of resources: `berry-details` is `berry_details`. Here a
 * resource has that name itself, and the path that its name stood for is written down.
 */

export interface NormalNames {
  config: DictLiteral;
  /** The names that have changed. */
  renamed: Map<string, string>;
}

export function normalizeNames(config: DictLiteral): NormalNames {
  const list = memberOf(config, "resources");
  const renamed = new Map<string, string>();
  if (list?.kind !== "list") return { config, renamed };
  for (const { value } of list.items) {
    const name =
      stringIn(value) ?? (value.kind === "dict" ? stringIn(memberOf(value, "name")) : "");
    if (name && !/^[a-z0-9_]+$/.test(name)) renamed.set(name, normalName(name));
  }
  if (renamed.size === 0) return { config, renamed };
  const items = list.items.map((item) => ({ ...item, value: renameResource(item.value, renamed) }));
  return { config: setKey(config, "resources", { ...list, items }), renamed };
}

/** dlt's snake_case. */
export function normalName(name: string): string {
  const replaced = name
    .trim()
    .replace(
      /[-+*@|]/g,
      (character) => ({ "+": "x", "*": "x", "@": "a", "|": "l" })[character] ?? "_",
    )
    .replace(/[^a-zA-Z\d_]+/g, "_")
    .replace(/([^_])([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/^(?=\d)/, "_");
  let end = replaced.length;
  while (replaced[end - 1] === "_") end--;
  return (replaced.slice(0, end) + "x".repeat(replaced.length - end)).replace(/__+/g, "_");
}

function renameResource(resource: Literal, renamed: ReadonlyMap<string, string>): Literal {
  const dict =
    resource.kind === "scalar"
      ? dictOf([{ key: "name", value: resource, commentsAbove: [] }])
      : resource;
  if (dict.kind !== "dict") return resource;
  const name = stringIn(memberOf(dict, "name"));
  const newName = name === undefined ? undefined : renamed.get(name);
  const references = renameReferences(dict, renamed) as DictLiteral;
  if (name === undefined || newName === undefined) {
    return resource.kind === "scalar" ? resource : references;
  }
  const named = setKey(references, "name", { kind: "scalar", value: newName });
  return withPath(named, name);
}

/** A path that came from the name keeps the name as it was written. */
function withPath(resource: DictLiteral, name: string): DictLiteral {
  const path: Literal = { kind: "scalar", value: name };
  const endpoint = memberOf(resource, "endpoint");
  if (endpoint === undefined) {
    return setKey(resource, "endpoint", dictOf([{ key: "path", value: path, commentsAbove: [] }]));
  }
  if (endpoint.kind !== "dict" || memberOf(endpoint, "path")) return resource;
  return setKey(resource, "endpoint", setKey(endpoint, "path", path));
}

/** `{resources.NAME.field}` in strings, and the `resource` of a resolve. */
function renameReferences(literal: Literal, renamed: ReadonlyMap<string, string>): Literal {
  const inText = (text: string) =>
    text.replace(/\{resources\.([^.{}[\]]+)/g, (whole, name: string) => {
      const newName = renamed.get(name);
      return newName === undefined ? whole : `{resources.${newName}`;
    });
  switch (literal.kind) {
    case "dict": {
      const isResolve = stringIn(memberOf(literal, "type")) === "resolve";
      return {
        ...literal,
        entries: literal.entries.map((entry) => {
          if (entry.key === undefined) return entry;
          const parent = isResolve && entry.key === "resource" ? stringIn(entry.value) : undefined;
          const newParent = parent === undefined ? undefined : renamed.get(parent);
          const value: Literal =
            newParent === undefined
              ? renameReferences(entry.value, renamed)
              : { kind: "scalar", value: newParent };
          return { ...entry, value };
        }),
      };
    }
    case "list":
      return {
        ...literal,
        items: literal.items.map((item) => ({
          ...item,
          value: renameReferences(item.value, renamed),
        })),
      };
    case "scalar":
      return typeof literal.value === "string"
        ? { ...literal, value: inText(literal.value) }
        : literal;
    case "text":
      return {
        ...literal,
        parts: literal.parts.map((part) => (typeof part === "string" ? inText(part) : part)),
      };
    default:
      return literal;
  }
}
