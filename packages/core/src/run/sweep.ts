import { tableName } from "../base/names.ts";
import { countStep, deleteStep, type Sweeping, sweepRefusal } from "../load/delete-unseen.ts";
import { isMissing, readFingerprints } from "../load/fingerprint-log.ts";
import { FingerprintTable, isSeenIn } from "../load/fingerprints.ts";
import { keyTextOf } from "../normalize/keys.ts";
import type { Counts } from "../report/counts.ts";
import { logsOfWholeRead } from "../state/changed-rows-state.ts";
import type { RowLog, RunState, SweepState } from "../state/run-state.ts";
import type { Job } from "./job.ts";
import type { SweepPermission } from "./may-sweep.ts";
import { createPacer } from "./pacer.ts";

const atStart: SweepState = { from: null, rows: 0, unseen: 0 };

const isOpen = ({ phase }: RunState) => phase === "count" || phase === "sweep";

/**
 * Ends a refresh: counts the rows that the read did not see, lets the guard decide, and deletes the
 * rows. The count is skipped when fingerprints show that no row is gone. Calls `onCheckpoint` after
 * every step, and returns between two steps when time is short.
 */
export async function sweepRows(
  job: Job,
  from: RunState,
  permission: SweepPermission,
  onCheckpoint: (state: RunState) => void,
): Promise<RunState> {
  const { resource, world, lease, counts } = job;
  const pace = createPacer(world);
  if (!isOpen(from) || !pace.hasTime()) return from;
  const seen = await seenKeys(from, permission, job);
  const log = from.rows.log && { ...from.rows.log, whole: seen?.keepsNoOther ?? false };
  let state: RunState = { ...from, rows: { ...from.rows, log } };
  if (!seen || (await isAllThere(state, seen.table, job))) {
    state = { ...state, phase: "end" };
    onCheckpoint(state);
    return state;
  }
  const isSeen = isSeenIn(seen.table);
  const keyText = (item: Parameters<typeof keyTextOf>[0]) => keyTextOf(item, resource.key);
  const sweeping: Sweeping = {
    ...world,
    table: tableName(world.names, resource),
    key: resource.key,
    mayGo: (row) => !isSeen(keyText(row)) && permission.isInRange(row),
    isToldByKey: !permission.isRanged,
    guard: () => lease.guard(),
  };
  while (isOpen(state) && pace.hasTime()) {
    const ended = pace.begin();
    const isCounting = state.phase === "count";
    const step = isCounting ? countRows(state, sweeping, job) : deleteRows(state, sweeping, counts);
    state = { ...(await step), counts: { ...counts }, deaths: 0 };
    await lease.checkpoint(state);
    ended();
    onCheckpoint(state);
  }
  return state;
}

/** The keys of the rows that stay. */
interface SeenKeys {
  table: FingerprintTable;
  /** The read itself saw all of them, so its log lists every row that the table has after the sweep. */
  keepsNoOther: boolean;
}

/**
 * Returns the keys that the read saw. If a row must be unseen twice, the keys of the previous whole
 * read, and of the rows that were put since, are added. Undefined when no previous read exists: then no
 * row is deleted.
 */
async function seenKeys(
  { rows, last_whole }: RunState,
  { needsTwoReads }: SweepPermission,
  job: Job,
): Promise<SeenKeys | undefined> {
  const table = new FingerprintTable(rows.log?.rows, "keys");
  if (rows.log) await addKeys(rows.log, table, job);
  if (!needsTwoReads) return { table, keepsNoOther: true };
  if (!last_whole) return undefined;
  try {
    const before = new FingerprintTable(last_whole.rows, "keys");
    for (const log of logsOfWholeRead(last_whole)) await addKeys(log, before, job);
    let keepsNoOther = true;
    for (const fingerprint of before) {
      if (table.match(fingerprint) !== "new") continue;
      // planted: a-whole-log-has-all-rows
      keepsNoOther = false;
      table.add(fingerprint);
    }
    return { table, keepsNoOther };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Adds the keys of a log. The log of a refresh has every key that the API returned. */
const addKeys = (
  log: RowLog,
  into: FingerprintTable,
  { world, resourceRef }: Job,
): Promise<FingerprintTable> => readFingerprints(world, { resourceRef, log: log.id }, log, into);

/**
 * Returns whether the API returned every row that the table has by its fingerprints. Then no row is
 * gone, and the table need not be scanned.
 */
async function isAllThere(
  { phase, sweep: currentSweep, rows }: RunState,
  seenTable: FingerprintTable,
  job: Job,
): Promise<boolean> {
  const knownLog = rows.known;
  if (phase !== "count" || currentSweep) return false;
  if (rows.how !== "fingerprints" || !knownLog?.whole) return false;
  try {
    const before = await addKeys(knownLog, new FingerprintTable(knownLog.rows, "keys"), job);
    for (const fingerprint of before) if (seenTable.match(fingerprint) === "new") return false;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function countRows(
  state: RunState,
  sweeping: Sweeping,
  { resource }: Job,
): Promise<RunState> {
  const swept = await countStep(state.sweep ?? atStart, sweeping);
  if (swept.from) return { ...state, sweep: swept };
  const refused = resource.allowShrink
    ? undefined
    : sweepRefusal(swept, {
        seen: state.rows.log?.rows ?? 0,
        // A changed record without a key deletes one row and adds another.
        lastSeen: /* planted: guard-without-a-key */ resource.key.rowId
          ? state.last_sweep
          : undefined,
      });
  if (refused) throw refused;
  return { ...state, sweep: swept, phase: swept.unseen === 0 ? "end" : "sweep" };
}

async function deleteRows(state: RunState, sweeping: Sweeping, counts: Counts): Promise<RunState> {
  const { sweep: swept, deleted } = await deleteStep(state.sweep ?? atStart, sweeping);
  counts.deleted += deleted;
  return { ...state, sweep: swept, phase: swept.from ? "sweep" : "end" };
}
