import type { Cursor } from "../flow.ts";
import { noCounts } from "../report/counts.ts";
import { type Before, rowsGoingOn } from "./changed-rows-state.ts";
import type { EpochView } from "./epochs.ts";
import { isHeld, TAKEOVER_MS, type TakenRun } from "./lease.ts";
import {
  type Coverage,
  type EpochRef,
  FORMAT_NUMBER,
  type RowsState,
  type RunState,
} from "./run-state.ts";
import { type StoredState, type Wish, withFanOut, withWish } from "./state-item.ts";

/*
 * Which run an event means, decided from what is stored. Pure.
 *
 * An event that meets an unfinished read goes on with it. If the event asks for more than that read
 * does, its wish is stored first, and the next read that begins takes all wishes.
 */

/** How an event leaves its name on a read that it does not take up. */
export type Leaves = "wish" | "fan_out" | "nothing";

export type Opening =
  /** The lease is to be taken for this run. `isOthers`: it does not answer the event. */
  | (TakenRun & { kind: "start" | "continue"; note?: string; isOthers: boolean })
  /** One page has killed too many workers: the run is to fail. */
  | (TakenRun & { kind: "poison"; isOthers: boolean })
  /** Nothing to do: the run that answers this event has ended (a second delivery). */
  | { kind: "ended"; runId: string; body: RunState | null }
  /** Nothing to do: the run of this event has failed, and others have begun since. */
  | { kind: "given_up" }
  /** Nothing to do: the last run has read the epoch that this event has caused. */
  | { kind: "answered"; body: RunState }
  /** Nothing to do yet: the API asked to wait until then. */
  | { kind: "wait"; runId: string; body: RunState; notBefore: string; leaves: Leaves }
  /** A living worker is at it. */
  | { kind: "busy"; leaves: Leaves };

/** What an event asks for, and what its resource's plan says about it. */
export interface Wanted {
  /** The fan-out's id. */
  id: string;
  /** A full refresh was asked for. */
  refresh: boolean;
  /** The descendants that were asked for with it; null: all. */
  serves: string[] | null;
  /** How the fan-out ended here, by the history; null: it has not. */
  endedAs: "done" | "failed" | null;
  planHash: string;
  tableId: string | null;
  cursorPath: string | null;
  /** The config's initial_value. */
  initial?: Cursor;
  /** Every run of the resource is a refresh (`replace`). */
  replaces: boolean;
  /** A refresh ends with a sweep: not where rows are appended or nothing is stored. */
  sweeps: boolean;
  /**
   * A resource with a cursor: where a read starts that goes back for these descendants, too, given
   * its own cursor. Undefined: every read of the resource reads all that its requests show.
   */
  startFor: ((serves: string[] | null, own: Cursor) => Cursor) | undefined;
  /** Whether the first value is further back; null is the beginning. */
  isBefore: (value: Cursor, other: Cursor) => boolean;
  isChild: boolean;
  /** A child: the parent's epoch that the fan-out has caused, if it is there by now. */
  epoch: EpochView | undefined;
  /** Cursors for each parent record leave out what has not changed. */
  hasParentCursors: boolean;
  /** What a new run knows of the table's rows, from what an earlier one has left. */
  rows: (
    how: { runId: string; refresh: boolean; refreshAsked: boolean },
    before: Before | undefined,
  ) => RowsState;
  newReadId: () => string;
  now: number;
}

/** A third worker's death on one page is no accident. */
const DEATHS = 3;

