import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import {
  ConfigError,
  type Log,
  type Preview,
  type Problem,
  plan,
  preview,
  type ResourceReport,
  RunError,
  readRun,
  type SourcePlan,
  type Sources,
  type WorkerEvent,
} from "@tidetable/core";
import type { Context } from "aws-lambda";
import { worker } from "../../../functions/resource.ts";
import { scheduler } from "../../../functions/schedule.ts";
import { localOrigin, world } from "../../../functions/world.ts";
import type { Io } from "./io.ts";
import { localOwner } from "./leases.ts";
import type { Loaded } from "./load-source.ts";
import { newRunId } from "./names.ts";
import type { Options } from "./options.ts";
import { keepSecrets, localSecrets, type SecretPlaces, secretsFile } from "./secrets-endpoint.ts";
import { openSession, prepare } from "./session.ts";
import type { Session } from "./session-type.ts";

/** More would only queue at the engine, which has one core. */
const RESOURCES_AT_ONCE = 8;
/** As in AWS: a longer run goes on in another slice. */
const SLICE_MS = 15 * 60_000;

export interface Runner {
  plans: SourcePlan[];
  session: Session;
  run(events: object[], log: Log, signal: AbortSignal): Promise<Outcome>;
  /** One page per resource; nothing is written. */
  check(events: object[], log: Log, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Outcome {
  runId: string;
  reports: ResourceReport[];
}

export interface LocalRunner extends Runner {
  /** Looks at the first records of a resource; nothing is written. */
  preview(
    of: { source: string; resource: string; limit: number },
    log: Log,
    signal: AbortSignal,
  ): Promise<Preview>;
}

/** Where a source's secret values come from. */
export type SecretsOf = (source: string, members: string[]) => Promise<Record<string, string>>;

/**
 * A laptop's AWS with the sources deployed in it: secrets looked at, tables created. Throws all
 * problems with the secrets at once, before anything is requested or written.
 */
export async function openRunner(
  loaded: Loaded[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr">,
  secretsOf: SecretsOf = localSecrets({
    ...options,
    env: io.env,
    cwd: io.cwd,
    warn: (line) => io.stderr.write(`${line}\n`),
  }),
): Promise<LocalRunner> {
  const sources: Sources = Object.fromEntries(loaded.map(({ name, source }) => [name, source]));
  const plans = loaded.map(({ name, source }) => plan(source, name));
  const places = { ...options, cwd: io.cwd };
  await requireSecrets(plans, secretsOf, places);
  const session = await openSession({
    ...options,
    secretsOf: async (source) =>
      secretsOf(source, plans.find(({ name }) => name === source)?.secrets ?? []),
    keeperOf: (source) =>
      plans.some(({ name, rotatesSecret }) => name === source && rotatesSecret)
        ? (members) => keepSecrets(source, members, places)
        : undefined,
  });
  const invokeAll = (events: object[], log: Log, signal: AbortSignal) =>
    runLocally({ sources, plans, session, events, log, signal });

  return {
    plans,
    session,
    async run(events, log, signal) {
      await prepare(session, plans, log);
      return invokeAll(events, log, signal);
    },
    check(events, log, signal) {
      const checks = events.map((event) => ({ ...event, check: true }));
      return invokeAll(checks, log, signal);
    },
    preview(of, log, signal) {
      const seams = { log, signal };
      return preview(of, { sources, world: world(context("preview"), seams), localOrigin });
    },
    close: session.close,
  };
}

async function requireSecrets(
  plans: SourcePlan[],
  secretsOf: SecretsOf,
  places: SecretPlaces,
): Promise<void> {
  const problems: Problem[] = [];
  for (const { name: source, secrets, rotatesSecret } of plans) {
    const values = await secretsOf(source, secrets);
    if (rotatesSecret && !(await secretsFile(source, places))) problems.push(notKept(source));
    for (const member of secrets) {
      if (values[member]) continue;
      problems.push({
        path: `${source}: secrets.${member}`,
        message: `the secret "${member}" is missing`,
        hint: `put {"${member}": "…"} into .tidetable/secrets/${source}.json, or set TIDETABLE_SECRET_${member.toUpperCase()}`,
      });
    }
  }
  if (problems.length === 0) return;
  throw new ConfigError({ code: "secrets.missing", message: "secrets are missing", problems });
}

/** Said before the API is asked: its answer may make the old refresh token worthless. */
const notKept = (source: string): Problem => ({
  path: `${source}: secrets`,
  message: "a refresh token can not be kept in an environment variable: the API replaces it",
  hint: `put the secrets into .tidetable/secrets/${source}.json, or name a file with --secrets`,
});

/** Calls the real functions as EventBridge and Lambda would, until every resource has ended. */
async function runLocally(run: {
  sources: Sources;
  plans: readonly SourcePlan[];
  session: Session;
  events: object[];
  log: Log;
  signal: AbortSignal;
}): Promise<Outcome> {
  const fanOut = new LocalFanOut(run);
  return fanOut.run(run.events);
}

/** How long an event waits that another run goes before, and how often the resume tick comes. */
const POLL_MS = 500;

/**
 * One fan-out on this machine: the schedule function's events, a worker for each, and the resume
 * tick, which goes on with what earlier commands have left open and others wait for.
 */
class LocalFanOut {
  readonly #schedule: ReturnType<typeof scheduler>;
  readonly #invoke: ReturnType<typeof worker>;
  readonly #session: Session;
  readonly #sources: readonly string[];
  readonly #signal: AbortSignal;
  readonly #runId = newRunId(Date.now());
  /** What the schedule function has started, and nobody works on yet. */
  #queue: WorkerEvent[] = [];
  /** Reads that are being worked on, by resource and slot. */
  readonly #inWork = new Set<string>();
  /** Reads that a tick has started. */
  readonly #resumed = new Set<Promise<unknown>>();
  #nextTick = 0;

  constructor({
    sources,
    plans,
    session,
    log,
    signal,
  }: Omit<Parameters<typeof runLocally>[0], "events">) {
    this.#session = session;
    this.#signal = signal;
    this.#sources = plans.map(({ name }) => name);
    this.#schedule = scheduler({
      sources,
      log,
      invoke: async (event) => void this.#queue.push(event),
    });
    this.#invoke = worker({ sources, log, signal });
  }

  async run(events: object[]): Promise<Outcome> {
    for (const event of events) await this.#schedule(event, context(this.#runId));
    const started = this.#queue;
    this.#queue = [];
    const reports: ResourceReport[] = [];
    const waiting = started.entries();
    const lane = async () => {
      for (const [index, event] of waiting) reports[index] = await this.#toItsEnd(event);
    };
    await Promise.all(Array.from({ length: RESOURCES_AT_ONCE }, lane));
    await Promise.allSettled(this.#resumed);
    return { runId: this.#runId, reports };
  }

  /** Invokes a worker again and again, as Lambda and the tick would, until its event is answered. */
  async #toItsEnd(event: WorkerEvent): Promise<ResourceReport> {
    while (true) {
      const report = await this.#invokeOnce(event);
      if (this.#signal.aborted) return report;
      const isOpen = ["running", "waiting", "covered"].includes(report.status);
      const isAnothers = report.status === "done" && report.run_id !== event.run_id;
      if (!isOpen && !(isAnothers && (await this.#isUnanswered(event)))) return report;
      if (report.status === "running") continue;
      const pause = report.not_before ? Date.parse(report.not_before) - Date.now() : 0;
      await this.#wait(Math.max(pause, report.status === "covered" ? POLL_MS : 0));
      if (this.#signal.aborted) return report;
    }
  }

  async #invokeOnce(event: WorkerEvent): Promise<ResourceReport> {
    const name = nameOf(event);
    this.#inWork.add(name);
    try {
      return await this.#invoke(event, context(randomBytes(4).toString("hex"))).catch(reportOf);
    } finally {
      this.#inWork.delete(name);
    }
  }

  /** Whether the run that has ended was another one, and this event's is still to come. */
  async #isUnanswered({ source, resource, run_id, limit_pages }: WorkerEvent): Promise<boolean> {
    if (limit_pages !== undefined) return false;
    const line = await readRun(this.#session, { source, resource }, run_id);
    return line?.status !== "done" && line?.status !== "failed";
  }

  /** Waits, and meanwhile goes on with what is due: a read that this one waits for may be among it. */
  async #wait(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (!this.#signal.aborted) {
      if (Date.now() >= this.#nextTick) await this.#tick();
      const left = until - Date.now();
      if (left <= 0) return;
      await wait(Math.min(left, POLL_MS), undefined, { signal: this.#signal }).catch(() => {});
    }
  }

  async #tick(): Promise<void> {
    this.#nextTick = Date.now() + POLL_MS;
    for (const source of this.#sources) {
      await this.#schedule({ source, resume: true }, context("tick"));
    }
    const due = this.#queue.filter((event) => !this.#inWork.has(nameOf(event)));
    this.#queue = [];
    for (const event of due) {
      const work = this.#invokeOnce(event).catch(() => {});
      this.#resumed.add(work);
      void work.finally(() => this.#resumed.delete(work));
    }
  }
}

const nameOf = ({ source, resource, spool_only = false }: WorkerEvent) =>
  `${source}/${resource}/${spool_only}`;

function reportOf(error: unknown): ResourceReport {
  if (error instanceof RunError) return error.report;
  throw error;
}

function context(awsRequestId: string): Context {
  const ends = performance.now() + SLICE_MS;
  return {
    awsRequestId,
    logStreamName: localOwner,
    functionName: "tidetable-local",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:local:000000000000:function:tidetable-local",
    logGroupName: "local",
    memoryLimitInMB: "512",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => ends - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  };
}
