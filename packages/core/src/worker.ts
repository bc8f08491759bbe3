import { checkResource } from "./check.ts";
import { plan } from "./config/plan.ts";
import type { ResourcePlan, SourcePlan } from "./config/plan-types.ts";
import type { Source } from "./config/source.ts";
import { explain } from "./errors.ts";
import { parseWorkerEvent, refusal } from "./events.ts";
import type { ResourceReport } from "./flow.ts";
import type { Place } from "./load/state-query.ts";
import { tokenLock } from "./load/token-lock.ts";
import { sliceMetrics } from "./metrics.ts";
import { type LocalOrigin, originMap } from "./origins.ts";
import { hide, hideIn } from "./redact.ts";
import { runResource } from "./run.ts";
import { secretStore } from "./secrets.ts";
import type { Log, World } from "./world.ts";

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

/** Where sources are looked up, and what their requests take. */
export interface Reach {
  sources: Sources;
  world: World;
  /** Where local mode sends a source's requests instead. */
  localOrigin: (source: string) => LocalOrigin;
}

/** A resource's plan, with the way to its API and its source's credentials. */
export function reach({ source, resource: name }: Place, deps: Reach) {
  const planned = planOf(deps.sources, source);
  const resource = resourceOf(planned, name);
  const origins = originMap({ baseUrl: resource.request.origin, ...deps.localOrigin(source) });
  const world = { ...deps.world, origins, log: hiding(deps.world.log) };
  const alone = tokenLock(world, source);
  const secrets = { ...secretStore(world, source, planned.secrets), alone };
  return { planned, resource, world, secrets };
}

/** A log's lines, and metrics with them, without a secret in them. */
function hiding({ debug, info, warn, error }: Log): Log {
  const hidden =
    (write: Log["info"]): Log["info"] =>
    (message, fields) =>
      write(hide(message), fields && hideIn(fields));
  return { debug: hidden(debug), info: hidden(info), warn: hidden(warn), error: hidden(error) };
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
    spoolOnly: wanted.spool_only,
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

/** The registered sources by name. */
export type Sources = Readonly<Record<string, Source>>;

export function planOf(sources: Sources, name: string): SourcePlan {
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source) return plan(source, name);
  throw refusal(
    "event.source",
    `there is no source "${name}"; the sources are ${Object.keys(sources).join(", ")}`,
  );
}

export function resourceOf(planned: SourcePlan, name: string): ResourcePlan {
  const resource = planned.resources.find((candidate) => candidate.name === name);
  if (resource) return resource;
  const known = planned.resources.map((one) => one.name).join(", ");
  throw refusal("event.resource", `${planned.name} has no resource "${name}"; it has ${known}`);
}
