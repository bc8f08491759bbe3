import type { ResourceRef } from "../base/resource-ref.ts";
import { CONSISTENT_AFTER_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { KeyedItem } from "../flow.ts";
import { rowsInDoubt, startBeside } from "../state/changed-rows-state.ts";
import type { RowLog, RowsState } from "../state/run-state.ts";
import { agrees, type Comparing, unchangedOf } from "./compare.ts";
import { appendFingerprints, isMissing, readFingerprints } from "./fingerprint-log.ts";
import { FingerprintTable, fingerprintOf } from "./fingerprints.ts";

/** What has to be written of a page. */
export interface PageChanges {
  /** Items whose rows are not known to be the same already. */
  put: KeyedItem[];
  /** Items that this slice has put before: equal records of this read without a key are one row. */
  repeated: number;
  /** The fingerprints that the log needs of the page. */
  fingerprints: Buffer[];
}

/** A log that no sweep waits for is written in blocks of this many, or at the end of a slice. */
const PENDING = 6_000;

/** A log may have this many blocks more than its rows need before it is written anew. */
const FEW_BLOCKS = 100;

/** Of so many pages whose rows are all known, one is looked at in the table. */
const PAGES_PER_LOOK = 50;

/** Repeated rows are counted among so many at most, so that memory is bounded. */
const MOST_REMEMBERED = 4_000_000;

export interface ChangedRowsOptions extends Comparing {
  names: World["names"];
  log: World["log"];
  resourceRef: ResourceRef;
  runId: string;
  /** Of the lease under which the log is written. */
  token: number;
  /** A sweep will ask which rows were seen. */
  refresh: boolean;
  /** Rows were put a moment ago, by an earlier slice or by the run before. */
  isLater: boolean;
  /** Rows are named by their content: an equal record on a later page is the same row. */
  isNamedByContent: boolean;
}

/**
 * Tells which rows of a table have to be put, by reading them or by the fingerprints that earlier
 * runs have left, and keeps the log of fingerprints up to date.
 */
export class ChangedRows {
  readonly #options: ChangedRowsOptions;
  /** As the next checkpoint stores it. */
  #state: RowsState;
  /** What the table has by now: what the log says, and what was put since. */
  #known: FingerprintTable;
  /** Keys that this slice has put: a read may show these rows as they were, or as they will be. */
  readonly #ownKeys = new FingerprintTable(0, "keys");
  /** Fingerprints that are not in a block yet. */
  #pending: Buffer[] = [];
  /** After so many more pages whose rows are all known, one is looked at. */
  #pagesUntilLook = 0;
  /** On the monotonic clock: until then reads have to be consistent. */
  readonly #settledAt: number;

  /** Reads the log that this run goes by, if it does. */
  static async open(options: ChangedRowsOptions, begun: RowsState): Promise<ChangedRows> {
    const rows = new ChangedRows(options, begun);
    await rows.#load();
    return rows;
  }

  private constructor(options: ChangedRowsOptions, begun: RowsState) {
    this.#options = options;
    this.#state = begun;
    this.#known = new FingerprintTable(begun.known?.rows);
    this.#settledAt = options.clock.monotonic() + (options.isLater ? CONSISTENT_AFTER_MS : 0);
  }

  /** Called for one page after the other. */
  async changesOf(items: KeyedItem[]): Promise<PageChanges> {
    if (this.#state.how === "fingerprints") return this.#changesByFingerprint(items);
    const fingerprints = this.#state.log ? items.map(fingerprintOf) : [];
    if (this.#state.how === "compare") {
      return { put: await this.#changesByReading(items), repeated: 0, fingerprints };
    }
    const put = this.#withoutRepeated(items);
    return { put, repeated: items.length - put.length, fingerprints };
  }

  /** When a page is durable: its fingerprints go into the log, and rows of `unknownKeys` as such. */
  async keep(fingerprints: Buffer[], unknownKeys: readonly string[]): Promise<RowsState> {
    if (!this.#state.log) return this.#state;
    const unknown = unknownKeys.map((key) => fingerprintOf({ key }));
    for (const fingerprint of unknown) this.#known.add(fingerprint);
    this.#pending.push(
      ...fingerprints,
      // planted: unwritten-rows-are-unknown
      ...unknown,
    );
    // A sweep needs to know of every page before the checkpoint.
    if (this.#options.refresh || this.#pending.length >= PENDING) await this.#flush();
    return this.#state;
  }

  /** At the end of a slice. When it returns, the log is complete. */
  async close(): Promise<RowsState> {
    await this.#flush();
    await this.#compact();
    this.#state = { ...this.#state, open: false };
    return this.#state;
  }

  async #load(): Promise<void> {
    const { known, log } = this.#state;
    try {
      if (known && known.id !== log?.id) await this.#read(known);
      // Also what earlier slices of this run have put.
      if (known && log) await this.#read(log);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#doubt("a part of the fingerprints is gone");
    }
  }

  #read(log: RowLog): Promise<FingerprintTable> {
    const { resourceRef: place } = this.#options;
    return readFingerprints(this.#options, { resourceRef: place, log: log.id }, log, this.#known);
  }

  /** From now on rows are read, because the fingerprints do not tell what the table has. */
  #doubt(why: string): void {
    const { log, resourceRef: place, runId } = this.#options;
    log.warn(`${why}: rows are compared by reading them`, { ...place });
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
    // A log that goes on needs what has changed, a new one needs all.
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

  /** Equal records without a key, on different pages of one read, are one row. */
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
    return agrees(items, this.#options);
  }

  async #flush(): Promise<void> {
    const { log } = this.#state;
    if (!log || this.#pending.length === 0) return;
    const { resourceRef: place, token, runId } = this.#options;
    const to = { place, log: log.id, token };
    // planted: log-goes-on
    const end = await appendFingerprints(this.#options, to, this.#pending, log.end);
    const rows = log.id === runId ? log.rows + this.#pending.length : this.#known.size;
    this.#state = { ...this.#state, log: { ...log, end, rows } };
    this.#pending = [];
  }

  /** A log that has grown from run to run is written anew when it has many small blocks. */
  async #compact(): Promise<void> {
    const { log } = this.#state;
    const { resourceRef: place, token, runId } = this.#options;
    const rows = this.#known.size;
    if (!log || log.id === runId || log.end - log.start < FEW_BLOCKS + rows / PENDING) return;
    const start = startBeside([log]);
    const to = { place, log: runId, token };
    const end = await appendFingerprints(this.#options, to, this.#known, start);
    const anew = { id: runId, start, end, rows, whole: log.whole ?? false };
    this.#state = { ...this.#state, known: anew, log: { ...anew, kept: log.kept } };
  }
}