export function opening(stored: StoredState | undefined, want: Wanted): Opening {
  const isOwn = stored?.run_id === want.id || (stored?.body?.ids.includes(want.id) ?? false);
  if (want.endedAs === "done" || (stored?.status === "done" && isOwn)) {
    return { kind: "ended", runId: want.id, body: isOwn ? (stored?.body ?? null) : null };
  }
  const hasFailed = stored?.status === "failed";
  if (want.endedAs === "failed" && !(hasFailed && isOwn)) return { kind: "given_up" };
  if (isHeld(stored, want.now)) return busy(stored, want, isOwn);
  if (!stored?.body || !stored.run_id) return start(stored, want);

  const { body, run_id: runId, status } = stored;
  if (/* planted: other-table */ body.table_id !== want.tableId) {
    const note = "the table is not the one that the state was kept for; starting from nothing";
    return start({ ...stored, body: null }, want, note);
  }
  if (status === "done" && !want.refresh && hasRead(body, want)) return { kind: "answered", body };
  // A failed run goes on only by its own retry; anything newer starts anew.
  if (status === "done" || (hasFailed && !isOwn)) return start(stored, want);
  if (/* planted: other-plan */ body.plan_hash !== want.planHash) {
    return start(stored, want, "the config changed since the interrupted run; starting anew");
  }
  const asksForMore = !isOwn && asksMore(body, want);
  const leaves = !asksForMore ? "fan_out" : mayWish(want) ? "wish" : "nothing";
  // planted: wait-is-kept
  if (status === "waiting" && stored.not_before && Date.parse(stored.not_before) > want.now) {
    return { kind: "wait", runId, body, notBefore: stored.not_before, leaves };
  }
  // A lease that was never given back is a worker that died.
  const deaths = body.deaths + (stored.lease ? 1 : 0);
  const isContent = leaves === "fan_out";
  const ids = isContent ? withFanOut(body.ids, want.id) : body.ids;
  return {
    kind: deaths >= DEATHS ? "poison" : "continue",
    runId,
    body: {
      ...body,
      ids,
      deaths,
      slices: body.slices + 1,
      rows: /* planted: rows-of-earlier-slices */ rowsGoingOn(body.rows, runId),
    },
    fanOuts: isContent ? withFanOut(stored.fan_outs, want.id) : stored.fan_outs,
    wishes: leaves === "wish" ? withWish(stored.wishes, wishOf(want)) : stored.wishes,
    isOthers: !isContent,
  };
}

function busy(stored: StoredState | undefined, want: Wanted, isOwn: boolean): Opening {
  const { body, status } = stored ?? {};
  if (isOwn) return { kind: "busy", leaves: "nothing" };
  const isUnfinished = body && (status === "running" || status === "waiting");
  if (!isUnfinished) return { kind: "busy", leaves: want.refresh ? "wish" : "nothing" };
  const isOther = body.plan_hash !== want.planHash || body.table_id !== want.tableId;
  if (!isOther && !asksMore(body, want)) return { kind: "busy", leaves: "fan_out" };
  return { kind: "busy", leaves: mayWish(want) ? "wish" : "nothing" };
}

/** A child's ordinary event loses nothing by being forgotten: the next read goes back for it. */
const mayWish = ({ refresh, isChild }: Wanted): boolean => refresh || !isChild;

/** Whether the read under way leaves something of what is wanted to another read. */
function asksMore(body: RunState, want: Wanted): boolean {
  // A refresh shows what was there when it began, so it never answers a later one.
  if (want.refresh) return true;
  if (want.isChild) return !hasRead(body, want);
  return (
    want.startFor !== undefined &&
    want.isBefore(want.startFor(want.serves, body.cursor), body.start)
  );
}

/** Of a child: whether its run reads the epoch that this fan-out has caused. */
function hasRead({ parent_epoch, ids }: RunState, { epoch }: Wanted): boolean {
  if (!epoch) return false;
  if (parent_epoch) return isSameEpoch(epoch.ref, parent_epoch);
  return ids.some((id) => epoch.fan_outs.includes(id));
}

export const isSameEpoch = (one: EpochRef, other: EpochRef): boolean =>
  one.slot === other.slot && one.id === other.id;

const wishOf = ({ id, refresh, serves }: Wanted): Wish => ({ id, refresh, serves });

/**
 * The requests that a new run answers: the event, all wishes, and those of an unfinished run that is
 * given up. A child reads one epoch, so its wishes (which are refreshes) come before its event.
 */
function requestsFor(stored: StoredState | undefined, want: Wanted): Wish[] {
  const { body, status, wishes = [] } = stored ?? {};
  const isGivenUp = body && (status === "running" || status === "waiting");
  const before = isGivenUp
    ? body.ids.map((id) => ({ id, refresh: body.refresh_asked, serves: body.serves }))
    : [];
  const earlier = [...before, ...wishes].filter(({ id }) => id !== want.id);
  const named = [...before, ...wishes].find(({ id }) => id === want.id);
  const own = { ...wishOf(want), refresh: want.refresh || (named?.refresh ?? false) };
  if (!want.isChild) return [...earlier, own];
  const refreshes = [...earlier, own].filter(({ refresh }) => refresh);
  return refreshes.length > 0 ? refreshes : [own];
}

