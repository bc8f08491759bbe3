import { RequestError } from "../base/errors.ts";
import { tableName } from "../base/names.ts";
import { hasOwnCursor } from "../config/lineage.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { shareSignal } from "../dynamodb/request-queue.ts";
import { openWriter } from "../dynamodb/writer.ts";
import { advanceCursor, commitCursor } from "../extract/cursor/cursor.ts";
import type { Page } from "../extract/pages.ts";
import { fetchPages, openSession, type Session } from "../extract/pages.ts";
import { type PageRequest, withoutCount } from "../extract/paging/page-request.ts";
import type { KeyedItem, PreparedPage, Rejection } from "../flow.ts";
import { ChangedRows } from "../load/changed-rows.ts";
import { toItems } from "../normalize/items.ts";
import { sourceGate } from "../state/gate.ts";
import { setAside } from "../state/quarantine.ts";
import type { RunState } from "../state/run-state.ts";
import { jsonText } from "../values/json-text.ts";
import type { Job } from "./job.ts";
import { type Repeats, watchForLoop } from "./loop-guard.ts";
import { createPacer } from "./pacer.ts";
import { rowNaming, withoutBoundary, withSteps } from "./page-records.ts";
import { allSeries, type Series, type UnusableParent } from "./page-series.ts";
import { PageWriter, type ReadPage } from "./page-writer.ts";
import { type ParentRow, ParentRows } from "./parent-rows.ts";
import { sampleParentRows } from "./sample-parents.ts";

/**
 * Reads pages until the last page, or until the slice is short of time, and hands them to the writer.
 * The next page is requested while a page is written. Calls `onCheckpoint` when pages are durable.
 */
export async function readPages(
  job: Job,
  begun: RunState,
  onCheckpoint: (state: RunState) => void,
): Promise<RunState> {
  if (begun.phase !== "read") return begun;
  const { resource, world, lease, resourceRef, signals } = job;
  const writing = { ...world, signal: signals.writing };
  const into = { ...writing, table: tableName(world.names, resource), key: resource.key };
  const guard = () => lease.guard();
  const rows = await ChangedRows.open(
    {
      ...into,
      resourceRef,
      runId: job.runId,
      token: lease.token,
      refresh: begun.refresh,
      isLater: begun.slices > 1 || job.wroteLately,
      isNamedByContent: resource.key.rowId?.kind === "content",
    },
    begun,
  );
  const writer = new PageWriter(job, {
    writer: openWriter(resource, { ...into, guard }),
    rows,
    start: begun,
    onCheckpoint,
  });
  return new PageReader(job, begun, writer).read();
}

/** The number of parent records that the state can keep for a second try after "not found". */
const MOST_NOT_FOUND = 500;

/** Fewer parent records than these may all be gone by accident. */
const FEW_PARENTS = 4;

class PageReader {
  readonly #job: Job;
  readonly #begun: RunState;
  readonly #writer: PageWriter;
  readonly #session: Session;
  readonly #pace: ReturnType<typeof createPacer>;
  /** Cancels the request for a page that was requested ahead and is no longer needed. */
  readonly #cancelReadAhead = new AbortController();
  readonly #parents: ParentRows | undefined;
  /** The run's state after the last page read, without counts and positions that the writer adds. */
  #state: RunState;
  #pagesLeft: number;
  /** The last "not found" error. The run fails with it when most parent records are not found. */
  #notFound: RequestError | undefined;

  constructor(job: Job, begun: RunState, writer: PageWriter) {
    const { resource, world, counts, isSample } = job;
    this.#job = job;
    this.#begun = begun;
    this.#writer = writer;
    this.#state = begun;
    this.#pace = createPacer(world);
    this.#pagesLeft = (job.limitPages ?? Number.POSITIVE_INFINITY) - counts.pages;
    this.#parents = resource.parent && !isSample ? new ParentRows(job, begun) : undefined;
    this.#session = openSession(resource, {
      world: { ...world, signal: shareSignal(world.signal, this.#cancelReadAhead.signal) },
      secrets: job.secrets,
      meter: counts,
      gate: sourceGate(world, resource.source),
      parallelPages: isSample ? 1 : resource.parallelPages,
      memoryMb: job.memoryMb,
    });
  }

