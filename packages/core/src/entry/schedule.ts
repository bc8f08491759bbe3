import { hash } from "node:crypto";
import type { World } from "../base/world.ts";
import type { ResourcePlan, SourcePlan } from "../config/plan-types.ts";
import { stalenessMetric } from "../report/metrics.ts";
import { planOf, resourceOf, type Sources } from "../run/reach.ts";
import { dueRunId, isDue } from "../state/opening.ts";
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
  const run_id = fanOutId(wanted, deps.requestId);
  const events = wanted.resume ? await due(wanted, deps) : fanOut(wanted, run_id, deps.sources);
  await Promise.all(events.map(deps.invoke));
  const started = events.map(({ source, resource }) => ({ source, resource }));
  // The tick comes every minute, and mostly finds nothing to do.
  if (!wanted.resume || started.length > 0) deps.log.info("started", { run_id, started });
  return { run_id, started };
}

/**
 * The id of a fan-out holds its kind, so that a refresh of the same minute as an ordinary run, or one
 * of some resources, is another fan-out.
 */
function fanOutId(wanted: ScheduleEvent, requestId: string): string {
  const { time, resources, full_refresh, limit_pages } = wanted;
  const kinds = [
    .../* planted: kind-of-a-fan-out */ (full_refresh ? ["refresh"] : []),
    ...(limit_pages === undefined ? [] : [`sample-${limit_pages}`]),
    ...(resources ? [namesText(resources)] : []),
  ];
  return [time ?? requestId, ...kinds].join("/");
}

/** Many names are told by their hash: a part of a sort key has to stay short. */
function namesText(resources: readonly string[]): string {
  const text = [...resources].sort().join("+");
  return text.length <= 60 ? text : hash("sha256", text, "base64url").slice(0, 16);
}

function fanOut(wanted: ScheduleEvent, run_id: string, sources: Sources): WorkerEvent[] {
  const { resources, limit_pages, full_refresh, check } = wanted;
  return (wanted.source ? [wanted.source] : Object.keys(sources)).flatMap((source) => {
    const planned = planOf(sources, source);
    const asked = resources?.map((name) => resourceOf(planned, name));
    const chosen = asked ?? planned.resources.filter(isRead);
    // A check and a sample read what they need of a parent themselves.
    const isAlone = check || limit_pages !== undefined;
    return [...(isAlone ? [] : ancestorsOf(chosen)), ...chosen].map((resource) => ({
      source,
      resource: resource.name,
      run_id,
      ...(limit_pages === undefined ? {} : { limit_pages }),
      ...(full_refresh ? { full_refresh, confirm: source } : {}),
      ...(check === undefined ? {} : { check }),
      ...(chosen.includes(resource) ? {} : { spool_only: true }),
      ...(isAlone || resource.followers.length === 0
        ? {}
        : { serves: followersAmong(resource, chosen) }),
    }));
  });
}

const followersAmong = ({ followers }: ResourcePlan, chosen: readonly ResourcePlan[]): string[] =>
  followers.map(({ name }) => name).filter((name) => chosen.some((one) => one.name === name));

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

/**
 * What is unfinished, and nobody works on, and need not wait; and what was wished for. On its way it
 * tells what is stale.
 */
async function due({ source }: ScheduleEvent, deps: ScheduleDeps): Promise<WorkerEvent[]> {
  const plans = (source ? [source] : Object.keys(deps.sources)).map((name) =>
    planOf(deps.sources, name),
  );
  const places = plans.flatMap((plan) => plan.resources.flatMap((one) => slotsOf(plan, one)));
  const states = await readStates(
    deps,
    places.map(({ place, slot }) => ({ ...place, slot })),
  );
  const now = deps.clock.now();
  return places.flatMap(({ plan, place, slot }, i) => {
    const state = states[i];
    const staleness = slot === "own" ? stalenessOf(plan, state, now) : undefined;
    if (staleness !== undefined) {
      const fields = stalenessMetric(deps.names, place, staleness, now);
      deps.log.warn(`no run has succeeded since ${state?.succeeded_at}`, fields);
    }
    const run_id = state && !state.isNewer && isDue(state, now) ? dueRunId(state) : null;
    if (run_id === null) return [];
    return { ...place, run_id, ...(slot === "own" ? {} : { spool_only: true }) };
  });
}

/** A parent is also read for children that were asked for without it. */
function slotsOf(plan: SourcePlan, { name, spooled, selected }: ResourcePlan) {
  const place = { source: plan.name, resource: name };
  const own = { plan, place, slot: "own" as const };
  if (spooled.length === 0 || !selected) return [own];
  // planted: ticks-of-reads-for-children
  return [own, { plan, place, slot: "for_children" as const }];
}
