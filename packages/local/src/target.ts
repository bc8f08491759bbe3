import { ConfigError, plan, type ResourcePlan, suggest } from "@tidetable/core";
import type { Io } from "./io.ts";
import { loadSources } from "./load-source.ts";
import type { Options } from "./options.ts";

/**
 * `ticketing` or `ticketing/tickets`; SOURCE may be a path with slashes (`./my/crm.json/deals`).
 * A resource's name holds no dot, so a last part with one belongs to the path.
 */
export function parseTarget(text: string): { source: string; resource: string | undefined } {
  const slash = text.lastIndexOf("/");
  const last = text.slice(slash + 1);
  if (slash <= 0 || last.includes(".")) return { source: text, resource: undefined };
  return { source: text.slice(0, slash), resource: last };
}

/** The plans of what SOURCE or SOURCE/RESOURCE means; of everything registered without either. */
export async function loadTarget(
  text: string | undefined,
  options: Options,
  io: Io,
): Promise<ResourcePlan[]> {
  const target = text === undefined ? undefined : parseTarget(text);
  const loaded = await loadSources(target ? [target.source] : [], options, io);
  const all = loaded.flatMap(({ source, name }) => plan(source, name).resources);
  if (target?.resource === undefined) return all;

  return [named(target.resource, all, target.source)];
}

/** The resource of this name among those of a source. */
export function named(name: string, all: readonly ResourcePlan[], source: string): ResourcePlan {
  const wanted = all.find((one) => one.name === name);
  if (wanted) return wanted;
  const message = "there is no resource of this name";
  const known = all.map((one) => one.name);
  const problem = { path: `${source}/${name}`, message, hint: suggest(name, known) };
  throw new ConfigError({ code: "config.resource", message, problems: [problem] });
}

/** The plan of the one resource that SOURCE/RESOURCE means; `what` says what is asked of it. */
export async function loadResource(
  text: string,
  options: Options,
  io: Io,
  what: { code: string; message: string },
): Promise<ResourcePlan> {
  const [resource] = await loadTarget(text, options, io);
  if (resource && parseTarget(text).resource) return resource;
  const hint = `name it, as in ${text}/${resource?.name}`;
  throw new ConfigError({ ...what, problems: [{ path: text, message: what.message, hint }] });
}
