import { eventError } from "../base/errors.ts";
import { type LocalOrigin, mapOrigins } from "../base/origins.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Log, World } from "../base/world.ts";
import { planSource } from "../config/plan.ts";
import type { ResourcePlan, SourcePlan } from "../config/plan-types.ts";
import type { Sources } from "../config/source.ts";
import { withoutSendBatch } from "../dynamodb/batch-commands.ts";
import { hideSecretsIn, safeLine } from "../secrets/redact.ts";
import { openSecretStore } from "../secrets/store.ts";
import { tokenLock } from "../state/token-lock.ts";

/** The registered sources, and the world for their requests. */
export interface ReachOptions {
  sources: Sources;
  world: World;
  /** Returns the origin to which local mode sends the requests of a source. */
  localOrigin: (source: string) => LocalOrigin;
}

/** Returns a resource's plan, the world for its API, and the credentials of its source. */
export function reachResource({ source, resource: name }: ResourceRef, deps: ReachOptions) {
  const planned = planOf(deps.sources, source);
  const resource = resourceOf(planned, name);
  const origins = mapOrigins({ baseUrl: resource.request.origin, ...deps.localOrigin(source) });
  const { dynamodb } = deps.world;
  const world = {
    ...deps.world,
    origins,
    log: hideInLog(deps.world.log),
    dynamodb: planned.function.sdkWrites ? withoutSendBatch(dynamodb) : dynamodb,
  };
  const withLock = tokenLock(world, source);
  const secrets = { ...openSecretStore(world, source, planned.secrets), withLock };
  return { planned, resource, world, secrets };
}

/** Wraps a log so that no line and no metric shows a secret, and an API's words stay on their line. */
function hideInLog(log: Log): Log {
  const writeHidden =
    (level: keyof Log): Log["info"] =>
    (message, fields) =>
      log[level](safeLine(message), fields && hideSecretsIn(fields));
  return {
    debug: writeHidden("debug"),
    info: writeHidden("info"),
    warn: writeHidden("warn"),
    error: writeHidden("error"),
  };
}

export function planOf(sources: Sources, name: string): SourcePlan {
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source) return planSource(source, name);
  throw eventError(
    "event.source",
    `there is no source "${name}"; the sources are ${Object.keys(sources).join(", ")}`,
  );
}

export function resourceOf(planned: SourcePlan, name: string): ResourcePlan {
  const resource = planned.resources.find((candidate) => candidate.name === name);
  if (resource) return resource;
  const resourceNames = planned.resources.map((candidate) => candidate.name).join(", ");
  throw eventError(
    "event.resource",
    `${planned.name} has no resource "${name}"; it has ${resourceNames}`,
  );
}
