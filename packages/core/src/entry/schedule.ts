import { hash } from "node:crypto";
import { type ResourceRef, refOf } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan, SourcePlan } from "../config/plan-types.ts";
import type { Sources } from "../config/source.ts";
import { stalenessMetric } from "../report/metrics.ts";
import { planOf, resourceOf } from "../run/reach.ts";
import { dueRunId, isDue } from "../state/opening.ts";
import { readStates, type StoredState } from "../state/state-item.ts";
import { parseScheduleEvent, type ScheduleEvent, type WorkerEvent } from "./events.ts";
import { stalenessOf } from "./staleness.ts";

/** The schedule function's answer: the started runs. */
interface StartedRuns {
  run_id: string;
  /** `spool_only`: read for children alone, which were asked for without it. */
  started: (ResourceRef & { spool_only?: boolean })[];
}

export interface ScheduleDeps
  extends Pick<World, "names" | "clock" | "random" | "dynamodb" | "log"> {
  sources: Sources;
  requestId: string;
  invoke: (event: WorkerEvent) => Promise<void>;
}

/**
 * Starts an asynchronous invocation per resource. The run id comes from the scheduled time: a second
 * delivery of an event then starts no second run. An event without a time uses its request id.
 */
export async function handleScheduleEvent(
  event: unknown,
  deps: ScheduleDeps,
): Promise<StartedRuns> {
  const parsed = parseScheduleEvent(event);
  const run_id = fanOutId(parsed, deps.requestId);
  const workerEvents = parsed.resume
    ? await findDueRuns(parsed, deps)
    : fanOut(parsed, run_id, deps.sources);
  await Promise.all(workerEvents.map(deps.invoke));
  const started = workerEvents.map(({ source, resource, spool_only }) => ({
    source,
    resource,
    ...(spool_only ? { spool_only } : {}),
  }));
  // The tick comes every minute and mostly has nothing to do, which is not worth a line.
  if (!parsed.resume || started.length > 0) deps.log.info("started", { run_id, started });
  return { run_id, started };
}

/**
 * The id of a fan-out holds its kind, so that a refresh of the same minute as an ordinary run, or a
 * run of some resources, is another fan-out.
 */
function fanOutId(event: ScheduleEvent, requestId: string): string {
  const { time, resources, full_refresh, limit_pages } = event;
  const kinds = [
    .../* planted: kind-of-a-fan-out */ (full_refresh ? ["refresh"] : []),
    ...(limit_pages === undefined ? [] : [`sample-${limit_pages}`]),
    ...(resources ? [joinNames(resources)] : []),
  ];
  return [time ?? requestId, ...kinds].join("/");
}

/** Long lists of names are told apart by a hash: an id is a part of sort keys and has to stay short. */
function joinNames(resources: readonly string[]): string {
  const text = [...resources].sort().join("+");
  return text.length <= 60 ? text : hash("sha256", text, "base64url").slice(0, 16);
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
      ...(readsOwnParents || resource.followers.length === 0
        ? {}
        : { serves: followersAmong(chosen, resource) }),
    }));
  });
}

const followersAmong = (chosen: readonly ResourcePlan[], { followers }: ResourcePlan): string[] =>
  followers
    .map(({ name }) => name)
    .filter((name) => chosen.some((resource) => resource.name === name));

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

/** Finds the unfinished runs and wishes that are due, and reports stale resources. */
async function findDueRuns({ source }: ScheduleEvent, deps: ScheduleDeps): Promise<WorkerEvent[]> {
  const sourceNames = source ? [source] : Object.keys(deps.sources);
  const slots = sourceNames.flatMap((name) => {
    const sourcePlan = planOf(deps.sources, name);
    return sourcePlan.resources.flatMap((resource) => slotsOf(sourcePlan, resource));
  });
  const states = await readStates(
    deps,
    slots.map(({ resourceRef, slot }) => ({ ...resourceRef, slot })),
  );
  const now = deps.clock.now();
  return slots.flatMap(({ sourcePlan, resourceRef, slot }, index) => {
    const state = states[index];
    if (slot === "own") warnIfStale(sourcePlan, resourceRef, state, deps);
    const run_id = state && !state.isNewer && isDue(state, now) ? dueRunId(state) : null;
    if (run_id === null) return [];
    return { ...resourceRef, run_id, ...(slot === "own" ? {} : { spool_only: true }) };
  });
}

/** A parent has its own runs, and reads for children that were asked for without it. */
function slotsOf(sourcePlan: SourcePlan, resource: ResourcePlan) {
  const own = { sourcePlan, resourceRef: refOf(resource), slot: "own" as const };
  if (resource.spooled.length === 0 || !resource.selected) return [own];
  // planted: ticks-of-reads-for-children
  return [own, { ...own, slot: "for_children" as const }];
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
