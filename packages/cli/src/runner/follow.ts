import {
  type Log,
  type ResourceRef,
  type ResourceReport,
  type RunRecord,
  readRun,
  readState,
  refOf,
  type StoredState,
  type World,
} from "@tidetable/core/internal";
import { type ResourcePlan, type SourcePlan, tableName } from "@tidetable/core/plan";
import { newRunId } from "../base/names.ts";
import {
  lostReport,
  reportFromHistory,
  sampleReport,
  unfinishedReport,
} from "./followed-report.ts";
import type { RunOutcome } from "./runner.ts";

/** The answer of the schedule function. */
export interface StartedRuns {
  run_id: string;
  started: (ResourceRef & { spool_only?: boolean })[];
}

/** A run that the schedule function was asked for. */
export interface RequestedRun extends ResourceRef {
  runId: string;
  /** Read for children alone. */
  spool_only?: boolean;
  /** The time of the request, in epoch milliseconds. */
  at: number;
}

/** Functions that run elsewhere: in AWS, or under the local Lambda service. */
export interface Pipeline {
  /** Calls the schedule function and waits for its answer. */
  schedule(event: object): Promise<StartedRuns>;
  /** The interval of the resume tick. Undefined where EventBridge sends the ticks. */
  tickMs?: number;
  /**
   * Says why a run is not waited for any longer: a run that failed (at `failedAt`), or that left no
   * trace. Undefined while Lambda may still attempt it.
   */
  giveUpReason(run: RequestedRun, failedAt: number | undefined): string | undefined;
  /** A worker's last report, where its log can be read. A sample reports nowhere else. */
  lastReport?(resourceRef: ResourceRef): ResourceReport | undefined;
}

export interface FollowOptions {
  plans: readonly SourcePlan[];
  /** Reads the state and the run history. */
  world: Pick<World, "dynamodb" | "names" | "clock" | "random">;
  log: Log;
  /** Ends the following. Unfinished runs are then reported as running. */
  signal: AbortSignal;
}

const POLL_MS = 1000;
/** The longest time until a worker begins whose event arrived while an earlier run was finished. */
const BEGIN_MS = 5_000;

/**
 * Sends events to the schedule function, all with the same run id, and follows in the state table
 * the runs that they start, to their end.
 */
export async function followRuns(
  pipeline: Pipeline,
  events: readonly object[],
  options: FollowOptions,
): Promise<RunOutcome> {
  const { plans, world } = options;
  const { clock } = world;
  const runId = newRunId(clock.now());
  const candidates = await Promise.all(
    plans
      .flatMap(({ resources }) => resources)
      .map(async (resource) => ({ resource, openRunId: await findOpenRun(resource, world) })),
  );

  const requestedRuns: RequestedRun[] = [];
  for (const event of events) {
    const { run_id, started } = await pipeline.schedule({ ...event, time: runId });
    requestedRuns.push(...started.map((ref) => ({ ...ref, runId: run_id, at: clock.now() })));
  }
  const ended = new AbortController();
  const ticking = sendTicks(pipeline, options, ended.signal);
  const reports = requestedRuns.map(async (run) => {
    const candidate = candidates.find(
      ({ resource: { source, name } }) => source === run.source && name === run.resource,
    );
    if (!candidate) throw new Error(`${run.source}.${run.resource} was started, but not asked for`);
    return new FollowedRun(run, { ...candidate, pipeline, options }).followToEnd();
  });
  try {
    return { runId, reports: await Promise.all(reports) };
  } finally {
    ended.abort();
    await ticking;
  }
}

/** The id of an unfinished run. A new event continues that run instead of starting its own. */
async function findOpenRun(resource: ResourcePlan, world: FollowOptions["world"]) {
  const state = await readState(world, refOf(resource));
  return state && isOpen(state) ? state.run_id : null;
}

const isOpen = ({ status }: StoredState) => status === "running" || status === "waiting";

/** Sends the resume ticks that EventBridge sends in AWS, until the signal aborts. */
async function sendTicks(
  { schedule, tickMs }: Pipeline,
  { plans, world: { clock }, log }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  if (tickMs === undefined) return;
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal).catch(() => {});
    for (const { name: source } of plans) {
      if (signal.aborted) return;
      // A failed tick does no harm, as in AWS: the next tick resumes the same runs.
      await schedule({ source, resume: true }).catch((error) => log.warn(`tick: ${error.message}`));
    }
  }
}

/** The state and history of a run: `record` once it has ended, neither before it has begun. */
interface StoredRun {
  state?: StoredState;
  record?: RunRecord;
}

