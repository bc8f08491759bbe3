import { isFailure, LeaseError, RequestError } from "../base/errors.ts";
import { tableName } from "../base/names.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import type { Cursor } from "../flow.ts";
import type { Counts, Tally } from "../report/counts.ts";
import type { ResourceReport, SchemaReport } from "../report/types.ts";
import { hideSecretsIn } from "../secrets/redact.ts";
import type { RunState } from "../state/run-state.ts";
import type { Status } from "../state/state-item.ts";

type ReportError = NonNullable<ResourceReport["error"]>;

/** Creates the function that builds the reports of one invocation. */
export function createReporter(
  resource: ResourcePlan,
  order: { runId: string; limitPages?: number | undefined },
  world: Pick<World, "names" | "clock">,
  tally: Tally,
) {
  const invoked = world.clock.now();
  return (
    status: ResourceReport["status"],
    end: {
      state?: RunState | undefined;
      error?: ReportError | undefined;
      notBefore?: string | undefined;
      /** The cursor that the run started from, where it has moved. */
      before?: Cursor | undefined;
      schema?: SchemaReport | undefined;
    },
  ): ResourceReport => {
    tally.updateWorkedTime();
    const started = end.state?.started_at ?? new Date(invoked).toISOString();
    const after = end.state?.cursor ?? null;
    // Errors, cursors and field names come from the API and may contain secrets.
    return hideSecretsIn({
      source: resource.source,
      resource: resource.name,
      table: tableName(world.names, resource),
      run_id: order.runId,
      status,
      ...(end.notBefore === undefined ? {} : { not_before: end.notBefore }),
      ...(order.limitPages === undefined ? {} : { limited: true as const }),
      ...tally.counts,
      slice: tally.sliceCounts(),
      slices: end.state?.slices ?? 1,
      started_at: started,
      duration_ms: Math.max(0, world.clock.now() - Date.parse(started)),
      cursor: resource.incremental
        ? { before: end.before === undefined ? after : end.before, after }
        : null,
      schema: end.schema ?? null,
      error: end.error ?? null,
    });
  };
}

/** How an error ends a slice: what the state keeps, and what the report says. */
export interface Ending {
  status: Status;
  report: ResourceReport["status"];
  error: ReportError;
  notBefore?: string | undefined;
  /** Changes that the state has to store. */
  changes?: Partial<RunState>;
}

/** Pure: decides from an error how the slice ends. */
export function decideEnding(
  error: unknown,
  {
    resource,
    state,
    world,
  }: {
    resource: Pick<ResourcePlan, "retry">;
    state: RunState | undefined;
    world: Pick<World, "signal" | "clock">;
  },
): Ending {
  if (world.signal.aborted) {
    return { status: "running", report: "failed", error: interrupted };
  }
  if (error instanceof LeaseError) {
    return { status: "running", report: "skipped", error: errorOf(error) };
  }
  if (error instanceof RequestError && error.waitMs !== undefined) {
    // Each wait on a page counts as one retry, even a long one. Waits caused by other workers do not count.
    const waits = (state?.waits ?? 0) + (causedByWorkers.has(error.code) ? 0 : 1);
    if (waits <= resource.retry.maxRetries) {
      return {
        status: "waiting",
        report: "waiting",
        error: errorOf(error),
        notBefore: new Date(world.clock.now() + error.waitMs).toISOString(),
        changes: { waits },
      };
    }
  }
  if (error instanceof RequestError && parentNotReadable.has(error.code)) {
    return { status: "failed", report: "skipped", error: errorOf(error) };
  }
  // A source whose secret is still empty has not begun, so the event is skipped and not failed.
  const waitsForSecret = !state && isFailure(error) && error.code === "secrets.empty";
  return {
    status: "failed",
    report: waitsForSecret ? "skipped" : "failed",
    error: errorOf(error),
  };
}

/** Errors of a run whose parent has no records for it. A later run reads these records. */
const parentNotReadable = new Set(["run.parent_failed", "run.parent_gap", "run.parent_older"]);

/** Waits that other workers cause. They do not count against the API. */
const causedByWorkers = new Set(["extract.blocked", "run.parent_pending"]);

const interrupted: ReportError = {
  code: "run.interrupted",
  message: "the run was interrupted",
  hint: "the next run continues from the last checkpoint",
};

/** The error of a run in which one page kills every worker. */
export function pagePoisonError({ page, deaths }: RunState): RequestError {
  return new RequestError({
    code: "run.page_poison",
    message: `${deaths} workers have died on page ${page + 1} of this run`,
    hint: "look into the worker's log: is there memory enough for one page? Try a smaller limit",
    retryable: false,
  });
}

/** The part of an error that a report may show. Messages of other libraries can quote bodies and URLs. */
export function errorOf(error: unknown): ReportError {
  if (isFailure(error)) {
    return { code: error.code, message: error.message, hint: error.hint ?? null };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return {
    code: "run.unexpected",
    message: `an unexpected error (${name}) ended the run`,
    hint: "please report it; the next run continues from the last checkpoint",
  };
}

/** Asserts that no record disappears between the API and the table (P8). */
export function assertAccounts(counts: Counts): void {
  const { records, written, unchanged, superseded, quarantined } = counts;
  const accounted = written + unchanged + superseded + quarantined;
  if (records !== accounted) {
    throw new Error(`accounting: ${records} records read, ${accounted} accounted for`);
  }
}
