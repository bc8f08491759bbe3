import { ConfigError } from "../base/errors.ts";
import { isDict } from "./dict.ts";
import { type JsonPath, parseJsonPath, parseJsonPathIfValid } from "./jsonpath.ts";
import type { ParentPlan, ResourcePlan } from "./plan-types.ts";
import type { SettledEndpoint, SettledResource } from "./settle.ts";
import {
  parseTemplate,
  Template,
  type TemplateReference,
  templateReferences,
} from "./templates.ts";
import { walkConfig } from "./walk.ts";

/*
 * A resource whose requests name a field of a second resource is a child of the second. A child is
 * read once for each record of its parent.
 */

type ParentReference = Extract<TemplateReference, { of: "parent" }>;

/** A reference, or the error of a malformed one, with its keys in the endpoint. */
type LocatedReference = { keys: (string | number)[] } & (
  | { reference: ParentReference }
  | { error: ConfigError }
);

/** Accepts an endpoint of any shape, because a config is searched before its shape is checked. */
export function parentReferencesIn({
  path,
  params,
  headers,
  json,
  data,
}: SettledEndpoint): LocatedReference[] {
  const headerNames = Object.keys(isDict(headers) ? headers : {});
  const values = [
    ...walkConfig({ path, params, headers, json, data }),
    ...headerNames.map((name) => ({ keys: ["headers", name], value: name })),
  ];
  return values.flatMap(({ keys, value }): LocatedReference[] => {
    try {
      return parseParentReferences(value).map((reference) => ({ keys, reference }));
    } catch (error) {
      if (error instanceof ConfigError) return [{ keys, error }];
      throw error;
    }
  });
}

function parseParentReferences(value: unknown): ParentReference[] {
  if (isDict(value) && value.type === "resolve") {
    const { resource, field } = value;
    // The schema reports a missing resource or field.
    if (typeof resource !== "string" || typeof field !== "string") return [];
    return [{ of: "parent", resource, field: parseJsonPath(field) }];
  }
  const template = typeof value === "string" ? parseTemplate(value) : undefined;
  if (!(template instanceof Template)) return [];
  return [...templateReferences(template)].filter((reference) => reference.of === "parent");
}

const validReferences = ({ endpoint }: SettledResource): ParentReference[] =>
  parentReferencesIn(endpoint).flatMap((located) =>
    "reference" in located ? located.reference : [],
  );

const parentFields = (child: SettledResource): JsonPath[] =>
  validReferences(child).map(({ field }) => field);

export const parentName = (child: SettledResource): string | undefined =>
  validReferences(child)[0]?.resource;

/** Sorts parents before their children, and leaves out resources that are their own ancestors. */
export function parentsFirst(resources: readonly SettledResource[]): SettledResource[] {
  const parents = new Map(resources.map((resource) => [resource.name, parentName(resource)]));
  const depthOf = (name: string, descendants: string[] = []): number => {
    const parent = parents.get(name);
    if (descendants.includes(name)) return Number.POSITIVE_INFINITY;
    return parent === undefined ? 0 : 1 + depthOf(parent, [...descendants, name]);
  };
  const depths = new Map(resources.map(({ name }) => [name, depthOf(name)]));
  return resources
    .filter(({ name }) => depths.get(name) !== Number.POSITIVE_INFINITY)
    .sort((a, b) => (depths.get(a.name) ?? 0) - (depths.get(b.name) ?? 0));
}

export function planParent(
  resource: SettledResource,
  planned: ReadonlyMap<string, ResourcePlan>,
): ParentPlan | undefined {
  const parent = planned.get(parentName(resource) ?? "");
  if (!parent) return undefined;
  const needed = [...new Set(parentFields(resource).map(({ text }) => text))];
  return {
    plan: parent,
    needed,
    include: planIncluded(resource, parent.name),
    onMissing: resource.on_parent_value_missing ?? "set_aside",
    onError: resource.on_parent_error ?? "raise",
  };
}

/** The fields that each record takes from its parent's record. */
export const planIncluded = (
  { include_from_parent = [] }: Pick<SettledResource, "include_from_parent">,
  parent: string,
): ParentPlan["include"] =>
  include_from_parent.map((field) => ({
    paths: includedPaths(field),
    as: `_${parent}_${field}`,
  }));

/** The fields that the children of a resource need of each of its records. */
export function planSpooled(name: string, resources: readonly SettledResource[]): JsonPath[] {
  const fields = resources
    .filter((resource) => parentName(resource) === name)
    .flatMap((child) => [
      ...parentFields(child),
      ...(child.include_from_parent ?? []).flatMap(includedPaths),
    ]);
  return [...new Map(fields.map((field) => [field.text, field])).values()];
}

/** A field of the record with this very name, or else what the path leads to within the record. */
function includedPaths(field: string): JsonPath[] {
  const steps = [{ name: field }];
  if (!/[.[]/.test(field)) return [{ text: field, steps }];
  const ownField = { text: `[${JSON.stringify(field)}]`, steps };
  const path = parseJsonPathIfValid(field);
  return path ? [ownField, path] : [ownField];
}
