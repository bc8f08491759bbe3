import type { Random } from "../random.ts";
import {
  isThere,
  keyFaults,
  latest,
  type Row,
  type RowFault,
  type Slug,
  type Version,
  valueFaults,
} from "./rows.ts";

export interface DatasetOptions {
  /** How many levels of rows there are. */
  depth: number;
  /** Rows are told apart by their key, which may be broken. */
  hasKeys: readonly boolean[];
  /** Of the last level, the API's clock and virtual time. */
  clock: () => number;
  now: () => number;
  /** Rows appear at most so long after the time that stands in them. */
  lateMs: number;
  /** Some rows of a level with children cannot be asked for. */
  hasOddParents: boolean;
}

const DAY_MS = 86_400_000;
const shares = { fault: 0.03, twin: 0.04, odd: 0.05 };

/** Most rows of a level, by how many levels there are: each parent costs a request. */
const most = [[45], [20, 6], [9, 3, 4]] as const;

/** Rows of up to three levels, as an API has them; every change of a row also touches those above. */
export class Dataset {
  readonly rows: Row[] = [];
  readonly #options: DatasetOptions;
  readonly #random: Random;
  /** No row gets a fault or becomes odd any more. */
  isCalm = false;

  constructor(options: DatasetOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#fill(1, undefined);
  }

  level(depth: number): Row[] {
    return this.rows.filter((row) => row.depth === depth);
  }

  /** The rows of one list that the API has now. */
  list(depth: number, parent: Row | undefined): Row[] {
    const rows = parent ? parent.children : this.level(depth);
    return rows.filter(isThere);
  }

  /** Inserts, changes or deletes a row. Returns what happened, for the trace. */
  mutate(): string {
    const random = this.#random;
    const depth = random.between(1, this.#options.depth);
    const rows = this.level(depth).filter(isThere);
    const draw = random.next();
    if (rows.length === 0 || draw < 0.25) return this.#insertSomewhere(depth);
    const row = random.pick(rows);
    if (draw < 0.42) return this.remove(row);
    if (draw < 0.47) return this.#revive(depth) ?? this.change(row);
    return this.change(row);
  }

  change(row: Row): string {
    const before = latest(row);
    const next = this.#next(row);
    // A row that was stored keeps its key: without it nobody could tell that it is still there.
    const isBroken = next.fault !== undefined;
    if (isBroken || (!this.isCalm && this.#random.chance(0.02))) {
      next.fault = isBroken ? undefined : this.#random.pick(valueFaults);
    }
    if (this.#options.hasOddParents && row.depth < this.#options.depth) this.#makeOdd(next);
    before.until = next.from;
    row.versions.push(next);
    this.#touch(row.parent);
    return `changes ${row.uid} to v${next.n}${oddness(next)}`;
  }

  remove(row: Row): string {
    const end = (one: Row) => {
      if (isThere(one)) latest(one).until = this.#options.now();
      one.children.forEach(end);
    };
    end(row);
    this.#touch(row.parent);
    return `deletes ${row.uid}`;
  }

  /** Every row can be stored and asked for again. */
  heal(): void {
    this.isCalm = true;
    for (const row of this.rows) {
      const { fault, slug, isGone } = latest(row);
      if (isThere(row) && (fault || slug !== "good" || isGone)) this.change(row);
    }
  }

  #revive(depth: number): string | undefined {
    const gone = this.level(depth).filter(
      (row) => !isThere(row) && (!row.parent || isThere(row.parent)),
    );
    if (gone.length === 0) return undefined;
    const row = this.#random.pick(gone);
    row.versions.push(this.#next(row));
    this.#touch(row.parent);
    return `brings back ${row.uid} as v${latest(row).n}`;
  }

  #next(row: Row): Version {
    const before = latest(row);
    const { now, clock } = this.#options;
    return {
      ...before,
      n: before.n + 1,
      from: now(),
      until: Number.POSITIVE_INFINITY,
      stamp: clock(),
    };
  }

  #insertSomewhere(depth: number): string {
    const random = this.#random;
    const parents = depth === 1 ? [undefined] : this.level(depth - 1).filter(isThere);
    if (parents.length === 0) return this.#insertSomewhere(depth - 1);
    const parent = random.pick(parents);
    const { lateMs, clock } = this.#options;
    const late = lateMs > 0 && random.chance(0.3) ? random.between(1_000, lateMs) : 0;
    const row = this.#insert(depth, parent, clock() - late);
    this.#touch(parent);
    return `inserts ${row.uid}${parent ? ` into ${parent.uid}` : ""}${oddness(latest(row))}`;
  }

  #insert(depth: number, parent: Row | undefined, stamp: number): Row {
    const random = this.#random;
    const isBad = !this.isCalm && random.chance(shares.fault);
    const faults: RowFault[] = this.#options.hasKeys[depth - 1]
      ? [...keyFaults, ...valueFaults]
      : [...valueFaults];
    const id = this.rows.length + 1;
    const version: Version = {
      n: 1,
      from: this.#options.now(),
      until: Number.POSITIVE_INFINITY,
      stamp,
      fault: isBad ? random.pick(faults) : undefined,
      slug: "good",
      isGone: false,
    };
    if (this.#options.hasOddParents && depth < this.#options.depth) this.#makeOdd(version);
    const row: Row = {
      depth,
      id,
      uid: `${"xupc"[depth]}${id}`,
      parent,
      isTwin: !isBad && random.chance(shares.twin),
      versions: [version],
      children: [],
    };
    this.rows.push(row);
    parent?.children.push(row);
    return row;
  }

  #makeOdd(version: Version): void {
    version.slug = "good";
    version.isGone = false;
    if (this.isCalm || !this.#random.chance(shares.odd)) return;
    const odd = this.#random.pick(["null", "empty", "dots", "absent", "gone"] as const);
    if (odd === "gone") version.isGone = true;
    else version.slug = odd satisfies Slug;
  }

  /** A row counts as changed when anything below it has. */
  #touch(row: Row | undefined): void {
    if (!row || !isThere(row)) return;
    const next = this.#next(row);
    latest(row).until = next.from;
    row.versions.push(next);
    this.#touch(row.parent);
  }

  #fill(depth: number, parent: Row | undefined): void {
    const random = this.#random;
    const sizes = most[this.#options.depth - 1] as readonly number[];
    const count = random.between(0, sizes[depth - 1] as number);
    for (let n = 0; n < count; n++) {
      const age = random.chance(0.2) ? 0 : random.between(0, 5 * DAY_MS);
      const row = this.#insert(depth, parent, this.#options.clock() - age);
      if (depth < this.#options.depth) this.#fill(depth + 1, row);
    }
  }
}

const oddness = ({ slug, isGone, fault }: Version): string =>
  `${slug === "good" ? "" : ` (slug ${slug})`}${isGone ? " (gone)" : ""}${fault ? ` (${fault})` : ""}`;
