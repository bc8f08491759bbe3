import type { ResourcePlan } from "../config/plan-types.ts";
import { chooseWrites } from "./choose-writes.ts";
import type { RowLog, RowsState } from "./run-state.ts";

export const noKnownRows: RowsState = {
  how: "always",
  known: null,
  log: null,
  open: false,
  in_doubt: false,
  last: null,
};

/**
 * Pure: returns the first block of a new log that must not overwrite the given logs: block 0 if there is
 * room for twice as many blocks. If the new log grows further, an old log becomes incomplete, and rows
 * are compared instead.
 */
export function startBeside(logs: readonly Pick<RowLog, "start" | "end">[]): number {
  const longest = Math.max(0, ...logs.map(({ start, end }) => end - start));
  const isFree = logs.every(({ start }) => start >= 2 * longest);
  return isFree ? 0 : Math.max(...logs.map(({ end }) => end));
}

/** The data that the last run has left. */
export interface EarlierRun {
  rows?: RowsState | undefined;
  /** The keys that the last whole read saw, if they are still needed. */
  lastWhole?: RowLog | null;
  /** The last run was successful. */
  isDone: boolean;
}

/** Pure: returns the row state of a new run. `rebuild`: a full refresh was requested. */
export function rowsAtStart(
  resource: Parameters<typeof chooseWrites>[0] & Pick<ResourcePlan, "selected">,
  {
    runId,
    refresh,
    rebuild,
    spoolOnly,
  }: { runId: string; refresh: boolean; rebuild: boolean; spoolOnly: boolean },
  before: EarlierRun | undefined,
): RowsState {
  const { known: knownLog, last, ...past } = before?.rows ?? noKnownRows;
  const failed = before !== undefined && !before.isDone;
  if (spoolOnly || !resource.selected) {
    return {
      ...past,
      known: knownLog,
      last,
      log: null,
      open: false,
      in_doubt: past.in_doubt || past.open || failed,
    };
  }
  const { how: method, log } = chooseWrites(resource, {
    last: last ?? undefined,
    log: knownLog?.rows,
    inDoubt: failed || past.open || past.in_doubt,
    rebuild,
  });
  const goesBy = method === "fingerprints" ? knownLog : null;
  const start = startBeside([goesBy, before?.lastWhole].flatMap((log) => log ?? []));
  const newLog = { id: runId, start, end: start, rows: 0, kept: log, whole: refresh };
  return {
    how: method,
    known: goesBy,
    // The sweep reads the seen rows from the log, so a refresh writes a whole log.
    log: refresh || (log && !goesBy) ? newLog : goesBy && { ...goesBy, kept: true },
    open: true,
    in_doubt: failed || past.open,
    last,
  };
}

/** Pure: returns the row state of the next slice of a run. */
export function rowsAtResume(rows: RowsState | undefined, runId: string): RowsState {
  if (!rows) return { ...noKnownRows, open: true };
  return rows.open ? rowsInDoubt(rows, runId) : { ...rows, open: true };
}

/** Pure: distrusts all fingerprints. A refresh keeps its log, because the sweep needs the seen rows. */
export function rowsInDoubt(rows: RowsState, runId: string): RowsState {
  return {
    ...rows,
    how: rows.how === "fingerprints" ? "compare" : rows.how,
    known: null,
    log: rows.log?.id === runId ? { ...rows.log, kept: false } : null,
    open: true,
    in_doubt: true,
  };
}

/** Pure: returns the row state that a successful run leaves. */
export function rowsAfterRun(
  { how: method, log, in_doubt }: RowsState,
  { records, unchanged }: { records: number; unchanged: number },
): RowsState {
  const { kept, ...logFields } = log ?? {};
  return {
    how: method,
    known: kept && !in_doubt ? (logFields as RowLog) : null,
    log: null,
    open: false,
    in_doubt,
    last: { how: method, records, unchanged },
  };
}
