import { describe, expect, it } from "vitest";
import { LEASE_MS, TAKEOVER_MS } from "../../packages/core/src/base/timing.ts";
import {
  decideRun,
  dueRunId,
  isDue,
  type RunDecision,
  type RunRequest,
} from "../../packages/core/src/state/opening.ts";
import type { RunState } from "../../packages/core/src/state/run-state.ts";
import type { StoredState } from "../../packages/core/src/state/state-item.ts";
import { BEGAN, epochViewOf, runStateOf, storedStateOf, wantedOf } from "../support/run-state.ts";

/*
 * What is stored is the run "r1" in its middle, and the event is "r2", each but for what a row says.
 */

const next = { params: { offset: 400 } };
const middle: Partial<RunState> = { page: 4, next, read_id: "read-1" };
const stored = (changes: Partial<StoredState> = {}, body: Partial<RunState> = {}): StoredState =>
  storedStateOf({ body: runStateOf({ ...middle, ...body }), ...changes });
const done = (body: Partial<RunState> = {}) => stored({ status: "done" }, body);
const failed = (body: Partial<RunState> = {}) => stored({ status: "failed" }, body);

const NOW = BEGAN + 1000;
const at = (ms: number) => new Date(NOW + ms).toISOString();
const waiting = (ms: number, body: Partial<RunState> = {}) =>
  stored({ status: "waiting", not_before: at(ms) }, body);
const living = { lease: { owner: "a", until: NOW + LEASE_MS } };
const dead = { lease: { owner: "a", until: NOW - TAKEOVER_MS } };

const own: Partial<RunRequest> = { id: "r1" };
const refresh: Partial<RunRequest> = { refresh: true };
const wish = { id: "r2", refresh: false, serves: null };
const refreshWish = { ...wish, refresh: true };

/** The resource has a cursor, which stands at 10; its read goes back as far as `start`. */
const startAt = (start: number | null): Partial<RunRequest> => ({
  cursorPath: "at",
  startFor: () => start,
  isBefore: (value, other) => other !== null && (value === null || value < other),
});
const withCursor: Partial<RunState> = { cursor: 10, cursor_path: "at", start: 10 };

/** A child, whose fan-out has caused the epoch 5 of its parent. */
const isChild: Partial<RunRequest> = {
  isChild: true,
  epoch: epochViewOf({ ref: { slot: "own", id: 5 }, fan_outs: ["r2"] }),
};
const boundTo = (id: number): Partial<RunState> => ({ parent_epoch: { slot: "own", id } });

/** A decision, as far as a row says. A run's state stands in `body`, like in the decision. */
type Expected = { kind: RunDecision["kind"] } & Record<string, unknown>;

const anew = { page: 0, next: null, slices: 1 };

