import { LeaseError } from "../base/errors.ts";
import { refOf } from "../base/resource-ref.ts";
import { FINISH_WRITING_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { metered } from "../dynamodb/meter.ts";
import { checkTable } from "../dynamodb/tables.ts";
import { commitCursor } from "../extract/cursor/cursor.ts";
import { type Counts, Tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { SecretStore } from "../secrets/store.ts";
import { nothingKnown, rowsAtStart, rowsBehind } from "../state/changed-rows-state.ts";
import { recordRun } from "../state/history.ts";
import { type Lease, takeLease } from "../state/lease.ts";
import { opening } from "../state/opening.ts";
import type { RunState } from "../state/run-state.ts";
import { readState } from "../state/state-item.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Job, Order } from "./job.ts";
import { holding } from "./keep-lease.ts";
import { read } from "./read-pages.ts";
import { ending, poisoned, reporter } from "./report.ts";
import { openSchema, type RunSchema, tell } from "./run-schema.ts";
import { sweep } from "./sweep.ts";

/** One invocation, as far as it has come: what has gone wrong is told by what it had by then. */
interface Slice extends Omit<Job, "lease" | "schema"> {
  /** Calls that are made also when the slice is called off: what a run says of itself. */
  steps: StateWorld;
  tallied: Tally;
  report: ReturnType<typeof reporter>;
  /** A sample leaves no run behind. */
  isSample: boolean;
  state?: RunState;
  lease?: Lease;
  schema?: RunSchema;
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
  const tallied = new Tally(outer.clock);
  const { counts } = tallied;
  const dynamodb = metered(outer.dynamodb, counts);
  const { names, clock, random, deadline, signal } = outer;
  const stop = new AbortController();
  const called = AbortSignal.any([signal, stop.signal]);
  // Who is interrupted asks for nothing more, but what was read may still land.
  const late = new AbortController();
  const landing = AbortSignal.any([late.signal, stop.signal]);
  const settled = new AbortController();
  const interrupted = () => {
    clock.sleep(FINISH_WRITING_MS, settled.signal).then(
      () => late.abort(signal.reason),
      () => {},
    );
  };
  signal.addEventListener("abort", interrupted, { once: true });
  // Its run id becomes that of the run which is gone on with.
  const order = { ...event };
  const slice: Slice = {
    resource,
    resourceRef: refOf(resource),
    order,
    world: { ...outer, dynamodb, signal: called },
    landing,
    steps: { dynamodb, names, clock, random, deadline },
    secrets,
    stop,
    counts,
    tallied,
    report: reporter(resource, order, outer, tallied),
    isSample: event.limitPages !== undefined,
  };
  try {
    return await work(slice);
  } catch (error) {
    return await giveUp(slice, error, { event, signal });
  } finally {
    signal.removeEventListener("abort", interrupted);
    settled.abort();
    stop.abort();
  }
}

async function work(slice: Slice): Promise<ResourceReport> {
  const { resource, resourceRef, order, world, steps, tallied, report, isSample } = slice;
  const [, { tableId }, stored] = await atOnce(
    // Whatever else is wrong: until somebody has filled it, there is no run to begin.
    slice.secrets.read(),
    resource.selected ? checkTable(steps, resource) : Promise.resolve({ tableId: undefined }),
    readState(steps, resourceRef),
  );
  const open = opening(isSample ? undefined : stored, {
    runId: order.runId,
    refresh: !isSample && isRefresh(order, resource),
    spoolOnly: order.spoolOnly ?? false,
    followsSpool: resource.parent?.plan.incremental !== undefined,
    planHash: resource.hash,
    tableId: tableId ?? null,
    cursorPath: resource.incremental?.path.text ?? null,
    initial: resource.incremental?.initialValue ?? null,
    rows: (refresh, before) => {
      const { runId, spoolOnly = false } = order;
      const rebuild = order.refresh || (refresh && resource.disposition !== "replace");
      const how = { runId, refresh, rebuild, spoolOnly };
      return isSample ? nothingKnown : rowsAtStart(resource, how, before);
    },
    now: world.clock.now(),
  });
  const state = open.body;
  slice.state = state;
  order.runId = open.runId;
  tallied.addEarlierSlices(state.counts);
  if (open.kind === "ended") return report("done", { state });
  if (open.kind === "wait") return report("waiting", { state, notBefore: open.notBefore });
  if (open.kind === "start" && open.note) world.log.warn(open.note, { ...resourceRef });

  const run = isSample ? undefined : open;
  const lease = await takeLease(steps, resourceRef, stored, { owner: order.owner, run });
  slice.lease = lease;
  if (open.kind === "poison") throw poisoned(state);
  if (resource.selected && !state.spool_only) {
    const ashore = { ...world, signal: slice.landing };
    slice.schema = await openSchema(resource, ashore, { resourceRef, tableId, token: lease.token });
  }
  const job = { ...slice, lease, schema: slice.schema };
  const moved = (next: RunState) => {
    slice.state = next;
    tallied.updateWorkedTime();
    world.log.debug("page", { ...resourceRef, counts: next.counts });
  };
  const behind = await holding(read(job, state, moved), job);
  return finish(slice, lease, await holding(sweep(job, behind, moved), job));
}

/** All of them; where several fail, the first in the list is what is told, and not the first in time. */
async function atOnce<T extends readonly Promise<unknown>[]>(...asked: T) {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

async function finish(slice: Slice, lease: Lease, state: RunState): Promise<ResourceReport> {
  const { resource, resourceRef, world, report, schema } = slice;
  if (/* planted: unfinished-slice */ !slice.isSample && state.phase !== "end") {
    const running = report("running", { state });
    await lease.release({ status: "running", body: { ...state, counts: { ...slice.counts } } });
    return running;
  }
  const found = schema?.found();
  tell(found, world, resourceRef);
  if (slice.isSample) {
    await schema?.close(slice.order.runId, { part: true });
    await lease.letGo();
    return report("done", { state, schema: found });
  }
  const ended = committed(state, resource);
  const done = report("done", { state: ended, before: state.cursor, schema: found });
  // First the history: a run that is cut off here finds the same again.
  await remember(slice, done);
  await schema?.close(slice.order.runId);
  await lease.release({ status: "done", body: ended });
  return done;
}

async function giveUp(
  slice: Slice,
  error: unknown,
  { event, signal }: { event: Order; signal: AbortSignal },
): Promise<ResourceReport> {
  const { resource, order, counts, state, lease, schema, isSample } = slice;
  const end = ending(error, { resource, state, world: { ...slice.world, signal } });
  const hasFailed = end.status === "failed";
  const failed = slice.report(end.report, {
    ...end,
    state,
    schema: hasFailed ? schema?.found() : undefined,
  });
  const overtaken = error instanceof LeaseError;
  // The run that is in the way of this event goes on, and its own report tells how it ended.
  const fruitless = overtaken && event.runId !== order.runId;
  if (fruitless) await remember(slice, { ...failed, run_id: event.runId }).catch(() => {});
  else if (hasFailed && !isSample) await remember(slice, failed).catch(() => {});
  // A lease that was lost is not ours to give back; one that can not be given back runs out.
  if (!lease || overtaken) return failed;
  // What is stored by now stays, whatever became of the run.
  if (hasFailed) await schema?.close(order.runId, { part: true }).catch(() => {});
  if (isSample || !state) await lease.letGo().catch(() => {});
  else {
    const body = { ...state, ...end.changes, counts: { ...state.counts, ...spent(counts) } };
    await lease.release({ ...end, body }).catch(() => {});
  }
  return failed;
}

const remember = ({ steps, resourceRef, order }: Slice, ended: ResourceReport): Promise<void> =>
  recordRun(steps, resourceRef, ended, order.memoryMb ?? 512);

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

/** Pure: a run that is through moves the cursor, and says what is known of rows; nothing else does. */
function committed(through: RunState, { incremental, selected }: ResourcePlan): RunState {
  if (through.spool_only || !selected) return through;
  const state = { ...through, rows: rowsBehind(through.rows, through.counts) };
  if (!incremental || incremental.perParent) return state;
  const before = state.refresh ? null : state.cursor;
  const cursor = commitCursor(
    before,
    state.candidate,
    /* planted: time-of-cursor-cap */ state.api_time ?? undefined,
    incremental,
  );
  return { ...state, cursor };
}
