import type { SourcePlan } from "../config/plan-types.ts";
import type { StoredState } from "../state/state-item.ts";

/** A resource is stale after twice the schedule's longest gap: one failed run may go unnoticed. */
const ALLOWED_GAPS = 2;

/**
 * Counts the gaps of the schedule, at their longest, since a resource's last success. Returns the
 * count when more than ALLOWED_GAPS have passed. A resource without a schedule or without any
 * success is not stale: failed runs are reported as failures.
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
