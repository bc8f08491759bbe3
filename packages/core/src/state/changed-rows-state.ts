import type { ResourcePlan } from "../config/plan-types.ts";
import { chooseWrites } from "./choose-writes.ts";
import type { RowLog, RowsState, RunState, WholeRead } from "./run-state.ts";

export const noKnownRows: RowsState = {
  how: "always",
  known: null,
  log: null,
  open: false,
  in_doubt: false,
  last: null,
};

/** The number of blocks between two places for a log. No log has as many. */
const PLACE = 1_000_000;

const placeOf = ({ start }: Pick<RowLog, "start">) => Math.floor(start / PLACE);

/**
 * Pure: returns the first block of a new log that never overwrites the given logs, however long the new
 * log becomes: a slow read writes more blocks than a fast one. Of four places, three logs leave one free.
 */
export function startBeside(logs: readonly Pick<RowLog, "start">[]): number {
  const places = logs.map(placeOf);
  const free = [0, 1, 2, 3].find((place) => !places.includes(place)) as number;
  // planted: logs-stand-beside
  return free * PLACE;
}

/** The logs of the last whole read, whose blocks a new log must not overwrite. */
export const logsOfWholeRead = (lastWhole: WholeRead | null | undefined): RowLog[] =>
  [lastWhole, lastWhole?.since].flatMap((log) => log ?? []);

/**
 * Pure: returns what a new run knows of the last whole read. The run adds the rows that it puts. If a
 * worker died, some of the rows that were put since are in no log.
 */
export function lastWholeAtStart(
  last: Pick<RunState, "rows" | "last_whole"> | undefined,
  { rows, runId }: { rows: RowsState; runId: string },
): WholeRead | null {
  const before = last?.last_whole;
  if (!before || before.since_lacks_rows || last.rows.open) return null;
  if (before.since) return before;
  const start = startBeside([rows.known, rows.log, before].flatMap((log) => log ?? []));
  return { ...before, since: { id: runId, start, end: start, rows: 0 } };
}

/** Pure: returns what the next slice of a run knows. A refresh under way reads its last pages again. */
export function lastWholeAtResume({
  rows,
  last_whole,
  refresh,
}: Pick<RunState, "rows" | "last_whole" | "refresh">): WholeRead | null {
  if (!rows.open || !last_whole) return last_whole;
  return refresh ? { ...last_whole, since_lacks_rows: true } : null;
}

/** The data that the last run has left. */
export interface EarlierRun {
  rows?: RowsState | undefined;
  /** The keys that the last whole read saw, if they are still needed. */
  lastWhole?: WholeRead | null;
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
  const start = startBeside([...(goesBy ? [goesBy] : []), ...logsOfWholeRead(before?.lastWhole)]);
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
