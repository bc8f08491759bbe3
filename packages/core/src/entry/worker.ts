import { explain } from "../base/errors.ts";
import { checkResource } from "../preview/check.ts";
import { sliceMetrics } from "../report/metrics.ts";
import type { ResourceReport } from "../report/types.ts";
import { type Reach, reach } from "../run/reach.ts";
import { runResource } from "../run/run.ts";
import { parseWorkerEvent } from "./events.ts";

/** What a run of the worker that failed throws: the platform tries again, then keeps the event. */
export class RunError extends Error {
  readonly report: ResourceReport;

  constructor(report: ResourceReport) {
    const { source, resource, error } = report;
    super(`${source}.${resource}: ${error ? explain(error) : "failed"}`);
    this.name = "RunError";
    this.report = report;
  }
}

/** One invocation of a worker: an event names the resource, the report says what became of it. */
export async function work(
  event: unknown,
  deps: Reach & {
    /** Unique for this invocation. */
    invocation: string;
  },
): Promise<ResourceReport> {
  const { source, resource: name, run_id, ...wanted } = parseWorkerEvent(event);
  const { planned, resource, world, secrets } = reach({ source, resource: name }, deps);
  const order = {
    runId: run_id,
    owner: deps.invocation,
    refresh: wanted.full_refresh,
    forChildren: wanted.spool_only,
    serves: wanted.serves,
    limitPages: wanted.limit_pages,
    memoryMb: planned.function.memoryMb,
  };

  const report = wanted.check
    ? await checkResource(resource, order, world, secrets)
    : await runResource(resource, order, world, secrets);
  const metrics = wanted.check ? {} : sliceMetrics(world.names, report, world.clock.now());
  const fields = { source, resource: name, report, ...metrics };
  if (report.status === "failed") {
    const failure = new RunError(report);
    world.log.error(failure.message, fields);
    // A check that is tried again tells nothing new.
    if (wanted.check) return report;
    throw failure;
  }
  const told = report.error ? `${report.status}: ${explain(report.error)}` : report.status;
  world.log.info(told, fields);
  return report;
}
