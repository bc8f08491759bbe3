import { ConfigError, spellingHint } from "@tidetable/core/internal/config";
import { planSource, type ResourcePlan } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import type { Options } from "../base/options.ts";
import { loadSources } from "./load-source.ts";

/**
 * Splits `ticketing` or `ticketing/tickets`. SOURCE may be a path with slashes, as in
 * `./my/crm.json/deals`. A resource's name has no dot, so a last part with a dot belongs to the path.
 */
export function parseTarget(text: string): { source: string; resource: string | undefined } {
  const slash = text.lastIndexOf("/");
  const lastPart = text.slice(slash + 1);
  if (slash <= 0 || lastPart.includes(".")) return { source: text, resource: undefined };
  return { source: text.slice(0, slash), resource: lastPart };
}

/** Loads the plans of SOURCE or SOURCE/RESOURCE; without either, of every registered source. */
export async function loadResourcePlans(
  text: string | undefined,
  options: Options,
  io: Io,
): Promise<ResourcePlan[]> {
  const target = text === undefined ? undefined : parseTarget(text);
  const loadedSources = await loadSources(target ? [target.source] : [], options, io);
  const plans = loadedSources.flatMap(({ source, name }) => planSource(source, name).resources);
  if (target?.resource === undefined) return plans;

  return [findResource(target.resource, plans, target.source)];
}

/** Finds a source's resource by name. */
export function findResource(
  name: string,
  plans: readonly ResourcePlan[],
  source: string,
): ResourcePlan {
  const resource = plans.find((plan) => plan.name === name);
  if (resource) return resource;
  const message = "there is no resource of this name";
  const hint = spellingHint(
    name,
    plans.map((plan) => plan.name),
  );
  const problem = { path: `${source}/${name}`, message, hint };
  throw new ConfigError({ code: "config.resource", message, problems: [problem] });
}

/** Loads the plan that SOURCE/RESOURCE names. `missing` is the error for a SOURCE alone. */
export async function loadResourcePlan(
  text: string,
  options: Options,
  io: Io,
  missing: { code: string; message: string },
): Promise<ResourcePlan> {
  const [resource] = await loadResourcePlans(text, options, io);
  if (resource && parseTarget(text).resource) return resource;
  const hint = `name it, as in ${text}/${resource?.name}`;
  const problems = [{ path: text, message: missing.message, hint }];
  throw new ConfigError({ ...missing, problems });
}
