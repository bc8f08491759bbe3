import type { SourcePlan } from "../config/plan-types.ts";
import type { StoredState } from "../state/state-item.ts";

/** A resource is stale after twice the schedule's longest gap: one failed run may go unnoticed. */
const ALLOWED_GAPS = 2;

/**
 * Counts how many of the schedule's longest gaps have passed since a resource's last success, and
 * returns the count once it is too high. A resource that has no schedule or has never succeeded is
 * not stale: its failed runs are reported as failures.
 */
export function stalenessOf(
  { schedule, isExample }: Pick<SourcePlan, "schedule" | "isExample">,
  state: StoredState | undefined,
  now: number,
): number | undefined {
  if (!schedule?.enabled || isExample || !state?.succeeded_at) return undefined;
  const gaps = (now - Date.parse(state.succeeded_at)) / schedule.longestGapMs;
  return gaps > ALLOWED_GAPS ? Number(gaps.toFixed(2)) : undefined;
}