  async read(): Promise<RunState> {
    try {
      await this.#readAll();
      const { rows, last_whole, blocks, counts } = await this.#writer.close();
      return { ...this.#state, rows, last_whole, blocks, counts };
    } catch (error) {
      // Pages that were read before the error are still written.
      await this.#writer.close();
      throw error;
    } finally {
      this.#cancelReadAhead.abort();
    }
  }

  async #readAll(): Promise<void> {
    const seriesToRead = allSeries(this.#job, this.#begun, this.#parentRows());
    // An earlier slice can have begun only the first series.
    let from = /* planted: first-request-of-slice */ this.#begun.next ?? undefined;
    while (this.#state.phase === "read" && this.#pagesLeft > 0 && this.#pace.hasTime()) {
      const { value: series, done } = await this.#writer.unlessFailed(seriesToRead.next());
      if (done) {
        this.#assertParentsThere();
        this.#state = this.#ended({ ...this.#state, ...series });
        return;
      }
      if ("unusable" in series) await this.#setParentAside(series);
      else await this.#readSeries(series, from);
      from = undefined;
    }
  }

  #parentRows(): AsyncGenerator<ParentRow, Partial<RunState>> {
    const { resource, world, secrets, counts, limitPages } = this.#job;
    if (this.#parents) return this.#parents.allRows();
    return sampleParentRows(resource, { world, secrets, meter: counts, pages: limitPages ?? 1 });
  }

  async #readSeries(series: Series, from: PageRequest | undefined): Promise<void> {
    const { parent, ownCursor } = series;
    const isFirstWindow = (series.stateAtStart.window ?? null) === null;
    const isNewParent = parent && isFirstWindow && !from && !parent.row.isSecondTry;
    this.#state = {
      ...this.#state,
      ...series.stateAtStart,
      ...(from ? {} : { loops: null, ...(ownCursor ? { candidate: null } : {}) }),
      parents_read: this.#state.parents_read + (isNewParent ? 1 : 0),
    };
    try {
      await this.#readPagesOf(series, from);
    } catch (error) {
      if (!parent || !(error instanceof RequestError)) throw error;
      await this.#withoutParent(error, parent.row);
    }
  }

  async #readPagesOf(series: Series, from: PageRequest | undefined): Promise<void> {
    const reading = fetchPages(this.#job.resource, series.request, from, this.#session);
    const requestPage = () => {
      const upcoming = { page: reading.next(), ended: this.#pace.begin() };
      upcoming.page.catch(() => {});
      return upcoming;
    };
    let upcoming = requestPage();
    while (true) {
      const { value: page } = await this.#writer.unlessFailed(upcoming.page);
      if (!page) return;
      upcoming.ended();
      const readPage = { ...this.#arrived(page, series), onDurable: upcoming.ended };
      this.#pagesLeft -= 1;
      // Rejected records may end the run, so the next request waits until the page is durable.
      const hasRejections = readPage.prepared.rejections.length > 0;
      if (hasRejections) {
        this.#writer.add(readPage);
        await this.#writer.flush();
      } else await this.#writer.waitForRoom();
      const goesOn =
        readPage.page.next !== undefined && this.#pagesLeft > 0 && this.#pace.hasTime();
      if (goesOn) upcoming = requestPage();
      if (!hasRejections) this.#writer.add(readPage);
      if (!goesOn) return;
    }
  }

  /** Converts a page for the writer and advances the reader's state past the page. */
  #arrived(whole: Page, series: Series): Omit<ReadPage, "onDurable"> {
    const { resource, isStored, schema } = this.#job;
    const { page, candidate } = inRange(whole, this.#state, series, resource);
    const naming = rowNaming(series.parent, this.#state.read_id);
    const prepared = isStored ? toItems(page.records, resource, naming, schema?.fit) : emptyPage;
    const keys = keysOf(prepared.items, prepared.rejections);
    const isLast = page.next === undefined;
    const lacksKeys = prepared.rejections.some(({ key }) => key === undefined);
    const after = afterPage(this.#state, { page, whole, keys, resource });
    const moved: RunState = {
      ...after,
      candidate,
      lacks_keys: after.lacks_keys || lacksKeys,
      is_numbered: after.is_numbered || (whole.isNumbered ?? false),
      .../* planted: end-of-series */ (isLast ? series.stateAfter : {}),
    };
    this.#state = moved.phase === "read" ? moved : this.#ended(moved);
    return {
      page,
      prepared,
      naming: resource.key.rowId ? naming : undefined,
      stateAfter: this.#state,
      ...(isLast && series.ownCursor ? { seriesCursor: series.ownCursor } : {}),
    };
  }

  /** Completes the state after the last page. Pure except for the clock. */
  #ended(state: RunState): RunState {
    const { resource, world } = this.#job;
    const { start, candidate, api_time, lacks_parents, coverage, parent_epoch } = state;
    const { incremental } = resource;
    const ended_at = new Date(world.clock.now()).toISOString();
    return {
      ...state,
      coverage: lacks_parents ? "changes" : coverage,
      range:
        incremental && hasOwnCursor(resource)
          ? { start, end: commitCursor(start, candidate, api_time ?? undefined, incremental) }
          : state.range,
      root_ended_at: parent_epoch && state.root_ended_at ? state.root_ended_at : ended_at,
    };
  }

  async #setParentAside({ unusable, row }: UnusableParent): Promise<void> {
    this.#state = { ...this.#state, ...row.stateHere };
    await this.#quarantineParent(unusable, row);
    // planted: parents-aside-keep-from-sweeping
    this.#state = { ...this.#state, ...row.stateAfter, lacks_parents: true };
  }

  /** Handles a failed request for a parent record: the record may be gone, or may be skipped. */
  async #withoutParent(error: RequestError, row: ParentRow): Promise<void> {
    const isGone = error.status === 404 || error.status === 410;
    const mayLeaveOut = this.#job.resource.parent?.onError === "skip" && !error.waitMs;
    if (!isGone && !mayLeaveOut) throw error;
    const after = { ...this.#state, ...row.stateAfter, next: null, window: null, loops: null };
    if (!isGone) {
      await this.#quarantineParent(error, row);
      this.#state = { ...after, lacks_parents: true, skipped_parents: true };
      return;
    }
    this.#notFound = error;
    if (/* planted: second-try */ row.isSecondTry) {
      this.#state = { ...after, parents_gone: after.parents_gone + 1 };
      return;
    }
    if (after.not_found.length >= MOST_NOT_FOUND) throw error;
    this.#parents?.notFound.push(row.position);
    this.#state = { ...after, not_found: [...after.not_found, row.position] };
  }

  async #quarantineParent({ code, message }: RequestError, row: ParentRow): Promise<void> {
    const { world, resourceRef, runId, counts } = this.#job;
    const { page } = this.#state;
    const rejection = { index: row.position.row, code, message, path: "", record: row.row };
    await setAside([rejection], { world, resourceRef, runId, page });
    counts.parents_set_aside += 1;
  }

  /** Throws when most parent records are not found: then the path is wrong. One missing record is usual. */
  #assertParentsThere(): void {
    const { parents_gone, parents_read } = this.#state;
    const isMost =
      parents_read < FEW_PARENTS ? parents_gone === parents_read : 2 * parents_gone > parents_read;
    if (!this.#notFound || parents_gone <= 1 || !isMost) return;
    const { code, message, hint, status } = this.#notFound;
    const parentName = this.#job.resource.parent?.plan.name;
    throw new RequestError({
      code,
      message: `${parents_gone} of ${parents_read} records of ${parentName} have no answer: ${message}`,
      hint,
      retryable: false,
      status,
    });
  }
}

