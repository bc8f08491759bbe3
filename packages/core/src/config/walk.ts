import { isDict } from "./dict.ts";

type Key = string | number;

/** A value of a config, with its place. */
export interface ConfigValue {
  /** Written as a person would point at it: `resources[0].columns.id.data_type`. */
  path: string;
  /** The same for any resource, client or endpoint: `resource.columns.*.data_type`, `auth.type`. */
  pattern: string;
  keys: Key[];
  value: unknown;
}

/** Every value in an expanded config, parents before their members. Skips null, dlt's None. */
export function* walkConfig(value: unknown, keys: Key[] = []): Generator<ConfigValue> {
  if (value == null) return;
  if (keys.length > 0) yield { path: formatPath(keys), pattern: formatPattern(keys), keys, value };
  for (const [key, member] of membersOf(value)) yield* walkConfig(member, [...keys, key]);
}

/** The members of a list or a dict; no other value has members. */
export function membersOf(value: unknown): [Key, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  return isDict(value) ? Object.entries(value) : [];
}

export function formatPath(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    const name = String(key);
    if (!/^[\w$-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
    return path === "" ? name : `${path}.${name}`;
  }, "");
}

/** The keys under `columns` and `params` are names that the user has chosen, not dlt's words. */
const holdsUserNames = (key: Key | undefined) => key === "columns" || key === "params";

function formatPattern(keys: readonly Key[]): string {
  const [top, resourceIndex] = keys;
  const words = keys.map((key, index) =>
    holdsUserNames(keys[index - 1]) || typeof key === "number" ? "*" : key,
  );
  if (top === "resources" && resourceIndex !== undefined) words.splice(0, 2, "resource");
  if (top === "resource_defaults") words[0] = "resource";
  return words.join(".").replace(/^(client|resource\.endpoint)\.(auth|paginator)\b/, "$2");
}

export function valueAt(value: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
}
