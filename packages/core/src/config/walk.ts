import { isDict } from "./spell.ts";

/** One value in a config and where it stands. */
export interface Place {
  /** As a person would point at it: `resources[0].columns.id.data_type`. */
  path: string;
  /** The same place in any resource, client or endpoint: `resource.columns.*.data_type`, `auth.type`. */
  pattern: string;
  keys: (string | number)[];
  value: unknown;
}

type Key = string | number;

/** Every value in a spelled config, null (dlt's None) left out. */
export function* walk(value: unknown, keys: Key[] = []): Generator<Place> {
  if (value == null) return;
  if (keys.length > 0) yield { path: formatPath(keys), pattern: formatPattern(keys), keys, value };
  const members: [Key, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : isDict(value)
      ? Object.entries(value)
      : [];
  for (const [key, member] of members) yield* walk(member, [...keys, key]);
}

export function formatPath(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    const word = String(key);
    if (!/^[\w$-]+$/.test(word)) return `${path}[${JSON.stringify(word)}]`;
    return path === "" ? word : `${path}.${word}`;
  }, "");
}

/** What the user named, not dlt, follows on these. */
const holdsNames = (key: Key | undefined) => key === "columns" || key === "params";

function formatPattern(keys: readonly Key[]): string {
  const [top, index] = keys;
  const named = keys.map((key, i) =>
    holdsNames(keys[i - 1]) || typeof key === "number" ? "*" : key,
  );
  if (top === "resources" && index !== undefined) named.splice(0, 2, "resource");
  if (top === "resource_defaults") named[0] = "resource";
  return named.join(".").replace(/^(client|resource\.endpoint)\.(auth|paginator)\b/, "$2");
}

export function valueAt(value: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
}
