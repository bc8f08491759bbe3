import { type ConfigError, eventError } from "../base/errors.ts";
import { MAX_RESOURCES } from "../config/source.ts";
import { isObject } from "../values/json.ts";

/*
 * An event only names what to work on. URLs, tables and secrets never come from an event.
 */

/** An event for the schedule function. */
export interface ScheduleEvent {
  /** The source to run. Default: every source. */
  source?: string;
  /** The resources to run. Default: every resource of the source. */
  resources?: string[];
  /**
   * The scheduled time. A second delivery of an event has the same time and starts no second run.
   */
  time?: string;
  /** Makes a sample: as many pages of each resource, without checkpoint and cursor. */
  limit_pages?: number;
  /** Reads everything and deletes the rows that are gone. `confirm` repeats the source's name. */
  full_refresh?: boolean;
  confirm?: string;
  /** Reads a page of each resource without writing. */
  check?: boolean;
  /** The tick: goes on with the runs that are unfinished and due. */
  resume?: boolean;
}

/** An event for a worker. The checkpoint, not the event, says where the run goes on. */
export interface WorkerEvent {
  source: string;
  resource: string;
  run_id: string;
  limit_pages?: number;
  full_refresh?: boolean;
  /** Required with `full_refresh`, also of a person who calls a worker by hand. */
  confirm?: string;
  /** Reads the resource for its children alone, which were asked for without it. */
  spool_only?: boolean;
  /** The descendants that were asked for in the same fan-out. Default: all of them. */
  serves?: string[];
  /** Reads a page without writing. */
  check?: boolean;
}

interface FieldRule {
  /** Goes on a message that ends with "has to be". */
  description: string;
  accepts: (value: unknown) => boolean;
}

const isName = (value: unknown): boolean =>
  typeof value === "string" && /^[ -~]{1,256}$/.test(value);

const isNameList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_RESOURCES && value.every(isName);

const name: FieldRule = { description: "a string of 1 to 256 ASCII characters", accepts: isName };

const nameList: FieldRule = {
  description: `a list of 1 to ${MAX_RESOURCES} such names`,
  accepts: isNameList,
};

const servedNames: FieldRule = {
  description: `a list of up to ${MAX_RESOURCES} such names`,
  accepts: (value) => Array.isArray(value) && (value.length === 0 || isNameList(value)),
};

const count: FieldRule = {
  description: "a whole number above 0",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

const flag: FieldRule = {
  description: "true or false",
  accepts: (value) => typeof value === "boolean",
};

const scheduleFields: Record<keyof ScheduleEvent, FieldRule> = {
  source: name,
  resources: nameList,
  time: name,
  limit_pages: count,
  full_refresh: flag,
  confirm: name,
  check: flag,
  resume: flag,
};

const workerFields: Record<keyof WorkerEvent, FieldRule> = {
  source: name,
  resource: name,
  run_id: name,
  limit_pages: count,
  full_refresh: flag,
  confirm: name,
  spool_only: flag,
  serves: servedNames,
  check: flag,
};

/** An event may have one of these orders: a second one would be ignored. */
const exclusiveOrders = ["full_refresh", "limit_pages", "check", "resume"] as const;

const scheduleExamples = `{}, {"source": "ticketing"}, {"source": "ticketing", "resources": ["tickets"]}, {"source": "ticketing", "full_refresh": true, "confirm": "ticketing"}, {"source": "ticketing", "check": true} or {"resume": true}`;

export function parseScheduleEvent(event: unknown): ScheduleEvent {
  const parsed = parseEvent<ScheduleEvent>(event ?? {}, scheduleFields, [], scheduleExamples);
  if (parsed.resources && !parsed.source) {
    throw badEvent(`"resources" needs a "source"`, scheduleExamples);
  }
  if (parsed.resources && parsed.resume) {
    throw conflict("resources", "resume", scheduleExamples);
  }
  return parsed;
}

const workerExample = `{"source": "ticketing", "resource": "tickets", "run_id": "…"}; start runs through the schedule function`;

export function parseWorkerEvent(event: unknown): WorkerEvent {
  const requiredFields = ["source", "resource", "run_id"];
  return parseEvent<WorkerEvent>(event, workerFields, requiredFields, workerExample);
}

function parseEvent<Parsed extends ScheduleEvent | WorkerEvent>(
  event: unknown,
  rules: Record<string, FieldRule>,
  requiredFields: string[],
  examples: string,
): Parsed {
  if (!isObject(event)) {
    throw badEvent("an event is a JSON object", examples);
  }
  for (const [field, value] of Object.entries(event)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    const quotedField = JSON.stringify(field.slice(0, 40));
    if (!rule) throw badEvent(`the event has an unknown field ${quotedField}`, examples);
    if (rule.accepts(value)) continue;
    throw badEvent(`the event's ${quotedField} has to be ${rule.description}`, examples);
  }
  for (const field of requiredFields) {
    if (!Object.hasOwn(event, field)) throw badEvent(`the event has no "${field}"`, examples);
  }
  const parsed = event as ScheduleEvent;
  // A refresh deletes rows, and a wrong name is quickly typed in a console: hence the repetition.
  if (parsed.full_refresh && (!parsed.source || parsed.confirm !== parsed.source)) {
    throw badEvent(`"full_refresh" needs a "source", and "confirm" with the same name`, examples);
  }
  const [firstOrder, secondOrder] = exclusiveOrders.filter((order) => parsed[order]);
  if (firstOrder && secondOrder) throw conflict(firstOrder, secondOrder, examples);
  return event as Parsed;
}

const conflict = (firstField: string, secondField: string, examples: string): ConfigError =>
  badEvent(`"${firstField}" and "${secondField}" do not go together`, examples);

function badEvent(message: string, examples: string): ConfigError {
  return eventError("event.invalid", `${message}; send ${examples}`);
}
