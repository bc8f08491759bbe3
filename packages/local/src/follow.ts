import {
  type Log,
  type ResourcePlan,
  type ResourceReport,
  type RunRecord,
  readRun,
  readState,
  type SourcePlan,
  type StoredState,
  tableName,
  type World,
} from "@tidetable/core";
import { newRunId } from "./names.ts";
import { lostReport, openReport, reportOf, sampleReport } from "./outcome.ts";

/** A resource of a source. */
export interface Place {
  source: string;
  resource: string;
}

/** What the schedule function answers. */
export interface Started {
  run_id: string;
  started: Place[];
}

/** What the schedule function was asked for. */
export interface Asked extends Place {
  runId: string;
  /** When, epoch milliseconds. */
  at: number;
}

/** Functions that run elsewhere: in AWS, or under the local Lambda service. */
export interface Pipeline {
  /** Calls the schedule function and waits for its answer. */
  schedule(event: object): Promise<Started>;
  /** How often to play the resume tick, where nobody else does. */
  tickMs?: number;
  /**
   * Why nothing more is to come of a run that has failed (at `failedAt`), or of which nothing was
   * heard. Undefined while Lambda may still try.
   */
  givenUp(run: Asked, failedAt: number | undefined): string | undefined;
  /** A worker's last report, where its log can be read: all that is ever heard of a sample. */
  heard?(place: Place): ResourceReport | undefined;
}

/** How to follow: `world` is what the state and the run history are read with. */
export interface Follow {
  plans: readonly SourcePlan[];
  world: Pick<World, "dynamodb" | "names" | "clock" | "random">;
  log: Log;
  /** Lets go: what is open is then reported as running. */
  signal: AbortSignal;
}

const POLL_MS = 1000;
/** A worker that was asked for while another finished the run before begins within this time. */
const BEGIN_MS = 5_000;

/**
 * Sends events to the schedule function, all under one run id, and follows in the state table what
 * they start, to its end.
 */
export async function follow(
  pipeline: Pipeline,
  events: readonly object[],
  options: Follow,
): Promise<{ runId: string; reports: ResourceReport[] }> {
  const { plans, world } = options;
  const runId = newRunId(world.clock.now());
  const open = await Promise.all(
    plans
      .flatMap(({ resources }) => resources)
      .map(async (resource) => ({ resource, runId: await openRun(resource, world) })),
  );

  const asked: Asked[] = [];
  for (const event of events) {
    const { started } = await pipeline.schedule({ ...event, time: runId });
    asked.push(...started.map((place) => ({ ...place, runId, at: world.clock.now() })));
  }
  const ended = new AbortController();
  const ticks = tick(pipeline, options, ended.signal);
  const reports = asked.map(async (run) => {
    const before = open.find(
      ({ resource: { source, name } }) => source === run.source && name === run.resource,
    );
    if (!before) throw new Error(`${run.source}.${run.resource} was started, but not asked for`);
    const report = await toItsEnd(run, before, pipeline, options);
    options.log.info(report.status, { ...placeOf(run), report });
    return report;
  });
  try {
    return { runId, reports: await Promise.all(reports) };
  } finally {
    ended.abort();
    await ticks;
  }
}

const placeOf = ({ source, resource }: Place): Place => ({ source, resource });

/** The unfinished run that a new event would go on with. */
async function openRun(resource: ResourcePlan, world: Follow["world"]) {
  const state = await readState(world, { source: resource.source, resource: resource.name });
  return state && isOpen(state) ? state.run_id : null;
}

const isOpen = ({ status }: StoredState) => status === "running" || status === "waiting";

/** Plays EventBridge until the signal aborts. */
async function tick(
  { schedule, tickMs }: Pipeline,
  { plans, world: { clock }, log }: Follow,
  signal: AbortSignal,
): Promise<void> {
  if (tickMs === undefined) return;
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal).catch(() => {});
    for (const { name: source } of plans) {
      if (signal.aborted) return;
      // The next one makes up for it, as in AWS.
      await schedule({ source, resume: true }).catch((error) => log.warn(`tick: ${error.message}`));
    }
  }
}

async function toItsEnd(
  asked: Asked,
  { resource, runId: open }: { resource: ResourcePlan; runId: string | null },
  pipeline: Pipeline,
  { world, log, signal }: Follow,
): Promise<ResourceReport> {
  const { clock } = world;
  const { source, name } = resource;
  const place = { source, resource: name };
  const base = { ...place, table: tableName(world.names, resource) };
  const tell = teller(asked, base, log);
  const run = asked;
  while (true) {
    const { state, record } = await look(run, open, world);
    const last = pipeline.heard?.(place);
    const report = record ? reportOf(record, base, last) : sampleReport(run.runId, last);
    if (signal.aborted) return report ?? openReport(run, base, state);
    if (report?.status === "failed" || !(report || state)) {
      const why = pipeline.givenUp(run, report && endOf(report));
      if (why) return report ?? lostReport(run, base, why);
      if (report) tell.failure(report);
    } else if (!report) {
      tell.progress(state);
    } else if (
      report.run_id === run.runId ||
      report === last ||
      clock.now() > endOf(report) + BEGIN_MS
    ) {
      return report;
    }
    await clock.sleep(POLL_MS, signal).catch(() => {});
  }
}

/** What there is to see of a run: where it stands, or how it ended; nothing before it has begun. */
interface Sight {
  state?: StoredState;
  record?: RunRecord;
}

/** Looks for a run, or for the one before it (`open`) that its event goes on with. */
async function look(run: Asked, open: string | null, world: Follow["world"]): Promise<Sight> {
  // The state first: when it says that a run has ended, the history has its line.
  const state = await readState(world, run);
  if (state?.run_id === run.runId && isOpen(state)) return { state };
  const record = await readRun(world, run, run.runId);
  if (record) return { ...(state ? { state } : {}), record };
  if (!state || open === null || state.run_id !== open) return {};
  const before = isOpen(state) ? undefined : await readRun(world, run, open);
  return { state, ...(before ? { record: before } : {}) };
}

const endOf = ({ started_at, duration_ms }: ResourceReport) => Date.parse(started_at) + duration_ms;

/** Tells what is new, and only that. */
function teller(run: Asked, base: Parameters<typeof openReport>[1], log: Log) {
  const place = placeOf(run);
  let told = "";
  const isNews = (text: string): boolean => {
    const before = told;
    told = text;
    return text !== before;
  };
  return {
    progress(state: StoredState | undefined) {
      const report = openReport(run, base, state);
      if (!isNews(`${report.status} ${report.pages} ${report.not_before}`)) return;
      if (report.status === "waiting") log.info("waiting", { ...place, report });
      else log.debug("page", { ...place, counts: report });
    },
    failure(report: ResourceReport) {
      if (!isNews(`failed at ${endOf(report)}`)) return;
      log.warn(`${report.error?.message ?? "failed"}; Lambda tries again`, { ...place });
    },
  };
}
