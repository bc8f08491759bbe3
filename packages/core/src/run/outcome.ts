import { RequestError } from "../base/errors.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { commitCursor } from "../extract/cursor/cursor.ts";
import type { Counts } from "../report/counts.ts";
import { rowsAfterRun } from "../state/changed-rows-state.ts";
import type { RunState } from "../state/run-state.ts";
import { servedAfter } from "./coverage.ts";

/*
 * Pure functions for the state that a run leaves to the next run after success or failure.
 */

/** Returns the state after a successful run. The cursors move only here. */
export function stateAfterSuccess(ended: RunState, resource: ResourcePlan, now: number): RunState {
  const { refresh, is_numbered, rows, counts, parent_epoch, skipped_parents } = ended;
  const state: RunState = {
    ...ended,
    rows: rowsAfterRun(rows, counts),
    // A skipped parent record counts like a failure, so a later read goes back for the record.
    served: skipped_parents ? ended.served : servedAfter(resource, ended.served, ended.range),
    failures: skipped_parents ? withFailure(ended, now) : noFailures,
    consumed: parent_epoch
      ? { ref: parent_epoch, ended_at: ended.root_ended_at ?? ended.root_began_at }
      : ended.consumed,
    last_sweep: refresh ? counts.records : ended.last_sweep,
    boundary: [],
    last_whole: !refresh ? ended.last_whole : is_numbered ? (rows.log ?? null) : null,
  };
  const { incremental } = resource;
  if (!incremental || incremental.perParent) return state;
  const before = refresh ? null : state.cursor;
  // planted: cursor-capped-at-api
  const apiTime = state.api_time ?? undefined;
  return { ...state, cursor: commitCursor(before, state.candidate, apiTime, incremental) };
}

/** Counts a failure once for each run. Failures of the parent do not count for the child. */
export function failuresAfter(state: RunState, error: unknown, now: number): RunState["failures"] {
  const code = error instanceof RequestError ? error.code : "";
  if (code === "run.parent_gap") return { ...state.failures, passed: state.failures.passed + 1 };
  return code.startsWith("run.parent_") ? state.failures : withFailure(state, now);
}

const noFailures: RunState["failures"] = { runs: 0, passed: 0, last_at: null, is_counted: false };

const withFailure = ({ failures }: RunState, now: number): RunState["failures"] =>
  failures.is_counted
    ? failures
    : {
        runs: failures.runs + 1,
        passed: 0,
        last_at: new Date(now).toISOString(),
        is_counted: true,
      };

/** Returns the costs of an unfinished page. They count although the page is read again. */
export const spentCounts = (counts: Counts) => ({
  requests: counts.requests,
  retries: counts.retries,
  waited_ms: counts.waited_ms,
  write_units: counts.write_units,
  read_units: counts.read_units,
  throttled: counts.throttled,
  worked_ms: counts.worked_ms,
  parents_set_aside: counts.parents_set_aside,
});
