import { endWait, openGate, readState, refOf } from "@tidetable/core/internal";
import type { ResourcePlan, SourcePlan } from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";
import type { RunEvent } from "../runner/runner.ts";

/**
 * Ends the waits that APIs have asked for, because a person runs these resources now: the gates of
 * their sources open, and runs that wait go on. Schedules keep such waits. Nothing is written where
 * nothing waits, because a person may have the right to read alone.
 */
export async function openWaits(
  session: Session,
  plans: readonly SourcePlan[],
  events: readonly RunEvent[],
): Promise<void> {
  for (const event of events) {
    await openGate(session, event.source);
    // A sample leaves every run as it is.
    if (event.limit_pages !== undefined) continue;
    for (const resource of resourcesOf(event, plans)) {
      for (const slot of ["own", "for_children"] as const) {
        const stored = await readState(session, refOf(resource), slot);
        if (stored?.not_before) await endWait(session, refOf(resource), slot);
      }
    }
  }
}

/** The resources that an event asks for, and their ancestors, which are read for them. */
function resourcesOf(
  { source, resources: names }: RunEvent,
  plans: readonly SourcePlan[],
): Set<ResourcePlan> {
  const resources = plans.find(({ name }) => name === source)?.resources ?? [];
  const asked = resources.filter(({ name }) => !names || names.includes(name));
  return new Set(asked.flatMap(withAncestors));
}

const withAncestors = (resource: ResourcePlan): ResourcePlan[] =>
  resource.parent ? [resource, ...withAncestors(resource.parent.plan)] : [resource];
