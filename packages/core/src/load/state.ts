import { LeaseError } from "../errors.ts";
import { type Cursor, noCounts } from "../flow.ts";
import { type Before, type RowsState, rowsGoingOn } from "./rows-state.ts";
import {
  type Fields,
  type RunState,
  type SpoolState,
  type Status,
  type StoredState,
  updateState,
} from "./state-item.ts";
import type { Place, StateWorld } from "./state-query.ts";

/*
 * The state item of a resource (pk `source#resource`, sk `state`) is the truth about its runs.
 * Every step is one conditional UpdateItem that moves position, counts and lease together, so that
 * a worker which was paused, duplicated or started late can not move anything.
 */

/** How long a lease lasts; each checkpoint renews it. */
export const LEASE_MS = 50_000;
/** A takeover starts this long after a lease's end: what its holder had sent has landed by then. */
export const TAKEOVER_MS = 10_000;

/** Which run a worker is to work on, decided from what is stored. */
export type Opening =
  | { kind: "start" | "continue"; runId: string; body: RunState; note?: string }
  /** Nothing to do: this run has ended (a second delivery of its event). */
  | { kind: "ended"; runId: string; body: RunState }
  /** Nothing to do yet: the API asked to wait until then. */
  | { kind: "wait"; runId: string; body: RunState; notBefore: string }
  /** One page has killed too many workers: the run is to fail. */
  | { kind: "poison"; runId: string; body: RunState };

export interface Wanted {
  runId: string;
  refresh: boolean;
  planHash: string;
  tableId: string | null;
  cursorPath: string | null;
  /** The config's initial_value. */
  initial?: Cursor;
  /** The run is for the children of the resource alone. */
  spoolOnly?: boolean;
  /** A child of an incremental parent: it goes on in the spool where its last run ended. */
  followsSpool?: boolean;
  /** What a new run goes by, of what an earlier one has left. */
  rows: (refresh: boolean, before: Before | undefined) => RowsState;
  now: number;
}

/** A third worker's death on one page is no accident. */
const DEATHS = 3;

/** Pure: the run that an event means, given what is stored. */
export function opening(stored: StoredState | undefined, want: Wanted): Opening {
  if (!stored?.body || !stored.run_id) return start(want);
  const { body, run_id: runId, status } = stored;
  const before = { rows: body.rows, isDone: status === "done" };
  const anew = (last: RunState | undefined, note?: string) =>
    start(want, last, note, spoolBehind(body, status), last && before);
  if (body.table_id !== want.tableId) {
    return anew(
      undefined,
      "the table is not the one that the state was kept for; starting from nothing",
    );
  }
  if (status === "done") return runId === want.runId ? { kind: "ended", runId, body } : anew(body);
  // A failed run goes on only by its own retry; anything newer starts anew.
  if (status === "failed" && runId !== want.runId) return anew(body);
  if (body.plan_hash !== want.planHash) {
    return anew(body, "the config changed since the interrupted run; starting anew");
  }
  if (status === "waiting" && stored.not_before && Date.parse(stored.not_before) > want.now) {
    return { kind: "wait", runId, body, notBefore: stored.not_before };
  }
  // A lease that was never given back is a worker that died.
  const deaths = body.deaths + (stored.lease ? 1 : 0);
  const goesOn = {
    ...body,
    deaths,
    slices: body.slices + 1,
    refresh_next: body.refresh_next || (want.refresh && !body.refresh),
    spool: coveredBy(body.spool, want.runId),
    rows: rowsGoingOn(body.rows, runId),
  };
  return { kind: deaths >= DEATHS ? "poison" : "continue", runId, body: goesOn };
}

function start(
  want: Wanted,
  last?: RunState,
  why?: string,
  spool: Pick<SpoolState, "log" | "end" | "past"> = { log: want.runId, end: 0, past: [] },
  rows?: Before,
): Opening {
  const refresh = want.refresh || (last?.refresh_next ?? false);
  const before = last?.cursor_path === want.cursorPath ? last : undefined;
  const { cursor = null, edge = [] } = before ?? {};
  const wanted = want.initial ?? null;
  const initial = cursor === null ? wanted : (before?.initial ?? wanted);
  const note = why ?? (initial === wanted ? undefined : unheard(cursor, wanted));
  const body: RunState = {
    plan_hash: want.planHash,
    table_id: want.tableId,
    started_at: new Date(want.now).toISOString(),
    slices: 1,
    refresh,
    refresh_next: false,
    phase: "read",
    page: 0,
    next: null,
    counts: noCounts(),
    cursor,
    cursor_path: want.cursorPath,
    initial,
    candidate: null,
    known: want.refresh ? [] : edge.map(([id]) => id),
    edge: want.refresh ? [] : edge,
    window: null,
    api_time: null,
    loops: null,
    spool: { ...spool, run_ids: [want.runId], start: spool.end },
    at: want.followsSpool && !want.refresh ? (last?.at ?? null) : null,
    spool_only: want.spoolOnly ?? false,
    rows: want.rows(refresh, rows),
    sweep: null,
    deaths: 0,
    waits: 0,
  };
  return { kind: "start", runId: want.runId, body, ...(note === undefined ? {} : { note }) };
}

