import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { version as coreVersion, type Names, stateTableName } from "@tidetable/core/plan";
import type { TidetableArgs } from "./arguments.ts";
import { appProblem, argumentProblem, versionProblem } from "./problems.ts";
import { version } from "./version.ts";

/** The components of this deploy, by the first part of their names in AWS. */
const componentsByPrefix = new Map<string, { name: string; sources: string[] }>();

/** Throws where a component does not fit its app, its neighbours or the installed packages. */
export function refuseMisfits(name: string, args: TidetableArgs, names: Names) {
  const where = `new Tidetable("${name}", …)`;
  const problem =
    versionProblem(coreVersion, version) ??
    argumentProblem(args) ??
    (args.prefix === undefined ? appProblem(names, readProjectApp()) : undefined) ??
    neighbourProblem(name, args, names);
  if (problem) throw new Error(`${where}: ${problem}`);
}

function readProjectApp(): string | undefined {
  const manifest = join($cli.paths.root, "package.json");
  if (!existsSync(manifest)) return undefined;
  return JSON.parse(readFileSync(manifest, "utf8")).tidetable?.app;
}

function neighbourProblem(
  name: string,
  { sources }: TidetableArgs,
  names: Names,
): string | undefined {
  const sourceNames = Object.keys(sources);
  const neighbour = componentsByPrefix.get(names.app);
  componentsByPrefix.set(names.app, { name, sources: sourceNames });
  if (!neighbour) return undefined;
  const shared = sourceNames.filter((source) => neighbour.sources.includes(source));
  const cause =
    shared.length > 0
      ? `both have a source named ${shared.join(" and ")}`
      : `both would have the table ${stateTableName(names)}`;
  return `"${neighbour.name}" is in this app already, and ${cause}; put all sources into one component under names of their own, or give this one a prefix: "${names.app}-two"`;
}
