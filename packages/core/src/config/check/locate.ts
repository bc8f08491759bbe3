import { stringOrEmpty } from "../dict.ts";
import type { SourceOptions } from "../types.ts";
import { formatPath, valueAt } from "../walk.ts";

/**
 * The path under which a key of a settled resource was written: in its options, itself or a
 * default.
 */
export type Locate = (...keys: (string | number)[]) => string;

/** The layers that settle.ts merges into a resource are searched in the order in which they win. */
export function makeLocate(expanded: unknown, options: SourceOptions, index: number): Locate {
  const resourceKeys = ["resources", index];
  const name = stringOrEmpty(valueAt(expanded, [...resourceKeys, "name"]));
  const layers: [keys: (string | number)[], root: unknown][] = [
    [["options", "resources", name], { options }],
    [resourceKeys, expanded],
    [["resource_defaults"], expanded],
    [["options"], { options }],
  ];
  return (...keys) => {
    const layer = layers.find(
      ([layerKeys, root]) => valueAt(root, [...layerKeys, ...keys]) != null,
    );
    return formatPath([...(layer?.[0] ?? resourceKeys), ...keys]);
  };
}
