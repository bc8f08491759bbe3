import { RequestError } from "../base/errors.ts";
import { rootAbove } from "../config/lineage.ts";
import type { ParentPlan, ResourcePlan } from "../config/plan-types.ts";
import {
  type EpochView,
  epochAt,
  epochOf,
  isWishedFor,
  readParentStates,
} from "../state/epochs.ts";
import { readRun } from "../state/history.ts";
import type { Coverage, RunState, SpoolPlace } from "../state/run-state.ts";
import { readSpoolBlock, type SpoolRow } from "../state/spool.ts";
import type { Place } from "../state/state-table.ts";
import type { JsonValue } from "../values/json.ts";
import { parseJson } from "../values/parse-json.ts";
import { isBeforeIn, servedCursor } from "./coverage.ts";
import type { Job } from "./job.ts";
import { noSweep } from "./may-sweep.ts";

/*
 * A child reads the records that one read of its parent has spooled: the epoch that its fan-out has
 * caused. It reads while that read is still under way, and keeps its place in its own checkpoint.
 */

/** A record of the parent. */
export interface ParentRow {
  row: SpoolRow;
  place: SpoolPlace;
  /** Changes of the child's state while it reads for this record, and after it. */
  stateHere: Partial<RunState>;
  stateAfter: Partial<RunState>;
  /** Its request was answered "not found" before: this is the second time. */
  isSecondTry: boolean;
}

/** A child waits in its slice for so long, in steps that grow; after that waiting costs nothing. */
const PATIENCE_MS = 5_000;
const STEP_MS = Object.freeze({ first: 50, most: 1_000 });

/** A parent's read that has not begun by then does not begin any more. */
const OVERDUE_MS = 15 * 60_000;

/** The parent's records from the child's place on. Returns what the child's state is after the last. */
export class ParentRows {
  readonly #job: Job;
  readonly #state: RunState;
  readonly #parent: ParentPlan;
  readonly #place: Place;
  /** The parent's records whose request was answered "not found": added by the reader. */
  readonly notFound: SpoolPlace[];

  constructor(job: Job, state: RunState) {
    this.#job = job;
    this.#state = state;
    this.#parent = job.resource.parent as ParentPlan;
    const { source, name } = this.#parent.plan;
    this.#place = { source, resource: name };
    this.notFound = [...state.not_found];
  }

