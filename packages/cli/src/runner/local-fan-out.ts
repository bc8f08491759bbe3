import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Sources } from "@tidetable/core";
import {
  type LambdaContext,
  type Log,
  type ResourceReport,
  RunError,
  readRun,
  type WorkerEvent,
} from "@tidetable/core/internal";
import { scheduler, worker } from "@tidetable/core/lambda";
import type { SourcePlan } from "@tidetable/core/plan";
import { newRunId } from "../base/names.ts";
import type { Session } from "../base/session-type.ts";
import { localLeaseOwner } from "../session/dead-leases.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { RunOutcome } from "./runner.ts";

/** More resources at once would only queue at the engine, which uses one core. */
const RESOURCES_AT_ONCE = 8;
/** Lambda's limit for one invocation. A longer run continues in another slice. */
const SLICE_MS = 15 * 60_000;
/** The pause before an event that another run precedes is tried again, and between two ticks. */
const POLL_MS = 500;

interface LocalFunctions {
  sources: Sources;
  plans: readonly SourcePlan[];
  session: Session;
  log: Log;
  signal: AbortSignal;
}

/**
 * The functions on this machine, called as EventBridge and Lambda would call them: the schedule
 * function for an event, a worker for each resource that it starts, and the resume tick.
 */
export class LocalFanOut {
  readonly #schedule: ReturnType<typeof scheduler>;
  readonly #invokeWorker: ReturnType<typeof worker>;
  readonly #session: Session;
  readonly #sourceNames: readonly string[];
  readonly #signal: AbortSignal;
  /** Worker events of the schedule function that nobody has taken up yet. */
  #startedEvents: WorkerEvent[] = [];
  /** The reads that are being worked on, so that a tick does not start them a second time. */
  readonly #readsInWork = new Set<string>();
  /** The work that ticks have started. */
  readonly #resumedWork = new Set<Promise<unknown>>();
  #nextTickAt = 0;

  constructor({ sources, plans, session, log, signal }: LocalFunctions) {
    this.#session = session;
    this.#signal = signal;
    this.#sourceNames = plans.map(({ name }) => name);
    this.#schedule = scheduler({
      sources,
      log,
      invoke: async (event) => void this.#startedEvents.push(event),
    });
    this.#invokeWorker = worker({ sources, log, signal });
  }

  /** Runs events until each resource has ended, waits and continuations included. */
  async runToEnd(events: readonly object[]): Promise<RunOutcome> {
    const runId = newRunId(Date.now());
    for (const event of events) await this.#schedule(event, localContext(runId));
    const reports = await mapConcurrently(this.#takeStarted(), RESOURCES_AT_ONCE, (event) =>
      this.#runToEnd(event),
    );
    await Promise.allSettled(this.#resumedWork);
    return { runId, reports };
  }

  /** Delivers one event, and each worker event that it causes once. Returns the function's answer. */
  async deliver(event: object, { toWorker }: { toWorker: boolean }): Promise<unknown> {
    if (toWorker) return this.#invoke(event as WorkerEvent);
    const answer = await this.#schedule(event, localContext(newRunId(Date.now())));
    await mapConcurrently(this.#takeStarted(), RESOURCES_AT_ONCE, (started) =>
      this.#invoke(started),
    );
    return answer;
  }

  #takeStarted(): WorkerEvent[] {
    const started = this.#startedEvents;
    this.#startedEvents = [];
    return started;
  }

  /** Invokes a worker again and again, as Lambda and the tick would, until its event is answered. */
  async #runToEnd(event: WorkerEvent): Promise<ResourceReport> {
    while (true) {
      const report = await this.#invoke(event);
      if (this.#signal.aborted) return report;
      // A wish that waits for another process is stored: its own next read, or a tick, takes it.
      const isCovered = report.status === "covered" && !report.error;
      const isOpen = isCovered || report.status === "running" || report.status === "waiting";
      const endedAnother = report.status === "done" && report.run_id !== event.run_id;
      if (!isOpen && !(endedAnother && (await this.#isUnanswered(event)))) return report;
      if (report.status === "running") continue;
      const pause = report.not_before ? Date.parse(report.not_before) - Date.now() : 0;
      await this.#waitTicking(Math.max(pause, isCovered ? POLL_MS : 0));
      if (this.#signal.aborted) return report;
    }
  }

  async #invoke(event: WorkerEvent): Promise<ResourceReport> {
    const read = nameOfRead(event);
    this.#readsInWork.add(read);
    try {
      const context = localContext(randomBytes(4).toString("hex"));
      return await this.#invokeWorker(event, context).catch(reportOfError);
    } finally {
      this.#readsInWork.delete(read);
    }
  }

  /** Whether the run that has ended was another one, and the event's own is still to come. */
  async #isUnanswered({ source, resource, run_id, limit_pages }: WorkerEvent): Promise<boolean> {
    if (limit_pages !== undefined) return false;
    const record = await readRun(this.#session, { source, resource }, run_id);
    return record?.status !== "done" && record?.status !== "failed";
  }

  /** Waits. Meanwhile ticks go on with what earlier commands left open: a child may wait for it. */
  async #waitTicking(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (!this.#signal.aborted) {
      if (Date.now() >= this.#nextTickAt) await this.#tick();
      const left = until - Date.now();
      if (left <= 0) return;
      await wait(Math.min(left, POLL_MS), undefined, { signal: this.#signal }).catch(() => {});
    }
  }

  async #tick(): Promise<void> {
    this.#nextTickAt = Date.now() + POLL_MS;
    for (const source of this.#sourceNames) {
      await this.#schedule({ source, resume: true }, localContext("tick"));
    }
    for (const event of this.#takeStarted()) {
      if (this.#readsInWork.has(nameOfRead(event))) continue;
      const work = this.#invoke(event).catch(() => {});
      this.#resumedWork.add(work);
      void work.finally(() => this.#resumedWork.delete(work));
    }
  }
}

const nameOfRead = ({ source, resource, spool_only = false }: WorkerEvent): string =>
  `${source}/${resource}/${spool_only}`;

function reportOfError(error: unknown): ResourceReport {
  if (error instanceof RunError) return error.report;
  throw error;
}

/** The invocation context that Lambda would pass to a handler. */
export function localContext(awsRequestId: string): LambdaContext {
  const endsAt = performance.now() + SLICE_MS;
  return {
    awsRequestId,
    logStreamName: localLeaseOwner,
    getRemainingTimeInMillis: () => endsAt - performance.now(),
  };
}
