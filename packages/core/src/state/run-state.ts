import type { PageRequest } from "../extract/paging/page-request.ts";
import type { Cursor } from "../flow.ts";
import type { Counts } from "../report/counts.ts";
import type { WriteChoice } from "./choose-writes.ts";

/*
 * The state of a run, and the row state that lets later runs put only changed rows.
 */

/** The blocks of a log, which hold the fingerprints of rows. */
export interface RowLog {
  /** The id of the run that began the log. */
  id: string;
  /** The first block, and the block after the last. */
  start: number;
  end: number;
  /** The minimum number of rows in the log. */
  rows: number;
  /** A refresh began the log, so the log has every row of the table. */
  whole?: boolean;
}

/** The keys that a whole read saw. */
export interface WholeRead extends RowLog {
  /** The keys of rows that later runs have put. */
  since?: RowLog;
  /** A worker died after it had put rows: only the refresh under way may use what is left. */
  since_lacks_rows?: true;
}

/** The row state, a part of the run state. */
export interface RowsState {
  /** The method by which this run decides which rows to put. */
  how: WriteChoice["how"];
  /** The log of every row, if this run uses a log of earlier runs. */
  known: RowLog | null;
  /** The log that this run writes. `kept`: later runs may use the log. */
  log: (RowLog & { kept: boolean }) | null;
  /** A worker is writing, or died while writing, so a put may exist that is in no log. */
  open: boolean;
  /** A worker died or failed in this run or the last one, so no log can be trusted. */
  in_doubt: boolean;
  /** The last successful run. */
  last: { how: WriteChoice["how"]; records: number; unchanged: number } | null;
}

/** The format of what this version stores. Items of the first format have no number. */
export const FORMAT_NUMBER = 2;

/** The coverage of a read: all records of the API (in the range), or changes since a cursor. */
export type Coverage = "everything" | "changes";

/**
 * The cursor values of an incremental resource that a read covers. `start` null: from the beginning.
 * `end` is null during the read, and after a read without records.
 */
export interface CursorRange {
  start: Cursor;
  end: Cursor;
}

/** A read of a resource as its children see it (`epochs.ts`). */
export interface Epoch {
  coverage: Coverage;
  /** The range of the nearest resource with a cursor (self or ancestor); null without a cursor. */
  range: CursorRange | null;
  /** The hash of the plan of the read. A different plan may need different fields. */
  plan_hash: string;
  /** Pages of the read or of an ancestor are numbered without overlap, so a record may be missed. */
  is_numbered: boolean;
  /** When the first read of the fan-out began and ended; a child never goes back to an older one. */
  began_at: string;
  ended_at: string | null;
  /** The fan-outs whose children read the epoch. */
  fan_outs: string[];
  /** The number of blocks in the spool. */
  blocks: number;
}

/** The id of an epoch, and the parent's slot that holds the epoch. */
export interface EpochRef {
  slot: Slot;
  id: number;
}

/** The runs of a resource, or its reads for children that were requested without the resource. */
export type Slot = "own" | "for_children";

