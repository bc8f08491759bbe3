import { TAKEOVER_MS } from "../base/timing.ts";
import type { Cursor } from "../flow.ts";
import { zeroCounts } from "../report/counts.ts";
import { type Before, rowsGoingOn } from "./changed-rows-state.ts";
import type { RowsState, RunState, SpoolState } from "./run-state.ts";
import type { StoredState } from "./state-item.ts";

/** Which run a worker is to work on, decided from what is stored. */
export type Opening =
  | { kind: "start" | "continue"; runId: string; body: RunState; note?: string }
  /** Nothing to do: this run has ended (a second delivery of its event). */
  | { kind: "ended"; runId: string; body: RunState }
  /** Nothing to do yet: the API asked to wait until then. */
  | { kind: "wait"; runId: string; body: RunState; notBefore: string }
  /** One page has killed too many workers: the run is to fail. */
  | { kind: "poison"; runId: string; body: RunState };

export interface Wanted {
  runId: string;
  refresh: boolean;
  planHash: string;
  tableId: string | null;
  cursorPath: string | null;
  /** The config's initial_value. */
  initial?: Cursor;
  /** The run is for the children of the resource alone. */
  spoolOnly?: boolean;
  /** A child of an incremental parent: it goes on in the spool where its last run ended. */
  followsSpool?: boolean;
  /** What a new run goes by, of what an earlier one has left. */
  rows: (refresh: boolean, before: Before | undefined) => RowsState;
  now: number;
}

/** A third worker's death on one page is no accident. */
const DEATHS = 3;

/** Pure: the run that an event means, given what is stored. */
export function opening(stored: StoredState | undefined, want: Wanted): Opening {
  if (!stored?.body || !stored.run_id) return start(want);
  const { body, run_id: runId, status } = stored;
  const before = { rows: body.rows, isDone: status === "done" };
  const anew = (last: RunState | undefined, note?: string) =>
    start(want, last, note, spoolBehind(body, status), last && before);
  if (body.table_id !== want.tableId) {
    return anew(
      undefined,
      "the table is not the one that the state was kept for; starting from nothing",
    );
  }
  if (status === "done") return runId === want.runId ? { kind: "ended", runId, body } : anew(body);
  // A failed run goes on only by its own retry; anything newer starts anew.
  if (status === "failed" && runId !== want.runId) return anew(body);
  if (body.plan_hash !== want.planHash) {
    return anew(body, "the config changed since the interrupted run; starting anew");
  }
  if (
    /* planted: wait-of-run */ status === "waiting" &&
    stored.not_before &&
    Date.parse(stored.not_before) > want.now
  ) {
    return { kind: "wait", runId, body, notBefore: stored.not_before };
  }
  // A lease that was never given back is a worker that died.
  const deaths = body.deaths + (stored.lease ? 1 : 0);
  const goesOn = {
    ...body,
    deaths,
    slices: body.slices + 1,
    refresh_next: body.refresh_next || (want.refresh && !body.refresh),
    spool: coveredBy(body.spool, want.runId),
    // planted: rows-of-earlier-slices
    rows: rowsGoingOn(body.rows, runId),
  };
  return { kind: deaths >= DEATHS ? "poison" : "continue", runId, body: goesOn };
}

function start(
  want: Wanted,
  last?: RunState,
  why?: string,
  spool: Pick<SpoolState, "log" | "end" | "past"> = { log: want.runId, end: 0, past: [] },
  rows?: Before,
): Opening {
  const refresh = want.refresh || (last?.refresh_next ?? false);
  const before = last?.cursor_path === want.cursorPath ? last : undefined;
  const { cursor = null, edge = [] } = before ?? {};
  const wanted = want.initial ?? null;
  const initial = cursor === null ? wanted : (before?.initial ?? wanted);
  const note = why ?? (initial === wanted ? undefined : unheard(cursor, wanted));
  const body: RunState = {
    plan_hash: want.planHash,
    table_id: want.tableId,
    started_at: new Date(want.now).toISOString(),
    slices: 1,
    refresh,
    refresh_next: false,
    phase: "read",
    page: 0,
    next: null,
    counts: zeroCounts(),
    cursor,
    cursor_path: want.cursorPath,
    initial,
    candidate: null,
    known: want.refresh ? [] : edge.map(([id]) => id),
    edge: want.refresh ? [] : edge,
    window: null,
    api_time: null,
    loops: null,
    spool: { ...spool, run_ids: [want.runId], start: spool.end },
    at: want.followsSpool && !want.refresh ? (last?.at ?? null) : null,
    spool_only: want.spoolOnly ?? false,
    rows: want.rows(refresh, rows),
    sweep: null,
    deaths: 0,
    waits: 0,
  };
  return { kind: "start", runId: want.runId, body, ...(note === undefined ? {} : { note }) };
}

/** An initial_value is for the first run: people change it and wonder. */
const unheard = (cursor: Cursor, wanted: Cursor): string =>
  `initial_value is ${wanted} now, and the cursor stands at ${cursor}: a full refresh, or tidetable reset, reads from there`;

/** So many runs may end while a child still reads the records of one. */
const PAST = 20;

/** Pure: what a new run has to know of the spool. What a run wrote that failed belongs to nobody. */
function spoolBehind({ spool }: RunState, status: StoredState["status"]) {
  if (!spool) return undefined;
  const { log, past, ...part } = spool;
  return { log, end: part.end, past: status === "done" ? [...past, part].slice(-PAST) : past };
}

/** An event that meets an unfinished run is content with what that run reads. */
function coveredBy(spool: SpoolState, runId: string): SpoolState {
  const { run_ids } = spool;
  return run_ids.includes(runId) ? spool : { ...spool, run_ids: [...run_ids, runId].slice(-PAST) };
}

/** Pure: whether nobody works on an unfinished run that could be gone on with. */
export function isDue({ status, lease, not_before }: StoredState, now: number): boolean {
  if (status === "running") return !lease || now >= lease.until + TAKEOVER_MS;
  return status === "waiting" && (!not_before || Date.parse(not_before) <= now);
}
