import { type ConfigError, refusal } from "../base/errors.ts";
import { MOST_RESOURCES } from "../config/source.ts";

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
  /** As of the schedule function: whoever calls a worker by hand confirms, too. */
  confirm?: string;
  /** Read for children alone, which were asked for without it. */
  spool_only?: boolean;
  /** The descendants that were asked for in the same fan-out; all of them without. */
  serves?: string[];
  /** Read one page, write nothing. */
  check?: boolean;
}

/** What a field holds: the test, and how a message goes on after "has to be". */
interface Field {
  words: string;
  test: (value: unknown) => boolean;
}

const isText = (value: unknown): boolean =>
  typeof value === "string" && /^[ -~]{1,256}$/.test(value);

const isList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.length <= MOST_RESOURCES && value.every(isText);

const text: Field = { words: "a text of 1 to 256 ASCII characters", test: isText };

const texts: Field = { words: `a list of 1 to ${MOST_RESOURCES} such names`, test: isList };

const names: Field = {
  words: `a list of up to ${MOST_RESOURCES} such names`,
  test: (value) => Array.isArray(value) && (value.length === 0 || isList(value)),
};

const count: Field = {
  words: "a whole number above 0",
  test: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

const flag: Field = { words: "true or false", test: (value) => typeof value === "boolean" };

const scheduleFields: Record<keyof ScheduleEvent, Field> = {
  source: text,
  resources: texts,
  time: text,
  limit_pages: count,
  full_refresh: flag,
  confirm: text,
  check: flag,
  resume: flag,
};

const workerFields: Record<keyof WorkerEvent, Field> = {
  source: text,
  resource: text,
  run_id: text,
  limit_pages: count,
  full_refresh: flag,
  confirm: text,
  spool_only: flag,
  serves: names,
  check: flag,
};

/** An event asks for one of these; with two of them, one would be ignored. */
const orders = ["full_refresh", "limit_pages", "check", "resume"] as const;

const scheduleExamples = `{}, {"source": "ticketing"}, {"source": "ticketing", "resources": ["tickets"]}, {"source": "ticketing", "full_refresh": true, "confirm": "ticketing"}, {"source": "ticketing", "check": true} or {"resume": true}`;

export function parseScheduleEvent(event: unknown): ScheduleEvent {
  const parsed = closed<ScheduleEvent>(event ?? {}, scheduleFields, [], scheduleExamples);
  if (parsed.resources && !parsed.source) {
    throw badEvent(`"resources" needs a "source"`, scheduleExamples);
  }
  if (parsed.resources && parsed.resume) throw apart("resources", "resume", scheduleExamples);
  return parsed;
}

const workerExample = `{"source": "ticketing", "resource": "tickets", "run_id": "…"}; start runs through the schedule function`;

export function parseWorkerEvent(event: unknown): WorkerEvent {
  const required = ["source", "resource", "run_id"];
  return closed<WorkerEvent>(event, workerFields, required, workerExample);
}

function closed<T extends ScheduleEvent | WorkerEvent>(
  event: unknown,
  fields: Record<string, Field>,
  required: string[],
  examples: string,
): T {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw badEvent("an event is a JSON object", examples);
  }
  for (const [name, value] of Object.entries(event)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const quoted = JSON.stringify(name.slice(0, 40));
    if (!field) throw badEvent(`the event has an unknown field ${quoted}`, examples);
    if (field.test(value)) continue;
    throw badEvent(`the event's ${quoted} has to be ${field.words}`, examples);
  }
  for (const name of required) {
    if (!Object.hasOwn(event, name)) throw badEvent(`the event has no "${name}"`, examples);
  }
  const parsed = event as ScheduleEvent;
  // It deletes rows: a wrong name in a console's event is not enough to start it.
  if (parsed.full_refresh && (!parsed.source || parsed.confirm !== parsed.source)) {
    throw badEvent(`"full_refresh" needs a "source", and "confirm" with the same name`, examples);
  }
  const [one, another] = orders.filter((order) => parsed[order]);
  if (one && another) throw apart(one, another, examples);
  return event as T;
}

const apart = (one: string, another: string, examples: string): ConfigError =>
  badEvent(`"${one}" and "${another}" do not go together`, examples);

function badEvent(message: string, examples: string): ConfigError {
  return refusal("event.invalid", `${message}; send ${examples}`);
}