/** The state of a run, stored by every checkpoint. */
export interface RunState {
  /** The format of this state; `migrate.ts` reads the earlier ones. */
  format: number;
  plan_hash: string;
  /** The table's identity: another table under the same name starts from nothing. */
  table_id: string | null;
  /** The fan-outs that this run answers, including those with a wish. */
  ids: string[];
  /** Part of the names of rows without a primary key. */
  read_id: string;
  started_at: string;
  slices: number;
  /** A refresh reads everything and then sweeps unseen rows. */
  refresh: boolean;
  /** A person requested this refresh. A `replace` resource refreshes in every run. */
  refresh_asked: boolean;
  /** Decided when the read begins; of a child's read it can still become `changes` at its end. */
  coverage: Coverage;
  /** The covered range of the nearest cursor, of the resource or an ancestor. */
  range: CursorRange | null;
  /** The descendants that this read goes back for; null: all. */
  serves: string[] | null;
  /** Reading pages, then for a refresh counting and sweeping what it did not see, then nothing. */
  phase: "read" | "count" | "sweep" | "end";
  /** The number of durable pages. */
  page: number;
  /** The next page's request; null asks for the first page of the series. */
  next: PageRequest | null;
  counts: Counts;
  /** The resource's own cursor: frozen while a run is under way, committed at its end. */
  cursor: Cursor;
  /** The field that the cursor is of: a cursor of another field means nothing. */
  cursor_path: string | null;
  /** The cursor that this read starts from: its own, or a descendant's that is further back. */
  start: Cursor;
  /** The initial_value that the cursor began from. */
  initial: Cursor;
  /** The furthest cursor value that this run has seen. */
  candidate: Cursor;
  /** Start of the current window of a backfill; null in the first one. */
  window: Cursor;
  /** The API's own clock at the first page, epoch milliseconds. */
  api_time: number | null;
  /** Detects pages or requests that repeat. */
  loops: LoopGuard | null;
  /** The number of durable blocks in the spool. */
  blocks: number;
  /** The token under which this read began: the id of its epoch. */
  epoch: number;
  /** The begin and end of the topmost read of this fan-out. */
  root_began_at: string;
  root_ended_at: string | null;
  /** The cursor of an incremental ancestor up to which this resource was served. */
  served: { cursor: Cursor; path: string } | null;
  /** The parent's read whose records this run reads. */
  parent_epoch: EpochRef | null;
  /** The newest of the parent's reads that this resource has read all of. */
  consumed: { ref: EpochRef; ended_at: string } | null;
  /** Position in the parent's spool; null before the run is bound. */
  at: SpoolPlace | null;
  /** Parent records whose request answered "not found": requested again at the end. */
  not_found: SpoolPlace[];
  /** The run is requesting the not found records again. */
  is_second_try: boolean;
  /** The number of requested parent records, and the number that are gone. */
  parents_read: number;
  parents_gone: number;
  /** A parent record was quarantined, so this read does not cover everything. */
  lacks_parents: boolean;
  /** A parent record was quarantined because its request failed. */
  skipped_parents: boolean;
  /** A record without a usable key was quarantined, so a sweep could delete its row. */
  lacks_keys: boolean;
  /** Pages of the read or of an ancestor are numbered without overlap, so a row may be missed. */
  is_numbered: boolean;
  /** Runs that failed in a row, and fan-outs passed over since the last of them. */
  failures: { runs: number; passed: number; last_at: string | null; is_counted: boolean };
  /** The record count of the last read with a sweep; null before the first sweep. */
  last_sweep: number | null;
  /**
   * Hashes of appended records at the cursor, which format 1 stored under other names. The next read
   * leaves them out. Empty after it.
   */
  boundary: string[];
  /** The keys that the last whole read saw, if its pages were numbered. */
  last_whole: WholeRead | null;
  /** The row state, including the rows that a refresh has seen. */
  rows: RowsState;
  sweep: SweepState | null;
  /** Workers that died, and waits that the API asked for, since the last page. */
  deaths: number;
  waits: number;
}

/** A record in a spool. */
export interface SpoolPlace {
  block: number;
  row: number;
}

/** The position of a pass over the table. */
export interface SweepState {
  /** The key after which the scan continues; null at the start of a pass. */
  from: Record<string, string> | null;
  rows: number;
  unseen: number;
}

/** Marks of an earlier page, to detect pages that repeat (`loop-guard.ts`). */
export interface LoopGuard {
  /** Hashes of the keys, the records and the next request of the remembered page. */
  keys: string | null;
  content: string | null;
  next: string | null;
  /** The number of pages with these records. */
  times: number;
  /** Steps since the remembered page, and the step at which a new page is remembered. */
  steps: number;
  until: number;
}
