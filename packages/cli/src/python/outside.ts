import {
  type DictLiteral,
  type Literal,
  literalsOfKind,
  type TextLiteral,
  type ValueName,
} from "../sources/literal.ts";

/*
 * Values from outside of the file: parameters without a value, and the environment. The file does
 * not tell whether one is a credential. It is a secret where a secret may stand, so that it is never
 * shown, and else a value of the stage. A name is one or the other everywhere.
 */

export interface PlacedConfig<Config> {
  config: Config;
  /** The names that were decided about. */
  secrets: string[];
  values: string[];
}

const credentialName = /token|secret|passw|credential|(^|_)(key|apikey|auth|pat|pwd)(_|$)/i;

export function placeOutsideValues<Config extends Literal>(config: Config): PlacedConfig<Config> {
  const openNames = new Set(
    [...literalsOfKind(config, "value"), ...partsOf(config)].flatMap(({ name, mayBeSecret }) =>
      mayBeSecret ? [name] : [],
    ),
  );
  const valueNames = new Set<string>();
  mapNames(config, [], (part, path) => {
    if (!isSecretPlace(path) && !credentialName.test(part.name)) valueNames.add(part.name);
    return part;
  });
  const placed = mapNames(config, [], ({ mayBeSecret, ...part }) =>
    mayBeSecret && !valueNames.has(part.name) ? { kind: "secret", name: part.name } : part,
  );
  const names = [...openNames];
  return {
    config: placed as Config,
    secrets: names.filter((name) => !valueNames.has(name)),
    values: names.filter((name) => valueNames.has(name)),
  };
}

const partsOf = (config: Literal): ValueName[] =>
  literalsOfKind(config, "text").flatMap(({ parts }) =>
    parts.filter((part): part is ValueName => typeof part === "object" && part.kind === "value"),
  );

type Path = readonly (string | number)[];
type NamePart = Exclude<TextLiteral["parts"][number], string>;
type MapName = (part: ValueName, path: Path) => NamePart;

function mapNames(literal: Literal, path: Path, map: MapName): Literal {
  switch (literal.kind) {
    case "dict":
      return {
        ...literal,
        entries: literal.entries.map((entry) =>
          entry.key === undefined
            ? entry
            : { ...entry, value: mapNames(entry.value, innerPath(literal, path, entry.key), map) },
        ),
      };
    case "list":
      return {
        ...literal,
        items: literal.items.map((item, i) => ({
          ...item,
          value: mapNames(item.value, [...path, i], map),
        })),
      };
    case "value":
      return map(literal, path);
    case "text":
      return {
        ...literal,
        parts: literal.parts.map((part) =>
          typeof part === "object" && part.kind === "value" ? map(part, path) : part,
        ),
      };
    default:
      return literal;
  }
}

/** The members of an incremental or a resolve among the parameters are no values that are sent. */
function innerPath({ entries }: DictLiteral, path: Path, key: string): Path {
  const isParameter = path.at(-2) === "params" && entries.some((entry) => entry.key === "type");
  return isParameter ? ["incremental", key] : [...path, key];
}

const plainAuthKeys = [
  "type",
  "name",
  "location",
  "access_token_url",
  "token_url",
  "scope",
  "scopes",
];

function isSecretPlace(path: Path): boolean {
  const words = path.filter((key) => typeof key === "string");
  const [last] = words.slice(-1);
  if (words.includes("incremental")) return false;
  if (words.includes("auth")) {
    return words.at(-1) !== "auth" && !plainAuthKeys.includes(last ?? "");
  }
  return ["headers", "params", "json", "data"].some(
    (place) => words.includes(place) && !words.includes("columns"),
  );
}