function start(stored: StoredState | undefined, want: Wanted, why?: string): Opening {
  const last = stored?.body ?? undefined;
  const requests = requestsFor(stored, want);
  const ids = requests.map(({ id }) => id);
  const runId = ids.at(-1) as string;
  const refreshAsked = requests.some(({ refresh }) => refresh);
  const refresh = want.sweeps && (refreshAsked || want.replaces);
  const serves = requests.some((request) => request.serves === null)
    ? null
    : [...new Set(requests.flatMap((request) => request.serves ?? []))];

  const before = last?.cursor_path === want.cursorPath ? last : undefined;
  const { cursor = null } = before ?? {};
  const initialWanted = want.initial ?? null;
  const initial = cursor === null ? initialWanted : (before?.initial ?? initialWanted);
  const note = why ?? (initial === initialWanted ? undefined : unheard(cursor, initialWanted));
  const readsWhole =
    /* planted: refresh-reads-everything */ refreshAsked || want.replaces || !want.startFor;
  const from = readsWhole ? null : (want.startFor?.(serves, cursor) ?? null);
  const startedAt = new Date(want.now).toISOString();
  const left = last && {
    rows: last.rows,
    lastWhole: last.last_whole,
    isDone: stored?.status === "done",
  };
  const body: RunState = {
    format: FORMAT_NUMBER,
    plan_hash: want.planHash,
    table_id: want.tableId,
    ids,
    read_id:
      /* planted: read-id-is-handed-on */ last && stored?.status !== "done" && last.read_id
        ? last.read_id
        : want.newReadId(),
    started_at: startedAt,
    slices: 1,
    refresh,
    refresh_asked: refreshAsked,
    coverage: coverageOf(want, { isWhole: refreshAsked || refresh, from }),
    range: want.startFor ? { start: from, end: null } : null,
    serves,
    phase: "read",
    page: 0,
    next: null,
    counts: noCounts(),
    cursor,
    cursor_path: want.cursorPath,
    start: from,
    initial,
    candidate: null,
    window: null,
    api_time: null,
    loops: null,
    blocks: 0,
    epoch: (stored?.token ?? 0) + 1,
    root_began_at: startedAt,
    root_ended_at: null,
    served: last?.served ?? null,
    parent_epoch: null,
    consumed: last?.consumed ?? null,
    at: null,
    not_found: [],
    is_second_try: false,
    parents_read: 0,
    parents_gone: 0,
    lacks_parents: false,
    skipped_parents: false,
    lacks_keys: false,
    is_numbered: false,
    failures: { ...(last?.failures ?? noFailures), is_counted: false },
    last_sweep: last?.last_sweep ?? null,
    last_whole: last?.last_whole ?? null,
    rows: want.rows({ runId, refresh, refreshAsked }, left),
    sweep: null,
    deaths: 0,
    waits: 0,
  };
  const { wishes = [] } = stored ?? {};
  return {
    kind: "start",
    runId,
    body,
    fanOuts: ids,
    wishes: wishes.filter(({ id }) => !ids.includes(id)),
    isOthers: !ids.includes(want.id),
    ...(note ? { note } : {}),
  };
}

const noFailures = { runs: 0, passed: 0, last_at: null, is_counted: false };

function coverageOf(
  { startFor, hasParentCursors }: Wanted,
  { isWhole, from }: { isWhole: boolean; from: Cursor },
): Coverage {
  if (isWhole) return "everything";
  if (hasParentCursors) return "changes";
  return startFor && from !== null ? "changes" : "everything";
}

/** An initial_value is for the first run: people change it and wonder. */
const unheard = (cursor: Cursor, wanted: Cursor): string =>
  `initial_value is ${wanted} now, and the cursor stands at ${cursor}: a full refresh, or tidetable reset, reads from there`;

/** Whether a tick starts a worker: for an unfinished run that nobody works on, or for a wish. */
export function isDue(stored: StoredState, now: number): boolean {
  const { status, lease, not_before, wishes } = stored;
  if (status === "running") return !lease || now >= lease.until + TAKEOVER_MS;
  if (status === "waiting") return !not_before || Date.parse(not_before) <= now;
  return wishes.length > 0 && !isHeld(stored, now);
}

/** The run that a tick goes on with, or the newest wish. */
export const dueRunId = ({ status, run_id, wishes }: StoredState): string | null =>
  status === "running" || status === "waiting" ? run_id : (wishes.at(-1)?.id ?? null);
