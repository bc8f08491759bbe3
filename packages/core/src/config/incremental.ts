import { converters } from "./converters.ts";
import type { IncrementalConfig, IncrementalParam } from "./endpoint-types.ts";
import { type Path, parsePath } from "./jsonpath.ts";
import type { ColumnPlan, IncrementalPlan } from "./plan-types.ts";
import type { SettledEndpoint } from "./settle.ts";
import { isDict } from "./spell.ts";

/** An endpoint's incremental and its place there: a block of its own, or a parameter. */
export interface Incremental {
  keys: string[];
  config: IncrementalConfig | IncrementalParam;
}

/** All that an endpoint has; one is allowed. */
export function incrementals({ incremental, params }: SettledEndpoint): Incremental[] {
  const block = isDict(incremental) ? [{ keys: ["incremental"], config: incremental }] : [];
  const inParams = entries(params).flatMap(([name, config]) =>
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
  const [found] = incrementals(endpoint);
  if (!found) return undefined;
  const { config } = found;
  const path = parsePath(config.cursor_path);
  const isBackfill = config.end_value != null;
  return {
    path,
    initialValue: config.initial_value ?? undefined,
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

const planConvert = (convert: IncrementalConfig["convert"]): IncrementalPlan["convert"] =>
  typeof convert === "string" ? converters[convert] : convert;

function columnAt({ steps: [step, ...deeper] }: Path, columns: Record<string, ColumnPlan>) {
  return step && "name" in step && deeper.length === 0 ? columns[step.name] : undefined;
}

const entries = (params: unknown): [string, unknown][] =>
  isDict(params) ? Object.entries(params) : [];