/** An initial_value is for the first run: people change it and wonder. */
const unheard = (cursor: Cursor, wanted: Cursor): string =>
  `initial_value is ${wanted} now, and the cursor stands at ${cursor}: a full refresh, or tidetable reset, reads from there`;

/** So many runs may end while a child still reads the records of one. */
const PAST = 20;

/** Pure: what a new run has to know of the spool. What a run wrote that failed belongs to nobody. */
function spoolBehind({ spool }: RunState, status: StoredState["status"]) {
  if (!spool) return undefined;
  const { log, past, ...part } = spool;
  return { log, end: part.end, past: status === "done" ? [...past, part].slice(-PAST) : past };
}

/** An event that meets an unfinished run is content with what that run reads. */
function coveredBy(spool: SpoolState, runId: string): SpoolState {
  const { run_ids } = spool;
  return run_ids.includes(runId) ? spool : { ...spool, run_ids: [...run_ids, runId].slice(-PAST) };
}

/** Pure: whether nobody works on an unfinished run that could be gone on with. */
export function isDue({ status, lease, not_before }: StoredState, now: number): boolean {
  if (status === "running") return !lease || now >= lease.until + TAKEOVER_MS;
  return status === "waiting" && (!not_before || Date.parse(not_before) <= now);
}

/** The right to write a resource, and the only way to move its state. */
export interface Lease {
  /** Grows from holder to holder: what an older one sends later is told by it. */
  readonly token: number;
  /** Throws a LeaseError when the lease may have run out. Called before every batch. */
  guard(): void;
  renew(): Promise<void>;
  /** Moves the run to `body`, everything before which is durable by now. Renews, too. */
  checkpoint(body: RunState): Promise<void>;
  /** The last step: the run's status, and the lease goes back. */
  release(end: { status: Status; body: RunState; notBefore?: string | undefined }): Promise<void>;
  /** Gives the lease back and leaves everything else as it stands. */
  letGo(): Promise<void>;
}

/**
 * Takes the lease, on top of the state that the decision was made from (somebody else's step in
 * between makes this fail), or throws LeaseError `state.lease_held`. `owner` is unique per
 * invocation: a platform's retry has the request id of its dead predecessor, or of its living twin.
 */
export async function takeLease(
  world: StateWorld,
  place: Place,
  stored: StoredState | undefined,
  { owner, run }: { owner: string; run: { runId: string; body: RunState } | undefined },
): Promise<Lease> {
  const { clock } = world;
  if (stored?.lease && clock.now() < stored.lease.until + TAKEOVER_MS)
    throw leaseHeld(stored.lease);

  let token = stored?.token ?? 0;
  let seq = stored?.seq ?? 0;
  let until = 0;

  // One after the other: each is conditional on the one before.
  let last: Promise<unknown> = Promise.resolve();
  function step(fields: Fields, how: { take?: true; giveBack?: true } = {}): Promise<void> {
    const next = last.then(() => move(fields, how));
    last = next.catch(() => {});
    return next;
  }

  async function move(
    fields: Fields,
    { take, giveBack }: { take?: true; giveBack?: true },
  ): Promise<void> {
    // Counted from before the request: the lease may only seem shorter than it is, never longer.
    const asked = clock.monotonic();
    const next = { token: take ? token + 1 : token, seq: seq + 1 };
    await updateState(world, place, {
      expected: { token, seq },
      fields: {
        ...fields,
        ...next,
        ...(take ? { lease_owner: owner } : {}),
        ...(giveBack
          ? { lease_owner: null, lease_until: null }
          : { lease_until: clock.now() + LEASE_MS }),
        write_id: `${next.token}.${next.seq}.${Math.floor(world.random() * 2 ** 48).toString(36)}`,
        updated_at: new Date(clock.now()).toISOString(),
      },
    });
    ({ token, seq } = next);
    until = giveBack ? 0 : asked + LEASE_MS;
  }

  const runFields = (status: Status, body: RunState, notBefore?: string): Fields => ({
    status,
    not_before: notBefore ?? null,
    body: JSON.stringify(body),
  });

  await step(run ? { run_id: run.runId, ...runFields("running", run.body) } : {}, {
    take: true,
  }).catch((error: unknown) => {
    throw error instanceof LeaseError ? leaseHeld() : error;
  });

  return {
    token,
    guard() {
      if (clock.monotonic() >= until) throw leaseLost();
    },
    renew: () => step({}),
    checkpoint: (body) => step(runFields("running", body)),
    release({ status, body, notBefore }) {
      const success: Fields =
        status === "done" && !body.spool_only
          ? { succeeded_at: new Date(clock.now()).toISOString() }
          : {};
      return step({ ...runFields(status, body, notBefore), ...success }, { giveBack: true });
    },
    letGo: () => step({}, { giveBack: true }),
  };
}

function leaseHeld(lease?: { owner: string; until: number }): LeaseError {
  const by = lease ? ` (${lease.owner}, until ${new Date(lease.until).toISOString()})` : "";
  return new LeaseError({
    code: "state.lease_held",
    message: `another worker is writing this resource${by}`,
    hint: "it goes on there; run again when it has ended",
  });
}

function leaseLost(): LeaseError {
  return new LeaseError({
    code: "state.lease_lost",
    message: "this worker's lease ran out before it could write",
    hint: "the next run continues from the checkpoint; nothing is lost",
  });
}
