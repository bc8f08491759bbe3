import type { ResourceRef } from "../../packages/core/src/base/resource-ref.ts";
import { zeroCounts } from "../../packages/core/src/report/counts.ts";
import { noKnownRows } from "../../packages/core/src/state/changed-rows-state.ts";
import type { EpochView } from "../../packages/core/src/state/epochs.ts";
import { Lease, type TakenRun } from "../../packages/core/src/state/lease.ts";
import { decideRun, type RunRequest } from "../../packages/core/src/state/opening.ts";
import {
  FORMAT_NUMBER,
  type RunState,
  type Slot,
} from "../../packages/core/src/state/run-state.ts";
import { readState, type StoredState } from "../../packages/core/src/state/state-item.ts";
import type { StateWorld } from "../../packages/core/src/state/state-table.ts";

/* States as a test needs them: whole, and otherwise only where the test says so. */

export const BEGAN = Date.UTC(2026, 0, 1);

const beganAt = new Date(BEGAN).toISOString();

/** A run "r1" that has not read a page. */
export const runStateOf = (changes: Partial<RunState> = {}): RunState => ({
  format: FORMAT_NUMBER,
  plan_hash: "plan",
  table_id: "table",
  ids: ["r1"],
  read_id: "read-1",
  started_at: beganAt,
  slices: 1,
  refresh: false,
  refresh_asked: false,
  coverage: "everything",
  range: null,
  serves: null,
  phase: "read",
  page: 0,
  next: null,
  counts: zeroCounts(),
  cursor: null,
  cursor_path: null,
  start: null,
  initial: null,
  candidate: null,
  window: null,
  api_time: null,
  loops: null,
  blocks: 0,
  epoch: 1,
  root_began_at: beganAt,
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
  boundary: [],
  last_whole: null,
  rows: noKnownRows,
  sweep: null,
  deaths: 0,
  waits: 0,
  ...changes,
});

/** The state item of that run, which is under way without a worker. */
export const storedStateOf = (changes: Partial<StoredState> = {}): StoredState => ({
  status: "running",
  run_id: "r1",
  token: 3,
  seq: 9,
  write_id: "",
  lease: null,
  not_before: null,
  updated_at: "",
  succeeded_at: null,
  body: runStateOf(),
  fan_outs: ["r1"],
  wishes: [],
  next_read_id: null,
  isNewer: false,
  ...changes,
});

/** An event "r2" that asks for an ordinary run of a resource without cursor, parent or children. */
export const wantedOf = (changes: Partial<RunRequest> = {}): RunRequest => ({
  id: "r2",
  refresh: false,
  serves: null,
  endedAs: null,
  planHash: "plan",
  tableId: "table",
  cursorPath: null,
  replaces: false,
  sweeps: true,
  startFor: undefined,
  isBefore: (value, other) => other !== null && (value === null || value < other),
  isChild: false,
  epoch: undefined,
  hasParentCursors: false,
  rows: () => noKnownRows,
  isStranded: false,
  newReadId: () => "read-2",
  now: BEGAN + 1000,
  ...changes,
});

/** The run that such an event begins, as `Lease.take` needs it. */
export function newRun(changes: Partial<RunRequest> = {}): TakenRun {
  const decision = decideRun(undefined, wantedOf(changes));
  if (decision.kind !== "start") throw new Error(`the event means "${decision.kind}"`);
  return decision;
}

/** Takes a lease that nobody else asks for, on top of what is stored. */
export async function takeLease(
  world: StateWorld,
  place: ResourceRef,
  { slot = "own", owner, run }: { slot?: Slot; owner: string; run?: TakenRun | undefined },
): Promise<Lease> {
  const stored = await readState(world, place, slot);
  const lease = await Lease.take(world, { resourceRef: place, slot, owner, stored, run });
  if (!lease) throw new Error("the state has changed");
  return lease;
}

/** An epoch that "r2" has caused. */
export const epochViewOf = (changes: Partial<EpochView> = {}): EpochView => ({
  coverage: "everything",
  range: null,
  plan_hash: "plan",
  is_numbered: false,
  began_at: beganAt,
  ended_at: null,
  fan_outs: ["r2"],
  blocks: 0,
  ref: { slot: "own", id: 1 },
  status: "open",
  ...changes,
});
