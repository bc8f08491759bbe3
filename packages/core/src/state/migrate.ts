import { zeroCounts } from "../report/counts.ts";
import { FORMAT_NUMBER, type RowsState, type RunState } from "./run-state.ts";

/*
 * Converts the state of earlier versions of tidetable. Each step is pure.
 *
 * Format 1 (no number) knew neither epochs nor how far a child has been served, and its
 * fingerprints depended on the order of members. Of a run that had ended, the cursor stays. Children
 * of incremental parents count as never served, so the next read of the parent goes back for them
 * once. A run that had not ended starts anew, because its plan equals none.
 */

/** The parts of a format 1 body that are still used. */
interface BodyOfFormat1 {
  plan_hash: string;
  table_id: string | null;
  started_at: string;
  slices: number;
  refresh: boolean;
  refresh_next: boolean;
  counts: RunState["counts"];
  cursor: RunState["cursor"];
  cursor_path: string | null;
  initial: RunState["initial"];
  phase: RunState["phase"];
  page: number;
  rows?: RowsState;
  spool?: { run_ids: string[] };
  known?: string[];
}

/** The plan hash of a run that has to start anew. No plan has this hash. */
const NO_PLAN = "format 1";

/**
 * Migrates by the format number in the body. The number is in the body because an older version, when
 * deployed again, replaces the body and leaves unknown attributes unchanged.
 */
export function migrateRunState(body: RunState | BodyOfFormat1): RunState {
  return "format" in body ? body : fromFormat1(body);
}

function fromFormat1(body: BodyOfFormat1): RunState {
  const last = body.rows?.last ?? null;
  return {
    format: FORMAT_NUMBER,
    plan_hash: NO_PLAN,
    table_id: body.table_id,
    // The run that starts anew answers the events of the one that did not end.
    ids: body.phase === "end" ? [] : (body.spool?.run_ids ?? []),
    read_id: "",
    started_at: body.started_at,
    slices: body.slices,
    refresh: body.refresh,
    refresh_asked: body.refresh || body.refresh_next,
    coverage: "changes",
    range: null,
    serves: null,
    phase: body.phase,
    page: body.page,
    next: null,
    counts: { ...zeroCounts(), ...body.counts },
    cursor: body.cursor,
    cursor_path: body.cursor_path,
    start: body.cursor,
    initial: body.initial,
    candidate: null,
    window: null,
    api_time: null,
    loops: null,
    blocks: 0,
    epoch: 0,
    root_began_at: body.started_at,
    root_ended_at: null,
    served: null,
    parent_epoch: null,
    consumed: null,
    at: null,
    not_found: [],
    is_second_try: false,
    parents_read: 0,
    parents_gone: 0,
    lacks_parents: false,
    skipped_parents: false,
    lacks_keys: false,
    is_numbered: false,
    failures: { runs: 0, passed: 0, last_at: null, is_counted: false },
    last_sweep: null,
    boundary: body.known ?? [],
    last_whole: null,
    rows: { how: "always", known: null, log: null, open: false, in_doubt: true, last },
    sweep: null,
    deaths: 0,
    waits: 0,
  };
}
