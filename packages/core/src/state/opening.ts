import { TAKEOVER_MS } from "../base/timing.ts";
import type { Cursor } from "../flow.ts";
import { zeroCounts } from "../report/counts.ts";
import {
  type EarlierRun,
  lastWholeAtResume,
  lastWholeAtStart,
  rowsAtResume,
} from "./changed-rows-state.ts";
import type { EpochView } from "./epochs.ts";
import { isHeld, type TakenRun } from "./lease.ts";
import {
  type Coverage,
  type EpochRef,
  FORMAT_NUMBER,
  type RowsState,
  type RunState,
} from "./run-state.ts";
import { type StoredState, type Wish, withFanOut, withWish } from "./state-item.ts";

/*
 * Decides from the stored state which run an event starts or continues. Pure.
 *
 * An event that meets an unfinished read continues that read. If the event asks for more than the read
 * covers, the event stores a wish, and the next read takes all wishes.
 */

/** The trace that an event leaves in the state of a read that the event does not continue. */
export type Leaves = "wish" | "fan_out" | "nothing";

export type RunDecision =
  /** Take the lease for this run. `isOthers`: the run does not answer the event. */
  | (TakenRun & { kind: "start" | "continue"; note?: string; isOthers: boolean })
  /** Fail the run, because one page has killed too many workers. */
  | (TakenRun & { kind: "poison"; isOthers: boolean })
  /** Nothing to do: the run that answers this event has ended (a second delivery). */
  | { kind: "ended"; runId: string; body: RunState | null }
  /** Nothing to do: the run of this event has failed, and others have begun since. */
  | { kind: "given_up" }
  /** Nothing to do: the last run has read the epoch that this event has caused. */
  | { kind: "answered"; body: RunState }
  /** Nothing to do yet: the API asked for a pause until `notBefore`. */
  | { kind: "wait"; runId: string; body: RunState; notBefore: string; leaves: Leaves }
  /** A living worker holds the lease. */
  | { kind: "busy"; leaves: Leaves };

/** The request of an event, and the part of the resource's plan that the decision needs. */
export interface RunRequest {
  /** The id of the fan-out. */
  id: string;
  /** The event asks for a full refresh. */
  refresh: boolean;
  /** The descendants that were requested in the same fan-out; null: all. */
  serves: string[] | null;
  /** The end of the fan-out according to the run history; null before the end. */
  endedAs: "done" | "failed" | null;
  planHash: string;
  tableId: string | null;
  cursorPath: string | null;
  /** The initial_value of the config. */
  initial?: Cursor;
  /** It is counted from now, so it always differs from the one that the cursor began from. */
  isRelative?: boolean;
  /** Every run of the resource is a refresh (`replace`). */
  replaces: boolean;
  /** A refresh ends with a sweep. False for appended rows and when no rows are stored. */
  sweeps: boolean;
  /**
   * Returns the start of a read that also goes back for these descendants, given the cursor of the
   * resource. Undefined for a resource without a cursor: each of its reads returns all records.
   */
  startFor: ((serves: string[] | null, ownCursor: Cursor) => Cursor) | undefined;
  /** Returns whether a cursor is further back than a second one; null is the beginning. */
  isBefore: (value: Cursor, comparedTo: Cursor) => boolean;
  isChild: boolean;
  /** For a child: the parent's epoch that the fan-out has caused. Undefined before the epoch begins. */
  epoch: EpochView | undefined;
  /** For a child: its unfinished run has read nothing, and the parent does not know of its fan-out. */
  isStranded: boolean;
  /** The resource has a cursor per parent record, so its reads return only changes. */
  hasParentCursors: boolean;
  /** Returns the row state of a new run, made from the row state of the last run. */
  rows: (
    options: { runId: string; refresh: boolean; refreshAsked: boolean },
    before: EarlierRun | undefined,
  ) => RowsState;
  newReadId: () => string;
  now: number;
}

/** The number of workers that may die on one page before the run fails. */
const DEATHS = 3;

