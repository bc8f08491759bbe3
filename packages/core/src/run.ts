import type { ResourcePlan } from "./config/plan-types.ts";
import { LeaseError } from "./errors.ts";
import { openSession, pages } from "./extract/pages.ts";
import { type Counts, noCounts, type ResourceReport } from "./flow.ts";
import { writer } from "./load/batches.ts";
import { setAside, tooMany, tooManyError } from "./load/quarantine.ts";
import { type Lease, opening, takeLease } from "./load/state.ts";
import { type RunState, readState } from "./load/state-item.ts";
import { checkTable } from "./load/tables.ts";
import { tableName } from "./names.ts";
import { toItems } from "./normalize/items.ts";
import { assertAccounts, ending, reporter } from "./report.ts";
import type { SecretStore } from "./secrets.ts";
import type { Clock, World } from "./world.ts";

/** Well inside of a lease's 50 seconds, with room for a slow answer of the state table. */
const RENEW_MS = 20_000;

export interface Order {
  runId: string;
  /** Unique for this invocation: a platform's retry may meet its living twin. */
  owner: string;
  /** A sample: that many pages, no checkpoint, no cursor, no open run. */
  limitPages?: number | undefined;
}

interface Job {
  resource: ResourcePlan;
  order: Order;
  world: World;
  secrets: SecretStore;
  lease: Lease;
  /** Counted as things happen; a checkpoint stores a copy. */
  counts: Counts;
}

/**
 * One slice of a run of one resource. Whatever the API, the table or a record does, it returns a
 * report that says how it ended.
 */
export async function runResource(
  resource: ResourcePlan,
  order: Order,
  world: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  const place = { source: resource.source, resource: resource.name };
  const sample = order.limitPages !== undefined;
  const report = reporter(resource, order, world);
  let counts = noCounts();
  let lease: Lease | undefined;
  let state: RunState | undefined;

  try {
    const { tableId } = await checkTable(world, resource);
    const stored = await readState(world, place);
    const open = opening(sample ? undefined : stored, {
      runId: order.runId,
      planHash: resource.hash,
      tableId: tableId ?? null,
      now: world.clock.now(),
    });
    state = open.body;
    counts = { ...state.counts };
    if (open.kind === "ended") return report("done", { counts, state });
    if (open.kind === "wait")
      return report("waiting", { counts, state, notBefore: open.notBefore });
    if (open.kind === "start" && open.note) world.log.warn(open.note, place);

    lease = await takeLease(world, place, stored, {
      owner: order.owner,
      run: sample ? undefined : open,
    });
    const job = { resource, order: { ...order, runId: open.runId }, world, secrets, lease, counts };
    for await (state of slice(job, state)) {
      world.log.debug("page", { ...place, counts: state.counts });
    }

    const status = state.complete || sample ? "done" : "running";
    if (sample) await lease.letGo();
    else await lease.release({ status, body: state });
    return report(status, { counts, state });
  } catch (error) {
    const end = ending(error, world);
    // A lease that was lost is not ours to give back; one that can not be given back runs out.
    if (lease && !(error instanceof LeaseError)) {
      const body = state && { ...state, counts: { ...state.counts } };
      const back = sample || !body ? lease.letGo() : lease.release({ ...end, body });
      await back.catch(() => {});
    }
    return report(end.report, { counts, state, error: end.error, notBefore: end.notBefore });
  }
}

/**
 * The loop: per page, items = toItems(page), write(items), checkpoint. Yields the state whenever a
 * page is durable. Ends after the last page, or between pages when the next might not fit in.
 */
async function* slice(job: Job, from: RunState): AsyncGenerator<RunState> {
  const { resource, order, lease, counts } = job;
  const { clock, deadline } = job.world;
  // Whatever is still under way when the slice ends, ends with it: a frozen Lambda would go on with
  // it in a later invocation.
  const stop = new AbortController();
  const world = { ...job.world, signal: AbortSignal.any([job.world.signal, stop.signal]) };
  const place = { source: resource.source, resource: resource.name };
  const table = tableName(world.names, resource);

  const session = openSession(resource, { world, secrets: job.secrets, meter: counts });
  const reading = pages(resource, from.next ?? undefined, session);
  const writing = writer({ ...world, table, key: resource.key, guard: lease.guard });
  let state = from;
  let slowest = 0;

  try {
    while (!state.complete && clock.monotonic() + 2 * slowest < deadline) {
      const began = clock.monotonic();
      const { value: page } = await holding(reading.next(), lease, clock);
      if (!page) break;

      const at = { runId: order.runId, page: state.page };
      const prepared = toItems(page.records, resource, at);
      const outcome = await holding(writing.write(prepared.items), lease, clock);
      const rejections = [...prepared.rejections, ...outcome.rejections];
      await setAside(rejections, { world, place, ...at });

      counts.pages += 1;
      counts.records += page.records.length;
      counts.written += outcome.written;
      counts.superseded += prepared.superseded;
      counts.quarantined += rejections.length;
      assertAccounts(counts);
      if (tooMany(rejections.length, page.records.length)) throw tooManyError(rejections);

      state = {
        ...state,
        page: state.page + 1,
        next: page.next ?? null,
        complete: page.next === undefined,
        counts: { ...counts },
      };
      if (order.limitPages === undefined) await lease.checkpoint(state);
      else await lease.renew();
      yield state;

      if (counts.pages === order.limitPages) return;
      slowest = Math.max(slowest, clock.monotonic() - began);
    }
  } finally {
    stop.abort();
  }
}

/** Waits for `work` and renews the lease meanwhile. */
async function holding<T>(work: Promise<T>, lease: Lease, clock: Clock): Promise<T> {
  const settled = new AbortController();
  const result = work.finally(() => settled.abort());
  // Nobody waits for the result when a renewal fails first.
  result.catch(() => {});
  while (true) {
    const pause = clock.sleep(RENEW_MS, settled.signal).then(
      () => true,
      () => false,
    );
    const renew = await Promise.race([
      pause,
      result.then(
        () => false,
        () => false,
      ),
    ]);
    if (!renew) return result;
    await lease.renew();
  }
}
