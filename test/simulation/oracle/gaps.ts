import { drawn } from "../draw/drawn.ts";
import type { Item } from "../expressions.ts";
import type { Stage } from "../stage.ts";
import type { Known } from "./known.ts";

/* Gaps of the engine that are known (draw/drawn.ts) and can keep a history from coming to rest. */

/** Looks at each report for what leads into a gap that is switched off. */
export function suspectGaps(
  stage: Stage,
  known: Known,
  { status, code, states }: { status: string; code: string | undefined; states: readonly Item[] },
): void {
  const isEarly = known.leases.size === 0 || code === "state.unavailable";
  if (!isEarly) return;
  if (status === "failed" && !drawn.earlyFailures) stage.suspect("earlyFailures");
  if (status !== "done" || drawn.diesBeforeRelease || !isUnderWay(known, states)) return;
  stage.suspect("diesBeforeRelease");
}

/** Whether another worker, or the next slice, is to go on with the run of this event. */
function isUnderWay({ resource, slot, runId }: Known, states: readonly Item[]): boolean {
  const sortKey = slot === "for_children" ? "state/for_children" : "state";
  const state = states.find(({ pk, sk }) => pk?.S?.endsWith(`#${resource}`) && sk?.S === sortKey);
  const isOpen = state?.status?.S === "running" || state?.status?.S === "waiting";
  return isOpen && (state.fan_outs?.S ?? "").includes(runId);
}
