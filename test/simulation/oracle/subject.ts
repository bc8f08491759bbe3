import type { Dataset } from "../api/dataset.ts";
import type { Row, Version } from "../api/rows.ts";
import type { Level } from "../draw/levels.ts";
import type { Item } from "../expressions.ts";
import type { Process } from "../process.ts";

/** A resource's own runs, its reads for children that were asked for alone, and samples. */
export type Slot = "own" | "for_children" | "sample";

/** One row was on a page that a worker has got whole. */
export interface Showing {
  at: number;
  n: number;
  slot: Slot;
  /** Whether the worker has gone on from there: one that dies may have lost the page. */
  isKept: () => boolean;
}

/** A row of a table. */
export interface StoredRow {
  key: string;
  n: number;
  item: Item;
  /** When it was put; undefined when by a request that nobody waited for any more. */
  at: number | undefined;
}

/** What the oracle remembers of one slot of a resource. */
export interface SlotMemory {
  /** Who took the lease last, and how often it was taken. */
  holder: Process | undefined;
  token: number;
  /** When the read under way, or the topmost read that it depends on, began. */
  readFrom: number;
  /** When this read itself began. */
  startedAt: number;
}

/** An interval in which a read went on. */
export interface ReadInterval {
  /** When the topmost read began that it depends on, and when the read itself did. */
  from: number;
  startedAt: number;
  to: number;
}

/** One resource as the oracle knows it: what it was shown, and what its table has. */
export class Subject {
  /** As it is deployed now. */
  level: Level;
  /** Every config that it ever had. */
  readonly deployments: Level[] = [];
  readonly table: string;
  readonly dataset: Dataset;
  readonly slots: Record<"own" | "for_children", SlotMemory> = {
    own: { holder: undefined, token: 0, readFrom: 0, startedAt: 0 },
    for_children: { holder: undefined, token: 0, readFrom: 0, startedAt: 0 },
  };
  /** When which content of a row was shown, and to whom. */
  readonly #showings = new Map<Row, Showing[]>();
  /** The rows of the table by the uid of the API's row. */
  readonly #stored = new Map<string, Map<string, StoredRow>>();
  /** When a record was set aside, by uid: each time and its version. */
  readonly quarantined = new Map<string, { at: number; n: number }[]>();
  /** When a record of the parent was set aside, by its uid. "" where it has none. */
  readonly parentsAside = new Map<string, number[]>();
  /** When requests below a record of the parent were answered "not found". */
  readonly notFound = new Map<Row, number[]>();
  /** When a page behind the first of a list was shown. */
  readonly laterPages: number[] = [];
  /** Keys that a late batch put back to an older version. */
  readonly stale = new Set<string>();
  /** Keys that a late batch put back after they had gone. */
  readonly revenants = new Set<string>();
  /** Versions of rows that a moving cursor has passed unseen, with a reason that is no bug. */
  readonly passed = new Map<Row, number>();
  /** Whole reads that ended with a sweep. */
  readonly wholeReads: ReadInterval[] = [];
  /** When a run last failed, died half-way, was a sample or was forgotten: who knows which rows it put? */
  lastDoubt = Number.NEGATIVE_INFINITY;
  /** When the reads began that are done, by the history. */
  readonly doneReads = new Set<string>();
  /** A run was done since the last reset: before, a run puts all rows. */
  hasDoneRun = false;
  /** How many records the last read had that swept. */
  lastSwept = 0;
  resets = 0;
  /** How often a row has to be there, where each whole read appends all rows. */
  readonly copies = new Map<Row, { n: number; count: number }>();

  constructor(level: Level, table: string, dataset: Dataset) {
    this.level = level;
    this.table = table;
    this.dataset = dataset;
    this.deployments.push(level);
  }

  get name(): string {
    return this.level.name;
  }

  deploy(level: Level): void {
    this.level = level;
    this.deployments.push(level);
  }

  rows(): Row[] {
    return this.dataset.level(this.level.depth);
  }

  show(row: Row, showing: Showing): void {
    const showings = this.#showings.get(row) ?? [];
    showings.push(showing);
    this.#showings.set(row, showings);
  }

  showings(row: Row): readonly Showing[] {
    return this.#showings.get(row) ?? [];
  }

  wasShown(row: Row, { n }: Version): boolean {
    return this.showings(row).some((showing) => showing.n === n);
  }

  put(uid: string, stored: StoredRow): void {
    const rows = this.#stored.get(uid) ?? new Map<string, StoredRow>();
    rows.set(stored.key, stored);
    this.#stored.set(uid, rows);
  }

  remove(uid: string, key: string): void {
    this.#stored.get(uid)?.delete(key);
  }

  stored(row: Row): StoredRow[] {
    return [...(this.#stored.get(row.uid)?.values() ?? [])];
  }

  /** The table was dropped and made anew. */
  empty(): void {
    this.#stored.clear();
    this.stale.clear();
    this.revenants.clear();
    this.passed.clear();
    this.copies.clear();
    this.wholeReads.length = 0;
  }

  /** Whether a version of a row above this one was set aside since then. */
  wasAside({ uid }: Row, { above, from }: { above: number; from: number }): boolean {
    return this.quarantined.get(uid)?.some(({ at, n }) => n > above && at >= from) ?? false;
  }

  /** The newest version of a row that was set aside. */
  asideVersion({ uid }: Row): number {
    return Math.max(0, ...(this.quarantined.get(uid) ?? []).map(({ n }) => n));
  }
}

/** Pure: whether one of these times lies in an interval. */
export const isWithin = (times: readonly number[] | undefined, from: number, to: number): boolean =>
  times?.some((at) => from <= at && at <= to) ?? false;
