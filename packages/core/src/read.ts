import { made, parentRows, spoolRow } from "./children.ts";
import type { ResourcePlan } from "./config/plan-types.ts";
import { RequestError } from "./errors.ts";
import { advance, commit } from "./extract/cursor.ts";
import { keepEdge } from "./extract/edge.ts";
import { openSession, pages } from "./extract/pages.ts";
import type { Counts, KeyedItem, Page, Prepared, Rejection } from "./flow.ts";
import { jsonText } from "./json-text.ts";
import type { Written } from "./load/attempts.ts";
import { sourceGate } from "./load/gate.ts";
import { writerFor } from "./load/ordered.ts";
import { writeParentCursor } from "./load/parent-cursors.ts";
import { setAside, tooMany, tooManyError } from "./load/quarantine.ts";
import { appendSeen } from "./load/seen.ts";
import { appendSpool } from "./load/spool.ts";
import type { RunState, SpoolState } from "./load/state-item.ts";
import type { Place } from "./load/state-query.ts";
import { footprint, type Repeats, watch } from "./loops.ts";
import { tableName } from "./names.ts";
import { toItems } from "./normalize/items.ts";
import { holding, pacer } from "./pace.ts";
import { assertAccounts } from "./report.ts";
import type { Job } from "./run.ts";
import { allSeries, type Series } from "./series.ts";
import { spotParentRows } from "./spot.ts";

/**
 * The loop: per page, items = toItems(page), write(items), checkpoint. Yields the state whenever a
 * page is durable. Ends behind the last page, or between pages when the next might not fit in.
 */
export async function* read(job: Job, begun: RunState): AsyncGenerator<RunState> {
  const { resource, place, order, world, lease, counts, schema } = job;
  const session = openSession(resource, {
    world,
    secrets: job.secrets,
    meter: counts,
    gate: sourceGate(world, place.source),
  });
  const writing = writerFor(resource, {
    ...world,
    table: tableName(world.names, resource),
    guard: lease.guard,
  });
  const pace = pacer(world);
  const isStored = resource.selected && !begun.spool_only;
  const hasChildren = resource.spooled.length > 0 && order.limitPages === undefined;
  let state = begun;

  /** When it returns, everything that a page became is durable. */
  async function store(page: Page) {
    const at = { runId: order.runId, page: state.page };
    const prepared = isStored ? toItems(page.records, resource, at, schema?.fit) : nothing;
    const { items, rejections, superseded, discarded } = prepared;
    const outcome = await writing.write(items);
    const aside = [...rejections, ...outcome.rejections];
    await setAside(aside, { world, place, ...at });
    schema?.learn(prepared.fitted);
    await schema?.keep();
    const keys = keysOf(items, rejections);
    const marks = { place, runId: order.runId, token: lease.token };
    const seen = state.refresh ? await appendSeen(world, marks, keys, state.seen) : 0;
    const spool = hasChildren ? await spoolFor(page, state.spool, marks) : state.spool;
    return {
      ...outcome,
      superseded: superseded + outcome.superseded,
      discarded,
      aside,
      keys,
      moved: { seen, spool },
    };
  }

  async function spoolFor(
    { records }: Page,
    spool: SpoolState,
    lease: { place: Place; token: number },
  ) {
    const rows = records.map((record) => spoolRow(record, resource));
    return { ...spool, end: await appendSpool(world, lease, rows, spool.end) };
  }

  const sampled = order.limitPages;
  const rows = sampled === undefined ? parentRows(job, state) : spotRowsFor(job, sampled);
  const ahead = allSeries(job, state, rows);
  // Only the first series can be one that an earlier slice has begun.
  let from = state.next ?? undefined;
  while (state.phase === "read" && pace.hasTime()) {
    const { value: series, done } = await holding(ahead.next(), job);
    if (done) {
      state = { ...state, ...series };
      yield state;
      return;
    }
    const reading = pages(resource, series.request, from, session);
    const anew = series.own ? { loops: null, candidate: null } : { loops: null };
    state = { ...state, ...series.here, ...(from ? {} : anew) };
    from = undefined;
    do {
      const { value: whole } = await holding(reading.next(), job);
      if (!whole) break;
      const { page, cursor } = inRange(whole, state, series, resource);
      const stored = await holding(store(page), job);
      account(counts, page, stored, isStored);

      const marks = marksOf(whole, stored.keys, resource);
      const moved = behind({ ...state, ...cursor, ...stored.moved }, page, marks);
      state = { ...moved, ...(page.next ? {} : series.behind), counts: { ...counts } };
      if (!page.next && series.own) await holding(keepOwn(series.own, state, job), job);
      if (order.limitPages === undefined) await lease.checkpoint(state);
      else await lease.renew();
      yield state;

      if (counts.pages === order.limitPages) return;
      pace.done();
    } while (state.next && pace.hasTime());
  }
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

/** The keys that the API has shown on a page: of what was written, and of what could not be. */
const keysOf = (items: readonly KeyedItem[], rejections: readonly Rejection[]): string[] => [
  ...items.map(({ key }) => key),
  ...rejections.flatMap(({ key }) => key ?? []),
];

const spotRowsFor = ({ resource, world, secrets, counts }: Job, most: number) =>
  spotParentRows(resource, { world, secrets, meter: counts, pages: most });

/** Of a page that is read for children alone. */
const nothing: Prepared = { items: [], superseded: 0, rejections: [], fitted: [], discarded: 0 };

interface Stored extends Omit<Written, "rejections"> {
  discarded: number;
  aside: readonly Rejection[];
}

/** Counts a page. What is read for children alone is no record of a table. */
function account(counts: Counts, { records }: Page, stored: Stored, isStored: boolean): void {
  counts.pages += 1;
  if (!isStored) return;
  counts.records += records.length;
  counts.written += stored.written;
  counts.unchanged += stored.unchanged;
  counts.deleted += stored.deleted;
  counts.superseded += stored.superseded;
  counts.quarantined += stored.aside.length;
  counts.discarded_values += stored.discarded;
  assertAccounts(counts);
  // What the contract sets aside was meant to be.
  const odd = stored.aside.filter(({ code }) => !code.startsWith("schema."));
  if (tooMany(odd.length, records.length)) throw tooManyError(odd);
}

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
  const { records, candidate, found, isOver } = advance(
    page.records,
    incremental,
    range,
    state.candidate,
    known,
  );
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
