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
 * A child reads the records that one read of its parent has spooled: the epoch that its fan-out has
 * caused. It reads while that read is still under way, and keeps its place in its own checkpoint.
 */

/** A record of the parent. */
export interface ParentRow {
  row: SpoolRow;
  position: SpoolPlace;
  /** Changes of the child's state while it reads for this record, and after it. */
  stateHere: Partial<RunState>;
  stateAfter: Partial<RunState>;
  /** Its request was answered "not found" before: this is the second time. */
  isSecondTry: boolean;
}

/** The parent's records from the child's place on. Returns what the child's state is after the last. */
export class ParentRows {
  readonly #job: Job;
  readonly #state: RunState;
  readonly #parent: ParentPlan;
  readonly #place: ResourceRef;
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
        position: position,
        stateHere: { ...this.#bound(epoch), at: position },
        stateAfter: { at: after },
        isSecondTry: false,
      };
    }
  }

  /** A record that is not found twice is gone: it has no rows. */
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
        position: position,
        stateHere: { ...state, not_found: [position, ...remaining] },
        stateAfter: { ...state, not_found: remaining },
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
    if (epoch?.status === "failed") throw parentFailedError(plan, "its run has failed");
    if (epoch) {
      if (this.#job.isStored) assertServes(this.#job.resource, this.#state, epoch);
      return epoch;
    }
    if (parent_epoch) throw parentFailedError(plan, "its run was given up");
    if (isWishedFor(await readParentStates(world, this.#place), fanOut)) return undefined;
    for (const slot of ["own", "for_children"] as const) {
      const run = await readRun(world, this.#place, fanOut, slot);
      if (run) throw parentFailedError(plan, run.error?.message ?? run.status);
    }
    const isOverdue = world.clock.now() - Date.parse(started_at) > PARENT_OVERDUE_MS;
    if (isOverdue) throw parentFailedError(plan, "its run has not begun");
    return undefined;
  }
}

/** Waiting for the parent: for a moment in the slice, then until the run is resumed. */
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
 * The parent's read has to go back to where this resource was served up to: it does not for one that
 * has failed again and again, so that this does not make it read whole each time. And it must be none
 * from before the last one that this resource has read: what has changed since would be undone.
 */
function assertServes(resource: ResourcePlan, state: RunState, epoch: EpochView): void {
  const { consumed, refresh_asked } = state;
  if (consumed && isOlder(epoch, consumed)) {
    const reason = "a newer read of the parent has been used already";
    if (refresh_asked) throw noSweepError({ reason, hint: "refresh again" });
    throw notServedError("run.parent_older", reason);
  }
  const root = rootAbove(resource);
  if (!root || !epoch.range || epoch.range.start === null) return;
  const needsWhole = resource.disposition === "replace" || state.refresh;
  const served = servedCursor({ needsWhole }, root, state);
  if (served !== null && !isBeforeIn(root.incremental)(served, epoch.range.start)) return;
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