const keysOf = (items: readonly KeyedItem[], rejections: readonly Rejection[]): string[] => [
  ...items.map(({ key }) => key),
  ...rejections.flatMap(({ key }) => key ?? []),
];

/** The prepared page of a read for children alone, which stores no rows. */
const emptyPage: PreparedPage = {
  items: [],
  superseded: 0,
  rejections: [],
  typedRecords: [],
  discardedValues: 0,
};

/** Pure: keeps the records of a page that lie in the range, and advances the candidate cursor. */
function inRange(
  whole: Page,
  { candidate, boundary }: RunState,
  { range, parent }: Series,
  { incremental, key, steps }: ResourcePlan,
): { page: Page; candidate: RunState["candidate"] } {
  const page = { ...whole, records: withSteps(whole.records, parent?.added ?? {}, steps) };
  if (!incremental) return { page, candidate };
  const {
    records,
    candidate: furthest,
    isOver,
  } = advanceCursor(page.records, incremental, range, candidate);
  return {
    // Rows that have moved are read again, also where the newest page goes beyond the range.
    page: {
      ...page,
      records: withoutBoundary(records, boundary, key),
      next: isOver && !page.goesBack ? undefined : page.next,
    },
    candidate: furthest,
  };
}

/** Pure: returns the state after a page. Throws when the page shows that paging repeats itself. */
function afterPage(
  state: RunState,
  {
    page,
    whole,
    keys,
    resource,
  }: { page: Page; whole: Page; keys: readonly string[]; resource: ResourcePlan },
): RunState {
  const recordsText = () => jsonText(whole.records);
  const isEmpty = whole.records.length === 0;
  // Rows without a key may be equal page after page. A total that is not reached yet ends the paging.
  const { total, behindTotal } = whole.next?.memory ?? {};
  const endsByTotal = resource.key.rowId && total !== undefined && behindTotal === undefined;
  const marks = {
    keys: isEmpty || endsByTotal ? null : keys.length > 0 ? JSON.stringify(keys) : recordsText(),
    content: recordsText,
    next: page.next && withoutCount(page.next),
  };
  // Rows that moved are read again on purpose, so the guard starts again after such a page.
  const { guard, repeats } = page.goesBack
    ? { guard: null, repeats: undefined }
    : watchForLoop(state.loops, marks);
  if (repeats) throw loopError(repeats, state.page + 1);
  return {
    ...state,
    page: state.page + 1,
    next: page.next ?? null,
    api_time: state.api_time ?? page.apiTime ?? null,
    loops: guard,
    // planted: cursor-stays-while-reading
    deaths: 0,
    waits: 0,
  };
}

function loopError(repeats: Repeats, page: number): RequestError {
  const messages = {
    page: `page ${page} has the records of an earlier page`,
    request: `after page ${page} the API asks for a page that was read before`,
    nothing: `after page ${page} there is still another one, and so many have no end`,
  };
  return new RequestError({
    code: "extract.loop",
    message: messages[repeats],
    hint: "check the paginator: does the API know its parameters under these names?",
    retryable: false,
  });
}
