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

/** What a run knows about itself; it moves with every checkpoint. */
export interface RunState {
  plan_hash: string;
  /** The table's identity: another table under the same name starts from nothing. */
  table_id: string | null;
  started_at: string;
  slices: number;
  /** A refresh reads everything and then sweeps the rows that it did not see. */
  refresh: boolean;
  /** A refresh was asked for while this run was unfinished: the next run is one. */
  refresh_next: boolean;
  /** Reading pages, then for a refresh counting and sweeping what it did not see, then nothing. */
  phase: "read" | "count" | "sweep" | "end";
  /** How many pages are durable. */
  page: number;
  /** What to ask the API for next; null asks for the first page. */
  next: PageRequest | null;
  counts: Counts;
  /** Where a run starts from: frozen while one is under way, committed at its end. */
  cursor: Cursor;
  /** Which field it is of: a cursor of another field says nothing. */
  cursor_path: string | null;
  /** The initial_value that it began from. */
  initial: Cursor;
  /** The furthest cursor value that this run has seen. */
  candidate: Cursor;
  /** For rows that are appended: what is stored from the cursor on, before this run and by now. */
  known: string[];
  edge: [id: string, value: string | number][];
  /** Where the window of a backfill begins; null in the first. */
  window: Cursor;
  /** The API's own clock at the first page, epoch milliseconds. */
  api_time: number | null;
  /** What shows that pages or their requests repeat. */
  loops: LoopGuard | null;
  /** Where its records stand for its children. */
  spool: SpoolState;
  /** Of a child: the record of the parent that it reads. Null before it knows where to begin. */
  at: SpoolPosition | null;
  /** It reads for its children's sake alone: nothing is stored, and no cursor moves. */
  spool_only: boolean;
  /** What is known of the table's rows, and which of them a refresh has seen. */
  rows: RowsState;
  sweep: SweepState | null;
  /** Workers that died, and waits that the API asked for, since the last page. */
  deaths: number;
  waits: number;
}

/** The part of the spool that a run has written. */
export interface SpoolPart {
  /** Of the run, and of the events that met it and were content with it. */
  run_ids: string[];
  /** Its first block, and the one behind its last. */
  start: number;
  end: number;
}

/** A record in a spool. */
export interface SpoolPosition {
  log: string;
  block: number;
  row: number;
}

/** The parts of this run and of those that ended before it, the newest last. */
export interface SpoolState extends SpoolPart {
  /** Its blocks are numbered on from run to run; a reset begins another log. */
  log: string;
  past: SpoolPart[];
}

/** Where a pass over the table stands. */
export interface SweepState {
  /** The key after which the scan goes on; null at the start of a pass. */
  from: Record<string, string> | null;
  rows: number;
  unseen: number;
}

/*
 * Brent's way to find a cycle: remember one page and compare those after it with it; after twice as
 * many steps remember another. A cycle of any length is found within three times its length, with a
 * memory that fits into every checkpoint.
 */

/** What a checkpoint remembers of the pages before. */
export interface LoopGuard {
  /** Of the remembered page: what it held, and what was asked for after it. */
  content: string | null;
  next: string | null;
  /** Steps since then, and after how many another is remembered. */
  steps: number;
  until: number;
}
