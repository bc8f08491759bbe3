import { LeaseError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { CONSISTENT_AFTER_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { meterClient } from "../dynamodb/meter.ts";
import { checkTable } from "../dynamodb/tables.ts";
import { type Counts, Tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { SecretStore } from "../secrets/store.ts";
import { nothingKnown } from "../state/changed-rows-state.ts";
import { epochIn, keepEpoch } from "../state/epochs.ts";
import { type RunRecord, recordRun } from "../state/history.ts";
import { Lease, leaseHeld } from "../state/lease.ts";
import { type Opening, opening, type Wanted } from "../state/opening.ts";
import type { RunState, Slot } from "../state/run-state.ts";
import { addFanOut, addWish, readState, type StoredState } from "../state/state-item.ts";
import type { StateWorld } from "../state/state-table.ts";
import type { Job, Order } from "./job.ts";
import { keepingLease } from "./keep-lease.ts";
import { allOf, lookForRun } from "./look.ts";
import { isPermission, maySweep, noSweep } from "./may-sweep.ts";
import { committed, failuresAfter, spent } from "./outcome.ts";
import { readPages } from "./read-pages.ts";
import { ending, errorOf, poisoned, reporter } from "./report.ts";
import { RunSchema, warnOfChanges } from "./run-schema.ts";
import { RunSignals } from "./signals.ts";
import { sweep } from "./sweep.ts";

/** How often a decision is made anew because the state has changed meanwhile. */
const MOST_LOOKS = 10;

/**
 * One slice of a run of one resource. Whatever the API, the table or a record does, it returns a
 * report that says how it ended. An event that has finished another one's run looks once more for
 * its own.
 */
export async function runResource(
  resource: ResourcePlan,
  order: Order,
  world: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  const first = new Slice(resource, order, world, secrets);
  const report = await first.run();
  if (!first.hasEndedAnothersRun(report)) return report;
  return new Slice(resource, order, world, secrets).run();
}

/** One invocation, as far as it has come: what has gone wrong is told by what it had by then. */
class Slice {
  readonly #resource: ResourcePlan;
  readonly #order: Order;
  /** As it was handed in: its signal is the interrupt. */
  readonly #outer: World;
  /** Its signal stops requests to the API. */
  readonly #world: World;
  /** For calls that are made although the slice was stopped: what a run says of itself. */
  readonly #steps: StateWorld;
  readonly #secrets: SecretStore;
  readonly #signals: RunSignals;
  readonly #place: ResourceRef;
  readonly #slot: Slot;
  readonly #isStored: boolean;
  readonly #isSample: boolean;
  readonly #tally: Tally;
  readonly #counts: Counts;
  /** The run that is worked on: the event's, or the one that it goes on with. */
  #runId: string;
  /** The run does not answer the event. */
  #isOthers = false;
  /** And no wish of the event is kept. */
  #isForgotten = false;
  #state: RunState | undefined;
  #stored: StoredState | undefined;
  #lease: Lease | undefined;
  #schema: RunSchema | undefined;

  constructor(resource: ResourcePlan, order: Order, world: World, secrets: SecretStore) {
    this.#resource = resource;
    this.#order = order;
    this.#outer = world;
    this.#secrets = secrets;
    this.#signals = new RunSignals(world.signal, world.clock);
    this.#place = { source: resource.source, resource: resource.name };
    this.#slot = order.forChildren && resource.selected ? "for_children" : "own";
    this.#isStored = resource.selected && this.#slot === "own";
    this.#isSample = order.limitPages !== undefined;
    this.#tally = new Tally(world.clock);
    this.#counts = this.#tally.counts;
    this.#runId = order.runId;
    const dynamodb = meterClient(world.dynamodb, this.#counts);
    const { names, clock, random, deadline } = world;
    this.#world = { ...world, dynamodb, signal: this.#signals.reading };
    this.#steps = { dynamodb, names, clock, random, deadline };
  }

  async run(): Promise<ResourceReport> {
    try {
      const report = await (this.#isSample ? this.#sample() : this.#run());
      await this.#tellForgotten(report);
      return report;
    } catch (error) {
      const report = await this.#giveUp(error);
      await this.#tellForgotten(report);
      return report;
    } finally {
      this.#signals.close();
    }
  }

  /** A child's event that goes on with another run, and leaves no wish, ends here if that run does not. */
  async #tellForgotten(report: ResourceReport): Promise<void> {
    if (!this.#isForgotten || report.status === "done") return;
    const skipped: ResourceReport = {
      ...report,
      status: "skipped",
      error: errorOf(otherRunOpen()),
    };
    await this.#remember(skipped, [this.#order.runId]).catch(() => {});
  }

  /** Whether the event's own run is still to come, and there is time for it. */
  hasEndedAnothersRun({ status }: ResourceReport): boolean {
    const { clock, deadline, signal } = this.#outer;
    return this.#isOthers && status === "done" && !signal.aborted && clock.monotonic() < deadline;
  }

  async #run(): Promise<ResourceReport> {
    const tableId = await this.#requirements();
    for (let look = 0; look < MOST_LOOKS; look++) {
      const report = await this.#decide(tableId);
      if (report) return report;
    }
    throw leaseHeld();
  }

  /** What has to be there before a run begins. Of several that are missing, the first is told. */
  async #requirements(): Promise<string | undefined> {
    const asked = [
      // Until somebody has filled the secret, there is no run to begin.
      this.#secrets.read(),
      this.#isStored ? checkTable(this.#steps, this.#resource) : { tableId: undefined },
    ] as const;
    const [, { tableId }] = await allOf(asked);
    return tableId;
  }

  /** Decides what the event means. Undefined: the state has changed meanwhile. */
  async #decide(tableId: string | undefined): Promise<ResourceReport | undefined> {
    const { wanted, stored, line } = await this.#look(tableId);
    this.#stored = stored;
    if (stored?.isNewer) throw newerFormat();
    const decision = opening(stored, wanted);
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
        return this.#wait(decision, wanted);
      case "busy":
        return this.#meetLivingWorker(decision.leaves, wanted);
      default:
        return this.#takeUp(decision, tableId);
    }
  }

  #look(tableId: string | undefined) {
    return lookForRun(this.#steps, {
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

  /** The API asked to wait. The event leaves its name, so that it is not forgotten. */
  async #wait(
    { body, runId, notBefore, leaves }: Extract<Opening, { kind: "wait" }>,
    wanted: Wanted,
  ): Promise<ResourceReport | undefined> {
    if (!(await this.#leave(leaves, wanted))) return undefined;
    this.#state = body;
    this.#runId = runId;
    this.#tally.addEarlierSlices(body.counts);
    return this.#report(leaves === "fan_out" ? "waiting" : "covered", { state: body, notBefore });
  }

  async #meetLivingWorker(
    leaves: Extract<Opening, { kind: "busy" }>["leaves"],
    wanted: Wanted,
  ): Promise<ResourceReport | undefined> {
    if (!(await this.#leave(leaves, wanted))) return undefined;
    const held = leaseHeld(this.#stored?.lease ?? undefined);
    if (leaves !== "wish") throw held;
    return this.#report("covered", { error: errorOf(held) });
  }

  /** False when the state has changed since it was read. */
  async #leave(leaves: "wish" | "fan_out" | "nothing", wanted: Wanted): Promise<boolean> {
    const stored = this.#stored;
    if (!stored || leaves === "nothing") return true;
    const { id, refresh, serves } = wanted;
    if (leaves === "fan_out") {
      return addFanOut(this.#steps, this.#place, this.#slot, { stored, id });
    }
    return addWish(this.#steps, this.#place, this.#slot, { stored, wish: { id, refresh, serves } });
  }

  /** Takes the lease and works on a run, until it has ended or the slice is short of time. */
  async #takeUp(
    decision: Extract<Opening, { kind: "start" | "continue" | "poison" }>,
    tableId: string | undefined,
  ): Promise<ResourceReport | undefined> {
    const { place, slot, owner } = {
      place: this.#place,
      slot: this.#slot,
      owner: this.#order.owner,
    };
    const stored = this.#stored;
    const lease = await Lease.take(this.#steps, { place, slot, owner, stored, run: decision });
    if (!lease) return undefined;
    this.#lease = lease;
    this.#state = decision.body;
    this.#runId = decision.runId;
    this.#isOthers = decision.isOthers;
    this.#isForgotten =
      decision.isOthers && !decision.wishes.some(({ id }) => id === this.#order.runId);
    this.#tally.addEarlierSlices(decision.body.counts);
    if (decision.kind === "poison") throw poisoned(decision.body);
    if (decision.kind === "start" && decision.note) {
      this.#world.log.warn(decision.note, { ...place });
    }
    const job = await this.#open(lease, tableId);
    const read = await keepingLease(readPages(job, decision.body, this.#onCheckpoint), job);
    this.#state = read;
    const all = read.phase === "read" ? read : await this.#sweepAfter(read, job);
    return this.#finish(lease, all);
  }

  async #open(lease: Lease, tableId: string | undefined): Promise<Job> {
    const place = this.#place;
    if (this.#isStored) {
      const writing = { ...this.#world, signal: this.#signals.writing };
      const under = { resourceRef: place, tableId, token: lease.token };
      this.#schema = await RunSchema.open(this.#resource, writing, under);
    }
    const updatedAt = Date.parse(this.#stored?.updated_at ?? "");
    return {
      runId: this.#runId,
      resource: this.#resource,
      place,
      slot: this.#slot,
      isStored: this.#isStored,
      isSample: this.#isSample,
      limitPages: this.#order.limitPages,
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
    this.#world.log.debug("page", { ...this.#place, counts: state.counts });
  };

  /** All pages are durable: the children's epoch has ended, and rows that are gone may go. */
  async #sweepAfter(read: RunState, job: Job): Promise<RunState> {
    await this.#keepEpoch(read);
    if (read.phase === "end") return read;
    const permission = maySweep(this.#resource, read);
    if (isPermission(permission)) {
      return keepingLease(sweep(job, read, permission, this.#onCheckpoint), job);
    }
    throw noSweep(permission);
  }

  async #keepEpoch(state: RunState): Promise<void> {
    if (this.#resource.spooled.length === 0 || this.#isSample) return;
    const stored = await readState(this.#steps, this.#place, this.#slot);
    const fanOuts = stored?.fan_outs ?? state.ids;
    const ref = { slot: this.#slot, id: state.epoch };
    await keepEpoch(this.#steps, this.#place, ref, epochIn(state, fanOuts));
  }

  async #finish(lease: Lease, state: RunState): Promise<ResourceReport> {
    this.#state = state;
    if (state.phase !== "end") {
      const running = this.#report("running", { state });
      await lease.release({
        status: "running",
        body: { ...state, counts: { ...this.#counts } },
      });
      return running;
    }
    const found = this.#schema?.report();
    warnOfChanges(found, this.#world, this.#place);
    const ended = this.#isStored
      ? committed(state, this.#resource, this.#world.clock.now())
      : state;
    const done = this.#report("done", { state: ended, before: state.cursor, schema: found });
    // The history comes first: a run that is cut off here finds the same again.
    const named = await this.#rememberAll(done, state);
    await this.#schema?.close(this.#runId);
    await lease.release({ status: "done", body: ended });
    await this.#rememberLate(done, state, named);
    return done;
  }

  /** A sample writes its pages and leaves no run behind. */
  async #sample(): Promise<ResourceReport> {
    const tableId = await this.#requirements();
    const { place, slot, owner } = {
      place: this.#place,
      slot: this.#slot,
      owner: this.#order.owner,
    };
    const stored = await readState(this.#steps, place, slot);
    this.#stored = stored;
    if (stored?.isNewer) throw newerFormat();
    const { wanted } = await this.#look(tableId);
    const blank = opening(undefined, { ...wanted, refresh: false, endedAs: null });
    if (blank.kind !== "start") throw leaseHeld();
    // What fingerprints say of the table is in doubt before the first put.
    const doubted = stored?.body && {
      ...stored.body,
      rows: { ...stored.body.rows, in_doubt: true, known: null },
    };
    const fields = doubted ? { body: JSON.stringify(doubted) } : {};
    const lease = await Lease.take(this.#steps, { place, slot, owner, stored, fields });
    if (!lease) throw leaseHeld();
    this.#lease = lease;
    const body: RunState = { ...blank.body, refresh: false, rows: nothingKnown };
    this.#state = body;
    const job = await this.#open(lease, tableId);
    const read = await keepingLease(readPages(job, body, this.#onCheckpoint), job);
    const found = this.#schema?.report();
    warnOfChanges(found, this.#world, place);
    await this.#schema?.close(this.#runId, { isPart: true });
    await lease.letGo();
    return this.#report("done", { state: read, schema: found });
  }

  async #giveUp(error: unknown): Promise<ResourceReport> {
    const resource = this.#resource;
    const state = this.#state;
    const end = ending(error, { resource, state, world: this.#outer });
    const hasFailed = end.status === "failed";
    const failed = this.#report(end.report, {
      ...end,
      state,
      schema: hasFailed ? this.#schema?.report() : undefined,
    });
    const isOvertaken = error instanceof LeaseError;
    if (!this.#isSample && (isOvertaken || hasFailed)) {
      // The run that is in the way of this event goes on, and its own report tells how it ended.
      const ids = isOvertaken || !this.#lease ? this.#namesWithoutRun() : this.#namesOfRun();
      await this.#remember(failed, ids, state?.epoch).catch(() => {});
    }
    const lease = this.#lease;
    // A lease that was lost is not ours to give back; one that cannot be given back runs out.
    if (!lease || isOvertaken) return failed;
    // What is stored by now stays, whatever became of the run.
    if (hasFailed) await this.#schema?.close(this.#runId, { isPart: true }).catch(() => {});
    if (this.#isSample || !state) await lease.letGo().catch(() => {});
    else {
      const body: RunState = {
        ...state,
        ...end.changes,
        ...(hasFailed ? { failures: failuresAfter(state, error, this.#world.clock.now()) } : {}),
        counts: { ...state.counts, ...spent(this.#counts) },
      };
      await lease.release({ ...end, body }).catch(() => {});
    }
    return failed;
  }

  /** All fan-outs that the run answers, as far as they were there when it was taken up. */
  #namesOfRun(): string[] {
    const isContinued = this.#stored?.body?.epoch === this.#state?.epoch;
    const added = isContinued ? (this.#stored?.fan_outs ?? []) : [];
    return [...new Set([...(this.#state?.ids ?? []), ...added])];
  }

  /** The event's name, unless it is one of the run under way: that run's end will tell. */
  #namesWithoutRun(): string[] {
    const { run_id, body, fan_outs = [] } = this.#stored ?? {};
    const names = [run_id, ...(body?.ids ?? []), ...fan_outs];
    return names.includes(this.#order.runId) ? [] : [this.#order.runId];
  }

  /** Writes the history of every fan-out that this read answers. Returns their names. */
  async #rememberAll(report: ResourceReport, state: RunState): Promise<Set<string>> {
    const stored = await readState(this.#steps, this.#place, this.#slot);
    const names = new Set([...state.ids, ...(stored?.fan_outs ?? [])]);
    await this.#remember(report, names, state.epoch);
    return names;
  }

  /** A fan-out may have been added while the history was written. */
  async #rememberLate(report: ResourceReport, state: RunState, named: Set<string>): Promise<void> {
    const stored = await readState(this.#steps, this.#place, this.#slot).catch(() => undefined);
    const late = stored?.body?.epoch === state.epoch ? stored.fan_outs : [];
    const missing = late.filter((id) => !named.has(id));
    await this.#remember(report, missing, state.epoch).catch(() => {});
  }

  async #remember(report: ResourceReport, ids: Iterable<string>, epoch?: number): Promise<void> {
    const hasChildren = this.#resource.spooled.length > 0;
    for (const id of ids) {
      await recordRun(
        this.#steps,
        { place: this.#place, slot: this.#slot, id, epoch: hasChildren ? epoch : undefined },
        report,
        this.#order.memoryMb ?? 512,
      );
    }
  }

  #report(
    status: ResourceReport["status"],
    end: Parameters<ReturnType<typeof reporter>>[1],
  ): ResourceReport {
    const order = { runId: this.#runId, limitPages: this.#order.limitPages };
    return reporter(this.#resource, order, this.#outer, this.#tally)(status, end);
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
