import { textOf } from "../spell.ts";
import type { SourceOptions } from "../types.ts";
import { formatPath, valueAt } from "../walk.ts";

/** Where a key of a resource was written: in the options, in itself or in what all resources share. */
export type Locate = (...keys: (string | number)[]) => string;

export function locator(spelled: unknown, options: SourceOptions, index: number): Locate {
  const own = ["resources", index];
  const layers: [place: (string | number)[], value: unknown][] = [
    [["options", "resources", textOf(valueAt(spelled, [...own, "name"]))], { options }],
    [own, spelled],
    [["resource_defaults"], spelled],
    [["options"], { options }],
  ];
  return (...keys) => {
    const layer = layers.find(([place, value]) => valueAt(value, [...place, ...keys]) != null);
    return formatPath([...(layer?.[0] ?? own), ...keys]);
  };
}
