import type { Problem } from "../../base/errors.ts";
import { incrementals } from "../incremental.ts";
import { parentOf, parentsFirst, referencesIn } from "../parents.ts";
import { planDisposition } from "../rows.ts";
import type { SettledResource } from "../settle.ts";
import { isDict, textOf } from "../spell.ts";
import { suggest } from "../suggest.ts";
import { placeholders } from "../templates.ts";
import type { Locate } from "./locate.ts";

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
