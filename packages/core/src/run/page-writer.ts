import { CHECKPOINT_MS } from "../base/timing.ts";
import type { Writer, Written } from "../dynamodb/attempts.ts";
import { commitCursor } from "../extract/cursor/cursor.ts";
import type { Page } from "../extract/pages.ts";
import type { PreparedPage, Rejection } from "../flow.ts";
import type { Rows } from "../load/changed-rows.ts";
import type { Counts } from "../report/counts.ts";
import { writeParentCursor } from "../state/parent-cursors.ts";
import { setAside, tooMany, tooManyError } from "../state/quarantine.ts";
import type { RunState, SpoolState } from "../state/run-state.ts";
import { appendSpool, type SpoolRow } from "../state/spool.ts";
import type { Job } from "./job.ts";
import { spoolRow } from "./page-records.ts";
import type { Series } from "./page-series.ts";
import { assertAccounts } from "./report.ts";

/** A page as it leaves for the table. */
export interface Cargo {
  page: Page;
  prepared: PreparedPage;
  /** Where the run stands behind it, but for what only landing knows. */
  behind: RunState;
  /** The cursor that moves when it is durable, where it is the last of its series. */
  own?: Series["own"];
  /** Called when it is durable: only now is it known how long a page takes. */
  ended: () => void;
}

/** What is left of a page when its items are durable. */
interface Stored extends Written {
  records: number;
  discarded: number;
  aside: readonly Rejection[];
  /** Keys of rows that could not be put: nothing is known of them, but that the API has them. */
  unknown: readonly string[];
  prints: Buffer[];
  /** What the children need of it. */
  spooled: readonly SpoolRow[];
}

