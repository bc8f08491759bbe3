import { spoolRow } from "./children.ts";
import { commit } from "./extract/cursor.ts";
import type { Counts, Page, Prepared, Rejection } from "./flow.ts";
import type { Writer, Written } from "./load/attempts.ts";
import { writeParentCursor } from "./load/parent-cursors.ts";
import { setAside, tooMany, tooManyError } from "./load/quarantine.ts";
import { appendSeen } from "./load/seen.ts";
import { appendSpool } from "./load/spool.ts";
import type { RunState } from "./load/state-item.ts";
import { assertAccounts } from "./report.ts";
import type { Job } from "./run.ts";
import type { Series } from "./series.ts";

/** A page as it leaves for the table. */
export interface Cargo {
  page: Page;
  prepared: Prepared;
  /** The keys that the API has shown on it: of what is written, and of what can not be. */
  keys: string[];
  /** Where the run stands behind it, but for what only landing knows. */
  behind: RunState;
  /** The cursor that moves when it is durable, where it is the last of its series. */
  own?: Series["own"];
  /** Called when it is durable: only now is it known how long a page takes. */
  ended: () => void;
}

interface Afloat extends Cargo {
  written: Promise<Written>;
  isWritten: boolean;
}

/** Beyond either, reading waits until all of it has landed. */
const most = Object.freeze({ pages: 64, bytes: 16 * 1024 * 1024 });

/** The pages between the reader and the table. */
export interface Landing {
  /** Sends a page off. */
  add(cargo: Cargo): void;
  /** Resolves when another page may be asked for. */
  room(): Promise<void>;
  /** Waits for the reader's work, unless landing fails first. */
  orFails<T>(work: Promise<T>): Promise<T>;
  /** Resolves with the state behind all pages, when they have landed. */
  drained(): Promise<RunState>;
}

/**
 * Pages land in the order in which they were read: their items are durable, then what else they
 * brought is, then the checkpoint moves behind them. Those that are written by the time that the
 * step begins land in one step.
 */
export function openLanding(
  job: Job,
  writing: Writer,
  begun: RunState,
  moved: (state: RunState) => void,
): Landing {
  const { order, lease, counts } = job;
  const isSample = order.limitPages !== undefined;
  const isStored = job.resource.selected && !begun.spool_only;
  let state = begun;
  const afloat: Afloat[] = [];
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;
  let isOver = false;
  let failure: { error: unknown } | undefined;
  let onFailure: (error: unknown) => void = () => {};

  async function work(): Promise<void> {
    isWorking = true;
    try {
      for (let first = afloat[0]; first; first = afloat[0]) {
        await first.written;
        const waiting = afloat.findIndex(({ isWritten }) => !isWritten);
        await land(afloat.slice(0, waiting < 0 ? afloat.length : waiting));
      }
    } catch (error) {
      isOver = true;
      // Nothing of this worker may be on its way when the lease goes back.
      writing.flush();
      await Promise.allSettled(afloat.map(({ written }) => written));
      failure = { error };
      onFailure(error);
    }
    isWorking = false;
  }

  async function land(group: readonly Afloat[]): Promise<void> {
    const stored = [];
    for (const { written, prepared, behind } of group) {
      const outcome = await written;
      const aside = [...prepared.rejections, ...outcome.rejections];
      await setAside(aside, { ...job, runId: order.runId, page: behind.page - 1 });
      job.schema?.learn(prepared.fitted);
      stored.push({ ...outcome, aside });
    }
    await job.schema?.keep();
    const kept = await keep(group, state, job);
    for (const [n, { page, prepared }] of group.entries()) {
      account(counts, page, prepared, stored[n] as Stored, isStored);
    }
    const { behind } = group.at(-1) as Afloat;
    for (const { own, behind } of group) if (own) await keepOwn(own, behind, job);
    state = { ...behind, ...kept, counts: { ...counts } };
    if (!isSample) await lease.checkpoint(state);
    afloat.splice(0, group.length);
    for (const { ended } of group) ended();
    moved(state);
  }

  const bytes = () =>
    afloat.reduce(
      (all, { prepared }) => prepared.items.reduce((sum, one) => sum + one.bytes, all),
      0,
    );

  async function drained(): Promise<RunState> {
    writing.flush();
    await working;
    if (failure) throw failure.error;
    return state;
  }

  // No race: a promise that never settles would remember each of them.
  function orFails<T>(work: Promise<T>): Promise<T> {
    if (failure) return Promise.reject(failure.error);
    return new Promise((resolve, reject) => {
      onFailure = reject;
      work.then(resolve, reject);
    });
  }

  return {
    add(cargo) {
      if (isOver) return;
      const written = writing.write(cargo.prepared.items);
      const one = { ...cargo, written, isWritten: false };
      written.then(
        () => {
          one.isWritten = true;
        },
        () => {},
      );
      afloat.push(one);
      if (!isWorking) working = work();
    },
    async room() {
      await orFails(writing.room());
      if (afloat.length >= most.pages || bytes() >= most.bytes) await drained();
    },
    orFails,
    drained,
  };
}

/** What is durable before the checkpoint that counts it: the keys of a refresh, and what children need. */
async function keep(group: readonly Afloat[], state: RunState, job: Job) {
  const { resource, place, order, world, lease } = job;
  const marks = { place, runId: order.runId, token: lease.token };
  const keys = group.flatMap((one) => one.keys);
  const seen = state.refresh ? await appendSeen(world, marks, keys, state.seen) : 0;
  if (resource.spooled.length === 0 || order.limitPages !== undefined) return { seen };
  const records = group.flatMap(({ page }) => page.records);
  const rows = records.map((record) => spoolRow(record, resource));
  const end = await appendSpool(world, marks, rows, state.spool.end);
  return { seen, spool: { ...state.spool, end } };
}

interface Stored extends Written {
  aside: readonly Rejection[];
}

/** Counts a page. What is read for children alone is no record of a table. */
function account(
  counts: Counts,
  { records }: Page,
  prepared: Prepared,
  stored: Stored,
  isStored: boolean,
): void {
  counts.pages += 1;
  if (!isStored) return;
  counts.records += records.length;
  counts.written += stored.written;
  counts.unchanged += stored.unchanged;
  counts.deleted += stored.deleted;
  counts.superseded += prepared.superseded + stored.superseded;
  counts.quarantined += stored.aside.length;
  counts.discarded_values += prepared.discarded;
  assertAccounts(counts);
  // What the contract sets aside was meant to be.
  const odd = stored.aside.filter(({ code }) => !code.startsWith("schema."));
  if (tooMany(odd.length, records.length)) throw tooManyError(odd);
}

/** A cursor of its own moves when all that it stands for is durable. */
async function keepOwn(
  { id, cursor: before }: NonNullable<Series["own"]>,
  { candidate, api_time }: RunState,
  { resource: { incremental }, order, world, place }: Job,
): Promise<void> {
  if (!incremental || order.limitPages !== undefined || order.spoolOnly) return;
  const cursor = commit(before, candidate, api_time ?? undefined, incremental);
  if (cursor === null || cursor === before) return;
  await writeParentCursor(world, place, { id, path: incremental.path.text, cursor });
}
