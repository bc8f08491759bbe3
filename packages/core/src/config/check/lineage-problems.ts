import type { Problem } from "../../base/errors.ts";
import type { IncrementalConfig, IncrementalParam } from "../endpoint-types.ts";
import { findIncrementals } from "../incremental.ts";
import { parseJsonPathIfValid } from "../jsonpath.ts";
import { handDownHint, hasOwnCursor, includedAttribute } from "../lineage.ts";
import { parentName, planIncluded } from "../parents.ts";
import type { ParentPlan } from "../plan-types.ts";
import { looksRelative } from "../relative-time.ts";
import { isSelected, planDisposition } from "../rows.ts";
import type { SettledResource } from "../settle.ts";
import type { Locate } from "./locate.ts";

/*
 * Problems between the cursor of a resource and the resources above and below it. As in
 * contradictions.ts, the shape of a resource may be wrong as well.
 */

export function lineageProblems(
  resource: SettledResource,
  resources: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const ancestors = ancestorsOf(resource, resources);
  return [
    ...ownCursorProblems(resource, ancestors, locate),
    ...perParentProblems(resource, resources, locate),
    ...replaceProblems(resource, ancestors, locate),
  ];
}

/** The parent first. A circle of parents ends the list, and is reported by circleProblems. */
function ancestorsOf(
  resource: SettledResource,
  resources: readonly SettledResource[],
): SettledResource[] {
  const ancestors: SettledResource[] = [];
  let descendant = resource;
  while (true) {
    const name = parentName(descendant);
    const parent = name && resources.find((candidate) => candidate.name === name);
    if (!parent || parent === resource || ancestors.includes(parent)) return ancestors;
    ancestors.push(parent);
    descendant = parent;
  }
}

const cursorOf = ({
  endpoint,
}: SettledResource): IncrementalConfig | IncrementalParam | undefined =>
  findIncrementals(endpoint)[0]?.config;

function movesCursor(resource: SettledResource): boolean {
  const cursor = cursorOf(resource);
  return hasOwnCursor({
    disposition: planDisposition(resource),
    selected: isSelected(resource),
    incremental: cursor && {
      endValue: cursor.end_value ?? undefined,
      perParent: cursor.per_parent === true,
    },
  });
}

/**
 * Below a resource that is read for its changes, one cursor for all parent records would pass what a
 * parent has gained before it changed itself.
 */
function ownCursorProblems(
  resource: SettledResource,
  ancestors: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const [incremental] = findIncrementals(resource.endpoint);
  const changing = ancestors.find(movesCursor);
  if (!incremental || !changing || !movesCursor(resource)) return [];
  return [
    {
      path: locate("endpoint", ...incremental.keys),
      message: `"${changing.name}" is read for its changes alone, and one cursor for all of its records would skip records of those that change later`,
      hint: `add "per_parent": true, which keeps a cursor for each of them, or remove this incremental`,
    },
  ];
}

function perParentProblems(
  resource: SettledResource,
  resources: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  const [incremental] = findIncrementals(resource.endpoint);
  if (!incremental?.config.per_parent) return [];
  const path = locate("endpoint", ...incremental.keys, "per_parent");
  if (parentName(resource) === undefined) {
    return [{ path, message: "there is no parent to have cursors for", hint: "remove per_parent" }];
  }
  const child = resource.name
    ? resources.find((candidate) => parentName(candidate) === resource.name)
    : undefined;
  if (!child) return [];
  return [
    {
      path,
      message: `"${child.name}" is read for each record of this resource, and per_parent shows it those alone that have changed`,
      hint: `remove per_parent, so that all records are read, or read "${child.name}" in another way`,
    },
  ];
}

/**
 * A replace deletes what it was not shown. Below an ancestor that is read in a range only, a row has
 * to tell whether it belongs to the range.
 */
function replaceProblems(
  resource: SettledResource,
  ancestors: readonly SettledResource[],
  locate: Locate,
): Problem[] {
  if (planDisposition(resource) !== "replace" || !isSelected(resource)) return [];
  const descent = [resource, ...ancestors];
  return ancestors.flatMap((ancestor, index) => {
    const cursor = cursorOf(ancestor);
    if (!cursor || (cursor.initial_value == null && cursor.end_value == null)) return [];
    if (looksRelative(cursor.initial_value)) {
      return [
        {
          path: locate("write_disposition"),
          message: `"${ancestor.name}" is read from a start that moves with time, so a replace cannot know which rows are gone`,
          hint: `give it a fixed "initial_value", or use "merge"`,
        },
      ];
    }
    const path = parseJsonPathIfValid(cursor.cursor_path);
    // From the ancestor's child down to the resource.
    const generations = descent.slice(0, index + 1).reverse();
    const includes = generations.map(includedOf);
    if (!path || includedAttribute(path, includes) !== undefined) return [];
    return [
      {
        path: locate("write_disposition"),
        message: `"${ancestor.name}" is read within a range of "${path.text}" only, and no row here tells whether it belongs to that range, so a replace cannot know which rows are gone`,
        hint: `${handDownHint(path.text, generations.map(namesOf))}, or use "merge"`,
      },
    ];
  });
}

const includedOf = (resource: SettledResource): ParentPlan["include"] => {
  const fields: unknown = resource.include_from_parent;
  const include_from_parent = Array.isArray(fields) ? fields.filter(isString) : [];
  return planIncluded({ include_from_parent }, parentName(resource) ?? "");
};

const namesOf = (resource: SettledResource) => ({
  name: resource.name,
  parent: parentName(resource) ?? "",
});

const isString = (value: unknown): value is string => typeof value === "string";
