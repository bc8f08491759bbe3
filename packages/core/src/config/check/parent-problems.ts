import type { Problem } from "../../base/errors.ts";
import { isDict, stringOrEmpty } from "../dict.ts";
import { parentName, parentReferencesIn, parentsFirst } from "../parents.ts";
import type { SettledResource } from "../settle.ts";
import { spellingHint } from "../suggest.ts";
import { placeholderNames } from "../templates.ts";
import type { Locate } from "./locate.ts";

/** Problems between a resource and its parent. */
export function parentProblems(
  resource: SettledResource,
  resources: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const parent = parentName(resource);
  return [
    ...referenceProblems(resource, parent, resources, locate),
    ...resolveProblems(resource, locate),
    ...includeProblems(resource, parent, locate),
  ];
}

function referenceProblems(
  { endpoint }: SettledResource,
  parent: string | undefined,
  resources: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const names = resources.map(({ name }) => stringOrEmpty(name));
  return parentReferencesIn(endpoint).flatMap((located) => {
    const path = locate("endpoint", ...located.keys);
    if ("error" in located) {
      return [{ path, message: located.error.message, hint: located.error.hint }];
    }
    const { resource } = located.reference;
    if (!names.includes(resource)) {
      const message = `there is no resource "${resource}" to be the parent`;
      return [{ path, message, hint: spellingHint(resource, names) }];
    }
    if (resource === parent) return [];
    const message = `"${resource}" would be a second parent: it has "${parent}" already`;
    return [{ path, message, hint: "take all fields from one parent" }];
  });
}

function resolveProblems({ endpoint }: SettledResource, locate: Locate): Problem[] {
  const pathNames = typeof endpoint.path === "string" ? placeholderNames(endpoint.path) : [];
  return Object.entries(isDict(endpoint.params) ? endpoint.params : {})
    .filter(([, value]) => isDict(value) && value.type === "resolve")
    .filter(([name]) => !pathNames.includes(name))
    .map(([name]) => ({
      path: locate("endpoint", "params", name),
      message: `the path does not name {${name}}`,
      hint: `put {${name}} into the path; in the query write "{resources.parent.field}"`,
    }));
}

function includeProblems(
  resource: SettledResource,
  parent: string | undefined,
  locate: Locate,
): Problem[] {
  if (parent !== undefined || (resource.include_from_parent ?? []).length === 0) return [];
  return [
    {
      path: locate("include_from_parent"),
      message: "there is no parent to take fields from",
      hint: "name one of its fields in the path: /users/{resources.users.id}/posts",
    },
  ];
}

/** Reports resources that are their own ancestors. */
export function circleProblems(resources: readonly SettledResource[]): Problem[] {
  const readableNames = new Set(parentsFirst(resources).map(({ name }) => name));
  return resources.flatMap((resource, index) => {
    if (readableNames.has(resource.name)) return [];
    return [
      {
        path: `resources[${index}].endpoint`,
        message: `"${resource.name}" is a child of itself, through "${parentName(resource)}"`,
        hint: "a parent has to be readable without its child",
      },
    ];
  });
}
