import { RequestError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import {
  PARENT_OVERDUE_MS,
  PARENT_PATIENCE_MS,
  PARENT_POLL_MS,
  PARENT_RESUME_MS,
} from "../base/timing.ts";
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
import type { JsonValue } from "../values/json.ts";
import { parseJson } from "../values/parse-json.ts";
import { isBeforeIn, servedCursor } from "./coverage.ts";
import type { Job } from "./job.ts";
import { noSweepError } from "./may-sweep.ts";

/*
 * A child reads the records that one read of its parent has spooled: the epoch that the child's
 * fan-out has caused. The child may read while the parent still reads, and the child's checkpoint
 * stores the child's position in the spool.
 */

/** A record of the parent, from the spool. */
export interface ParentRow {
  row: SpoolRow;
  position: SpoolPlace;
  /** Changes of the child's state during the requests for this record, and after these requests. */
  stateHere: Partial<RunState>;
  stateAfter: Partial<RunState>;
  /** The first request for this record was answered "not found". */
  isSecondTry: boolean;
}

/** Yields the parent's records from the child's position, and returns the child's final state. */
export class ParentRows {
  readonly #job: Job;
  readonly #state: RunState;
  readonly #parent: ParentPlan;
  readonly #resourceRef: ResourceRef;
  /** Parent records whose request was answered "not found". The page reader adds to the list. */
  readonly notFound: SpoolPlace[];

  constructor(job: Job, state: RunState) {
    this.#job = job;
    this.#state = state;
    this.#parent = job.resource.parent as ParentPlan;
    const { source, name } = this.#parent.plan;
    this.#resourceRef = { source, resource: name };
    this.notFound = [...state.not_found];
  }

  async *allRows(): AsyncGenerator<ParentRow, Partial<RunState>> {
    let position = this.#state.at ?? { block: 0, row: 0 };
    const waiting = new ParentWait(this.#job, this.#parent.plan);
    let epoch = await this.#look();
    if (!this.#state.is_second_try) {
      while (true) {
        while (epoch && position.block < epoch.blocks) {
          yield* this.#block(epoch, position);
          position = { block: position.block + 1, row: 0 };
          waiting.reset();
        }
        if (epoch?.status === "ended") break;
        await waiting.wait();
        epoch = await this.#look();
      }
    }
    if (!epoch) throw parentFailedError(this.#parent.plan, "its records are gone");
    yield* this.#secondTry(epoch, position);
    return {
      ...this.#bound(epoch),
      at: position,
      coverage: combinedCoverage(this.#state.coverage, epoch.coverage),
    };
  }

  async *#block(epoch: EpochView, from: SpoolPlace): AsyncGenerator<ParentRow> {
    const rows = await this.#read(epoch, from.block);
    for (const [index, row] of rows.entries()) {
      if (index < from.row) continue;
      const position = { block: from.block, row: index };
      const isLast = index + 1 === rows.length;
      const after = isLast
        ? { block: from.block + 1, row: 0 }
        : { block: from.block, row: index + 1 };
      yield {
        row,
        position,
        stateHere: { ...this.#bound(epoch), at: position },
        stateAfter: { at: after },
        isSecondTry: false,
      };
    }
  }

  /** Yields the records that were not found once. A record not found twice is gone and has no rows. */
  async *#secondTry(epoch: EpochView, end: SpoolPlace): AsyncGenerator<ParentRow> {
    let remaining = [...this.notFound];
    while (remaining[0]) {
      const [position] = remaining;
      const row = (await this.#read(epoch, position.block))[position.row];
      remaining = remaining.slice(1);
      if (!row) continue;
      const state = { ...this.#bound(epoch), at: end, is_second_try: true };
      yield {
        row,
        position,
        stateHere: { ...state, not_found: [position, ...remaining] },
        stateAfter: { ...state, not_found: remaining },
        isSecondTry: true,
      };
    }
  }

  /** Binds the child's state to the epoch. A child without a cursor covers the range of the parent's read. */
  #bound(epoch: EpochView): Partial<RunState> {
    return {
      parent_epoch: epoch.ref,
      ...(epoch.range ? { range: epoch.range } : {}),
      root_began_at: epoch.began_at,
      root_ended_at: epoch.ended_at,
      // The child's own pages may be numbered although the parent's are not.
      .../* planted: own-numbered-pages */ (epoch.is_numbered ? { is_numbered: true } : {}),
    };
  }

  async #read(epoch: EpochView, block: number): Promise<SpoolRow[]> {
    const text = await readSpoolBlock(this.#job.world, this.#resourceRef, epoch.ref, block);
    return parseJson(text) as JsonValue as SpoolRow[];
  }

  /** Returns the epoch of this run, or undefined before the epoch begins. Throws when none will begin. */
  async #look(): Promise<EpochView | undefined> {
    const { world } = this.#job;
    const { plan } = this.#parent;
    const { parent_epoch, ids, started_at } = this.#state;
    const fanOut = ids.at(-1) as string;
    const epoch = parent_epoch
      ? await epochAt(world, this.#resourceRef, parent_epoch)
      : await epochOf(world, this.#resourceRef, fanOut, plan.hash);
    if (epoch?.status === "failed") throw parentFailedError(plan, "its run has failed");
    if (epoch) {
      if (this.#job.isStored) assertServes(this.#job.resource, this.#state, epoch);
      return epoch;
    }
    if (parent_epoch) throw parentFailedError(plan, "its run was given up");
    if (isWishedFor(await readParentStates(world, this.#resourceRef), fanOut)) return undefined;
    for (const slot of ["own", "for_children"] as const) {
      const run = await readRun(world, this.#resourceRef, fanOut, slot);
      if (run) throw parentFailedError(plan, run.error?.message ?? run.status);
    }
    const isOverdue = world.clock.now() - Date.parse(started_at) > PARENT_OVERDUE_MS;
    if (isOverdue) throw parentFailedError(plan, "its run has not begun");
    return undefined;
  }
}

/** Waits for the parent for a short time in this slice. After that, the run waits and is resumed. */
class ParentWait {
  readonly #job: Job;
  readonly #parent: ResourcePlan;
  #waited = 0;
  #step: number = PARENT_POLL_MS.first;

  constructor(job: Job, parent: ResourcePlan) {
    this.#job = job;
    this.#parent = parent;
  }

  reset(): void {
    this.#waited = 0;
    this.#step = PARENT_POLL_MS.first;
  }

  async wait(): Promise<void> {
    const { clock, deadline, signal } = this.#job.world;
    const isOver = this.#waited >= PARENT_PATIENCE_MS || clock.monotonic() + this.#step >= deadline;
    if (isOver) throw parentPendingError(this.#parent);
    await clock.sleep(this.#step, signal);
    this.#waited += this.#step;
    this.#step = Math.min(this.#step * 2, PARENT_POLL_MS.most);
  }
}

const combinedCoverage = (ownCoverage: Coverage, parent: Coverage): Coverage =>
  ownCoverage === "everything" && parent === "everything" ? "everything" : "changes";

/**
 * Asserts that the parent's read starts at or before the cursor up to which this resource was served.
 * A parent does not go back for a child that fails again and again, because each read would then be a
 * whole one. The read must also be newer than the last read that this resource used: an older read
 * would undo changes.
 */
function assertServes(resource: ResourcePlan, state: RunState, epoch: EpochView): void {
  const { consumed, refresh_asked } = state;
  if (/* planted: epochs-go-forward */ consumed && isOlder(epoch, consumed)) {
    const reason = "a newer read of the parent has been used already";
    if (refresh_asked) throw noSweepError({ reason, hint: "refresh again" });
    throw notServedError("run.parent_older", reason);
  }
  const root = rootAbove(resource);
  if (!root || !epoch.range || epoch.range.start === null) return;
  const needsWhole = resource.disposition === "replace" || state.refresh;
  const served = servedCursor({ needsWhole }, root, state);
  if (served !== null && !isBeforeIn(root.incremental)(served, epoch.range.start)) return;
  // planted: an-epoch-goes-back-far-enough
  throw notServedError(
    "run.parent_gap",
    `this read of ${root.name} does not go back to where ${resource.name} was served up to`,
  );
}

function isOlder(epoch: EpochView, consumed: NonNullable<RunState["consumed"]>): boolean {
  if (epoch.ref.slot === consumed.ref.slot) return epoch.ref.id < consumed.ref.id;
  return epoch.began_at < consumed.ended_at;
}

const notServedError = (code: string, message: string) =>
  new RequestError({
    code,
    message,
    hint: "nothing is lost: a later run goes back for it; a full refresh does so now",
    retryable: false,
  });

const parentPendingError = ({ name }: ResourcePlan) =>
  new RequestError({
    code: "run.parent_pending",
    message: `waiting for more records of ${name}`,
    hint: "nothing to do: the run goes on when they are there",
    retryable: true,
    waitMs: PARENT_RESUME_MS,
  });

const parentFailedError = ({ source, name }: ResourcePlan, why: string) =>
  new RequestError({
    code: "run.parent_failed",
    message: `there are no records of ${name} to read for: ${why}`,
    hint: `see what became of ${source}/${name}; nothing is lost: a later run reads them`,
    retryable: false,
  });
