import { CHECKPOINT_MS } from "../base/timing.ts";
import type { WriteResult, Writer } from "../dynamodb/attempts.ts";
import { commitCursor } from "../extract/cursor/cursor.ts";
import type { Page } from "../extract/pages.ts";
import type { PreparedPage, Rejection } from "../flow.ts";
import type { ChangedRows } from "../load/changed-rows.ts";
import type { RowNaming } from "../normalize/keys.ts";
import type { Counts } from "../report/counts.ts";
import { writeParentCursor } from "../state/parent-cursors.ts";
import { setAside, tooMany, tooManyError } from "../state/quarantine.ts";
import type { RunState } from "../state/run-state.ts";
import { appendSpool, type SpoolRow } from "../state/spool.ts";
import type { Job } from "./job.ts";
import { spoolRow } from "./page-records.ts";
import type { Series } from "./page-series.ts";
import { assertAccounts } from "./report.ts";

/** A page that was read and converted, and the run's state once it is in the table. */
export interface ReadPage {
  page: Page;
  prepared: PreparedPage;
  /** The values that name the rows of a resource without a primary key. */
  naming: RowNaming | undefined;
  /** The run's state after this page, without counts, spool and fingerprints: the writer adds these. */
  stateAfter: RunState;
  /** Set on the last page of a series with a cursor, which is committed when the page is durable. */
  seriesCursor?: Series["ownCursor"];
  /** Called when the page is durable, to measure the duration of a whole page. */
  onDurable: () => void;
}

/** The part of a page that is kept between the last acknowledged item and the checkpoint. */
interface WrittenPage extends WriteResult {
  records: number;
  discarded: number;
  quarantined: readonly Rejection[];
  /** Keys of rows that could not be written. The API has these rows, and their table content is unknown. */
  unknownKeys: readonly string[];
  fingerprints: Buffer[];
  spoolRows: readonly SpoolRow[];
}

interface PendingPage
  extends Pick<ReadPage, "stateAfter" | "seriesCursor" | "onDurable" | "naming"> {
  bytes: number;
  writing: Promise<WrittenPage>;
  /** Set as soon as `writing` has resolved. */
  written?: WrittenPage;
}

/** The limits for pages that have no checkpoint yet. A reader above them waits for a full flush. */
const MAX_PENDING = Object.freeze({ pages: 64, bytes: 16 * 1024 * 1024 });

/**
 * Writes pages while further ones are read, and moves the checkpoint after them in page order:
 *
 *   add ─► #write: items are acknowledged (pages overlap)
 *             └─► #commit: quarantine, schema, fingerprints, spool, then the checkpoint (in order)
 *
 * Pages that are written by the time a commit begins share it, and commits are at least
 * CHECKPOINT_MS apart unless somebody waits, because a checkpoint costs as much as a batch.
 */
export class PageWriter {
  readonly #job: Job;
  readonly #writer: Writer;
  readonly #rows: ChangedRows;
  readonly #onCheckpoint: (state: RunState) => void;
  readonly #isSpooled: boolean;

  /** The run state as of the last checkpoint. */
  #state: RunState;
  /** Pages that were added and are not yet covered by a checkpoint, in page order. */
  readonly #pending: PendingPage[] = [];
  #pendingBytes = 0;
  /** Resolves when every page that was added is with the writer. */
  #handedToWriter: Promise<unknown> = Promise.resolve();
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;
  #earliestCommit = Number.NEGATIVE_INFINITY;
  /** Ends the pause before a commit, because somebody waits for it. */
  #skipPause = new AbortController();
  /** True when no more pages are accepted. `#failure` is set after all pending writes have settled. */
  #hasFailed = false;
  #failure: { error: unknown } | undefined;
  #rejectReader: (error: unknown) => void = () => {};

  constructor(
    job: Job,
    parts: {
      writer: Writer;
      rows: ChangedRows;
      start: RunState;
      onCheckpoint: (state: RunState) => void;
    },
  ) {
    this.#job = job;
    this.#writer = parts.writer;
    this.#rows = parts.rows;
    this.#state = parts.start;
    this.#onCheckpoint = parts.onCheckpoint;
    this.#isSpooled = job.resource.spooled.length > 0 && !job.isSample;
  }

