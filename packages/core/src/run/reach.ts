import { refusal } from "../base/errors.ts";
import { type LocalOrigin, originMap } from "../base/origins.ts";
import type { Log, World } from "../base/world.ts";
import { plan } from "../config/plan.ts";
import type { ResourcePlan, SourcePlan } from "../config/plan-types.ts";
import type { Source } from "../config/source.ts";
import { hide, hideIn } from "../secrets/redact.ts";
import { secretStore } from "../secrets/store.ts";
import type { Place } from "../state/state-table.ts";
import { tokenLock } from "../state/token-lock.ts";

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
