import type { SourcePlan } from "../config/plan-types.ts";
import type { StoredState } from "../state/state-item.ts";

/** So many of its longest gaps may lie between two successes: one run may fail unnoticed. */
const GAPS = 2;

/**
 * Pure: how many of the schedule's longest gaps ago a resource last succeeded, once that are too
 * many. Nothing is expected of what has no schedule, or has never succeeded: what fails then is
 * reported as that.
 */
export function stalenessOf(
  { schedule, isExample }: Pick<SourcePlan, "schedule" | "isExample">,
  state: StoredState | undefined,
  now: number,
): number | undefined {
  if (!schedule?.enabled || isExample || !state?.succeeded_at) return undefined;
  const gaps = (now - Date.parse(state.succeeded_at)) / schedule.longestGapMs;
  return gaps > GAPS ? Number(gaps.toFixed(2)) : undefined;
}