export function decideRun(stored: StoredState | undefined, runRequest: RunRequest): RunDecision {
  const isOwn =
    stored?.run_id === runRequest.id || (stored?.body?.ids.includes(runRequest.id) ?? false);
  const hasFailed = stored?.status === "failed";
  // A history item does not end a run: a worker may die between the history item and its last step,
  // and a second delivery may fail before the state is read.
  const isOpen =
    isOwn && (hasFailed || stored?.status === "running" || stored?.status === "waiting");
  if (!isOpen && (runRequest.endedAs === "done" || isOwn)) {
    return { kind: "ended", runId: runRequest.id, body: isOwn ? (stored?.body ?? null) : null };
  }
  if (!isOpen && runRequest.endedAs === "failed") return { kind: "given_up" };
  if (isHeld(stored, runRequest.now)) return busyDecision(stored, runRequest, isOwn);
  if (!stored?.body || !stored.run_id) return startDecision(stored, runRequest);

  const { body, run_id: runId, status } = stored;
  if (/* planted: other-table */ body.table_id !== runRequest.tableId) {
    const note = "the table is not the one that the state was kept for; starting from nothing";
    return startDecision({ ...stored, body: null }, runRequest, note);
  }
  if (status === "done" && !runRequest.refresh && hasRead(body, runRequest))
    return { kind: "answered", body };
  // Only a retry of the same event continues a failed run. A newer event starts a new run.
  if (status === "done" || (hasFailed && !isOwn)) return startDecision(stored, runRequest);
  if (/* planted: other-plan */ body.plan_hash !== runRequest.planHash) {
    return startDecision(
      stored,
      runRequest,
      "the config changed since the interrupted run; starting anew",
    );
  }
  // A stranded run reads the epoch of this event instead: the last of its fan-outs decides.
  const isStranded = !isOwn && runRequest.isStranded;
  if (isStranded && runRequest.refresh) return startDecision(stored, runRequest);
  const asksForMore = !isOwn && !isStranded && asksMore(body, runRequest);
  const leaves = !asksForMore ? "fan_out" : mayWish(runRequest) ? "wish" : "nothing";
  // planted: wait-is-kept
  if (status === "waiting" && stored.not_before && Date.parse(stored.not_before) > runRequest.now) {
    return { kind: "wait", runId, body, notBefore: stored.not_before, leaves };
  }
  // A lease that was not given back means that its worker died.
  const deaths = body.deaths + (stored.lease ? 1 : 0);
  const isContent = leaves === "fan_out";
  const ids = isContent ? withFanOut(body.ids, runRequest.id) : body.ids;
  return {
    kind: deaths >= DEATHS ? "poison" : "continue",
    runId,
    body: {
      ...body,
      ids,
      deaths,
      slices: body.slices + 1,
      // planted: rows-of-earlier-slices
      rows: rowsAtResume(body.rows, runId),
      last_whole: lastWholeAtResume(body),
    },
    fanOuts: isContent ? withFanOut(stored.fan_outs, runRequest.id) : stored.fan_outs,
    wishes: leaves === "wish" ? withWish(stored.wishes, wishOf(runRequest)) : stored.wishes,
    isOthers: !isContent,
  };
}

function busyDecision(
  stored: StoredState | undefined,
  runRequest: RunRequest,
  isOwn: boolean,
): RunDecision {
  const { body, status } = stored ?? {};
  if (isOwn) return { kind: "busy", leaves: "nothing" };
  const isUnfinished = body && (status === "running" || status === "waiting");
  if (!isUnfinished) return { kind: "busy", leaves: runRequest.refresh ? "wish" : "nothing" };
  const isOther = body.plan_hash !== runRequest.planHash || body.table_id !== runRequest.tableId;
  if (!isOther && !asksMore(body, runRequest)) return { kind: "busy", leaves: "fan_out" };
  return { kind: "busy", leaves: mayWish(runRequest) ? "wish" : "nothing" };
}

/** An event of a child stores a wish only for a refresh, because the next read goes back for changes. */
const mayWish = ({ refresh, isChild }: RunRequest): boolean => refresh || !isChild;