interface Afloat extends Pick<Cargo, "behind" | "own" | "ended"> {
  bytes: number;
  storing: Promise<Stored>;
  /** When it is. */
  stored?: Stored;
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
 * step begins land in one step, and one step begins a little after the other, unless somebody waits.
 */
export function openLanding(
  job: Job,
  { writing, rows }: { writing: Writer; rows: Rows },
  begun: RunState,
  moved: (state: RunState) => void,
): Landing {
  const { order, lease, counts, world } = job;
  const isSample = order.limitPages !== undefined;
  const isStored = job.resource.selected && !begun.spool_only;
  const isSpooled = job.resource.spooled.length > 0 && !isSample;
  let state = begun;
  const afloat: Afloat[] = [];
  let bytes = 0;
  /** Whatever was added by now is with the writer. */
  let queued: Promise<unknown> = Promise.resolve();
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;
  let isOver = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let hurry = new AbortController();
  let failure: { error: unknown } | undefined;
  let onFailure: (error: unknown) => void = () => {};

  async function work(): Promise<void> {
    isWorking = true;
    try {
      for (let first = afloat[0]; first; first = afloat[0]) {
        // planted: storing-before-checkpoint
        await first.storing;
        await rest();
        const waiting = afloat.findIndex(({ stored }) => !stored);
        await land(afloat.slice(0, waiting < 0 ? afloat.length : waiting));
      }
    } catch (error) {
      isOver = true;
      // Nothing of this worker may be on its way when the lease goes back.
      await queued;
      writing.flush();
      await Promise.allSettled(afloat.map(({ storing }) => storing));
      failure = { error };
      onFailure(error);
    }
    isWorking = false;
  }

  async function rest(): Promise<void> {
    const left = restsUntil - world.clock.monotonic();
    if (left > 0) await world.clock.sleep(left, hurry.signal).catch(() => {});
    restsUntil = world.clock.monotonic() + CHECKPOINT_MS;
  }

  async function land(group: readonly Afloat[]): Promise<void> {
    const all = group.map(({ stored }) => stored as Stored);
    for (const [n, { aside }] of all.entries()) {
      const page = (group[n] as Afloat).behind.page - 1;
      // planted: quarantine-before-checkpoint
      await setAside(aside, { ...job, runId: order.runId, page });
    }
    await job.schema?.keep();
    const prints = all.flatMap((one) => one.prints);
    const unknown = all.flatMap((one) => one.unknown);
    const known = await rows.keep(prints, unknown);
    const spool = await keepSpool(all, state, job);
    for (const one of all) account(counts, one, isStored);
    const { behind } = group.at(-1) as Afloat;
    for (const { own, behind } of group) if (own) await keepOwn(own, behind, job);
    state = { ...behind, rows: known, spool, counts: { ...counts } };
    // planted: checkpoint-in-order
    if (!isSample) await lease.checkpoint(state);
    afloat.splice(0, group.length);
    bytes -= group.reduce((sum, one) => sum + one.bytes, 0);
    for (const { ended } of group) ended();
    moved(state);
  }

  /**
   * Pages go to the writer in their order, each when it is known what of it has to be put. Of a page
   * that waits for its checkpoint nothing is kept that is not needed.
   */
  async function store({ page, prepared }: Cargo): Promise<Stored> {
    const { items, rejections } = prepared;
    const sending = queued.then(async () => {
      const { put, prints } = await rows.sift(items);
      return { put, prints, written: writing.write(put) };
    });
    queued = sending.catch(() => {});
    const { put, prints, written } = await sending;
    const total = await written;
    job.schema?.learn(prepared.typedRecords);
    return {
      ...total,
      records: page.records.length,
      unchanged: total.unchanged + items.length - put.length,
      superseded: prepared.superseded + total.superseded,
      discarded: prepared.discardedValues,
      aside: [...rejections, ...total.rejections],
      unknown: [
        // planted: rejected-rows-stay
        ...rejections.flatMap(({ key }) => key ?? []),
        ...total.rejections.flatMap(
          ({ index }) => items.find((one) => one.index === index)?.key ?? [],
        ),
      ],
      prints,
      spooled: isSpooled ? page.records.map((record) => spoolRow(record, job.resource)) : [],
    };
  }

  async function drained(): Promise<void> {
    hurry.abort();
    await queued;
    writing.flush();
    await working;
    hurry = new AbortController();
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
      const { behind, own, ended, prepared } = cargo;
      const weight = prepared.items.reduce((sum, one) => sum + one.bytes, 0);
      const storing = store(cargo);
      const one: Afloat = { behind, ended, ...(own ? { own } : {}), bytes: weight, storing };
      storing.then(
        (stored) => {
          one.stored = stored;
        },
        () => {},
      );
      afloat.push(one);
      bytes += weight;
      if (!isWorking) working = work();
    },
    async room() {
      await queued;
      await orFails(writing.room());
      if (afloat.length >= most.pages || bytes >= most.bytes) await drained();
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

async function keepSpool(
  landed: readonly Stored[],
  { spool }: RunState,
  { resourceRef, world, lease }: Job,
): Promise<SpoolState> {
  const rows = landed.flatMap(({ spooled }) => spooled);
  if (rows.length === 0) return spool;
  const end = await appendSpool(world, { resourceRef, token: lease.token }, rows, spool.end);
  return { ...spool, end };
}

/** Counts a page. What is read for children alone is no record of a table. */
function account(counts: Counts, landed: Stored, isStored: boolean): void {
  counts.pages += 1;
  if (!isStored) return;
  const { records, aside } = landed;
  counts.records += records;
  counts.written += landed.written;
  counts.unchanged += landed.unchanged;
  counts.deleted += landed.deleted;
  // planted: superseded-count
  counts.superseded += landed.superseded;
  // planted: quarantined-count
  counts.quarantined += aside.length;
  counts.discarded_values += landed.discarded;
  assertAccounts(counts);
  // What the contract sets aside was meant to be.
  const odd = aside.filter(({ code }) => !code.startsWith("schema."));
  if (tooMany(odd.length, records)) throw tooManyError(odd);
}

/** A cursor of its own moves when all that it stands for is durable. */
async function keepOwn(
  { id, cursor: before }: NonNullable<Series["own"]>,
  { candidate, api_time }: RunState,
  { resource: { incremental }, order, world, resourceRef }: Job,
): Promise<void> {
  if (!incremental || order.limitPages !== undefined || order.spoolOnly) return;
  const cursor = commitCursor(before, candidate, api_time ?? undefined, incremental);
  if (cursor === null || cursor === before) return;
  await writeParentCursor(world, resourceRef, { id, path: incremental.path.text, cursor });
}
