import type { Names, Sources } from "@tidetable/core/plan";

/*
 * What can be wrong with a component, as messages that say what to write instead.
 */

/** The arguments that nothing can stand in for. */
interface NeededArguments {
  sources: Sources;
  worker: string;
  schedule: string;
}

/** Core and component share formats and names, which are only tested together. */
export const versionProblem = (core: string, component: string): string | undefined =>
  core === component
    ? undefined
    : `@tidetable/sst ${component} does not fit @tidetable/core ${core}; give both the same version in package.json, and install again`;

export function argumentProblem({
  sources,
  worker,
  schedule,
}: NeededArguments): string | undefined {
  if (typeof sources !== "object" || sources === null || Object.keys(sources).length === 0) {
    return `there are no sources; write { sources } with: const { sources } = await import("./sources")`;
  }
  for (const [argument, handler] of Object.entries({ worker, schedule })) {
    if (typeof handler === "string" && handler.includes(".")) continue;
    return `${argument} has to name the handler of a function; write ${argument}: "functions/${argument}.handler"`;
  }
  return undefined;
}

/** The CLI finds a stage by the app in package.json, so this has to be the component's own. */
export function appProblem({ app }: Names, projectApp: string | undefined): string | undefined {
  if (projectApp === undefined || projectApp === app) return undefined;
  return `its names begin with "${app}", and package.json says "tidetable": { "app": "${projectApp}" }, where the CLI looks; write "app": "${app}" there, or prefix: "${projectApp}" here if that is deployed`;
}