/** Returns whether the event asks for more than the unfinished read covers. */
function asksMore(body: RunState, runRequest: RunRequest): boolean {
  // A refresh shows the records as of its start, so an earlier refresh never answers a later one.
  if (runRequest.refresh) return true;
  if (runRequest.isChild) return !hasRead(body, runRequest);
  return (
    runRequest.startFor !== undefined &&
    runRequest.isBefore(runRequest.startFor(runRequest.serves, body.cursor), body.start)
  );
}

/** For a child: returns whether the run reads the epoch that this fan-out has caused. */
function hasRead({ parent_epoch, ids }: RunState, { epoch }: RunRequest): boolean {
  if (!epoch) return false;
  if (parent_epoch) return isSameEpoch(epoch.ref, parent_epoch);
  return ids.some((id) => epoch.fan_outs.includes(id));
}

export const isSameEpoch = (first: EpochRef, second: EpochRef): boolean =>
  first.slot === second.slot && first.id === second.id;

const wishOf = ({ id, refresh, serves }: RunRequest): Wish => ({ id, refresh, serves });

/**
 * Returns the requests that a new run answers: the event, all wishes, and the requests of an unfinished
 * run that is given up. A child reads one epoch, so wishes of a child (refreshes) precede its event.
 */
function requestsFor(stored: StoredState | undefined, runRequest: RunRequest): Wish[] {
  const { body, status, wishes = [] } = stored ?? {};
  const isGivenUp = body && (status === "running" || status === "waiting");
  const before = isGivenUp
    ? [...new Set([...body.ids, ...(stored?.fan_outs ?? [])])].map((id) => ({
        id,
        refresh: body.refresh_asked && body.ids.includes(id),
        serves: body.serves,
      }))
    : [];
  const earlier = [...before, ...wishes].filter(({ id }) => id !== runRequest.id);
  const named = [...before, ...wishes].find(({ id }) => id === runRequest.id);
  const eventRequest = {
    ...wishOf(runRequest),
    refresh: runRequest.refresh || (named?.refresh ?? false),
  };
  if (!runRequest.isChild) return [...earlier, eventRequest];
  const refreshes = [...earlier, eventRequest].filter(({ refresh }) => refresh);
  return refreshes.length > 0 ? refreshes : [eventRequest];
}

function startDecision(
  stored: StoredState | undefined,
  runRequest: RunRequest,
  why?: string,
): RunDecision {
  const requests = requestsFor(stored, runRequest);
  const ids = requests.map(({ id }) => id);
  const runId = ids.at(-1) as string;
  const refreshAsked = requests.some(({ refresh }) => refresh);
  const serves = requests.some((request) => request.serves === null)
    ? null
    : [...new Set(requests.flatMap((request) => request.serves ?? []))];
  const body = newRun(stored, runRequest, { ids, runId, refreshAsked, serves });
  const initial = runRequest.initial ?? null;
  const note =
    why ??
    (body.initial === initial || runRequest.isRelative
      ? undefined
      : ignoredInitialNote(body.cursor, initial));
  const { wishes = [] } = stored ?? {};
  return {
    kind: "start",
    runId,
    body,
    fanOuts: ids,
    wishes: wishes.filter(({ id }) => !ids.includes(id)),
    isOthers: !ids.includes(runRequest.id),
    ...(note ? { note } : {}),
  };
}