describe("which run an event means", () => {
  it.each<[string, StoredState | undefined, Partial<RunRequest>, Expected]>([
    // Nothing under way
    [
      "nothing is stored: a new run starts",
      undefined,
      {},
      {
        kind: "start",
        runId: "r2",
        body: { ...anew, ids: ["r2"], epoch: 1, read_id: "read-2" },
        fanOuts: ["r2"],
        wishes: [],
        isOthers: false,
      },
    ],
    [
      "only the lease was ever taken: a new run starts, under the next token",
      storedStateOf({ status: "new", run_id: null, body: null, fan_outs: [], token: 7 }),
      {},
      { kind: "start", runId: "r2", body: { ...anew, epoch: 8 } },
    ],
    [
      "the last run is done: a new one starts from its cursor",
      done(withCursor),
      startAt(10),
      { kind: "start", runId: "r2", body: { ...anew, cursor: 10, start: 10, coverage: "changes" } },
    ],
    [
      "the last run is done, and a descendant is further back: the new one starts there, and keeps the cursor",
      done(withCursor),
      startAt(3),
      { kind: "start", body: { cursor: 10, start: 3, range: { start: 3, end: null } } },
    ],
    [
      "the last run is done, and a descendant was never served: the new one covers everything",
      done(withCursor),
      startAt(null),
      { kind: "start", body: { cursor: 10, start: null, coverage: "everything", refresh: false } },
    ],
    [
      "the last run is done: a refresh starts from the beginning and covers everything",
      done(withCursor),
      { ...startAt(10), ...refresh },
      {
        kind: "start",
        body: {
          cursor: 10,
          start: null,
          coverage: "everything",
          refresh: true,
          refresh_asked: true,
        },
      },
    ],
    [
      "every run of a resource that replaces is a refresh that nobody asked for",
      done(),
      { replaces: true },
      { kind: "start", body: { refresh: true, refresh_asked: false, coverage: "everything" } },
    ],
    [
      "a refresh of a resource that is never swept reads everything and is no sweep",
      undefined,
      { ...refresh, sweeps: false },
      { kind: "start", body: { refresh: false, refresh_asked: true, coverage: "everything" } },
    ],
    [
      "a read of a resource with cursors for each parent record covers changes",
      undefined,
      { hasParentCursors: true },
      { kind: "start", body: { coverage: "changes" } },
    ],
    [
      "a refresh of a resource with cursors for each parent record covers everything",
      undefined,
      { ...refresh, hasParentCursors: true },
      { kind: "start", body: { coverage: "everything" } },
    ],
    [
      "the cursor is of another field: the new run forgets it",
      done(withCursor),
      { ...startAt(null), cursorPath: "updated_at" },
      { kind: "start", body: { cursor: null, cursor_path: "updated_at" } },
    ],
    [
      "initial_value has changed: the new run goes on from the cursor, and says so",
      done({ ...withCursor, initial: 1 }),
      { ...startAt(10), initial: 2 },
      {
        kind: "start",
        body: { cursor: 10, initial: 1 },
        note: expect.stringContaining("initial_value is 2 now, and the cursor stands at 10"),
      },
    ],
    [
      "the table is another one: the new run forgets position, cursor and what was served, and says so",
      stored({}, { ...withCursor, served: { cursor: 4, path: "at" } }),
      { ...startAt(null), tableId: "new" },
      {
        kind: "start",
        runId: "r2",
        body: { ...anew, cursor: null, served: null, table_id: "new", epoch: 4 },
        note: expect.stringContaining("not the one"),
      },
    ],
    [
      "a wish is stored: the new run takes it, under the event's name",
      stored({ status: "done", wishes: [{ ...refreshWish, id: "weekly" }] }),
      {},
      {
        kind: "start",
        runId: "r2",
        body: { ids: ["weekly", "r2"], refresh: true, refresh_asked: true },
        fanOuts: ["weekly", "r2"],
        wishes: [],
        isOthers: false,
      },
    ],
    [
      "the event's own wish is stored: the new run is the one that it asked for",
      stored({ status: "done", wishes: [refreshWish] }),
      {},
      { kind: "start", runId: "r2", body: { ids: ["r2"], refresh: true }, wishes: [] },
    ],
    [
      "a child has a refresh wished for: that one starts first, and the event's own run comes after it",
      stored({ status: "done", wishes: [{ ...refreshWish, id: "weekly" }] }),
      isChild,
      {
        kind: "start",
        runId: "weekly",
        body: { ids: ["weekly"], refresh: true },
        wishes: [],
        isOthers: true,
      },
    ],

    // Second deliveries
    ["the event's run is done: nothing is left to do", done(), own, { kind: "ended", runId: "r1" }],
    [
      "the last run was done for the event's wish, too: nothing is left to do",
      done({ ids: ["weekly", "r1"] }),
      { id: "weekly" },
      { kind: "ended", runId: "weekly" },
    ],
    [
      "the history says that the event's run is done: nothing is left to do, whatever runs now",
      stored(),
      { endedAs: "done" },
      { kind: "ended", runId: "r2", body: null },
    ],
    [
      "the history says that the event's run has failed, and another one is under way: it is given up",
      stored(),
      { endedAs: "failed" },
      { kind: "given_up" },
    ],
    [
      "the history says that the event's run has failed, and it is the last one: its retry goes on",
      failed(),
      { ...own, endedAs: "failed" },
      { kind: "continue", runId: "r1", body: { page: 4, next } },
    ],
    [
      "the history says that the event's run is done, and the state says that it is not: it goes on",
      stored(),
      { ...own, endedAs: "done" },
      { kind: "continue", runId: "r1" },
    ],

    // An unfinished run without a worker
    [
      "an unfinished run goes on, whatever the event's own id, which is added to its names",
      stored(),
      {},
      {
        kind: "continue",
        runId: "r1",
        body: { page: 4, next, slices: 2, ids: ["r1", "r2"], deaths: 0 },
        fanOuts: ["r1", "r2"],
        wishes: [],
        isOthers: false,
      },
    ],
    [
      "an unfinished run meets a refresh: it goes on, and the refresh is a wish",
      stored(),
      refresh,
      {
        kind: "continue",
        runId: "r1",
        body: { ids: ["r1"], refresh: false },
        fanOuts: ["r1"],
        wishes: [refreshWish],
        isOthers: true,
      },
    ],
    [
      "an unfinished refresh meets a refresh: the later one is a wish, because it has seen requests",
      stored({}, { refresh: true, refresh_asked: true }),
      refresh,
      { kind: "continue", runId: "r1", wishes: [refreshWish], isOthers: true },
    ],
    [
      "an unfinished refresh meets its own event: it goes on",
      stored({}, { refresh: true, refresh_asked: true }),
      { ...own, ...refresh },
      { kind: "continue", runId: "r1", wishes: [], isOthers: false },
    ],
    [
      "an unfinished run starts less far back than the event needs: it goes on, and the event is a wish",
      stored({}, withCursor),
      startAt(3),
      { kind: "continue", runId: "r1", body: { ids: ["r1"] }, wishes: [wish], isOthers: true },
    ],
    [
      "an unfinished run starts as far back as the event needs: it answers the event",
      stored({}, { ...withCursor, start: 3 }),
      startAt(3),
      { kind: "continue", runId: "r1", wishes: [], isOthers: false },
    ],
    [
      "an unfinished run meets a new config: a new run starts from its cursor for both, and says so",
      stored({ fan_outs: ["r1", "r0"] }, { ...withCursor, refresh_asked: true }),
      { ...startAt(10), planHash: "other" },
      {
        kind: "start",
        runId: "r2",
        body: { ...anew, cursor: 10, ids: ["r1", "r0", "r2"], refresh: true, read_id: "read-1" },
        fanOuts: ["r1", "r0", "r2"],
        isOthers: false,
        note: expect.stringContaining("config changed"),
      },
    ],

    // A waiting run
    [
      "the API asked to wait: the event waits, and leaves its name",
      waiting(1),
      {},
      { kind: "wait", runId: "r1", notBefore: at(1), leaves: "fan_out" },
    ],
    [
      "the API asked to wait: a refresh waits, and leaves its wish",
      waiting(1),
      refresh,
      { kind: "wait", runId: "r1", leaves: "wish" },
    ],
    [
      "the time that the API asked for is over: the run goes on",
      waiting(0),
      {},
      { kind: "continue", runId: "r1", body: { ids: ["r1", "r2"] } },
    ],

    // A failed run
    [
      "a failed run is not gone on with by a newer event",
      failed({ ...withCursor, candidate: 20 }),
      startAt(10),
      { kind: "start", runId: "r2", body: { ...anew, cursor: 10, candidate: null } },
    ],
    [
      "a failed run hands the names of its rows on to its successor",
      failed(),
      {},
      { kind: "start", body: { read_id: "read-1" } },
    ],
    [
      "a run that was done has its names of rows for itself",
      done(),
      {},
      { kind: "start", body: { read_id: "read-2" } },
    ],

    // A living worker
    [
      "a living worker is at the event's own run: nothing is to be done",
      stored(living),
      own,
      { kind: "busy", leaves: "nothing" },
    ],
    [
      "a living worker is at a run that answers the event: it leaves its name",
      stored(living),
      {},
      { kind: "busy", leaves: "fan_out" },
    ],
    [
      "a living worker meets a refresh: it leaves its wish",
      stored(living),
      refresh,
      { kind: "busy", leaves: "wish" },
    ],
    [
      "a living worker is at a read that starts less far back: the event leaves its wish",
      stored(living, withCursor),
      startAt(3),
      { kind: "busy", leaves: "wish" },
    ],
    [
      "a living worker of an older config meets an event: it leaves its wish",
      stored(living),
      { planHash: "other" },
      { kind: "busy", leaves: "wish" },
    ],
    [
      "a living worker that only holds the lease (a sample) meets a plain event: it leaves nothing",
      stored({ ...living, status: "done" }),
      {},
      { kind: "busy", leaves: "nothing" },
    ],
    [
      "a living worker that only holds the lease (a sample) meets a refresh: it leaves its wish",
      stored({ ...living, status: "done" }),
      refresh,
      { kind: "busy", leaves: "wish" },
    ],
    [
      "a lease counts until ten seconds after its end",
      stored({ lease: { owner: "a", until: NOW - TAKEOVER_MS + 1 } }),
      {},
      { kind: "busy", leaves: "fan_out" },
    ],

    // A dead worker
    [
      "a lease that was never given back is a death, and the run goes on",
      stored(dead, { deaths: 1 }),
      {},
      { kind: "continue", runId: "r1", body: { deaths: 2 } },
    ],
    [
      "the third death on one page ends the run",
      stored(dead, { deaths: 2 }),
      {},
      { kind: "poison", runId: "r1", body: { deaths: 3 } },
    ],

    // A child
    [
      "a child's last run has read the epoch that the event has caused: it is answered",
      done(boundTo(5)),
      isChild,
      { kind: "answered" },
    ],
    [
      "a child's last run has read another epoch: a new run starts",
      done(boundTo(4)),
      isChild,
      { kind: "start", runId: "r2" },
    ],
    [
      "a child's last run has read that epoch, and the event is a refresh: a new run starts",
      done(boundTo(5)),
      { ...isChild, ...refresh },
      { kind: "start", runId: "r2", body: { refresh: true } },
    ],
    [
      "a child's unfinished run reads the epoch of the event: it answers the event",
      stored({}, boundTo(5)),
      isChild,
      { kind: "continue", runId: "r1", body: { ids: ["r1", "r2"] }, isOthers: false },
    ],
    [
      "a child's unfinished run reads another epoch: it goes on, and the event's own run comes after it",
      stored({}, boundTo(4)),
      isChild,
      { kind: "continue", runId: "r1", body: { ids: ["r1"] }, wishes: [], isOthers: true },
    ],
    [
      "a child's unfinished run waits for the epoch of both fan-outs: it answers the event",
      stored(),
      { ...isChild, epoch: epochViewOf({ fan_outs: ["r1", "r2"] }) },
      { kind: "continue", body: { ids: ["r1", "r2"] }, isOthers: false },
    ],
    [
      "a child's unfinished run waits for an epoch, and the event has caused none yet: it goes on for itself",
      stored(),
      { isChild: true },
      { kind: "continue", body: { ids: ["r1"] }, isOthers: true },
    ],
    [
      "a child's unfinished run waits for an epoch that its parent knows nothing of: it reads the event's",
      stored(),
      { isChild: true, isStranded: true },
      { kind: "continue", body: { ids: ["r1", "r2"] }, isOthers: false },
    ],
    [
      "the same, and the event is a refresh: the run starts anew as one",
      stored(),
      { isChild: true, isStranded: true, ...refresh },
      { kind: "start", runId: "r2", body: { refresh_asked: true }, isOthers: false },
    ],
    [
      "the same, and a living worker waits for that epoch: a plain event leaves nothing",
      stored(living),
      { isChild: true, isStranded: true },
      { kind: "busy", leaves: "nothing" },
    ],
    [
      "a living worker is at another epoch: a plain event of a child leaves nothing, for nothing is lost",
      stored(living, boundTo(4)),
      isChild,
      { kind: "busy", leaves: "nothing" },
    ],
    [
      "a living worker is at another epoch: a refresh of a child leaves its wish",
      stored(living, boundTo(4)),
      { ...isChild, ...refresh },
      { kind: "busy", leaves: "wish" },
    ],
  ])("%s", (_, state, event, expected) => {
    expect(decideRun(state, wantedOf({ now: NOW, ...event }))).toMatchObject(expected);
  });

  it("a new run keeps what is known of its predecessors, and counts its own failure anew", () => {
    const last: Partial<RunState> = {
      served: { cursor: 7, path: "at" },
      consumed: { ref: { slot: "own", id: 3 }, ended_at: at(-1) },
      failures: { runs: 2, passed: 1, last_at: at(-2), is_counted: true },
      last_sweep: 40,
    };
    expect(decideRun(failed(last), wantedOf())).toMatchObject({
      body: { ...last, failures: { ...last.failures, is_counted: false } },
    });
  });

  it("a new run adds the rows that it puts to the last whole read, unless a worker has died since", () => {
    const last_whole = { id: "r0", start: 0, end: 1, rows: 4 };
    const bodyAfter = (last: Partial<RunState>, wanted = {}) => {
      const decision = decideRun(failed({ last_whole, ...last }), wantedOf(wanted));
      return "body" in decision ? decision.body : undefined;
    };
    const since = { id: "r2", end: expect.any(Number) };
    expect(bodyAfter({})?.last_whole).toMatchObject({ ...last_whole, since });
    const { rows } = runStateOf();
    expect(bodyAfter({ rows: { ...rows, open: true } })?.last_whole).toBeNull();
    // A refresh that goes on after a death uses it, and the run after it does not.
    const died = { ids: ["r2"], refresh: true, rows: { ...rows, open: true } };
    const goesOn = bodyAfter(died);
    expect(goesOn?.last_whole).toMatchObject({ ...last_whole, since_lacks_rows: true });
    expect(bodyAfter({ last_whole: goesOn?.last_whole ?? null })?.last_whole).toBeNull();
  });

  it("a new run asks for the descendants of all requests that it takes", () => {
    const servesOf = (state: StoredState, serves: string[] | null) => {
      const decision = decideRun(state, wantedOf({ serves }));
      return decision.kind === "start" ? decision.body.serves : decision.kind;
    };
    const wishFor = (serves: string[] | null) =>
      stored({ status: "done", wishes: [{ id: "r0", refresh: false, serves }] });
    expect(servesOf(wishFor(["a"]), ["b", "a"])).toEqual(["a", "b"]);
    expect(servesOf(wishFor(null), ["b"])).toBeNull();
    expect(servesOf(wishFor(["a"]), null)).toBeNull();
    expect(servesOf(wishFor([]), [])).toEqual([]);
  });

  it("what fingerprints tell a new run is asked for with what the last one has left", () => {
    const asked: unknown[] = [];
    const rows: RunRequest["rows"] = (...question) => {
      asked.push(question);
      return runStateOf().rows;
    };
    const last = { rows: { ...runStateOf().rows, in_doubt: true }, last_whole: null };
    decideRun(failed(last), wantedOf({ rows, refresh: true }));
    decideRun(done(last), wantedOf({ rows, replaces: true }));
    decideRun(undefined, wantedOf({ rows }));
    const { rows: lastRows } = last;
    expect(asked).toEqual([
      [
        { runId: "r2", refresh: true, refreshAsked: true },
        { rows: lastRows, lastWhole: null, isDone: false },
      ],
      [
        { runId: "r2", refresh: true, refreshAsked: false },
        { rows: lastRows, lastWhole: null, isDone: true },
      ],
      [{ runId: "r2", refresh: false, refreshAsked: false }, undefined],
    ]);
  });
});

