import { ConfigError } from "./errors.ts";

/*
 * Events name what to work on and nothing else: no URL, table or secret comes from an event.
 */

/** What the schedule function understands. */
export interface ScheduleEvent {
  /** One source; all of them without. */
  source?: string;
  /** Some of its resources; all of them without. */
  resources?: string[];
  /** The scheduled time: two deliveries of one tick are one run. */
  time?: string;
  /** A sample: this many pages of each resource, with no checkpoint and no cursor. */
  limit_pages?: number;
}

/** What a worker understands. The checkpoint, not the event, says where it goes on. */
export interface WorkerEvent {
  source: string;
  resource: string;
  run_id: string;
  limit_pages?: number;
  /** Read one page, write nothing. */
  check?: boolean;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string" && value.length > 0 && value.length <= 256;
const texts: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(text);
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const flag: Check = (value) => typeof value === "boolean";

const scheduleFields: Record<keyof ScheduleEvent, Check> = {
  source: text,
  resources: texts,
  time: text,
  limit_pages: count,
};

const workerFields: Record<keyof WorkerEvent, Check> = {
  source: text,
  resource: text,
  run_id: text,
  limit_pages: count,
  check: flag,
};

const scheduleExamples = `{}, {"source": "ticketing"} or {"source": "ticketing", "resources": ["tickets"]}`;

export function parseScheduleEvent(event: unknown): ScheduleEvent {
  const parsed = closed<ScheduleEvent>(event ?? {}, scheduleFields, [], scheduleExamples);
  if (parsed.resources && !parsed.source) {
    throw badEvent(`"resources" needs a "source"`, scheduleExamples);
  }
  return parsed;
}

export function parseWorkerEvent(event: unknown): WorkerEvent {
  return closed<WorkerEvent>(
    event,
    workerFields,
    ["source", "resource", "run_id"],
    `{"source": "ticketing", "resource": "tickets", "run_id": "…"}; start runs through the schedule function`,
  );
}

function closed<T>(
  event: unknown,
  fields: Record<string, Check>,
  required: string[],
  examples: string,
): T {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw badEvent("an event is a JSON object", examples);
  }
  for (const [name, value] of Object.entries(event)) {
    const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!check) throw badEvent(`the event has an unknown field "${name.slice(0, 40)}"`, examples);
    if (!check(value)) throw badEvent(`the event's "${name}" has a wrong value`, examples);
  }
  for (const name of required) {
    if (!Object.hasOwn(event, name)) throw badEvent(`the event has no "${name}"`, examples);
  }
  return event as T;
}

function badEvent(message: string, examples: string): ConfigError {
  return new ConfigError({ code: "event.invalid", message, hint: `send ${examples}` });
}
