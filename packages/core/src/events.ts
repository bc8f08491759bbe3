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
  /** Read everything and sweep what is not there any more. `confirm` repeats the source's name. */
  full_refresh?: boolean;
  confirm?: string;
  /** Read one page of each resource, write nothing. */
  check?: boolean;
  /** The tick: start again what is unfinished and due. */
  resume?: boolean;
}

/** What a worker understands. The checkpoint, not the event, says where it goes on. */
export interface WorkerEvent {
  source: string;
  resource: string;
  run_id: string;
  limit_pages?: number;
  full_refresh?: boolean;
  /** Read for the children's sake alone. */
  spool_only?: boolean;
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
  full_refresh: flag,
  confirm: text,
  check: flag,
  resume: flag,
};

const workerFields: Record<keyof WorkerEvent, Check> = {
  source: text,
  resource: text,
  run_id: text,
  limit_pages: count,
  full_refresh: flag,
  spool_only: flag,
  check: flag,
};

const scheduleExamples = `{}, {"source": "ticketing"}, {"source": "ticketing", "resources": ["tickets"]}, {"source": "ticketing", "full_refresh": true, "confirm": "ticketing"}, {"source": "ticketing", "check": true} or {"resume": true}`;

export function parseScheduleEvent(event: unknown): ScheduleEvent {
  const parsed = closed<ScheduleEvent>(event ?? {}, scheduleFields, [], scheduleExamples);
  if (parsed.resources && !parsed.source) {
    throw badEvent(`"resources" needs a "source"`, scheduleExamples);
  }
  // It deletes rows: a wrong name in a console's event is not enough to start it.
  if (parsed.full_refresh && (!parsed.source || parsed.confirm !== parsed.source)) {
    throw badEvent(
      `"full_refresh" needs a "source", and "confirm" with the same name`,
      scheduleExamples,
    );
  }
  if (parsed.full_refresh && parsed.limit_pages) {
    throw badEvent(`"full_refresh" and "limit_pages" do not go together`, scheduleExamples);
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

/** The way out stands in the message: of an error, Lambda's console shows nothing else. */
export const refusal = (code: string, message: string): ConfigError =>
  new ConfigError({ code, message });

function badEvent(message: string, examples: string): ConfigError {
  return refusal("event.invalid", `${message}; send ${examples}`);
}
