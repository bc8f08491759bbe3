import { type Names, type SourcePlan, type StageValues, tableName } from "@tidetable/core/plan";
import type { TidetableArgs, Transform } from "./arguments.ts";
import type { StageLocation } from "./permissions.ts";

/** What each part of a component has to know of the component and its stage. */
export interface Stage {
  args: TidetableArgs;
  names: Names;
  values: StageValues;
  plans: SourcePlan[];
  location: $util.Output<StageLocation>;
  retain: boolean;
  /** The options of a part of the component, under the name that the part has in the component. */
  optionsOf(part: string): { name: string; opts: PartOptions };
}

export interface PartOptions {
  parent: $util.Resource;
  aliases: $util.Alias[];
}

/** Applies a transform of the user, which may change the arguments or merge into them. */
export function applyTransform<Args extends object>(
  transform: Transform<Args> | undefined,
  args: Args,
  { name, opts }: { name: string; opts: PartOptions },
): Args {
  if (typeof transform !== "function") return { ...args, ...transform };
  transform(args, opts, name);
  return args;
}

/** The physical names of all tables that store rows, by `source.resource`. */
export const tableNames = (plans: SourcePlan[], names: Names): Record<string, string> =>
  Object.fromEntries(
    plans.flatMap(({ resources }) =>
      resources
        .filter(({ selected }) => selected)
        .map((resource) => [`${resource.source}.${resource.name}`, tableName(names, resource)]),
    ),
  );
