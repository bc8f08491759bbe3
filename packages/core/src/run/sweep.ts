import { tableName } from "../base/names.ts";
import { countStep, deleteStep, refusal, type Sweeping } from "../load/delete-unseen.ts";
import { isMissing, readPrints } from "../load/fingerprint-log.ts";
import { type Prints, printTable, seenIn } from "../load/fingerprints.ts";
import { keyTextOf } from "../normalize/keys.ts";
import type { Counts } from "../report/counts.ts";
import type { RowLog, RunState, SweepState } from "../state/run-state.ts";
import type { Job } from "./job.ts";
import type { SweepPermission } from "./may-sweep.ts";
import { pacer } from "./pacer.ts";

const atStart: SweepState = { from: null, rows: 0, unseen: 0 };

const isOpen = ({ phase }: RunState) => phase === "count" || phase === "sweep";

/**
 * The end of a refresh: counts the rows that it did not see, lets the guard decide, and deletes
 * them, unless fingerprints show that there are none. Calls `onCheckpoint` after every step; ends
 * between steps when time is short.
 */
export async function sweep(
  job: Job,
  from: RunState,
  permission: SweepPermission,
  onCheckpoint: (state: RunState) => void,
): Promise<RunState> {
  const { resource, world, lease, counts } = job;
  const pace = pacer(world);
  let state = from;
  if (!isOpen(state) || !pace.hasTime()) return state;
  const seen = await seenKeys(state, permission, job);
  if (!seen || (await isAllThere(state, seen, job))) {
    state = { ...state, phase: "end" };
    onCheckpoint(state);
    return state;
  }
  const isSeen = seenIn(seen);
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
    const step = isCounting ? count(state, sweeping, job) : remove(state, sweeping, counts);
    state = { ...(await step), counts: { ...counts }, deaths: 0 };
    await lease.checkpoint(state);
    ended();
    onCheckpoint(state);
  }
  return state;
}

/**
 * The keys that the read saw; where a row has to be unseen twice, also those of the whole read
 * before. Undefined: there is no such read to compare with yet, so no row goes.
 */
async function seenKeys(
  { rows, last_whole }: RunState,
  { needsTwoReads }: SweepPermission,
  job: Job,
): Promise<Prints | undefined> {
  const seen = printTable(rows.log?.rows, "keys");
  if (rows.log) await addKeys(rows.log, seen, job);
  if (!needsTwoReads) return seen;
  if (!last_whole) return undefined;
  try {
    await addKeys(last_whole, seen, job);
    return seen;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Adds the keys that a log tells of. That of a refresh has every key that it was shown. */
const addKeys = (log: RowLog, into: Prints, { world, place }: Job): Promise<Prints> =>
  readPrints(world, { place, log: log.id }, log, into);

/**
 * Whether each row that the table has by its fingerprints was shown again: then no row has gone, and
 * the table need not be read.
 */
async function isAllThere(
  { phase, sweep: under_way, rows: { how, known } }: RunState,
  seen: Prints,
  job: Job,
): Promise<boolean> {
  if (phase !== "count" || under_way || how !== "fingerprints" || !known?.whole) return false;
  try {
    const before = await addKeys(known, printTable(known.rows, "keys"), job);
    for (const print of before) if (seen.find(print) === "new") return false;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function count(state: RunState, sweeping: Sweeping, { resource }: Job): Promise<RunState> {
  const swept = await countStep(state.sweep ?? atStart, sweeping);
  if (swept.from) return { ...state, sweep: swept };
  const refused = resource.allowShrink
    ? undefined
    : refusal(swept, {
        seen: state.rows.log?.rows ?? 0,
        // Without a key a record that has changed is a row that goes and one that comes.
        lastSeen: /* planted: guard-without-a-key */ resource.key.rowId
          ? state.last_sweep
          : undefined,
      });
  if (refused) throw refused;
  return { ...state, sweep: swept, phase: swept.unseen === 0 ? "end" : "sweep" };
}

async function remove(state: RunState, sweeping: Sweeping, counts: Counts): Promise<RunState> {
  const { sweep: swept, deleted } = await deleteStep(state.sweep ?? atStart, sweeping);
  counts.deleted += deleted;
  return { ...state, sweep: swept, phase: swept.from ? "sweep" : "end" };
}
