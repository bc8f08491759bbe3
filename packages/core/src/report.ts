import type { ResourcePlan } from "./config/plan-types.ts";
import { isFailure, LeaseError, RequestError } from "./errors.ts";
import type { Counts, ResourceReport } from "./flow.ts";
import type { RunState, Status } from "./load/state-item.ts";
import { tableName } from "./names.ts";
import type { World } from "./world.ts";

type ReportError = NonNullable<ResourceReport["error"]>;

/** Builds the reports of one invocation. */
export function reporter(
  resource: ResourcePlan,
  order: { runId: string; limitPages?: number | undefined },
  world: Pick<World, "names" | "clock">,
) {
  const invoked = world.clock.now();
  return (
    status: ResourceReport["status"],
    end: {
      counts: Counts;
      state: RunState | undefined;
      error?: ReportError | undefined;
      notBefore?: string | undefined;
    },
  ): ResourceReport => {
    const started = end.state?.started_at ?? new Date(invoked).toISOString();
    return {
      source: resource.source,
      resource: resource.name,
      table: tableName(world.names, resource),
      run_id: order.runId,
      status,
      ...(end.notBefore === undefined ? {} : { not_before: end.notBefore }),
      ...(order.limitPages === undefined ? {} : { limited: true as const }),
      ...end.counts,
      slices: end.state?.slices ?? 1,
      started_at: started,
      duration_ms: Math.max(0, world.clock.now() - Date.parse(started)),
      cursor: null,
      error: end.error ?? null,
    };
  };
}

/** How an error ends a slice: what the state keeps, and what the report says. */
export interface Ending {
  status: Status;
  report: ResourceReport["status"];
  error: ReportError;
  notBefore?: string | undefined;
}

/** Pure: the end that an error means. */
export function ending(error: unknown, world: Pick<World, "signal" | "clock">): Ending {
  if (world.signal.aborted) {
    return {
      status: "running",
      report: "failed",
      error: {
        code: "run.interrupted",
        message: "the run was interrupted",
        hint: "the next run continues from the last checkpoint",
      },
    };
  }
  if (error instanceof LeaseError) {
    return { status: "running", report: "skipped", error: errorOf(error) };
  }
  if (error instanceof RequestError && error.waitMs !== undefined) {
    return {
      status: "waiting",
      report: "waiting",
      error: errorOf(error),
      notBefore: new Date(world.clock.now() + error.waitMs).toISOString(),
    };
  }
  return { status: "failed", report: "failed", error: errorOf(error) };
}

/** What a person may read of an error. Foreign messages can quote bodies and URLs: they stay out. */
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

/** P8: no record disappears between the API and the table. */
export function assertAccounts(counts: Counts): void {
  const { records, written, unchanged, superseded, quarantined } = counts;
  const accounted = written + unchanged + superseded + quarantined;
  if (records !== accounted) {
    throw new Error(`accounting: ${records} records read, ${accounted} accounted for`);
  }
}
