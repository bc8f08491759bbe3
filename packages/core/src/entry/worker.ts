import { explainError } from "../base/errors.ts";
import { checkResource } from "../preview/check.ts";
import { sliceMetrics } from "../report/metrics.ts";
import type { ResourceReport } from "../report/types.ts";
import { type ReachOptions, reachResource } from "../run/reach.ts";
import { runResource } from "../run/run.ts";
import { parseWorkerEvent, type WorkerEvent } from "./events.ts";

/**
 * Thrown for a failed run. Lambda tries the event again, and at last sends it to the failure queue.
 */
export class RunError extends Error {
  readonly report: ResourceReport;

  constructor(report: ResourceReport) {
    const { source, resource, error } = report;
    super(`${source}.${resource}: ${error ? explainError(error) : "failed"}`);
    this.name = "RunError";
    this.report = report;
  }
}

/** Does one slice of the run that the event names, and returns its report. */
export async function handleWorkerEvent(
  event: unknown,
  deps: ReachOptions & {
    /** A unique name for the invocation. */
    invocation: string;
  },
): Promise<ResourceReport> {
  const workerEvent = parseWorkerEvent(event);
  const resourceRef = { source: workerEvent.source, resource: workerEvent.resource };
  const { planned, resource, world, secrets } = reachResource(resourceRef, deps);
  const order = {
    runId: runIdOf(workerEvent),
    owner: deps.invocation,
    refresh: workerEvent.full_refresh,
    forChildren: workerEvent.spool_only,
    serves: workerEvent.serves,
    limitPages: workerEvent.limit_pages,
    memoryMb: planned.function.memoryMb,
  };

  const report = workerEvent.check
    ? await checkResource(resource, order, world, secrets)
    : await runResource(resource, order, world, secrets);
  const metrics = workerEvent.check ? {} : sliceMetrics(world.names, report, world.clock.now());
  const fields = { ...resourceRef, report, ...metrics };
  if (report.status === "failed") {
    const failure = new RunError(report);
    world.log.error(failure.message, fields);
    // Another try of a check would fail for the same reason.
    if (workerEvent.check) return report;
    throw failure;
  }
  const message = report.error ? `${report.status}: ${explainError(report.error)}` : report.status;
  world.log.info(message, fields);
  return report;
}

/** The id of a run holds its kind, also where somebody calls a worker by hand. */
function runIdOf({ run_id, full_refresh }: WorkerEvent): string {
  const isTold = run_id.split("/").includes("refresh");
  return full_refresh && !isTold ? `${run_id}/refresh` : run_id;
}