describe("what a tick starts", () => {
  it.each<[string, StoredState, string | null]>([
    ["an unfinished run without a worker", stored(), "r1"],
    ["an unfinished run whose worker is dead", stored(dead), "r1"],
    ["an unfinished run whose worker lives", stored(living), null],
    ["a waiting run whose time has come", waiting(0), "r1"],
    ["a waiting run whose time has not come", waiting(1), null],
    ["a waiting run whose wait a person has ended", stored({ status: "waiting" }), "r1"],
    ["a run that is done", done(), null],
    ["a run that has failed", failed(), null],
    [
      "the newest wish behind a run that is done",
      stored({ status: "done", wishes: [{ ...wish, id: "a" }, wish] }),
      "r2",
    ],
    ["a wish behind a run that has failed", stored({ status: "failed", wishes: [wish] }), "r2"],
    ["a wish while a sample is at it", stored({ status: "done", wishes: [wish], ...living }), null],
    ["an unfinished run before its wishes", stored({ wishes: [wish] }), "r1"],
    ["a wish of a waiting run", { ...waiting(1), wishes: [wish] }, null],
  ])("a tick meets %s: it goes on with the right one", (_, state, expected) => {
    expect(isDue(state, NOW) ? dueRunId(state) : null).toBe(expected);
  });
});