/** Follows a single run in the state table, from its request to its end. */
class FollowedRun {
  readonly #pipeline: Pipeline;
  readonly #options: FollowOptions;
  readonly #ref: ResourceRef;
  readonly #identity: ResourceRef & { table: string };
  readonly #requested: RequestedRun;
  /** A parent is also read for children that were asked for without it. */
  readonly #slot: "own" | "for_children";
  /** The unfinished run that the event continues. Null if there was none. */
  readonly #openRunId: string | null;
  /** The last state that was logged, so that a state is not logged at every poll. */
  #loggedState = "";

  constructor(
    requested: RequestedRun,
    context: {
      resource: ResourcePlan;
      openRunId: string | null;
      pipeline: Pipeline;
      options: FollowOptions;
    },
  ) {
    this.#pipeline = context.pipeline;
    this.#options = context.options;
    this.#ref = refOf(context.resource);
    const table = tableName(context.options.world.names, context.resource);
    this.#identity = { ...this.#ref, table };
    this.#requested = requested;
    this.#slot = requested.spool_only ? "for_children" : "own";
    this.#openRunId = context.openRunId;
  }

  async followToEnd(): Promise<ResourceReport> {
    const { world, log, signal } = this.#options;
    while (true) {
      const report = await this.#pollOnce();
      if (report) {
        log.info(report.status, { ...this.#ref, report });
        return report;
      }
      await world.clock.sleep(POLL_MS, signal).catch(() => {});
    }
  }

  /** Looks once. Returns the final report when the run has ended, or will not be waited for. */
  async #pollOnce(): Promise<ResourceReport | undefined> {
    const { state, record } = await this.#readStoredRun();
    const lastReport = this.#pipeline.lastReport?.(this.#ref);
    const report = record
      ? reportFromHistory(record, this.#identity, lastReport)
      : sampleReport(this.#requested.runId, lastReport);
    if (this.#options.signal.aborted) {
      return report ?? unfinishedReport(this.#requested, this.#identity, state);
    }
    if (!report && state) {
      this.#logProgress(state);
      return undefined;
    }
    if (!report || report.status === "failed") return this.#giveUpOrWait(report);
    const isAwaited = report.run_id === this.#requested.runId || report === lastReport;
    return isAwaited || this.#hasStayedEnded(report) ? report : undefined;
  }

  /** Reads the awaited run, or the open run that its event continues. */
  async #readStoredRun(): Promise<StoredRun> {
    const { world } = this.#options;
    const { runId } = this.#requested;
    // The state is read first: when it says that a run has ended, the history has the run's record.
    const state = await readState(world, this.#ref, this.#slot);
    if (state?.run_id === runId && isOpen(state)) return { state };
    const record = await readRun(world, this.#ref, runId, this.#slot);
    // An event that met a living worker is skipped, unless its wish waits for that worker's end.
    const isWished = state?.wishes.some(({ id }) => id === runId) ?? false;
    if (state && isWished) return { state };
    if (record) return { ...(state ? { state } : {}), record };
    if (!state || this.#openRunId === null || state.run_id !== this.#openRunId) return {};
    if (isOpen(state)) return { state };
    const openRunRecord = await readRun(world, this.#ref, this.#openRunId, this.#slot);
    return { state, ...(openRunRecord ? { record: openRunRecord } : {}) };
  }

  #giveUpOrWait(failure: ResourceReport | undefined): ResourceReport | undefined {
    const reason = this.#pipeline.giveUpReason(this.#requested, failure && endOf(failure));
    if (reason) return failure ?? lostReport(this.#requested, this.#identity, reason);
    if (failure) this.#logFailure(failure);
    return undefined;
  }

  /** Whether the open run ended so long ago that no worker begins the requested one any more. */
  #hasStayedEnded(report: ResourceReport): boolean {
    return this.#options.world.clock.now() > endOf(report) + BEGIN_MS;
  }

  #logProgress(state: StoredState): void {
    const report = unfinishedReport(this.#requested, this.#identity, state);
    if (!this.#isNewState(`${report.status} ${report.pages} ${report.not_before}`)) return;
    const { log } = this.#options;
    if (report.status === "waiting") log.info("waiting", { ...this.#ref, report });
    else log.debug("page", { ...this.#ref, counts: report });
  }

  #logFailure(report: ResourceReport): void {
    if (!this.#isNewState(`failed at ${endOf(report)}`)) return;
    const message = report.error?.message ?? "failed";
    this.#options.log.warn(`${message}; Lambda tries again`, { ...this.#ref });
  }

  #isNewState(state: string): boolean {
    const isNew = state !== this.#loggedState;
    this.#loggedState = state;
    return isNew;
  }
}

const endOf = ({ started_at, duration_ms }: ResourceReport) => Date.parse(started_at) + duration_ms;
