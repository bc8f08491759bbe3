import { ConfigError, type Problem } from "../errors.ts";
import { incrementals } from "./incremental.ts";
import { type Path, parsePath } from "./jsonpath.ts";
import type { Locate } from "./locate.ts";
import type { ParentPlan, ResourcePlan } from "./plan-types.ts";
import { planDisposition } from "./rows.ts";
import type { SettledEndpoint, SettledResource } from "./settle.ts";
import { isDict, textOf } from "./spell.ts";
import { suggest } from "./suggest.ts";
import { parseTemplate, placeholders, type Reference, references, Template } from "./templates.ts";
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
function referencesIn({ path, params, headers, json, data }: SettledEndpoint): Found[] {
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
    field: memberPath(field),
    as: `_${parent.name}_${field}`,
  }));
  const needed = [...new Set(fieldsIn(resource).map(({ text }) => text))];
  return { plan: parent, needed, include, onMissing: resource.on_parent_value_missing ?? "raise" };
}

/** What its children need of each of a resource's records. */
export function planSpooled(name: string, resources: readonly SettledResource[]): Path[] {
  const fields = resources
    .filter((one) => parentOf(one) === name)
    .flatMap((child) => [...fieldsIn(child), ...(child.include_from_parent ?? []).map(memberPath)]);
  return [...new Map(fields.map((field) => [field.text, field])).values()];
}

const memberPath = (name: string): Path => ({ text: name, steps: [{ name }] });

/** What is wrong between a resource and its parent. */
export function parentProblems(
  resource: SettledResource,
  resources: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const found = referencesIn(resource.endpoint);
  const names = resources.map(({ name }) => textOf(name));
  const [first] = found.flatMap(({ reference }) => reference?.resource ?? []);
  const problems: Problem[] = found.flatMap(({ keys, reference, problem }) => {
    const path = locate("endpoint", ...keys);
    if (problem) return [{ path, message: problem.message, hint: problem.hint }];
    const parent = reference?.resource ?? "";
    if (!names.includes(parent)) {
      const hint = suggest(parent, names);
      return [{ path, message: `there is no resource "${parent}" to be the parent`, hint }];
    }
    if (parent === first) return [];
    const message = `"${parent}" would be a second parent: it has "${first}" already`;
    return [{ path, message, hint: "take all fields from one parent" }];
  });
  return [
    ...problems,
    ...unusedResolves(resource, locate),
    ...orphan(resource, first, locate),
    ...lonelyCursor(resource, first, locate),
  ];
}

/** A cursor per record of a parent needs a parent, and rows that may be read twice. */
function lonelyCursor(
  resource: SettledResource,
  parent: string | undefined,
  locate: Locate,
): Problem[] {
  const [found] = incrementals(resource.endpoint);
  if (!found?.config.per_parent) return [];
  const path = locate("endpoint", ...found.keys, "per_parent");
  if (parent === undefined) {
    return [{ path, message: "there is no parent to have cursors for", hint: "remove per_parent" }];
  }
  if (planDisposition(resource) !== "append") return [];
  return [
    {
      path,
      message: "per_parent reads the records at each start again, and append would double them",
      hint: `add "primary_key" and merge`,
    },
  ];
}

function unusedResolves({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const named = typeof endpoint.path === "string" ? placeholders(endpoint.path) : [];
  return Object.entries(isDict(endpoint.params) ? endpoint.params : {})
    .filter(([name, value]) => isDict(value) && value.type === "resolve" && !named.includes(name))
    .map(([name]) => ({
      path: locate("endpoint", "params", name),
      message: `the path does not name {${name}}`,
      hint: `put {${name}} into the path; in the query write "{resources.parent.field}"`,
    }));
}

function orphan(resource: SettledResource, parent: string | undefined, locate: Locate): Problem[] {
  if (parent !== undefined || (resource.include_from_parent ?? []).length === 0) return [];
  return [
    {
      path: locate("include_from_parent"),
      message: "there is no parent to take fields from",
      hint: "name one of its fields in the path: /users/{resources.users.id}/posts",
    },
  ];
}

/** Resources that wait for each other. */
export function circles(resources: readonly SettledResource[]): Problem[] {
  const ordered = new Set(parentsFirst(resources).map(({ name }) => name));
  return resources.flatMap((one, index) =>
    ordered.has(one.name)
      ? []
      : [
          {
            path: `resources[${index}].endpoint`,
            message: `"${one.name}" is a child of itself, through "${parentOf(one)}"`,
            hint: "a parent has to be readable without its child",
          },
        ],
  );
}
