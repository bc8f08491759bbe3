import type { ResourceRef } from "../base/resource-ref.ts";
import { CONSISTENT_AFTER_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { KeyedItem } from "../flow.ts";
import { logsOfWholeRead, rowsInDoubt, startBeside } from "../state/changed-rows-state.ts";
import type { RowLog, RowsState, RunState, WholeRead } from "../state/run-state.ts";
import { agreesWithTable, type Comparing, unchangedOf } from "./compare.ts";
import { appendFingerprints, isMissing, readFingerprints } from "./fingerprint-log.ts";
import { FingerprintTable, fingerprintOf } from "./fingerprints.ts";

/** The part of a page that has to be written. */
export interface PageChanges {
  /** Items whose rows may differ from the table. */
  put: KeyedItem[];
  /** The number of items that this slice has put before: equal records without a key are one row. */
  repeated: number;
  /** The fingerprints of the page that the log needs. */
  fingerprints: Buffer[];
}

/** The part of a run's state that tells which rows have changed. */
type BegunRun = Pick<RunState, "rows" | "last_whole">;

/** Without a sweep, the log is written in blocks of this many fingerprints and at the end of a slice. */
const PENDING = 6_000;

/** The number of surplus blocks after which a log is rewritten. */
const FEW_BLOCKS = 100;

/** One in this many unchanged pages is compared with the table. */
const PAGES_PER_LOOK = 50;

/** The number of keys remembered for repeated rows, so that memory is bounded. */
const MOST_REMEMBERED = 4_000_000;

export interface ChangedRowsOptions extends Comparing {
  names: World["names"];
  log: World["log"];
  resourceRef: ResourceRef;
  runId: string;
  /** The token of the lease under which the log is written. */
  token: number;
  /** The run is a refresh, so its sweep needs the log of all rows. */
  refresh: boolean;
  /** An earlier slice or the previous run has just put rows. */
  isLater: boolean;
  /** Rows are named by their content, so an equal record on a later page is the same row. */
  isNamedByContent: boolean;
}

/**
 * Decides which rows of a table have to be put, either by reading the rows or by the fingerprints of
 * earlier runs, and keeps the log of fingerprints up to date.
 */
export class ChangedRows {
  readonly #options: ChangedRowsOptions;
  /** The row state that the next checkpoint stores. */
  #state: RowsState;
  /** The content of the table: the log, and the rows that were put since. */
  #known: FingerprintTable;
  /** Keys that this slice has put. A read may return the old or the new row of such a key. */
  readonly #ownKeys = new FingerprintTable(0, "keys");
  /** The keys that the last whole read saw. The run adds the rows that it puts. */
  #lastWhole: WholeRead | null;
  /** Rows that were put and are not yet in a block beside those of the last whole read. */
  #pendingSince: Buffer[] = [];
  /** Fingerprints that are not yet in a block. */
  #pending: Buffer[] = [];
  /** The number of unchanged pages until the next comparison with the table. */
  #pagesUntilLook = 0;
  /** Monotonic time until which reads have to be consistent. */
  readonly #settledAt: number;

  /** Opens the rows of a run and reads the log of earlier runs, if the run uses a log. */
  static async open(options: ChangedRowsOptions, begun: BegunRun): Promise<ChangedRows> {
    const rows = new ChangedRows(options, begun);
    await rows.#load();
    return rows;
  }

  private constructor(options: ChangedRowsOptions, { rows, last_whole }: BegunRun) {
    this.#options = options;
    this.#state = rows;
    this.#lastWhole = last_whole;
    this.#known = new FingerprintTable(rows.known?.rows);
    this.#settledAt = options.clock.monotonic() + (options.isLater ? CONSISTENT_AFTER_MS : 0);
  }

  /** The last whole read, with the rows that were put since. */
  get lastWhole(): WholeRead | null {
    return this.#lastWhole;
  }

  /** Returns the changes of a page. Called for pages in order. */
  async changesOf(items: KeyedItem[]): Promise<PageChanges> {
    const changes = await this.#changesOf(items);
    this.#rememberSince(changes.put);
    return changes;
  }

  async #changesOf(items: KeyedItem[]): Promise<PageChanges> {
    if (this.#state.how === "fingerprints") return this.#changesByFingerprint(items);
    const fingerprints = this.#state.log ? items.map(fingerprintOf) : [];
    if (this.#state.how === "compare") {
      return { put: await this.#changesByReading(items), repeated: 0, fingerprints };
    }
    const put = this.#withoutRepeated(items);
    return { put, repeated: items.length - put.length, fingerprints };
  }

  /** Adds a durable page to the log. Rows of `unknownKeys` are logged with unknown content. */
  async keep(fingerprints: Buffer[], unknownKeys: readonly string[]): Promise<RowsState> {
    this.#rememberSince(unknownKeys.map((key) => ({ key })));
    if (this.#pendingSince.length >= PENDING) await this.#flushSince();
    if (!this.#state.log) return this.#state;
    const unknown = unknownKeys.map((key) => fingerprintOf({ key }));
    for (const fingerprint of unknown) this.#known.add(fingerprint);
    this.#pending.push(
      ...fingerprints,
      // planted: unwritten-rows-are-unknown
      ...unknown,
    );
    // A sweep needs the log of every page before the checkpoint.
    if (this.#options.refresh || this.#pending.length >= PENDING) await this.#flush();
    return this.#state;
  }

  /** Completes the log at the end of a slice. */
  async close(): Promise<RowsState> {
    await this.#flush();
    await this.#flushSince();
    await this.#compact();
    this.#state = { ...this.#state, open: false };
    return this.#state;
  }

  async #load(): Promise<void> {
    const { known: knownLog, log } = this.#state;
    try {
      if (knownLog && knownLog.id !== log?.id) await this.#read(knownLog);
      // Adds the rows that earlier slices of this run have put.
      if (knownLog && log) await this.#read(log);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#doubt("a part of the fingerprints is gone");
    }
  }

  #read(log: RowLog): Promise<FingerprintTable> {
    const { resourceRef } = this.#options;
    return readFingerprints(this.#options, { resourceRef, log: log.id }, log, this.#known);
  }

  /** Switches to reading rows, because the fingerprints no longer match the table. */
  #doubt(why: string): void {
    const { log, resourceRef, runId } = this.#options;
    log.warn(`${why}: rows are compared by reading them`, { ...resourceRef });
    this.#state = rowsInDoubt(this.#state, runId);
    this.#known = new FingerprintTable();
  }

  async #changesByFingerprint(items: KeyedItem[]): Promise<PageChanges> {
    const fingerprints = items.map(fingerprintOf);
    const isSame = fingerprints.map((fingerprint) => this.#known.match(fingerprint) === "same");
    if (!(await this.#isAsKnown(items.filter((_, n) => isSame[n])))) {
      this.#doubt("rows are not as the last run has left them");
      const put = await this.#changesByReading(items);
      return { put, repeated: 0, fingerprints: this.#state.log ? fingerprints : [] };
    }
    const put = items.filter((_, n) => !isSame[n]);
    const changed = fingerprints.filter((_, n) => !isSame[n]);
    for (const fingerprint of changed) this.#known.add(fingerprint);
    this.#rememberPut(put);
    // A continued log needs the changed rows, and a new log needs all rows.
    const goesOn = this.#state.log?.id === this.#state.known?.id;
    return { put, repeated: 0, fingerprints: goesOn ? changed : fingerprints };
  }

  async #changesByReading(items: KeyedItem[]): Promise<KeyedItem[]> {
    const unread = items.filter(({ key }) => this.#ownKeys.match(fingerprintOf({ key })) === "new");
    const consistent = this.#options.clock.monotonic() < this.#settledAt;
    const unchanged = await unchangedOf(unread, { ...this.#options, consistent });
    const put = items.filter(({ key }) => !unchanged.has(key));
    this.#rememberPut(put);
    return put;
  }

  /** Drops records that equal a record of an earlier page, because they are the same row. */
  #withoutRepeated(items: KeyedItem[]): KeyedItem[] {
    if (!this.#options.isNamedByContent || this.#ownKeys.size > MOST_REMEMBERED) return items;
    const put = items.filter(({ key }) => this.#ownKeys.match(fingerprintOf({ key })) === "new");
    this.#rememberPut(put);
    return put;
  }

  #rememberPut(items: readonly KeyedItem[]): void {
    for (const { key } of items) this.#ownKeys.add(fingerprintOf({ key }));
  }

  async #isAsKnown(items: readonly KeyedItem[]): Promise<boolean> {
    if (items.length === 0 || this.#pagesUntilLook-- > 0) return true;
    this.#pagesUntilLook = Math.floor(this.#options.random() * 2 * PAGES_PER_LOOK);
    return agreesWithTable(items, this.#options);
  }

  #rememberSince(rows: readonly Pick<KeyedItem, "key">[]): void {
    // planted: rows-since-the-last-whole-read
    if (!this.#lastWhole?.since) return;
    this.#pendingSince.push(...rows.map(({ key }) => fingerprintOf({ key })));
  }

  async #flushSince(): Promise<void> {
    const since = this.#lastWhole?.since;
    if (!this.#lastWhole || !since || this.#pendingSince.length === 0) return;
    const { resourceRef, token } = this.#options;
    const to = { resourceRef, log: since.id, token };
    const end = await appendFingerprints(this.#options, to, this.#pendingSince, since.end);
    const rows = since.rows + this.#pendingSince.length;
    this.#lastWhole = { ...this.#lastWhole, since: { ...since, end, rows } };
    this.#pendingSince = [];
  }

  async #flush(): Promise<void> {
    const { log } = this.#state;
    if (!log || this.#pending.length === 0) return;
    const { resourceRef, token, runId } = this.#options;
    const to = { resourceRef, log: log.id, token };
    // planted: log-goes-on
    const end = await appendFingerprints(this.#options, to, this.#pending, log.end);
    const rows = log.id === runId ? log.rows + this.#pending.length : this.#known.size;
    this.#state = { ...this.#state, log: { ...log, end, rows } };
    this.#pending = [];
  }

  /** Rewrites a log that has collected many small blocks over several runs. */
  async #compact(): Promise<void> {
    const { log } = this.#state;
    const { resourceRef, token, runId } = this.#options;
    const rows = this.#known.size;
    if (!log || log.id === runId || log.end - log.start < FEW_BLOCKS + rows / PENDING) return;
    const start = startBeside([log, ...logsOfWholeRead(this.#lastWhole)]);
    const to = { resourceRef, log: runId, token };
    const end = await appendFingerprints(this.#options, to, this.#known, start);
    const anew = { id: runId, start, end, rows, whole: log.whole ?? false };
    this.#state = { ...this.#state, known: anew, log: { ...anew, kept: log.kept } };
  }
}
