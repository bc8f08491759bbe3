import { spoolRow } from "./children.ts";
import { commit } from "./extract/cursor.ts";
import type { Counts, Page, Prepared, Rejection } from "./flow.ts";
import type { Writer, Written } from "./load/attempts.ts";
import { writeParentCursor } from "./load/parent-cursors.ts";
import { setAside, tooMany, tooManyError } from "./load/quarantine.ts";
import type { Rows } from "./load/rows.ts";
import { appendSpool } from "./load/spool.ts";
import type { RunState, SpoolState } from "./load/state-item.ts";
import { assertAccounts } from "./report.ts";
import type { Job } from "./run.ts";
import type { Series } from "./series.ts";

/** A page as it leaves for the table. */
export interface Cargo {
  page: Page;
  prepared: Prepared;
  /** Where the run stands behind it, but for what only landing knows. */
  behind: RunState;
  /** The cursor that moves when it is durable, where it is the last of its series. */
  own?: Series["own"];
  /** Called when it is durable: only now is it known how long a page takes. */
  ended: () => void;
}

interface Stored extends Written {
  prints: Buffer[];
}

interface Afloat extends Cargo {
  stored: Promise<Stored>;
  isStored: boolean;
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
  /** Resolves when all pages have landed. */
  drained(): Promise<void>;
  /** The same, at the end of a slice: with the state behind all pages. */
  close(): Promise<RunState>;
}

/**
 * Pages land in the order in which they were read: their items are durable, then what else they
 * brought is, then the checkpoint moves behind them. Those that are written by the time that the
 * step begins land in one step.
 */
export function openLanding(
  job: Job,
  { writing, rows }: { writing: Writer; rows: Rows },
  begun: RunState,
  moved: (state: RunState) => void,
): Landing {
  const { order, lease, counts } = job;
  const isSample = order.limitPages !== undefined;
  const isStored = job.resource.selected && !begun.spool_only;
  let state = begun;
  const afloat: Afloat[] = [];
  /** Whatever was added by now is with the writer. */
  let queued: Promise<unknown> = Promise.resolve();
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;
  let isOver = false;
  let failure: { error: unknown } | undefined;
  let onFailure: (error: unknown) => void = () => {};

  async function work(): Promise<void> {
    isWorking = true;
    try {
      for (let first = afloat[0]; first; first = afloat[0]) {
        await first.stored;
        const waiting = afloat.findIndex(({ isStored }) => !isStored);
        await land(afloat.slice(0, waiting < 0 ? afloat.length : waiting));
      }
    } catch (error) {
      isOver = true;
      // Nothing of this worker may be on its way when the lease goes back.
      await queued;
      writing.flush();
      await Promise.allSettled(afloat.map(({ stored }) => stored));
      failure = { error };
      onFailure(error);
    }
    isWorking = false;
  }

  async function land(group: readonly Afloat[]): Promise<void> {
    const landed: Landed[] = [];
    for (const { stored, prepared, behind } of group) {
      const outcome = await stored;
      const aside = [...prepared.rejections, ...outcome.rejections];
      await setAside(aside, { ...job, runId: order.runId, page: behind.page - 1 });
      job.schema?.learn(prepared.fitted);
      landed.push({ ...outcome, aside });
    }
    await job.schema?.keep();
    const known = await keepRows(group, landed);
    const spool = await spooled(group, state, job);
    for (const [n, { page, prepared }] of group.entries()) {
      account(counts, page, prepared, landed[n] as Landed, isStored);
    }
    const { behind } = group.at(-1) as Afloat;
    for (const { own, behind } of group) if (own) await keepOwn(own, behind, job);
    state = { ...behind, rows: known, spool, counts: { ...counts } };
    if (!isSample) await lease.checkpoint(state);
    afloat.splice(0, group.length);
    for (const { ended } of group) ended();
    moved(state);
  }

  /** Of rows that could not be put nothing is known, but that the API has them. */
  function keepRows(group: readonly Afloat[], landed: readonly Landed[]) {
    const prints = landed.flatMap((one) => one.prints);
    const unknown = group.flatMap(({ prepared: { items, rejections } }, n) => [
      ...rejections.flatMap(({ key }) => key ?? []),
      ...(landed[n]?.rejections ?? []).flatMap(
        ({ index }) => items.find((one) => one.index === index)?.key ?? [],
      ),
    ]);
    return rows.keep(prints, unknown);
  }

  /** Pages go to the writer in their order, each when it is known what of it has to be put. */
  async function store({ prepared: { items } }: Cargo): Promise<Stored> {
    const sending = queued.then(async () => {
      const { put, prints } = await rows.sift(items);
      return { put, prints, written: writing.write(put) };
    });
    queued = sending.catch(() => {});
    const { put, prints, written } = await sending;
    const total = await written;
    return { ...total, unchanged: total.unchanged + items.length - put.length, prints };
  }

  const bytes = () =>
    afloat.reduce(
      (all, { prepared }) => prepared.items.reduce((sum, one) => sum + one.bytes, all),
      0,
    );

  async function drained(): Promise<void> {
    await queued;
    writing.flush();
    await working;
    if (failure) throw failure.error;
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
      const stored = store(cargo);
      const one = { ...cargo, stored, isStored: false };
      stored.then(
        () => {
          one.isStored = true;
        },
        () => {},
      );
      afloat.push(one);
      if (!isWorking) working = work();
    },
    async room() {
      await queued;
      await orFails(writing.room());
      if (afloat.length >= most.pages || bytes() >= most.bytes) await drained();
    },
    orFails,
    drained,
    async close() {
      await drained();
      state = { ...state, rows: await rows.close() };
      moved(state);
      return state;
    },
  };
}

/** What the children need of these pages. */
async function spooled(
  group: readonly Afloat[],
  { spool }: RunState,
  { resource, place, order, world, lease }: Job,
): Promise<SpoolState> {
  if (resource.spooled.length === 0 || order.limitPages !== undefined) return spool;
  const records = group.flatMap(({ page }) => page.records);
  const rows = records.map((record) => spoolRow(record, resource));
  const end = await appendSpool(world, { place, token: lease.token }, rows, spool.end);
  return { ...spool, end };
}

interface Landed extends Stored {
  aside: readonly Rejection[];
}

/** Counts a page. What is read for children alone is no record of a table. */
function account(
  counts: Counts,
  { records }: Page,
  prepared: Prepared,
  stored: Landed,
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
