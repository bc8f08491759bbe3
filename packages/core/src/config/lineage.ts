import type { ResourcePlan } from "./plan-types.ts";

/*
 * Of a resource and its ancestors, at most one has a cursor that moves (its root). What is read of
 * the others follows from it: they read the records that the root has read.
 */

type Rooted = Pick<ResourcePlan, "incremental" | "disposition" | "selected" | "parent">;

/** The resource whose cursor decides what is read: this one or an ancestor. */
export const rootOf = (resource: ResourcePlan): ResourcePlan | undefined =>
  hasOwnCursor(resource) ? resource : rootAbove(resource);

/** The ancestor whose cursor decides which parent records are read. */
export const rootAbove = ({ parent }: Pick<ResourcePlan, "parent">): ResourcePlan | undefined =>
  parent && rootOf(parent.plan);

/** Whether a run moves a cursor of the whole resource. A backfill remembers nothing. */
export const hasOwnCursor = ({ incremental, disposition, selected }: Rooted): boolean =>
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
