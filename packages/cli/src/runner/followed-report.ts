import {
  type ResourceReport,
  type RunRecord,
  type StoredState,
  zeroCounts,
} from "@tidetable/core/internal";

/*
 * Builds the reports of runs that are followed from outside: from the run history, from a worker's
 * own last report, or from the stored state of an unfinished run.
 */

type ReportIdentity = Pick<ResourceReport, "source" | "resource" | "table">;

/** The report of a run in the history. The worker's own report is preferred for more details. */
export function reportFromHistory(
  { ended_at: _endedAt, cost_usd: _cost, ...record }: RunRecord,
  identity: ReportIdentity,
  lastReport: ResourceReport | undefined,
): ResourceReport {
  if (lastReport?.run_id === record.run_id && lastReport.status === record.status) {
    return lastReport;
  }
  const error = record.error && { ...record.error, hint: null };
  return { ...identity, ...record, slice: zeroCounts(), error };
}

/** The report of a sample. A sample is in no history, and no tick continues a waiting sample. */
export function sampleReport(
  runId: string,
  lastReport: ResourceReport | undefined,
): ResourceReport | undefined {
  if (!lastReport?.limited || lastReport.run_id !== runId) return undefined;
  return lastReport.status === "waiting" ? { ...lastReport, status: "failed" } : lastReport;
}

/** The report of an unfinished run, with the counts of its last checkpoint. */
export function unfinishedReport(
  run: { runId: string; at: number },
  identity: ReportIdentity,
  state: StoredState | undefined,
): ResourceReport {
  const body = state?.body;
  const startedAt = body ? Date.parse(body.started_at) : run.at;
  const updatedAt = state ? Date.parse(state.updated_at) : run.at;
  return {
    ...identity,
    run_id: state?.run_id ?? run.runId,
    status: state?.status === "waiting" ? "waiting" : "running",
    ...(state?.not_before ? { not_before: state.not_before } : {}),
    ...zeroCounts(),
    ...body?.counts,
    slice: zeroCounts(),
    slices: body?.slices ?? 0,
    started_at: new Date(startedAt).toISOString(),
    duration_ms: Math.max(0, updatedAt - startedAt),
    cursor: body?.cursor_path ? { before: body.cursor, after: body.cursor } : null,
    schema: null,
    error: null,
  };
}

/** The report of a run given up without a trace. */
export function lostReport(
  run: { runId: string; at: number },
  identity: ReportIdentity,
  reason: string,
): ResourceReport {
  const hint = "look into the worker's log";
  return {
    ...unfinishedReport(run, identity, undefined),
    status: "failed",
    error: { code: "run.lost", message: reason, hint },
  };
}
