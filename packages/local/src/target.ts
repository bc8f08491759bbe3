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

  const wanted = all.filter(({ name }) => name === target.resource);
  if (wanted.length > 0) return wanted;
  throw new ConfigError({
    code: "config.resource",
    message: "there is no resource of this name",
    problems: [
      {
        path: `${target.source}/${target.resource}`,
        message: "there is no resource of this name",
        hint: suggest(
          target.resource,
          all.map(({ name }) => name),
        ),
      },
    ],
  });
}
