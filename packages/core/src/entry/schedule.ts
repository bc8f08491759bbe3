import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { stalenessMetric } from "../report/metrics.ts";
import { planOf, resourceOf, type Sources } from "../run/reach.ts";
import { isDue } from "../state/opening.ts";
import { readStates } from "../state/state-item.ts";
import { parseScheduleEvent, type ScheduleEvent, type WorkerEvent } from "./events.ts";
import { stalenessOf } from "./staleness.ts";

/** The answer of the schedule function: what it started. */
interface Started {
  run_id: string;
  started: { source: string; resource: string }[];
}

export interface ScheduleDeps
  extends Pick<World, "names" | "clock" | "random" | "dynamodb" | "log"> {
  sources: Sources;
  requestId: string;
  invoke: (event: WorkerEvent) => Promise<void>;
}

/**
 * Fans out: one asynchronous invocation per resource. The run id comes from the scheduled time,
 * else from the request, so that a second delivery of one event starts nothing new.
 */
export async function schedule(event: unknown, deps: ScheduleDeps): Promise<Started> {
  const wanted = parseScheduleEvent(event);
  const run_id = wanted.time ?? deps.requestId;
  const events = wanted.resume ? await due(wanted, deps) : fanOut(wanted, run_id, deps.sources);
  await Promise.all(events.map(deps.invoke));
  const started = events.map(({ source, resource }) => ({ source, resource }));
  // The tick comes every minute, and mostly finds nothing to do.
  if (!wanted.resume || started.length > 0) deps.log.info("started", { run_id, started });
  return { run_id, started };
}

function fanOut(wanted: ScheduleEvent, run_id: string, sources: Sources): WorkerEvent[] {
  const { resources, limit_pages, full_refresh, check } = wanted;
  return (wanted.source ? [wanted.source] : Object.keys(sources)).flatMap((source) => {
    const planned = planOf(sources, source);
    const asked = resources?.map((one) => resourceOf(planned, one));
    const chosen = asked ?? planned.resources.filter(isRead);
    // A check and a sample read what they need of a parent themselves.
    const alone = check || limit_pages !== undefined;
    return [...(alone ? [] : ancestorsOf(chosen)), ...chosen].map((resource) => ({
      source,
      resource: resource.name,
      run_id,
      ...(limit_pages === undefined ? {} : { limit_pages }),
      ...(full_refresh ? { full_refresh, confirm: source } : {}),
      ...(check === undefined ? {} : { check }),
      ...(chosen.includes(resource) ? {} : { spool_only: true }),
    }));
  });
}

/** What is not stored is read for children only. */
const isRead = ({ selected, spooled }: ResourcePlan) => selected || spooled.length > 0;

/** What has to be read for these and is not among them, parents first. */
function ancestorsOf(chosen: readonly ResourcePlan[]): ResourcePlan[] {
  const names = new Set(chosen.map(({ name }) => name));
  const found = new Map<string, ResourcePlan>();
  const climb = ({ parent }: ResourcePlan): void => {
    if (!parent || names.has(parent.plan.name)) return;
    climb(parent.plan);
    found.set(parent.plan.name, parent.plan);
  };
  for (const one of chosen) climb(one);
  return [...found.values()];
}

/** What is unfinished, and nobody works on, and need not wait. On its way it tells what is stale. */
async function due({ source }: ScheduleEvent, deps: ScheduleDeps): Promise<WorkerEvent[]> {
  const plans = (source ? [source] : Object.keys(deps.sources)).map((one) =>
    planOf(deps.sources, one),
  );
  const places = plans.flatMap((plan) =>
    plan.resources.map(({ name }) => ({ plan, place: { source: plan.name, resource: name } })),
  );
  const states = await readStates(
    deps,
    places.map(({ place }) => place),
  );
  const now = deps.clock.now();
  return places.flatMap(({ plan, place }, i) => {
    const state = states[i];
    const staleness = stalenessOf(plan, state, now);
    if (staleness !== undefined) {
      const fields = stalenessMetric(deps.names, place, staleness, now);
      deps.log.warn(`no run has succeeded since ${state?.succeeded_at}`, fields);
    }
    return state?.run_id && isDue(state, now) ? { ...place, run_id: state.run_id } : [];
  });
}