  async *rows(): AsyncGenerator<ParentRow, Partial<RunState>> {
    let place = this.#state.at ?? { block: 0, row: 0 };
    const waiting = new Patience(this.#job, this.#parent.plan);
    let epoch = await this.#look();
    if (!this.#state.is_second_try) {
      while (true) {
        while (epoch && place.block < epoch.blocks) {
          yield* this.#block(epoch, place);
          place = { block: place.block + 1, row: 0 };
          waiting.reset();
        }
        if (epoch?.status === "ended") break;
        await waiting.wait();
        epoch = await this.#look();
      }
    }
    if (!epoch) throw parentFailed(this.#parent.plan, "its records are gone");
    yield* this.#secondTry(epoch, place);
    return {
      ...this.#bound(epoch),
      at: place,
      coverage: both(this.#state.coverage, epoch.coverage),
    };
  }

  async *#block(epoch: EpochView, from: SpoolPlace): AsyncGenerator<ParentRow> {
    const rows = await this.#read(epoch, from.block);
    for (const [index, row] of rows.entries()) {
      if (index < from.row) continue;
      const place = { block: from.block, row: index };
      const isLast = index + 1 === rows.length;
      const after = isLast
        ? { block: from.block + 1, row: 0 }
        : { block: from.block, row: index + 1 };
      yield {
        row,
        place,
        stateHere: { ...this.#bound(epoch), at: place },
        stateAfter: { at: after },
        isSecondTry: false,
      };
    }
  }

  /** A record that is not found twice is gone: it has no rows. */
  async *#secondTry(epoch: EpochView, end: SpoolPlace): AsyncGenerator<ParentRow> {
    let left = [...this.notFound];
    while (left[0]) {
      const [place] = left;
      const row = (await this.#read(epoch, place.block))[place.row];
      left = left.slice(1);
      if (!row) continue;
      const state = { ...this.#bound(epoch), at: end, is_second_try: true };
      yield {
        row,
        place,
        stateHere: { ...state, not_found: [place, ...left] },
        stateAfter: { ...state, not_found: left },
        isSecondTry: true,
      };
    }
  }

  /** A resource with a cursor of its own covers a range of that; others, what their parent's read does. */
  #bound(epoch: EpochView): Partial<RunState> {
    return {
      parent_epoch: epoch.ref,
      ...(epoch.range ? { range: epoch.range } : {}),
      root_began_at: epoch.began_at,
      root_ended_at: epoch.ended_at,
      is_numbered: this.#state.is_numbered || epoch.is_numbered,
    };
  }

  async #read(epoch: EpochView, block: number): Promise<SpoolRow[]> {
    const text = await readSpoolBlock(this.#job.world, this.#place, epoch.ref, block);
    return parseJson(text) as JsonValue as SpoolRow[];
  }

  /** The epoch of this run. Undefined: it has not begun. Throws when there will be none. */
  async #look(): Promise<EpochView | undefined> {
    const { world } = this.#job;
    const { plan } = this.#parent;
    const { parent_epoch, ids, started_at } = this.#state;
    const fanOut = ids.at(-1) as string;
    const epoch = parent_epoch
      ? await epochAt(world, this.#place, parent_epoch)
      : await epochOf(world, this.#place, fanOut, plan.hash);
    if (epoch?.status === "failed") throw parentFailed(plan, "its run has failed");
    if (epoch) {
      if (this.#job.isStored) assertServes(this.#job.resource, this.#state, epoch);
      return epoch;
    }
    if (parent_epoch) throw parentFailed(plan, "its run was given up");
    if (isWishedFor(await readParentStates(world, this.#place), fanOut)) return undefined;
    for (const slot of ["own", "for_children"] as const) {
      const run = await readRun(world, this.#place, fanOut, slot);
      if (run) throw parentFailed(plan, run.error?.message ?? run.status);
    }
    const isOverdue = world.clock.now() - Date.parse(started_at) > OVERDUE_MS;
    if (isOverdue) throw parentFailed(plan, "its run has not begun");
    return undefined;
  }
}

/** Waiting for the parent: for a moment in the slice, then until the run is resumed. */
class Patience {
  readonly #job: Job;
  readonly #parent: ResourcePlan;
  #waited = 0;
  #step: number = STEP_MS.first;

  constructor(job: Job, parent: ResourcePlan) {
    this.#job = job;
    this.#parent = parent;
  }

  reset(): void {
    this.#waited = 0;
    this.#step = STEP_MS.first;
  }

  async wait(): Promise<void> {
    const { clock, deadline, signal } = this.#job.world;
    const isOver = this.#waited >= PATIENCE_MS || clock.monotonic() + this.#step >= deadline;
    if (isOver) throw pending(this.#parent);
    await clock.sleep(this.#step, signal);
    this.#waited += this.#step;
    this.#step = Math.min(this.#step * 2, STEP_MS.most);
  }
}

const both = (own: Coverage, parent: Coverage): Coverage =>
  own === "everything" && parent === "everything" ? "everything" : "changes";

/**
 * The parent's read has to go back to where this resource was served up to: it does not for one that
 * has failed again and again, so that this does not make it read whole each time. And it must be none
 * from before the last one that this resource has read: what has changed since would be undone.
 */
function assertServes(resource: ResourcePlan, state: RunState, epoch: EpochView): void {
  const { consumed, refresh_asked } = state;
  if (/* planted: epochs-go-forward */ consumed && isOlder(epoch, consumed)) {
    const reason = "a newer read of the parent has been used already";
    if (refresh_asked) throw noSweep({ reason, hint: "refresh again" });
    throw notServed("run.parent_older", reason);
  }
  const root = rootAbove(resource);
  if (!root || !epoch.range || epoch.range.start === null) return;
  const needsWhole = resource.disposition === "replace" || state.refresh;
  const served = servedCursor({ needsWhole }, root, state);
  if (served !== null && !isBeforeIn(root.incremental)(served, epoch.range.start)) return;
  // planted: an-epoch-goes-back-far-enough
  throw notServed(
    "run.parent_gap",
    `this read of ${root.name} does not go back to where ${resource.name} was served up to`,
  );
}

function isOlder(epoch: EpochView, consumed: NonNullable<RunState["consumed"]>): boolean {
  if (epoch.ref.slot === consumed.ref.slot) return epoch.ref.id < consumed.ref.id;
  return epoch.began_at < consumed.ended_at;
}

const notServed = (code: string, message: string) =>
  new RequestError({
    code,
    message,
    hint: "nothing is lost: a later run goes back for it; a full refresh does so now",
    retryable: false,
  });

const pending = ({ name }: ResourcePlan) =>
  new RequestError({
    code: "run.parent_pending",
    message: `waiting for more records of ${name}`,
    hint: "nothing to do: the run goes on when they are there",
    retryable: true,
    waitMs: 1_000,
  });

const parentFailed = ({ source, name }: ResourcePlan, why: string) =>
  new RequestError({
    code: "run.parent_failed",
    message: `there are no records of ${name} to read for: ${why}`,
    hint: `see what became of ${source}/${name}; nothing is lost: a later run reads them`,
    retryable: false,
  });
