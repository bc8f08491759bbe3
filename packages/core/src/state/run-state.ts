import type { PageRequest } from "../extract/paging/page-request.ts";
import type { Cursor } from "../flow.ts";
import type { Counts } from "../report/counts.ts";
import type { Choice } from "./choose-writes.ts";

/*
 * What is known of a table's rows from run to run, so that only those are put that have changed.
 */

/** Where the prints of rows stand: the blocks of a log. */
export interface RowLog {
  /** The run that began it. */
  id: string;
  /** Its first block, and the one behind its last. */
  start: number;
  end: number;
  /** How many rows it tells of, at least. */
  rows: number;
  /** A refresh began it: the table has no row of ours that it does not tell of. */
  whole?: boolean;
}

/** Part of a run's state. */
export interface RowsState {
  /** How this run tells which rows it has to put. */
  how: Choice["how"];
  /** The log that tells of every row, where this run goes by one. */
  known: RowLog | null;
  /** The log that it writes. `kept`: when the run is done, it tells of every row. */
  log: (RowLog & { kept: boolean }) | null;
  /** A worker is at it, or was when it died: a put may land that no log tells of. */
  open: boolean;
  /** That has happened, in this run or right before it. */
  in_doubt: boolean;
  /** The last run that came to its end. */
  last: { how: Choice["how"]; records: number; unchanged: number } | null;
}

/** The format of what this version stores. Items of the first format have no number. */
export const FORMAT_NUMBER = 2;

/** What a read shows: all that the API has (of its range), or what has changed since a cursor. */
export type Coverage = "everything" | "changes";

/**
 * Which values of an incremental resource's cursor a read covers. `start` null: from the beginning.
 * `end` is null while the read is under way, and when it found nothing.
 */
export interface CursorRange {
  start: Cursor;
  end: Cursor;
}

/** A read of a resource as its children see it (`epochs.ts`). */
export interface Epoch {
  coverage: Coverage;
  /** Of the nearest resource with a cursor, this one or an ancestor; null where there is none. */
  range: CursorRange | null;
  /** Of the plan under which it was read: another one may need other fields. */
  plan_hash: string;
  /** Its pages, or an ancestor's, are numbered and do not overlap: a record may have gone unseen. */
  is_numbered: boolean;
  /** When the first read of the fan-out began and ended; a child never goes back to an older one. */
  began_at: string;
  ended_at: string | null;
  /** The fan-outs whose children read it. */
  fan_outs: string[];
  /** How many blocks its spool has. */
  blocks: number;
}

/** The epoch that a child's run is bound to, and the parent's slot that it stands in. */
export interface EpochRef {
  slot: Slot;
  id: number;
}

/** A resource's own runs, and its reads for children that were asked for without it. */
export type Slot = "own" | "for_children";

/** What a run knows about itself; every checkpoint stores it. */
export interface RunState {
  /** The format of this state; `migrate.ts` reads the earlier ones. */
  format: number;
  plan_hash: string;
  /** The table's identity: another table under the same name starts from nothing. */
  table_id: string | null;
  /** The fan-outs that this run answers: its own, and those whose wishes it has taken. */
  ids: string[];
  /** Names the rows of a read that covers everything, where they have no key of their own. */
  read_id: string;
  started_at: string;
  slices: number;
  /** A refresh reads everything and then sweeps the rows that it did not see. */
  refresh: boolean;
  /** Somebody asked for this refresh; a `replace` resource refreshes in every run. */
  refresh_asked: boolean;
  /** Decided when the read begins; of a child's read it can still become `changes` at its end. */
  coverage: Coverage;
  /** What the read covers of the nearest cursor, its own or an ancestor's. */
  range: CursorRange | null;
  /** The descendants that this read goes back for; null: all. */
  serves: string[] | null;
  /** Reading pages, then for a refresh counting and sweeping what it did not see, then nothing. */
  phase: "read" | "count" | "sweep" | "end";
  /** How many pages are durable. */
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
  /** How many blocks of its spool are durable. */
  blocks: number;
  /** The token under which this read began: the id of its epoch. */
  epoch: number;
  /** When the topmost read of this fan-out began and ended: this one's, or an ancestor's. */
  root_began_at: string;
  root_ended_at: string | null;
  /** How far this resource has been served of an incremental ancestor's cursor. */
  served: { cursor: Cursor; path: string } | null;
  /** The parent's read whose records this run reads. */
  parent_epoch: EpochRef | null;
  /** The newest of the parent's reads that this resource has read all of. */
  consumed: { ref: EpochRef; ended_at: string } | null;
  /** Position in the parent's spool; null before the run is bound. */
  at: SpoolPlace | null;
  /** Parent records whose request answered "not found": asked for once more at the end. */
  not_found: SpoolPlace[];
  /** Those are being asked for again. */
  is_second_try: boolean;
  /** How many records of the parent were asked for, and how many of them are gone. */
  parents_read: number;
  parents_gone: number;
  /** A parent record was set aside, other than as gone: this read does not cover everything. */
  lacks_parents: boolean;
  /** A parent record was set aside because of what its request was answered. */
  skipped_parents: boolean;
  /** A record without a usable key was set aside: its row cannot be told from one that is gone. */
  lacks_keys: boolean;
  /** Pages of this read, or of an ancestor's, are numbered and do not overlap: a row may go unseen. */
  is_numbered: boolean;
  /** Runs that failed in a row, and fan-outs passed over since the last of them. */
  failures: { runs: number; passed: number; last_at: string | null; is_counted: boolean };
  /** How many records the last read had that swept; null when none ever did. */
  last_sweep: number | null;
  /** The keys that the last whole read saw, where its pages were numbered. */
  last_whole: RowLog | null;
  /** What is known of the table's rows, and which of them a refresh has seen. */
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

/** Where a pass over the table stands. */
export interface SweepState {
  /** The key after which the scan goes on; null at the start of a pass. */
  from: Record<string, string> | null;
  rows: number;
  unseen: number;
}

/** What a checkpoint remembers of the pages before, to find out that they repeat (`loop-guard.ts`). */
export interface LoopGuard {
  /** Of the remembered page: its keys, its whole records, and what was asked for after it. */
  keys: string | null;
  content: string | null;
  next: string | null;
  /** How often its records have come. */
  times: number;
  /** Steps since then, and after how many another page is remembered. */
  steps: number;
  until: number;
}
