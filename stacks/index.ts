import { sources } from "@tidetable/sources";
import { Tidetable } from "@tidetable/sst";

/** Addresses that get a mail when an alarm of a deployed stage goes off: `["ops@example.com"]`. */
const alarms: string[] = [];

export function deploy() {
  const mirror = new Tidetable("Mirror", {
    sources,
    worker: "functions/worker.handler",
    schedule: "functions/schedule.handler",
    alarms,
  });
  return {
    schedule: mirror.nodes.schedule.name,
    state: mirror.nodes.state.name,
    tables: Object.values(mirror.tables),
    next: mirror.nextSteps,
  };
}