  /** Begins to write a page and returns at once. */
  add(read: ReadPage): void {
    if (this.#hasFailed) return;
    const { stateAfter, seriesCursor, onDurable, naming, prepared } = read;
    const pending: PendingPage = {
      stateAfter,
      onDurable,
      naming,
      ...(seriesCursor ? { seriesCursor } : {}),
      bytes: prepared.items.reduce((sum, { bytes }) => sum + bytes, 0),
      writing: this.#write(read),
    };
    pending.writing.then(
      (written) => {
        pending.written = written;
      },
      () => {},
    );
    this.#pending.push(pending);
    this.#pendingBytes += pending.bytes;
    if (!this.#isCommitting) this.#committing = this.#commitInOrder();
  }

  /** Resolves when the reader may request another page. */
  async waitForRoom(): Promise<void> {
    await this.#handedToWriter;
    await this.unlessFailed(this.#writer.waitForRoom());
    const isFull =
      this.#pending.length >= MAX_PENDING.pages || this.#pendingBytes >= MAX_PENDING.bytes;
    if (isFull) await this.flush();
  }

  /**
   * Returns the result of the reader's work, or rejects as soon as the writer fails. Promise.race is
   * avoided because a promise that never settles would keep every race in memory.
   */
  unlessFailed<T>(work: Promise<T>): Promise<T> {
    if (this.#failure) {
      work.catch(() => {});
      return Promise.reject(this.#failure.error);
    }
    return new Promise((resolve, reject) => {
      this.#rejectReader = reject;
      work.then(resolve, reject);
    });
  }

  /** Resolves when all pages are covered by a checkpoint. */
  async flush(): Promise<void> {
    this.#skipPause.abort();
    await this.#handedToWriter;
    this.#writer.flush();
    await this.#committing;
    this.#skipPause = new AbortController();
    if (this.#failure) throw this.#failure.error;
  }

  /** Flushes, and returns the state at the end of the slice. */
  async close(): Promise<RunState> {
    await this.flush();
    const rows = await this.#rows.close();
    this.#state = { ...this.#state, rows, last_whole: this.#rows.lastWhole };
    this.#onCheckpoint(this.#state);
    return this.#state;
  }

  /**
   * Hands a page to the writer in page order, as soon as the changed rows are known. The page is not
   * kept, because pages that wait for a checkpoint must be small.
   */
  async #write({ page, prepared }: ReadPage): Promise<WrittenPage> {
    const { items, rejections } = prepared;
    const sending = this.#handedToWriter.then(async () => {
      const changes = await this.#rows.changesOf(items);
      return { changes, acknowledged: this.#writer.write(changes.put) };
    });
    this.#handedToWriter = sending.catch(() => {});
    const { changes, acknowledged } = await sending;
    const total = await acknowledged;
    this.#job.schema?.learn(prepared.typedRecords);
    const refusedKeys = total.rejections.flatMap(
      ({ index }) => items.find((item) => item.index === index)?.key ?? [],
    );
    return {
      ...total,
      records: page.records.length,
      unchanged: total.unchanged + items.length - changes.put.length - changes.repeated,
      superseded: prepared.superseded + total.superseded + changes.repeated,
      discarded: prepared.discardedValues,
      quarantined: [...rejections, ...total.rejections],
      unknownKeys: [
        // planted: rejected-rows-are-seen
        ...rejections.flatMap(({ key }) => key ?? []),
        ...refusedKeys,
      ],
      fingerprints: changes.fingerprints,
      spoolRows: this.#isSpooled
        ? page.records.map((record) => spoolRow(record, this.#job.resource))
        : [],
    };
  }

  async #commitInOrder(): Promise<void> {
    this.#isCommitting = true;
    try {
      for (let first = this.#pending[0]; first; first = this.#pending[0]) {
        // planted: write-before-checkpoint
        await first.writing;
        await this.#pause();
        const end = this.#pending.findIndex(({ written }) => !written);
        await this.#commit(this.#pending.slice(0, end < 0 ? this.#pending.length : end));
      }
    } catch (error) {
      await this.#fail(error);
    }
    this.#isCommitting = false;
  }

  async #pause(): Promise<void> {
    const { clock } = this.#job.world;
    const remainingMs = this.#earliestCommit - clock.monotonic();
    if (remainingMs > 0) await clock.sleep(remainingMs, this.#skipPause.signal).catch(() => {});
    this.#earliestCommit = clock.monotonic() + CHECKPOINT_MS;
  }

  /** Makes all results of the pages durable, and writes the checkpoint last. */
  async #commit(group: readonly PendingPage[]): Promise<void> {
    const { lease, counts, schema, isSample, isStored } = this.#job;
    const written = group.map((page) => page.written as WrittenPage);
    for (const [n, { quarantined }] of written.entries()) {
      const { stateAfter, naming } = group[n] as PendingPage;
      // planted: quarantine-is-awaited
      await setAside(quarantined, {
        world: this.#writingWorld,
        resourceRef: this.#job.resourceRef,
        runId: this.#job.runId,
        page: stateAfter.page - 1,
        naming,
      });
    }
    await schema?.keep();
    const rows = await this.#rows.keep(
      written.flatMap(({ fingerprints }) => fingerprints),
      written.flatMap(({ unknownKeys }) => unknownKeys),
    );
    const blocks = await this.#appendToSpool(written);
    for (const page of written) countPage(counts, page, isStored);
    for (const { seriesCursor, stateAfter } of group) {
      if (seriesCursor) await this.#commitSeriesCursor(seriesCursor, stateAfter);
    }
    const { stateAfter } = group.at(-1) as PendingPage;
    const { lastWhole } = this.#rows;
    this.#state = { ...stateAfter, rows, last_whole: lastWhole, blocks, counts: { ...counts } };
    // planted: checkpoint-is-awaited
    if (!isSample) await lease.checkpoint(this.#state);
    this.#pending.splice(0, group.length);
    this.#pendingBytes -= group.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { onDurable } of group) onDurable();
    this.#onCheckpoint(this.#state);
  }

  /** The world for writing. After an interrupt, pages that were read are still written. */
  get #writingWorld() {
    return { ...this.#job.world, signal: this.#job.signals.writing };
  }

  async #appendToSpool(written: readonly WrittenPage[]): Promise<number> {
    const { resourceRef, slot, lease } = this.#job;
    const { epoch, blocks } = this.#state;
    const rows = written.flatMap(({ spoolRows }) => spoolRows);
    if (rows.length === 0) return blocks;
    const to = { resourceRef, epoch: { slot, id: epoch }, token: lease.token };
    return appendSpool(this.#writingWorld, to, rows, blocks);
  }

  /** Moves the cursor of one parent record (per_parent), after all of its records are durable. */
  async #commitSeriesCursor(
    { id, cursor: before }: NonNullable<Series["ownCursor"]>,
    { candidate, api_time, table_id }: RunState,
  ): Promise<void> {
    const { resource, isSample, isStored, resourceRef, lease } = this.#job;
    if (!resource.incremental || isSample || !isStored) return;
    const cursor = commitCursor(before, candidate, api_time ?? undefined, resource.incremental);
    if (cursor === null || cursor === before) return;
    const path = resource.incremental.path.text;
    const stored = { id, path, tableId: table_id, cursor };
    await writeParentCursor(this.#writingWorld, resourceRef, stored, lease.token);
  }

  /** Waits for all pending writes, because no write may reach DynamoDB after the lease is released. */
  async #fail(error: unknown): Promise<void> {
    this.#hasFailed = true;
    await this.#handedToWriter;
    this.#writer.flush();
    await Promise.allSettled(this.#pending.map(({ writing }) => writing));
    this.#failure = { error };
    this.#rejectReader(error);
  }
}

/** Adds a page to the run's counts. A page that was read for children alone stores no records. */
function countPage(counts: Counts, page: WrittenPage, isStored: boolean): void {
  counts.pages += 1;
  if (!isStored) return;
  const { records, quarantined } = page;
  counts.records += records;
  counts.written += page.written;
  counts.unchanged += page.unchanged;
  counts.deleted += page.deleted;
  // planted: superseded-are-counted
  counts.superseded += page.superseded;
  // planted: quarantined-are-counted
  counts.quarantined += quarantined.length;
  counts.discarded_values += page.discarded;
  assertAccounts(counts);
  // Records that schema_contract sets aside are intended, and do not count towards the limit.
  const unexpected = quarantined.filter(({ code }) => !code.startsWith("schema."));
  if (tooMany(unexpected.length, records)) throw tooManyError(unexpected);
}
