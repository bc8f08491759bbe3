import { RequestError } from "../base/errors.ts";
import { tableName } from "../base/names.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { forMany } from "../dynamodb/request-queue.ts";
import { writerFor } from "../dynamodb/writer.ts";
import { advanceCursor } from "../extract/cursor/cursor.ts";
import { keepEdge } from "../extract/cursor/edge.ts";
import { fetchPages, openSession, type Page } from "../extract/pages.ts";
import type { PageRequest } from "../extract/paging/page-request.ts";
import type { KeyedItem, PreparedPage, Rejection } from "../flow.ts";
import { openRows } from "../load/changed-rows.ts";
import { toItems } from "../normalize/items.ts";
import { sourceGate } from "../state/gate.ts";
import type { RunState } from "../state/run-state.ts";
import { jsonText } from "../values/json-text.ts";
import type { Job } from "./job.ts";
import { footprint, type Repeats, watch } from "./loop-guard.ts";
import { pacer } from "./pacer.ts";
import { made } from "./page-records.ts";
import { allSeries, type Series } from "./page-series.ts";
import { type Cargo, openLanding } from "./page-writer.ts";
import { parentRows } from "./parent-rows.ts";
import { spotParentRows } from "./sample-parents.ts";

/**
 * The loop: per page, items = toItems(page), and off they go; the next page is asked for while this
 * one is written, and checkpoints follow behind (landing.ts). Calls `moved` whenever pages are
 * durable. Ends behind the last page, or between pages when the next might not fit in.
 */
export async function read(
  job: Job,
  begun: RunState,
  moved: (state: RunState) => void,
): Promise<RunState> {
  if (begun.phase !== "read") return begun;
  const { resource, resourceRef, order, world, lease, counts, schema } = job;
  // Pages that were asked for before their turn, and have none any more.
  const over = new AbortController();
  const session = openSession(resource, {
    world: { ...world, signal: forMany(world.signal, over.signal) },
    secrets: job.secrets,
    meter: counts,
    gate: sourceGate(world, resourceRef.source),
    parallelPages: order.limitPages === undefined ? resource.parallelPages : 1,
  });
  const ashore = { ...world, signal: job.landing };
  const into = { ...ashore, table: tableName(world.names, resource), key: resource.key };
  const writing = writerFor(resource, { ...into, guard: lease.guard });
  const { runId } = order;
  const run = {
    resourceRef,
    runId,
    token: lease.token,
    refresh: begun.refresh,
    isLater: begun.slices > 1,
  };
  const rows = await openRows({ ...into, ...run }, begun.rows);
  const landing = openLanding({ ...job, world: ashore }, { writing, rows }, begun, moved);
  const pace = pacer(world);
  const isStored = resource.selected && !begun.spool_only;
  /** Where the run stands behind the page that was read last. */
  let ahead = begun;
  let toRead = (order.limitPages ?? Number.POSITIVE_INFINITY) - counts.pages;

  async function readAll(): Promise<Partial<RunState>> {
    const sampled = order.limitPages;
    const parents = sampled === undefined ? parentRows(job, begun) : spotRowsFor(job, sampled);
    const all = allSeries(job, begun, parents);
    // Only the first series can be one that an earlier slice has begun.
    let from = /* planted: first-request-of-slice */ begun.next ?? undefined;
    while (ahead.phase === "read" && toRead > 0 && pace.hasTime()) {
      const { value: series, done } = await landing.orFails(all.next());
      if (done) return series;
      const anew = series.own ? { loops: null, candidate: null } : { loops: null };
      ahead = { ...ahead, ...series.here, ...(from ? {} : anew) };
      await readSeries(series, from);
      from = undefined;
    }
    return {};
  }

  async function readSeries(series: Series, from: PageRequest | undefined): Promise<void> {
    const reading = fetchPages(resource, series.request, from, session);
    const ask = () => {
      const upcoming = { page: reading.next(), ended: pace.begin() };
      upcoming.page.catch(() => {});
      return upcoming;
    };
    let upcoming = ask();
    while (true) {
      const { ended } = upcoming;
      const { value: whole } = await landing.orFails(upcoming.page);
      if (!whole) return;
      ended();
      const cargo = { ...arrived(whole, series), ended };
      toRead -= 1;
      // It may end the run: nothing more is asked for before that is known.
      const isOdd = cargo.prepared.rejections.length > 0;
      if (isOdd) {
        landing.add(cargo);
        await landing.drained();
      } else await landing.room();
      const goesOn = cargo.page.next !== undefined && toRead > 0 && pace.hasTime();
      if (goesOn) upcoming = ask();
      if (!isOdd) landing.add(cargo);
      if (!goesOn) return;
    }
  }

  function arrived(whole: Page, series: Series): Omit<Cargo, "ended"> {
    const { page, cursor } = inRange(whole, ahead, series, resource);
    const at = { runId: order.runId, page: ahead.page };
    const prepared = isStored ? toItems(page.records, resource, at, schema?.fit) : nothing;
    const keys = keysOf(prepared.items, prepared.rejections);
    const moved = behind({ ...ahead, ...cursor }, page, marksOf(whole, keys, resource));
    ahead = { ...moved, .../* planted: end-of-series */ (page.next ? {} : series.behind) };
    return { page, prepared, behind: ahead, own: page.next ? undefined : series.own };
  }

  try {
    const end = await readAll();
    return { ...(await landing.close()), ...end };
  } catch (error) {
    // What was read before it lands all the same.
    await landing.close();
    throw error;
  } finally {
    over.abort();
  }
}

