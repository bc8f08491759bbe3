import { ConfigError } from "../base/errors.ts";
import { type Path, parsePath } from "./jsonpath.ts";
import type { ParentPlan, ResourcePlan } from "./plan-types.ts";
import type { SettledEndpoint, SettledResource } from "./settle.ts";
import { isDict } from "./spell.ts";
import { parseTemplate, type Reference, references, Template } from "./templates.ts";
import { walk } from "./walk.ts";

/*
 * A resource whose requests name a field of another one is its child: it is read once for each of
 * the parent's records.
 */

type ParentReference = Extract<Reference, { of: "parent" }>;

/** A reference to a parent, or why a text makes none, and where it stands in the endpoint. */
interface Found {
  keys: (string | number)[];
  reference?: ParentReference;
  problem?: ConfigError;
}

/** Assumes nothing of the endpoint: its shape may be wrong as well. */
export function referencesIn({ path, params, headers, json, data }: SettledEndpoint): Found[] {
  const names = Object.keys(isDict(headers) ? headers : {});
  const places = [
    ...walk({ path, params, headers, json, data }),
    ...names.map((name) => ({ keys: ["headers", name], value: name })),
  ];
  return places.flatMap(({ keys, value }): Found[] => {
    try {
      return textReferences(value).map((reference) => ({ keys, reference }));
    } catch (error) {
      if (error instanceof ConfigError) return [{ keys, problem: error }];
      throw error;
    }
  });
}

function textReferences(value: unknown): ParentReference[] {
  if (isDict(value) && value.type === "resolve") {
    const { resource, field } = value;
    // The schema names what is missing.
    if (typeof resource !== "string" || typeof field !== "string") return [];
    return [{ of: "parent", resource, field: parsePath(field) }];
  }
  const parsed = typeof value === "string" ? parseTemplate(value) : undefined;
  if (!(parsed instanceof Template)) return [];
  return [...references(parsed)].filter((one): one is ParentReference => one.of === "parent");
}

const fieldsIn = ({ endpoint }: SettledResource): Path[] =>
  referencesIn(endpoint).flatMap(({ reference }) => reference?.field ?? []);

/** The name of the parent, if there is one. */
export const parentOf = ({ endpoint }: SettledResource): string | undefined =>
  referencesIn(endpoint).find(({ reference }) => reference)?.reference?.resource;

/** Parents before their children; else as they were written. What is in a circle stays out. */
export function parentsFirst(resources: readonly SettledResource[]): SettledResource[] {
  const parents = new Map(resources.map((one) => [one.name, parentOf(one)]));
  const depth = (name: string, seen: string[] = []): number => {
    const parent = parents.get(name);
    if (seen.includes(name)) return Number.POSITIVE_INFINITY;
    return parent === undefined ? 0 : 1 + depth(parent, [...seen, name]);
  };
  const depths = new Map(resources.map(({ name }) => [name, depth(name)]));
  return resources
    .filter(({ name }) => depths.get(name) !== Number.POSITIVE_INFINITY)
    .sort((a, b) => (depths.get(a.name) ?? 0) - (depths.get(b.name) ?? 0));
}

export function planParent(
  resource: SettledResource,
  planned: ReadonlyMap<string, ResourcePlan>,
): ParentPlan | undefined {
  const parent = planned.get(parentOf(resource) ?? "");
  if (!parent) return undefined;
  const include = (resource.include_from_parent ?? []).map((field) => ({
    field: includedPath(field),
    as: `_${parent.name}_${field}`,
  }));
  const needed = [...new Set(fieldsIn(resource).map(({ text }) => text))];
  return {
    plan: parent,
    needed,
    include,
    onMissing: resource.on_parent_value_missing ?? "set_aside",
    onError: resource.on_parent_error ?? "raise",
  };
}

/** What its children need of each of a resource's records. */
export function planSpooled(name: string, resources: readonly SettledResource[]): Path[] {
  const fields = resources
    .filter((one) => parentOf(one) === name)
    .flatMap((child) => [
      ...fieldsIn(child),
      ...(child.include_from_parent ?? []).map(includedPath),
    ]);
  return [...new Map(fields.map((field) => [field.text, field])).values()];
}

/** A field of a record, or a path into it: dots lead into objects. */
const includedPath = (field: string): Path => parsePath(field);
