import { converters } from "./converters.ts";
import { isDict } from "./dict.ts";
import type { CursorValue, IncrementalConfig, IncrementalParam } from "./endpoint-types.ts";
import { type JsonPath, parseJsonPath } from "./jsonpath.ts";
import type { ColumnPlan, IncrementalPlan, ResourcePlan } from "./plan-types.ts";
import { parseRelativeTime, resolveRelativeTime } from "./relative-time.ts";
import type { SettledEndpoint } from "./settle.ts";

/** An incremental and its place in the endpoint: the block `incremental`, or a parameter. */
export interface LocatedIncremental {
  keys: string[];
  config: IncrementalConfig | IncrementalParam;
}

/** Finds all incrementals of an endpoint. A valid endpoint has one at most. */
export function findIncrementals({ incremental, params }: SettledEndpoint): LocatedIncremental[] {
  const block = isDict(incremental) ? [{ keys: ["incremental"], config: incremental }] : [];
  const namedParams = isDict(params) ? Object.entries(params) : [];
  const inParams = namedParams.flatMap(([name, config]) =>
    isIncrementalParam(config) ? [{ keys: ["params", name], config }] : [],
  );
  return [...block, ...inParams];
}

export const isIncrementalParam = (param: unknown): param is IncrementalParam =>
  isDict(param) && param.type === "incremental";

export function planIncremental(
  endpoint: SettledEndpoint,
  columns: Record<string, ColumnPlan>,
): IncrementalPlan | undefined {
  const [incremental] = findIncrementals(endpoint);
  if (!incremental) return undefined;
  const { config } = incremental;
  const path = parseJsonPath(config.cursor_path);
  const isBackfill = config.end_value != null;
  const relativeStart = parseRelativeTime(config.initial_value);
  return {
    path,
    initialValue: relativeStart ? undefined : (config.initial_value ?? undefined),
    relativeStart,
    endValue: config.end_value ?? undefined,
    step: config.step ?? undefined,
    lag: isBackfill ? 0 : (config.lag ?? 0),
    furthest: config.last_value_func ?? "max",
    rowOrder: config.row_order ?? undefined,
    onMissing: config.on_cursor_value_missing ?? "raise",
    rangeStart: config.range_start ?? "closed",
    rangeEnd: config.range_end ?? "open",
    perParent: config.per_parent ?? false,
    convert: planConvert(config.convert ?? config.transform),
    isTimestamp: columnAt(path, columns)?.dataType === "timestamp",
  };
}

/** The fields that, with the cursor, name an appended row: as in dlt, the incremental may have its own. */
export function versionKey(endpoint: SettledEndpoint, primaryKey: string[]): string[] {
  const { primary_key } = findIncrementals(endpoint)[0]?.config ?? {};
  return primary_key == null ? primaryKey : [primary_key].flat();
}

const planConvert = (convert: IncrementalConfig["convert"]): IncrementalPlan["convert"] =>
  typeof convert === "string" ? converters[convert] : convert;

function columnAt(
  { steps: [step, ...deeperSteps] }: JsonPath,
  columns: Record<string, ColumnPlan>,
) {
  return step && "name" in step && deeperSteps.length === 0 ? columns[step.name] : undefined;
}

/** The start of a read from nothing: the config's, or one that is counted from now. */
export const initialValueAt = (
  plan: IncrementalPlan | undefined,
  now: number,
): CursorValue | undefined =>
  plan?.relativeStart ? resolveRelativeTime(plan.relativeStart, now) : plan?.initialValue;

/** A resource whose start is settled, as this read or an earlier one has resolved it. */
export function startingAt<Resource extends Pick<ResourcePlan, "incremental">>(
  resource: Resource,
  initial: CursorValue | null | undefined,
): Resource {
  const { incremental } = resource;
  if (!incremental?.relativeStart) return resource;
  return { ...resource, incremental: { ...incremental, initialValue: initial ?? undefined } };
}
