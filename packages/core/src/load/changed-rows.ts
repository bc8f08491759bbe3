import type { World } from "../base/world.ts";
import type { KeyedItem } from "../flow.ts";
import { doubted, startBeside } from "../state/changed-rows-state.ts";
import type { RowLog, RowsState } from "../state/run-state.ts";
import type { Place } from "../state/state-table.ts";
import { agrees, type Comparing, unchangedOf } from "./compare.ts";
import { appendPrints, isMissing, readPrints } from "./fingerprint-log.ts";
import { type Prints, printOf, printTable } from "./fingerprints.ts";

/** What of a page has to be put, and the prints of its rows for the log. */
export interface Sifted {
  put: KeyedItem[];
  prints: Buffer[];
}

/** The rows of a table, while a slice works on them. */
export interface Rows {
  /** Called for one page after the other. */
  sift(items: KeyedItem[]): Promise<Sifted>;
  /** When a page has landed: its prints go into the log, and rows of `unknown` keys as such. */
  keep(prints: Buffer[], unknown: readonly string[]): Promise<RowsState>;
  /** At the end of a slice. When it returns, the log is complete. */
  close(): Promise<RowsState>;
}

/** A log that no sweep waits for is written in blocks of so many prints, or at the end of a slice. */
const PENDING = 6_000;

/** The slice before may have put rows so long ago that a read can still miss them. */
const SETTLED_MS = 30_000;

/** Beyond what its rows need. */
const FEW_BLOCKS = 100;

/** Of so many pages whose rows are all known, one is looked at in the table. */
const SAMPLED = 50;

interface Opening extends Comparing {
  names: World["names"];
  log: World["log"];
  place: Place;
  runId: string;
  token: number;
  refresh: boolean;
  /** Rows were put a moment ago, by an earlier slice or by the run before. */
  isLater: boolean;
}

export async function openRows(of: Opening, begun: RowsState): Promise<Rows> {
  const { place, runId, token, refresh, clock, random } = of;
  const settled = clock.monotonic() + (of.isLater ? SETTLED_MS : 0);
  let state = begun;
  /** What the table has by now, by the log and by what was put since. */
  let known: Prints = printTable(begun.known?.rows);
  /** The keys that this slice has put: what a read shows of these may be older, or on its way. */
  const ours: Prints = printTable(0, "keys");
  let pending: Buffer[] = [];
  let sampleIn = 0;

  function doubt(why: string): void {
    of.log.warn(`${why}: rows are compared by reading them`, { ...place });
    state = doubted(state, runId);
    known = printTable();
  }

  const load = (log: RowLog) => readPrints(of, { place, log: log.id }, log, known);
  try {
    if (state.known && state.known.id !== state.log?.id) await load(state.known);
    // Also what earlier slices of this run have put.
    if (state.known && state.log) await load(state.log);
  } catch (error) {
    if (!isMissing(error)) throw error;
    doubt("a part of the fingerprints is gone");
  }

  async function compared(items: KeyedItem[]): Promise<KeyedItem[]> {
    const unread = items.filter(({ key }) => ours.find(printOf({ key })) === "new");
    const consistent = clock.monotonic() < settled;
    const unchanged = await unchangedOf(unread, { ...of, consistent });
    const put = items.filter(({ key }) => !unchanged.has(key));
    for (const { key } of put) ours.add(printOf({ key }));
    return put;
  }

  async function isAsKnown(items: readonly KeyedItem[]): Promise<boolean> {
    if (items.length === 0 || sampleIn-- > 0) return true;
    sampleIn = Math.floor(random() * 2 * SAMPLED);
    return agrees(items, of);
  }

  return {
    async sift(items) {
      const isLogged = state.log !== null;
      if (state.how === "always") {
        return { put: items, prints: isLogged ? items.map(printOf) : [] };
      }
      if (state.how === "compare") {
        return { put: await compared(items), prints: isLogged ? items.map(printOf) : [] };
      }
      const prints = items.map(printOf);
      const isSame = prints.map((print) => known.find(print) === "same");
      const same = items.filter((_, n) => isSame[n]);
      if (!(await isAsKnown(same))) {
        doubt("rows are not as the last run has left them");
        return { put: await compared(items), prints: state.log ? prints : [] };
      }
      const put = items.filter((_, n) => !isSame[n]);
      const changed = prints.filter((_, n) => !isSame[n]);
      for (const print of changed) known.add(print);
      for (const { key } of put) ours.add(printOf({ key }));
      const goesOn = state.log?.id === state.known?.id;
      return { put, prints: goesOn ? changed : prints };
    },

    async keep(prints, unknown) {
      if (!state.log) return state;
      const gone = unknown.map((key) => printOf({ key }));
      for (const print of gone) known.add(print);
      // planted: fingerprints-of-unwritten-rows
      pending.push(...prints, ...gone);
      // A sweep needs to know of every page behind the checkpoint.
      if (refresh || pending.length >= PENDING) await flush();
      return state;
    },

    async close() {
      await flush();
      await compact();
      state = { ...state, open: false };
      return state;
    },
  };

  async function flush(): Promise<void> {
    if (!state.log || pending.length === 0) return;
    const { log } = state;
    const end = await appendPrints(
      of,
      { place, log: log.id, token },
      pending,
      /* planted: end-of-log */ log.end,
    );
    const rows = log.id === runId ? log.rows + pending.length : known.size;
    state = { ...state, log: { ...log, end, rows } };
    pending = [];
  }

  /** A log that has grown from run to run is written anew when it has many small blocks. */
  async function compact(): Promise<void> {
    const { log } = state;
    if (!log || log.id === runId || log.end - log.start < FEW_BLOCKS + known.size / PENDING) return;
    const start = startBeside([log]);
    const end = await appendPrints(of, { place, log: runId, token }, known, start);
    const anew = { id: runId, start, end, rows: known.size, whole: log.whole ?? false };
    state = { ...state, known: anew, log: { ...anew, kept: log.kept } };
  }
}
