import { parseScheduleEvent, type WorkerEvent } from "./events.ts";
import { planOf, resourceOf, type Sources } from "./worker.ts";
import type { Log } from "./world.ts";

/** The answer of the schedule function: what it started. */
export interface Started {
  run_id: string;
  started: { source: string; resource: string }[];
}

/**
 * Fans out: one asynchronous invocation per resource. The run id comes from the scheduled time,
 * else from the request, so that a second delivery of one event starts nothing new.
 */
export async function schedule(
  event: unknown,
  deps: {
    sources: Sources;
    requestId: string;
    log: Log;
    invoke: (event: WorkerEvent) => Promise<void>;
  },
): Promise<Started> {
  const { source, resources, time, limit_pages } = parseScheduleEvent(event);
  const run_id = time ?? deps.requestId;

  const events = (source ? [source] : Object.keys(deps.sources)).flatMap((name) => {
    const planned = planOf(deps.sources, name);
    const chosen = resources?.map((one) => resourceOf(planned, one)) ?? planned.resources;
    return chosen.map(
      (resource): WorkerEvent => ({
        source: name,
        resource: resource.name,
        run_id,
        ...(limit_pages === undefined ? {} : { limit_pages }),
      }),
    );
  });

  await Promise.all(events.map(deps.invoke));
  const started = events.map(({ source, resource }) => ({ source, resource }));
  deps.log.info("started", { run_id, started });
  return { run_id, started };
}
