import type { IncrementalConfig, IncrementalParam } from "./endpoint-types.ts";
import { type Path, parsePath } from "./jsonpath.ts";
import type { ColumnPlan, IncrementalPlan } from "./plan-types.ts";
import type { SettledEndpoint } from "./settle.ts";
import { isDict } from "./spell.ts";

export const START = "{incremental.start_value}";

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

/** Whether a parameter gets the start value, as a whole or in its text. */
export function takesStart(param: unknown): boolean {
  return isIncrementalParam(param) || (typeof param === "string" && textsAround(param).length > 1);
}

export function planIncremental(
  endpoint: SettledEndpoint,
  columns: Record<string, ColumnPlan>,
): IncrementalPlan | undefined {
  const [found] = incrementals(endpoint);
  if (!found) return undefined;
  const { cursor_path, initial_value, lag } = found.config;
  const path = parsePath(cursor_path);
  return {
    path,
    initialValue: initial_value ?? undefined,
    lag: lag ?? 0,
    params: startTemplates(endpoint, found.config),
    isTimestamp: columnAt(path, columns)?.dataType === "timestamp",
  };
}

function columnAt({ steps: [step, ...deeper] }: Path, columns: Record<string, ColumnPlan>) {
  return step && "name" in step && deeper.length === 0 ? columns[step.name] : undefined;
}

/** The query parameters with the start value, each as the texts around it. */
export function startTemplates(
  { params }: SettledEndpoint,
  config: Incremental["config"],
): Record<string, string[]> {
  const templates = entries(params)
    .filter(([, param]) => takesStart(param))
    .map(([name, param]): [string, string] => [name, isDict(param) ? START : String(param)]);
  if ("start_param" in config && config.start_param) templates.push([config.start_param, START]);
  return Object.fromEntries(templates.map(([name, text]) => [name, textsAround(text)]));
}

// No parameter holds a NUL, so it can stand where the value will.
const MARK = "\0";

/** As in Python's format strings, `{{` and `}}` are braces. */
function textsAround(template: string): string[] {
  return template
    .replace(/\{\{|\}\}|\{incremental\.start_value\}/g, (found) =>
      found === START ? MARK : found.slice(1),
    )
    .split(MARK);
}

const entries = (params: unknown): [string, unknown][] =>
  isDict(params) ? Object.entries(params) : [];

const isIncrementalParam = (param: unknown): param is IncrementalParam =>
  isDict(param) && param.type === "incremental";
