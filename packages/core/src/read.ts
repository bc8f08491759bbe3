import type { ResourcePlan } from "./config/plan-types.ts";
import { RequestError } from "./errors.ts";
import { observe, startValue } from "./extract/cursor.ts";
import { openSession, pages } from "./extract/pages.ts";
import type { KeyedItem, Page, Rejection } from "./flow.ts";
import { sourceGate } from "./load/gate.ts";
import { writerFor } from "./load/ordered.ts";
import { setAside, tooMany, tooManyError } from "./load/quarantine.ts";
import { appendSeen } from "./load/seen.ts";
import type { RunState } from "./load/state-item.ts";
import { footprint, watch } from "./loops.ts";
import { tableName } from "./names.ts";
import { toItems } from "./normalize/items.ts";
import { holding, pacer } from "./pace.ts";
import { assertAccounts } from "./report.ts";
import type { Job } from "./run.ts";

/**
 * The loop: per page, items = toItems(page), write(items), checkpoint. Yields the state whenever a
 * page is durable. Ends behind the last page, or between pages when the next might not fit in.
 */
export async function* read(job: Job, from: RunState): AsyncGenerator<RunState> {
  const { resource, place, order, world, lease, counts } = job;
  const session = openSession(resource, {
    world,
    secrets: job.secrets,
    meter: counts,
    gate: sourceGate(world, place.source),
  });
  const start = resource.incremental
    ? startValue(resource.incremental, from.refresh ? null : from.cursor)
    : null;
  const reading = pages(resource, from.next ?? undefined, session, start);
  const writing = writerFor(resource, {
    ...world,
    table: tableName(world.names, resource),
    guard: lease.guard,
  });
  const pace = pacer(world);
  let state = from;

  /** When it returns, everything that a page became is durable. */
  async function store(page: Page) {
    const at = { runId: order.runId, page: state.page };
    const { items, superseded, rejections } = toItems(page.records, resource, at);
    const outcome = await writing.write(items);
    const aside = [...rejections, ...outcome.rejections];
    await setAside(aside, { world, place, ...at });
    const keys = keysOf(items, rejections);
    const seeing = { place, runId: order.runId, token: lease.token };
    const seen = state.refresh ? await appendSeen(world, seeing, keys, state.seen) : 0;
    return {
      written: outcome.written,
      superseded: superseded + outcome.superseded,
      aside,
      keys,
      seen,
    };
  }

  while (state.phase === "read" && pace.hasTime()) {
    const { value: page } = await holding(reading.next(), job);
    if (!page) return;
    const { written, superseded, aside, keys, seen } = await holding(store(page), job);

    counts.pages += 1;
    counts.records += page.records.length;
    counts.written += written;
    counts.superseded += superseded;
    counts.quarantined += aside.length;
    assertAccounts(counts);
    if (tooMany(aside.length, page.records.length)) throw tooManyError(aside);

    state = { ...behind(state, page, keys, resource), seen, counts: { ...counts } };
    if (order.limitPages === undefined) await lease.checkpoint(state);
    else await lease.renew();
    yield state;

    if (counts.pages === order.limitPages) return;
    pace.done();
  }
}

/** The keys that the API has shown on a page: of what was written, and of what could not be. */
const keysOf = (items: readonly KeyedItem[], rejections: readonly Rejection[]): string[] => [
  ...items.map(({ key }) => key),
  ...rejections.flatMap(({ key }) => key ?? []),
];

/** Pure: the state behind a page. Throws when the page shows that paging goes round in circles. */
function behind(
  state: RunState,
  page: Page,
  keys: readonly string[],
  { key, incremental }: ResourcePlan,
): RunState {
  // Row ids are made per page: they say nothing about what the API repeats.
  const known = key.fields.length > 0 ? keys : [];
  const { guard, repeats } = watch(state.loops, footprint(known, page.next));
  if (repeats) throw goesRound(repeats, state.page + 1);
  const rest = state.refresh ? "count" : "end";
  return {
    ...state,
    phase: page.next ? "read" : rest,
    page: state.page + 1,
    next: page.next ?? null,
    candidate: incremental ? observe(state.candidate, page.records, incremental) : null,
    api_time: state.api_time ?? page.apiTime ?? null,
    loops: guard,
    deaths: 0,
    waits: 0,
  };
}

function goesRound(repeats: "page" | "request", page: number): RequestError {
  return new RequestError({
    code: "extract.loop",
    message:
      repeats === "page"
        ? `page ${page} has the records of an earlier page`
        : `after page ${page} the API asks for a page that was read before`,
    hint: "check the paginator: does the API know its parameters under these names?",
    retryable: false,
  });
}
