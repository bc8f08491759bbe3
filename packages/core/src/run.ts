import type { ResourcePlan } from "./config/plan-types.ts";
import { LeaseError } from "./errors.ts";
import { commit } from "./extract/cursor.ts";
import type { Counts, ResourceReport } from "./flow.ts";
import { recordRun } from "./load/history.ts";
import { metered } from "./load/meter.ts";
import { type Lease, opening, takeLease } from "./load/state.ts";
import { type RunState, readState } from "./load/state-item.ts";
import type { Place } from "./load/state-query.ts";
import { checkTable } from "./load/tables.ts";
import { read } from "./read.ts";
import { ending, poisoned, reporter } from "./report.ts";
import { openSchema, type RunSchema, tell } from "./run-schema.ts";
import type { SecretStore } from "./secrets.ts";
import { sweep } from "./sweep.ts";
import { tally } from "./tally.ts";
import type { World } from "./world.ts";

export interface Order {
  runId: string;
  /** Unique for this invocation: a platform's retry may meet its living twin. */
  owner: string;
  /** Read everything, whatever the cursor says, and sweep what is not there any more. */
  refresh?: boolean | undefined;
  /** Read for the children's sake alone: nothing is stored, and no cursor moves. */
  spoolOnly?: boolean | undefined;
  /** A sample: that many pages, no checkpoint, no cursor, no open run. */
  limitPages?: number | undefined;
  /** What the worker has of memory, for the run's cost. Default: 512. */
  memoryMb?: number | undefined;
}

/** What a slice works with. */
export interface Job {
  resource: ResourcePlan;
  place: Place;
  order: Order;
  world: World;
  secrets: SecretStore;
  lease: Lease;
  /** Undefined: nothing of the resource is stored. */
  schema: RunSchema | undefined;
  /** Calls off whatever is under way. */
  stop: AbortController;
  /** Counted as things happen; a checkpoint stores a copy. */
  counts: Counts;
}

/**
 * One slice of a run of one resource. Whatever the API, the table or a record does, it returns a
 * report that says how it ended.
 */
export async function runResource(
  resource: ResourcePlan,
  event: Order,
  outer: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  const place = { source: resource.source, resource: resource.name };
  const sample = event.limitPages !== undefined;
  // Its run id becomes that of the run which is gone on with.
  const order = { ...event };
  const tallied = tally(outer.clock);
  const { counts } = tallied;
  const report = reporter(resource, order, outer, tallied);
  const stop = new AbortController();
  const dynamodb = metered(outer.dynamodb, counts);
  const world = { ...outer, dynamodb, signal: AbortSignal.any([outer.signal, stop.signal]) };
  // What the run says of itself, it says also when it is called off.
  const { names, clock, random, deadline } = outer;
  const steps = { dynamodb, names, clock, random, deadline };
  const remember = (ended: ResourceReport) => recordRun(steps, place, ended, order.memoryMb ?? 512);
  let lease: Lease | undefined;
  let state: RunState | undefined;
  let schema: RunSchema | undefined;

  try {
    // First of all: until somebody has filled it, there is no run to begin.
    await secrets.read();
    const { tableId } = resource.selected
      ? await checkTable(steps, resource)
      : { tableId: undefined };
    const stored = await readState(steps, place);
    const open = opening(sample ? undefined : stored, {
      runId: order.runId,
      refresh: !sample && isRefresh(order, resource),
      spoolOnly: order.spoolOnly ?? false,
      followsSpool: resource.parent?.plan.incremental !== undefined,
      planHash: resource.hash,
      tableId: tableId ?? null,
      cursorPath: resource.incremental?.path.text ?? null,
      initial: resource.incremental?.initialValue ?? null,
      now: world.clock.now(),
    });
    state = open.body;
    order.runId = open.runId;
    tallied.goOnFrom(state.counts);
    if (open.kind === "ended") return report("done", { state });
    if (open.kind === "wait") return report("waiting", { state, notBefore: open.notBefore });
    if (open.kind === "start" && open.note) world.log.warn(open.note, place);

    lease = await takeLease(steps, place, stored, {
      owner: order.owner,
      run: sample ? undefined : open,
    });
    if (open.kind === "poison") throw poisoned(state);
    if (resource.selected && !state.spool_only) {
      schema = await openSchema(resource, world, { place, tableId });
    }
    const job = { resource, place, order, world, secrets, lease, schema, stop, counts };
    for await (state of slice(job, state)) {
      tallied.touch();
      world.log.debug("page", { ...place, counts: state.counts });
    }

    if (sample) {
      const sampled = report("done", { state, schema: await schema?.close(order.runId) });
      await lease.letGo();
      return sampled;
    }
    if (state.phase !== "end") {
      const running = report("running", { state });
      await lease.release({ status: "running", body: { ...state, counts: { ...counts } } });
      return running;
    }
    const ended = committed(state, resource);
    const found = await schema?.close(order.runId);
    tell(found, world, place);
    const done = report("done", { state: ended, before: state.cursor, schema: found });
    await remember(done);
    await lease.release({ status: "done", body: ended });
    return done;
  } catch (error) {
    const end = ending(error, { resource, state, world: outer });
    const overtaken = error instanceof LeaseError;
    // What it has stored until then may be of a new kind.
    const found =
      end.status === "failed" ? await schema?.close(order.runId).catch(() => undefined) : undefined;
    const failed = report(end.report, { ...end, state, schema: found });
    // The run that is in the way of this event goes on, and its own report tells how it ended.
    const fruitless = overtaken && event.runId !== order.runId;
    if (fruitless) await remember({ ...failed, run_id: event.runId }).catch(() => {});
    else if (end.status === "failed" && !sample) await remember(failed).catch(() => {});
    // A lease that was lost is not ours to give back; one that can not be given back runs out.
    if (!lease || overtaken) return failed;
    if (sample || !state) await lease.letGo().catch(() => {});
    else {
      const body = { ...state, ...end.changes, counts: { ...state.counts, ...spent(counts) } };
      await lease.release({ ...end, body }).catch(() => {});
    }
    return failed;
  } finally {
    stop.abort();
  }
}

/** What nothing of is stored has nothing to sweep. */
const isRefresh = (order: Order, { selected, disposition }: ResourcePlan): boolean =>
  selected && !order.spoolOnly && (order.refresh === true || disposition === "replace");

/** What was spent on a page counts even where the page itself has to be read again. */
const spent = ({
  requests,
  retries,
  waited_ms,
  write_units,
  read_units,
  throttled,
  worked_ms,
}: Counts) => ({ requests, retries, waited_ms, write_units, read_units, throttled, worked_ms });

/** Pure: a run that is through moves the cursor; nothing else does. */
function committed(state: RunState, { incremental }: ResourcePlan): RunState {
  if (!incremental || incremental.perParent || state.spool_only) return state;
  const before = state.refresh ? null : state.cursor;
  const cursor = commit(before, state.candidate, state.api_time ?? undefined, incremental);
  return { ...state, cursor };
}

/** Yields the state whenever it has moved. Stops short when time is. */
async function* slice(job: Job, from: RunState): AsyncGenerator<RunState> {
  let state = from;
  for await (state of read(job, state)) yield state;
  for await (state of sweep(job, state)) yield state;
}