/** Returns the first state of a new run, made from its requests and the state of the last run. */
function newRun(
  stored: StoredState | undefined,
  runRequest: RunRequest,
  requested: Pick<RunState, "ids" | "serves"> & { runId: string; refreshAsked: boolean },
): RunState {
  const last = stored?.body ?? undefined;
  const { runId, ids, serves, refreshAsked } = requested;
  const refresh = runRequest.sweeps && (refreshAsked || runRequest.replaces);
  const before = last?.cursor_path === runRequest.cursorPath ? last : undefined;
  const cursor = before?.cursor ?? null;
  const initial =
    cursor === null
      ? (runRequest.initial ?? null)
      : // A start that moves must not pass a cursor that began without one.
        (before?.initial ?? (runRequest.isRelative ? null : runRequest.initial) ?? null);
  const readsWhole =
    /* planted: refresh-reads-everything */ refreshAsked ||
    runRequest.replaces ||
    !runRequest.startFor;
  const from = readsWhole ? null : (runRequest.startFor?.(serves, cursor) ?? null);
  const startedAt = new Date(runRequest.now).toISOString();
  const isDone = stored?.status === "done";
  const earlierRun = last && { rows: last.rows, lastWhole: last.last_whole, isDone };
  const rows = runRequest.rows({ runId, refresh, refreshAsked }, earlierRun);
  return {
    ...initialState,
    plan_hash: runRequest.planHash,
    table_id: runRequest.tableId,
    ids,
    read_id: readIdFor(stored, runRequest.newReadId),
    started_at: startedAt,
    refresh,
    refresh_asked: refreshAsked,
    coverage: coverageOf(runRequest, { isWhole: refreshAsked || refresh, from }),
    range: runRequest.startFor ? { start: from, end: null } : null,
    serves,
    counts: zeroCounts(),
    cursor,
    cursor_path: runRequest.cursorPath,
    start: from,
    initial,
    epoch: (stored?.token ?? 0) + 1,
    root_began_at: startedAt,
    served: last?.served ?? null,
    consumed: last?.consumed ?? null,
    failures: { ...(last?.failures ?? noFailures), is_counted: false },
    last_sweep: last?.last_sweep ?? null,
    last_whole: lastWholeAtStart(last, { rows, runId }),
    boundary: last?.boundary ?? [],
    rows,
  };
}

/**
 * The id of a read that begins. It is handed on until a read has completed: from a read that failed, and
 * from a sample, to the next one. So the records that both have read are the same rows.
 */
export function readIdFor(stored: StoredState | undefined, newReadId: () => string): string {
  const handedOn =
    /* planted: read-id-is-handed-on */ stored?.status === "done" ? null : stored?.body?.read_id;
  return handedOn || stored?.next_read_id || newReadId();
}

/** The fields that are equal at the beginning of every run. */
const initialState = Object.freeze({
  format: FORMAT_NUMBER,
  slices: 1,
  phase: "read",
  page: 0,
  next: null,
  candidate: null,
  window: null,
  api_time: null,
  loops: null,
  blocks: 0,
  root_ended_at: null,
  parent_epoch: null,
  at: null,
  not_found: [],
  is_second_try: false,
  parents_read: 0,
  parents_gone: 0,
  lacks_parents: false,
  skipped_parents: false,
  lacks_keys: false,
  is_numbered: false,
  sweep: null,
  deaths: 0,
  waits: 0,
}) satisfies Partial<RunState>;

const noFailures = { runs: 0, passed: 0, last_at: null, is_counted: false };

function coverageOf(
  { startFor, hasParentCursors }: RunRequest,
  { isWhole, from }: { isWhole: boolean; from: Cursor },
): Coverage {
  if (isWhole) return "everything";
  if (hasParentCursors) return "changes";
  return startFor && from !== null ? "changes" : "everything";
}

/** A note for people who changed initial_value, which only the first run uses. */
const ignoredInitialNote = (cursor: Cursor, initialValue: Cursor): string =>
  `initial_value is ${initialValue} now, and the cursor stands at ${cursor}: a full refresh, or tidetable reset, reads from there`;

/** Returns whether a tick starts a worker: for an unfinished run without a worker, or for a wish. */
export function isDue(stored: StoredState, now: number): boolean {
  const { status, lease, not_before, wishes } = stored;
  if (status === "running") return !lease || now >= lease.until + TAKEOVER_MS;
  if (status === "waiting") return !not_before || Date.parse(not_before) <= now;
  return wishes.length > 0 && !isHeld(stored, now);
}

/** Returns the id of the run that a tick continues, or of the newest wish. */
export const dueRunId = ({ status, run_id, wishes }: StoredState): string | null =>
  status === "running" || status === "waiting" ? run_id : (wishes.at(-1)?.id ?? null);
