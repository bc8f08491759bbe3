import { tableName } from "../base/names.ts";
import { countStep, deleteStep, refusal, type Sweeping } from "../load/delete-unseen.ts";
import { isMissing, readPrints } from "../load/fingerprint-log.ts";
import { type Prints, printTable, seenIn } from "../load/fingerprints.ts";
import { keyTextOf } from "../normalize/keys.ts";
import type { Counts } from "../report/counts.ts";
import type { RowLog, RunState, SweepState } from "../state/run-state.ts";
import type { Job } from "./job.ts";
import { pacer } from "./pacer.ts";

const atStart: SweepState = { from: null, rows: 0, unseen: 0 };

/**
 * The end of a refresh: counts the rows that it did not see, lets the guard decide, and deletes
 * them, unless fingerprints show that there are none. Calls `moved` behind every step; ends between
 * steps when time is short.
 */
export async function sweep(
  job: Job,
  from: RunState,
  moved: (state: RunState) => void,
): Promise<RunState> {
  const { resource, world, lease, counts } = job;
  const pace = pacer(world);
  let state = from;
  if (!isOpen(state) || !pace.hasTime()) return state;
  const shown = state.rows.log ? await keysOf(state.rows.log, job) : printTable();
  if (await isAllThere(state, shown, job)) {
    state = { ...state, phase: "end" };
    moved(state);
    return state;
  }
  const of: Sweeping = {
    ...world,
    table: tableName(world.names, resource),
    key: resource.key,
    seen: seenIn(shown),
    keyText: (item) => keyTextOf(item, resource.key),
    guard: lease.guard,
  };
  while (isOpen(state) && pace.hasTime()) {
    const ended = pace.begin();
    const work = state.phase === "count" ? count(state, of, job) : remove(state, of, counts);
    state = { ...(await work), counts: { ...counts }, deaths: 0 };
    await lease.checkpoint(state);
    ended();
    moved(state);
  }
  return state;
}

/** The keys that a log tells of. That of a refresh has every key that it was shown. */
const keysOf = (log: RowLog, { world, resourceRef }: Job): Promise<Prints> =>
  readPrints(world, { resourceRef, log: log.id }, log, printTable(log.rows, "keys"));

/**
 * Whether each row that the table has by its fingerprints was shown again: then no row has gone, and
 * the table need not be read.
 */
async function isAllThere(
  { phase, sweep, rows: { how, known } }: RunState,
  shown: Prints,
  job: Job,
): Promise<boolean> {
  if (phase !== "count" || sweep || how !== "fingerprints" || !known?.whole) return false;
  try {
    for (const print of await keysOf(known, job)) if (shown.find(print) === "new") return false;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

const isOpen = ({ phase }: RunState) => phase === "count" || phase === "sweep";

async function count(state: RunState, of: Sweeping, { resource }: Job): Promise<RunState> {
  const sweep = await countStep(state.sweep ?? atStart, of);
  if (sweep.from) return { ...state, sweep };
  const refused = resource.allowShrink ? undefined : refusal(sweep, state.rows.log?.rows ?? 0);
  if (refused) throw refused;
  return { ...state, sweep, phase: sweep.unseen === 0 ? "end" : "sweep" };
}

async function remove(state: RunState, of: Sweeping, counts: Counts): Promise<RunState> {
  const { sweep, deleted } = await deleteStep(state.sweep ?? atStart, of);
  counts.deleted += deleted;
  return { ...state, sweep, phase: sweep.from ? "sweep" : "end" };
}
