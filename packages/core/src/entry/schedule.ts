import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan, SourcePlan } from "../config/plan-types.ts";
import { stalenessMetric } from "../report/metrics.ts";
import { planOf, resourceOf, type Sources } from "../run/reach.ts";
import { isDue } from "../state/opening.ts";
import { readStates, type StoredState } from "../state/state-item.ts";
import { parseScheduleEvent, type ScheduleEvent, type WorkerEvent } from "./events.ts";
import { stalenessOf } from "./staleness.ts";

/** The schedule function's answer: the started runs. */
interface StartedRuns {
  run_id: string;
  started: ResourceRef[];
}

export interface ScheduleDeps
  extends Pick<World, "names" | "clock" | "random" | "dynamodb" | "log"> {
  sources: Sources;
  requestId: string;
  invoke: (event: WorkerEvent) => Promise<void>;
}

/**
 * Starts an asynchronous invocation per resource. The scheduled time is the run id: a second
 * delivery of an event then starts no second run. An event without a time uses its request id.
 */
export async function handleScheduleEvent(
  event: unknown,
  deps: ScheduleDeps,
): Promise<StartedRuns> {
  const parsed = parseScheduleEvent(event);
  const run_id = parsed.time ?? deps.requestId;
  const workerEvents = parsed.resume
    ? await findDueRuns(parsed, deps)
    : fanOut(parsed, run_id, deps.sources);
  await Promise.all(workerEvents.map(deps.invoke));
  const started = workerEvents.map(({ source, resource }) => ({ source, resource }));
  // The tick comes every minute and mostly has nothing to do, which is not worth a line.
  if (!parsed.resume || started.length > 0) deps.log.info("started", { run_id, started });
  return { run_id, started };
}

function fanOut(event: ScheduleEvent, run_id: string, sources: Sources): WorkerEvent[] {
  const { resources: resourceNames, limit_pages, full_refresh, check } = event;
  const sourceNames = event.source ? [event.source] : Object.keys(sources);
  return sourceNames.flatMap((source) => {
    const sourcePlan = planOf(sources, source);
    const chosen =
      resourceNames?.map((name) => resourceOf(sourcePlan, name)) ??
      sourcePlan.resources.filter(isRead);
    // A check and a sample read the few parent records themselves.
    const readsOwnParents = check || limit_pages !== undefined;
    const ancestors = readsOwnParents ? [] : ancestorsOf(chosen);
    return [...ancestors, ...chosen].map((resource) => ({
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

/** An unselected resource is read only when it has children. */
const isRead = ({ selected, spooled }: ResourcePlan) => selected || spooled.length > 0;

/** Returns the ancestors of the chosen resources that are not chosen themselves, parents first. */
function ancestorsOf(chosen: readonly ResourcePlan[]): ResourcePlan[] {
  const chosenNames = new Set(chosen.map(({ name }) => name));
  const ancestors = new Map<string, ResourcePlan>();
  const addParent = ({ parent }: ResourcePlan): void => {
    if (!parent || chosenNames.has(parent.plan.name)) return;
    addParent(parent.plan);
    ancestors.set(parent.plan.name, parent.plan);
  };
  for (const resource of chosen) addParent(resource);
  return [...ancestors.values()];
}

/** Finds the unfinished runs that are due, and reports stale resources. */
async function findDueRuns({ source }: ScheduleEvent, deps: ScheduleDeps): Promise<WorkerEvent[]> {
  const sourceNames = source ? [source] : Object.keys(deps.sources);
  const resources = sourceNames.flatMap((name) => {
    const sourcePlan = planOf(deps.sources, name);
    return sourcePlan.resources.map((resource) => ({
      sourcePlan,
      resourceRef: { source: sourcePlan.name, resource: resource.name },
    }));
  });
  const resourceRefs = resources.map(({ resourceRef }) => resourceRef);
  const states = await readStates(deps, resourceRefs);
  const now = deps.clock.now();
  return resources.flatMap(({ sourcePlan, resourceRef }, index) => {
    const state = states[index];
    warnIfStale(sourcePlan, resourceRef, state, deps);
    return state?.run_id && isDue(state, now) ? { ...resourceRef, run_id: state.run_id } : [];
  });
}

function warnIfStale(
  sourcePlan: SourcePlan,
  resourceRef: ResourceRef,
  state: StoredState | undefined,
  { names, clock, log }: ScheduleDeps,
): void {
  const now = clock.now();
  const staleness = stalenessOf(sourcePlan, state, now);
  if (staleness === undefined) return;
  const metric = stalenessMetric(names, resourceRef, staleness, now);
  log.warn(`no run has succeeded since ${state?.succeeded_at}`, metric);
}
