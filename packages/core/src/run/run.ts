import { LeaseError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { CONSISTENT_AFTER_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import { startingAt } from "../config/incremental.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { meterClient } from "../dynamodb/meter.ts";
import { checkTable } from "../dynamodb/tables.ts";
import { type Counts, Tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { SecretStore } from "../secrets/store.ts";
import { noKnownRows } from "../state/changed-rows-state.ts";
import { epochIn, keepEpoch } from "../state/epochs.ts";
import { type RunRecord, recordRun } from "../state/history.ts";
import { Lease, leaseHeld } from "../state/lease.ts";
import { decideRun, type RunDecision, type RunRequest, readIdFor } from "../state/opening.ts";
import type { RunState, Slot } from "../state/run-state.ts";
import { addFanOut, addWish, readState, type StoredState } from "../state/state-item.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Job, Order } from "./job.ts";
import { keepingLease } from "./keep-lease.ts";
import { awaitAll, lookForRun } from "./look.ts";
import { isPermission, maySweep, noSweepError } from "./may-sweep.ts";
import { failuresAfter, spentCounts, stateAfterSuccess } from "./outcome.ts";
import { readPages } from "./read-pages.ts";
import { createReporter, decideEnding, errorOf, pagePoisonError } from "./report.ts";
import { RunSchema, warnOfChanges } from "./run-schema.ts";
import { RunSignals } from "./signals.ts";
import { sweepRows } from "./sweep.ts";

/** An event may first end an interrupted run, and then a run that was wished for. */
const MOST_RUNS = 5;

/** The number of decisions that may be repeated because the state changed in the meantime. */
const MOST_LOOKS = 10;

/**
 * Runs one slice of one resource and always returns a report, also after an error of the API, the
 * table or a record. An event that has finished the run of an earlier event then starts its own run.
 */
export async function runResource(
  resource: ResourcePlan,
  order: Order,
  world: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  for (let run = 1; ; run++) {
    const slice = new Slice(resource, order, world, secrets);
    const report = await slice.run();
    // planted: own-run-after-others
    if (run < MOST_RUNS && slice.hasEndedOtherRun(report)) continue;
    await slice.recordForgotten(report);
    return report;
  }
}

/** One invocation and its progress, from which the report is made when the slice fails. */
class Slice {
  readonly #resource: ResourcePlan;
  readonly #order: Order;
  /** The world that the caller passed in. Its signal is the interrupt. */
  readonly #outerWorld: World;
  /** The world for reading. Its signal stops requests to the API. */
  readonly #world: World;
  /** The world without a signal, for state and history writes that a stopped slice still makes. */
  readonly #stateWorld: StateWorld;
  readonly #secrets: SecretStore;
  readonly #signals: RunSignals;
  readonly #resourceRef: ResourceRef;
  readonly #slot: Slot;
  readonly #isStored: boolean;
  readonly #isSample: boolean;
  readonly #tally: Tally;
  readonly #counts: Counts;
  /** The current run: the event's own run, or an unfinished one that the event continues. */
  #runId: string;
  /** The current run does not answer the event. */
  #isOtherRun = false;
  /** The run does not answer the event, and the event has stored no wish. */
  #isForgotten = false;
  #state: RunState | undefined;
  #stored: StoredState | undefined;
  #lease: Lease | undefined;
  #schema: RunSchema | undefined;

  constructor(resource: ResourcePlan, order: Order, world: World, secrets: SecretStore) {
    this.#resource = resource;
    this.#order = order;
    this.#outerWorld = world;
    this.#secrets = secrets;
    this.#signals = new RunSignals(world.signal, world.clock);
    this.#resourceRef = { source: resource.source, resource: resource.name };
    this.#slot = order.forChildren && resource.selected ? "for_children" : "own";
    // planted: slot-of-reads-for-children
    this.#isStored = resource.selected && this.#slot === "own";
    this.#isSample = order.limitPages !== undefined;
    this.#tally = new Tally(world.clock);
    this.#counts = this.#tally.counts;
    this.#runId = order.runId;
    const dynamodb = meterClient(world.dynamodb, this.#counts);
    const { names, clock, random, deadline } = world;
    this.#world = { ...world, dynamodb, signal: this.#signals.reading };
    this.#stateWorld = { dynamodb, names, clock, random, deadline };
  }

  async run(): Promise<ResourceReport> {
    try {
      return await (this.#isSample ? this.#sample() : this.#run());
    } catch (error) {
      return await this.#endAfterError(error);
    } finally {
      this.#signals.close();
    }
  }

  /** Records the event as skipped when it met another run, left no wish, and gets no run of its own. */
  async recordForgotten(report: ResourceReport): Promise<void> {
    if (!this.#isForgotten) return;
    const skipped: ResourceReport = {
      ...report,
      status: "skipped",
      error: errorOf(otherRunOpen()),
    };
    await this.#remember(skipped, [this.#order.runId]).catch(() => {});
  }

  /** True when the slice has ended another run and has time left for the event's own run. */
  hasEndedOtherRun({ status }: ResourceReport): boolean {
    const { clock, deadline, signal } = this.#outerWorld;
    return this.#isOtherRun && status === "done" && !signal.aborted && clock.monotonic() < deadline;
  }

  async #run(): Promise<ResourceReport> {
    const tableId = await this.#requirements();
    for (let look = 0; look < MOST_LOOKS; look++) {
      const report = await this.#decide(tableId);
      if (report) return report;
    }
    throw leaseHeld();
  }

  /** Checks the secret and the table before a run begins. Throws the first error of the list. */
  async #requirements(): Promise<string | undefined> {
    const requirements = [
      // A run cannot begin before a person has filled the secret.
      this.#secrets.read(),
      this.#isStored ? checkTable(this.#stateWorld, this.#resource) : { tableId: undefined },
    ] as const;
    const [, { tableId }] = await awaitAll(requirements);
    return tableId;
  }

  /** Decides what the event means. Returns undefined when the state changed in the meantime. */
  async #decide(tableId: string | undefined): Promise<ResourceReport | undefined> {
    const { runRequest, stored, runRecord: line } = await this.#look(tableId);
    this.#stored = stored;
    if (stored?.isNewer) throw newerFormat();
    const decision = decideRun(stored, runRequest);
    switch (decision.kind) {
      case "ended":
        return this.#endedBefore(decision.body, line);
      case "given_up":
        throw givenUp();
      case "answered": {
        this.#tally.addEarlierSlices(decision.body.counts);
        const done = this.#report("done", { state: decision.body });
        await this.#remember(done, [this.#order.runId], decision.body.epoch);
        return done;
      }
      case "wait":
        return this.#wait(decision, runRequest);
      case "busy":
        return this.#meetLivingWorker(decision.leaves, runRequest);
      default:
        return this.#takeUp(decision, tableId);
    }
  }

  #look(tableId: string | undefined) {
    return lookForRun(this.#stateWorld, {
      resource: this.#resource,
      order: this.#order,
      slot: this.#slot,
      isStored: this.#isStored,
      tableId: tableId ?? null,
    });
  }

  #endedBefore(body: RunState | null, line: RunRecord | undefined): ResourceReport {
    this.#tally.addEarlierSlices(body?.counts ?? line ?? this.#counts);
    return this.#report("done", { state: body ?? undefined });
  }

  /** The API asked for a pause. The event stores its name, so that the next read answers the event. */
  async #wait(
    { body, runId, notBefore, leaves }: Extract<RunDecision, { kind: "wait" }>,
    runRequest: RunRequest,
  ): Promise<ResourceReport | undefined> {
    if (!(await this.#leave(leaves, runRequest))) return undefined;
    this.#state = body;
    this.#runId = runId;
    // planted: covered-events-end
    this.#isForgotten = leaves === "nothing";
    this.#tally.addEarlierSlices(body.counts);
    return this.#report(leaves === "fan_out" ? "waiting" : "covered", { state: body, notBefore });
  }

  async #meetLivingWorker(
    leaves: Extract<RunDecision, { kind: "busy" }>["leaves"],
    runRequest: RunRequest,
  ): Promise<ResourceReport | undefined> {
    if (!(await this.#leave(leaves, runRequest))) return undefined;
    const isWished = leaves === "wish";
    const held = leaseHeld(this.#stored?.lease ?? undefined, { isWished });
    if (!isWished) throw held;
    return this.#report("covered", { error: errorOf(held) });
  }

  /** Returns false when the state has changed since the read. */
  async #leave(leaves: "wish" | "fan_out" | "nothing", runRequest: RunRequest): Promise<boolean> {
    const stored = this.#stored;
    if (!stored || leaves === "nothing") return true;
    const { id, refresh, serves } = runRequest;
    if (leaves === "fan_out") {
      return addFanOut(this.#stateWorld, this.#resourceRef, this.#slot, { stored, id });
    }
    // planted: wishes-are-stored
    return addWish(this.#stateWorld, this.#resourceRef, this.#slot, {
      stored,
      wish: { id, refresh, serves },
    });
  }

  /** Takes the lease and works on a run until the run ends or the slice is short of time. */
  async #takeUp(
    decision: Extract<RunDecision, { kind: "start" | "continue" | "poison" }>,
    tableId: string | undefined,
  ): Promise<ResourceReport | undefined> {
    const { resourceRef, slot, owner } = {
      resourceRef: this.#resourceRef,
      slot: this.#slot,
      owner: this.#order.owner,
    };
    const stored = this.#stored;
    const lease = await Lease.take(this.#stateWorld, {
      resourceRef,
      slot,
      owner,
      stored,
      run: decision,
    });
    if (!lease) return undefined;
    this.#lease = lease;
    this.#state = decision.body;
    this.#runId = decision.runId;
    this.#isOtherRun = decision.isOthers;
    this.#isForgotten =
      decision.isOthers && !decision.wishes.some(({ id }) => id === this.#order.runId);
    this.#tally.addEarlierSlices(decision.body.counts);
    if (decision.kind === "poison") throw pagePoisonError(decision.body);
    if (decision.kind === "start" && decision.note) {
      this.#world.log.warn(decision.note, { ...resourceRef });
    }
    const job = await this.#open(lease, tableId);
    const read = await keepingLease(readPages(job, decision.body, this.#onCheckpoint), job);
    this.#state = read;
    const swept = read.phase === "read" ? read : await this.#sweepAfter(read, job);
    return this.#finish(lease, swept);
  }

  async #open(lease: Lease, tableId: string | undefined): Promise<Job> {
    const resourceRef = this.#resourceRef;
    if (this.#isStored) {
      const writing = { ...this.#world, signal: this.#signals.writing };
      const under = { resourceRef, tableId, token: lease.token };
      this.#schema = await RunSchema.open(this.#resource, writing, under);
    }
    const updatedAt = Date.parse(this.#stored?.updated_at ?? "");
    return {
      runId: this.#runId,
      resource: startingAt(this.#resource, this.#state?.initial),
      resourceRef,
      slot: this.#slot,
      isStored: this.#isStored,
      isSample: this.#isSample,
      limitPages: this.#order.limitPages,
      memoryMb: this.#order.memoryMb,
      wroteLately: this.#world.clock.now() - updatedAt < CONSISTENT_AFTER_MS,
      world: this.#world,
      signals: this.#signals,
      secrets: this.#secrets,
      lease,
      schema: this.#schema,
      counts: this.#counts,
    };
  }

  readonly #onCheckpoint = (state: RunState): void => {
    this.#state = state;
    this.#tally.updateWorkedTime();
    this.#world.log.debug("page", { ...this.#resourceRef, counts: state.counts });
  };

  /** Called when all pages are durable: ends the children's epoch and deletes rows that are gone. */
  async #sweepAfter(read: RunState, job: Job): Promise<RunState> {
    await this.#keepEpoch(read);
    if (read.phase === "end") return read;
    const permission = maySweep(job.resource, read);
    if (isPermission(permission)) {
      return keepingLease(sweepRows(job, read, permission, this.#onCheckpoint), job);
    }
    throw noSweepError(permission);
  }

  async #keepEpoch(state: RunState): Promise<void> {
    if (this.#resource.spooled.length === 0 || this.#isSample) return;
    const stored = await readState(this.#stateWorld, this.#resourceRef, this.#slot);
    const fanOuts = stored?.fan_outs ?? state.ids;
    const ref = { slot: this.#slot, id: state.epoch };
    await keepEpoch(this.#stateWorld, this.#resourceRef, ref, epochIn(state, fanOuts));
  }

  async #finish(lease: Lease, state: RunState): Promise<ResourceReport> {
    this.#state = state;
    if (/* planted: unfinished-slice */ state.phase !== "end") {
      const running = this.#report("running", { state });
      await lease.release({
        status: "running",
        body: { ...state, counts: { ...this.#counts } },
      });
      return running;
    }
    const schemaReport = this.#schema?.report();
    warnOfChanges(schemaReport, this.#world, this.#resourceRef);
    const ended = this.#isStored
      ? stateAfterSuccess(state, this.#resource, this.#world.clock.now())
      : state;
    const named = new Set([...state.ids, ...(await this.#fanOutsOf(state))]);
    const done = this.#report("done", { state: ended, before: state.cursor, schema: schemaReport });
    // The history is written first: a run that crashes here writes the same history again.
    await this.#remember(done, named, state.epoch);
    await this.#schema?.close(this.#runId);
    await lease.release({ status: "done", body: ended });
    await this.#rememberLate(done, state, named);
    return done;
  }

  /** Runs a sample, which writes its pages and leaves no unfinished run. */
  async #sample(): Promise<ResourceReport> {
    const tableId = await this.#requirements();
    const { resourceRef, slot, owner } = {
      resourceRef: this.#resourceRef,
      slot: this.#slot,
      owner: this.#order.owner,
    };
    const stored = await readState(this.#stateWorld, resourceRef, slot);
    this.#stored = stored;
    if (stored?.isNewer) throw newerFormat();
    const { runRequest } = await this.#look(tableId);
    const blank = decideRun(undefined, { ...runRequest, refresh: false, endedAs: null });
    if (blank.kind !== "start") throw leaseHeld();
    // Fingerprints no longer match the table after the first put, so they are distrusted before it.
    const doubted = stored?.body && {
      ...stored.body,
      last_whole: null,
      rows: { ...stored.body.rows, in_doubt: true, known: null },
    };
    const readId = readIdFor(stored, runRequest.newReadId);
    const fields = {
      next_read_id: readId,
      ...(doubted ? { body: JSON.stringify(doubted) } : {}),
    };
    const lease = await Lease.take(this.#stateWorld, { resourceRef, slot, owner, stored, fields });
    if (!lease) throw leaseHeld();
    this.#lease = lease;
    const body: RunState = {
      ...blank.body,
      read_id: readId,
      refresh: false,
      last_whole: null,
      rows: noKnownRows,
    };
    this.#state = body;
    const job = await this.#open(lease, tableId);
    const read = await keepingLease(readPages(job, body, this.#onCheckpoint), job);
    const schemaReport = this.#schema?.report();
    warnOfChanges(schemaReport, this.#world, resourceRef);
    await this.#schema?.close(this.#runId, { isPart: true });
    // planted: samples-move-nothing
    await lease.letGo();
    return this.#report("done", { state: read, schema: schemaReport });
  }

  async #endAfterError(error: unknown): Promise<ResourceReport> {
    const resource = this.#resource;
    const state = this.#state;
    const end = decideEnding(error, { resource, state, world: this.#outerWorld });
    const hasFailed = end.status === "failed";
    const failed = this.#report(end.report, {
      ...end,
      state,
      schema: hasFailed ? this.#schema?.report() : undefined,
    });
    // A lost lease belongs to another worker, which continues and writes its own report.
    const isOvertaken = error instanceof LeaseError;
    const lease = isOvertaken ? undefined : this.#lease;
    if (!lease) {
      if (!this.#isSample && (isOvertaken || hasFailed)) {
        await this.#remember(failed, this.#namesWithoutRun(), state?.epoch).catch(() => {});
      }
      return failed;
    }
    // Rows that are stored stay in the table after a failure, so the schema keeps their columns.
    if (hasFailed) await this.#schema?.close(this.#runId, { isPart: true }).catch(() => {});
    // A lease that cannot be given back expires.
    if (this.#isSample || !state) {
      await lease.letGo().catch(() => {});
      return failed;
    }
    const fanOuts = hasFailed ? await this.#fanOutsOf(state).catch(() => []) : [];
    const named = new Set([...state.ids, ...fanOuts]);
    if (hasFailed) await this.#remember(failed, named, state.epoch).catch(() => {});
    const body: RunState = {
      ...state,
      // planted: served-stays-when-a-run-fails
      ...end.changes,
      ...(hasFailed ? { failures: failuresAfter(state, error, this.#world.clock.now()) } : {}),
      counts: { ...state.counts, ...spentCounts(this.#counts) },
    };
    await lease.release({ ...end, body }).catch(() => {});
    if (hasFailed) await this.#rememberLate(failed, state, named);
    return failed;
  }

  /** Returns the event's name, unless the unfinished run answers the event and records its end. */
  #namesWithoutRun(): string[] {
    const { run_id, body, fan_outs = [] } = this.#stored ?? {};
    const names = [run_id, ...(body?.ids ?? []), ...fan_outs];
    return names.includes(this.#order.runId) ? [] : [this.#order.runId];
  }

  /** Returns the fan-outs that have been added to this read so far. */
  async #fanOutsOf({ epoch }: RunState): Promise<string[]> {
    const stored = await readState(this.#stateWorld, this.#resourceRef, this.#slot);
    return stored?.body?.epoch === epoch ? stored.fan_outs : [];
  }

  /** Writes the history of fan-outs that were added while the history was written. */
  async #rememberLate(
    report: ResourceReport,
    state: RunState,
    named: ReadonlySet<string>,
  ): Promise<void> {
    const fanOuts = await this.#fanOutsOf(state).catch(() => []);
    const missing = fanOuts.filter((id) => !named.has(id));
    await this.#remember(report, missing, state.epoch).catch(() => {});
  }

  async #remember(report: ResourceReport, ids: Iterable<string>, epoch?: number): Promise<void> {
    const hasChildren = this.#resource.spooled.length > 0;
    for (const id of ids) {
      await recordRun(
        this.#stateWorld,
        {
          resourceRef: this.#resourceRef,
          slot: this.#slot,
          id,
          epoch: hasChildren ? epoch : undefined,
        },
        report,
        this.#order.memoryMb ?? 512,
      );
    }
  }

  #report(
    status: ResourceReport["status"],
    end: Parameters<ReturnType<typeof createReporter>>[1],
  ): ResourceReport {
    const order = { runId: this.#runId, limitPages: this.#order.limitPages };
    return createReporter(this.#resource, order, this.#outerWorld, this.#tally)(status, end);
  }
}

const newerFormat = (): LeaseError =>
  new LeaseError({
    code: "state.newer_format",
    message: "the state of this resource was written by a newer version of tidetable",
    hint: "deploy that version again, or a later one; nothing was changed",
  });

const otherRunOpen = (): LeaseError =>
  new LeaseError({
    code: "run.other_open",
    message: "an earlier run of this resource has not ended",
    hint: "nothing is lost: a later run reads what this one would have read",
  });

const givenUp = (): LeaseError =>
  new LeaseError({
    code: "run.given_up",
    message: "this run has failed, and a later one has begun since",
    hint: "nothing to do: the later run reads what this one did not",
  });
