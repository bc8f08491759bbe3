import type { JsonPath } from "./jsonpath.ts";
import type { IncrementalPlan, ParentPlan, ResourcePlan } from "./plan-types.ts";

/*
 * Of a resource and its ancestors, at most one has a cursor that moves (its root). What is read of
 * the others follows from it: they read the records that the root has read.
 */

/** The part of a plan that decides whether a resource moves a cursor. */
export interface CursorOwner extends Pick<ResourcePlan, "disposition" | "selected"> {
  incremental: Pick<IncrementalPlan, "endValue" | "perParent"> | undefined;
}

/** The resource whose cursor decides what is read: this one or an ancestor. */
export const rootOf = (resource: ResourcePlan): ResourcePlan | undefined =>
  hasOwnCursor(resource) ? resource : rootAbove(resource);

/** The ancestor whose cursor decides which parent records are read. */
export const rootAbove = ({ parent }: Pick<ResourcePlan, "parent">): ResourcePlan | undefined =>
  parent && rootOf(parent.plan);

/** Whether a run moves a cursor of the whole resource. A backfill remembers nothing. */
export const hasOwnCursor = ({ incremental, disposition, selected }: CursorOwner): boolean =>
  incremental !== undefined &&
  incremental.endValue === undefined &&
  !incremental.perParent &&
  !(selected && disposition === "replace");

/** Tells each resource with a cursor which stored resources follow it. */
export function addFollowers(resources: readonly ResourcePlan[]): void {
  for (const resource of resources) {
    const root = rootAbove(resource);
    if (!root || !resource.selected) continue;
    const { name, disposition } = resource;
    const above = followersAbove(resource, root);
    root.followers.push({ name, needsWhole: disposition === "replace", above });
  }
}

function followersAbove({ parent }: ResourcePlan, root: ResourcePlan): string[] {
  if (!parent || parent.plan === root) return [];
  const { name, selected } = parent.plan;
  return [...followersAbove(parent.plan, root), ...(selected ? [name] : [])];
}

/**
 * The attribute of a row that tells a value of an ancestor's record. `includes` are the fields that
 * each generation takes from the one above, from the ancestor's child down to the resource. Undefined
 * where a generation does not hand the value on.
 */
export function includedAttribute(
  path: Pick<JsonPath, "steps">,
  includes: readonly ParentPlan["include"][],
): string | undefined {
  let steps: JsonPath["steps"] = path.steps;
  let attribute: string | undefined;
  for (const include of includes) {
    const field = include.find(({ paths }) =>
      paths.some((taken) => isSamePath(taken.steps, steps)),
    );
    if (!field) return undefined;
    attribute = field.as;
    steps = [{ name: field.as }];
  }
  return attribute;
}

/**
 * What to write so that a field of an ancestor comes down to a resource. `generations` are the
 * ancestor's child and its descendants down to the resource, each with its parent's name.
 */
export function handDownHint(
  field: string,
  generations: readonly { name: string; parent: string }[],
): string {
  const parts: string[] = [];
  let handed = field;
  for (const { name, parent } of generations) {
    parts.push(`"include_from_parent": ["${handed}"] to ${name}`);
    handed = `_${parent}_${handed}`;
  }
  return `add ${parts.join(" and ")}`;
}

const isSamePath = (first: JsonPath["steps"], second: JsonPath["steps"]): boolean =>
  JSON.stringify(first) === JSON.stringify(second);
