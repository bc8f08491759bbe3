import { noCounts, type ResourceReport, type RunRecord, type StoredState } from "@tidetable/core";

/*
 * What a run that was followed from outside is reported as: from its line in the history, from its
 * worker's own last report, or from the state that it was left in.
 */

type Base = Pick<ResourceReport, "source" | "resource" | "table">;

/** The history's line; the worker's own report where that was heard, which knows more. */
export function reportOf(
  { ended_at: _, cost_usd: __, ...record }: RunRecord,
  base: Base,
  heard: ResourceReport | undefined,
): ResourceReport {
  if (heard?.run_id === record.run_id && heard.status === record.status) return heard;
  const error = record.error && { ...record.error, hint: null };
  return { ...base, ...record, slice: noCounts(), error };
}

/** A sample leaves no line, and nobody goes on with it. */
export function sampleReport(
  runId: string,
  heard: ResourceReport | undefined,
): ResourceReport | undefined {
  if (!heard?.limited || heard.run_id !== runId) return undefined;
  return heard.status === "waiting" ? { ...heard, status: "failed" } : heard;
}

/** An open run, as its last checkpoint has it. */
export function openReport(
  run: { runId: string; at: number },
  base: Base,
  state: StoredState | undefined,
): ResourceReport {
  const body = state?.body;
  const started = body ? Date.parse(body.started_at) : run.at;
  const now = state ? Date.parse(state.updated_at) : run.at;
  return {
    ...base,
    run_id: state?.run_id ?? run.runId,
    status: state?.status === "waiting" ? "waiting" : "running",
    ...(state?.not_before ? { not_before: state.not_before } : {}),
    ...noCounts(),
    ...body?.counts,
    slice: noCounts(),
    slices: body?.slices ?? 0,
    started_at: new Date(started).toISOString(),
    duration_ms: Math.max(0, now - started),
    cursor: body?.cursor_path ? { before: body.cursor, after: body.cursor } : null,
    schema: null,
    error: null,
  };
}

/** A run that nothing more is to come of, and of which nothing was heard. */
export function lostReport(
  run: { runId: string; at: number },
  base: Base,
  why: string,
): ResourceReport {
  const hint = "look into the worker's log";
  return {
    ...openReport(run, base, undefined),
    status: "failed",
    error: { code: "run.lost", message: why, hint },
  };
}