const keysOf = (items: readonly KeyedItem[], rejections: readonly Rejection[]): string[] => [
  ...items.map(({ key }) => key),
  ...rejections.flatMap(({ key }) => key ?? []),
];

const spotRowsFor = ({ resource, world, secrets, counts }: Job, most: number) =>
  spotParentRows(resource, { world, secrets, meter: counts, pages: most });

/** Of a page that is read for children alone. */
const nothing: PreparedPage = {
  items: [],
  superseded: 0,
  rejections: [],
  typedRecords: [],
  discardedValues: 0,
};

/** Pure: what an incremental keeps of a page, and how its cursor moves. */
function inRange(
  whole: Page,
  state: RunState,
  { range, added }: Series,
  { incremental, steps }: ResourcePlan,
) {
  const page = { ...whole, records: made(whole.records, added, steps) };
  if (!incremental) return { page, cursor: {} };
  const known = new Set(state.known);
  const {
    records,
    candidate,
    edge: found,
    isOver,
  } = advanceCursor(page.records, incremental, range, state.candidate, known);
  const api_time = state.api_time ?? page.apiTime;
  const edge = keepEdge([...state.edge, ...found], candidate, api_time ?? undefined, incremental);
  const next = isOver ? undefined : page.next;
  return { page: { ...page, records, next }, cursor: { candidate, edge } };
}

/** By what a page is known again: its keys, or where it has none that stay, all that it holds. */
function marksOf({ records }: Page, keys: readonly string[], { key }: ResourcePlan) {
  // Row ids are made per page: they say nothing about what the API repeats.
  if (key.fields.length > 0 && keys.length > 0) return keys;
  return records.length === 0 ? [] : [jsonText(records)];
}

/** Pure: the state behind a page. Throws when the page shows that paging goes round in circles. */
function behind(state: RunState, page: Page, marks: readonly string[]): RunState {
  // Rows that moved are read again on purpose; what repeats after that is a loop again.
  const { guard, repeats } = page.goesBack
    ? { guard: null, repeats: undefined }
    : watch(state.loops, footprint(marks, page.next));
  if (repeats) throw goesRound(repeats, state.page + 1);
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

function goesRound(repeats: Repeats, page: number): RequestError {
  const what = {
    page: `page ${page} has the records of an earlier page`,
    request: `after page ${page} the API asks for a page that was read before`,
    nothing: `after page ${page} there is still another one, and so many have no end`,
  };
  return new RequestError({
    code: "extract.loop",
    message: what[repeats],
    hint: "check the paginator: does the API know its parameters under these names?",
    retryable: false,
  });
}
