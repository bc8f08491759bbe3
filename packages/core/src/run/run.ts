import { LeaseError, RequestError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import { hasOwnCursor } from "../config/lineage.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { metered } from "../dynamodb/meter.ts";
import { checkTable } from "../dynamodb/tables.ts";
import { commit } from "../extract/cursor/cursor.ts";
import { type Counts, type Tally, tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { SecretStore } from "../secrets/store.ts";
import { nothingKnown, rowsAtStart, rowsBehind } from "../state/changed-rows-state.ts";
import { epochIn, epochOf, keepEpoch } from "../state/epochs.ts";
import { type RunRecord, readRun, recordRun } from "../state/history.ts";
import { Lease, leaseHeld } from "../state/lease.ts";
import { type Opening, opening, type Wanted } from "../state/opening.ts";
import type { RunState, Slot } from "../state/run-state.ts";
import {
  addFanOut,
  addWish,
  readState,
  readStates,
  type StoredState,
} from "../state/state-item.ts";
import type { Place, StateWorld } from "../state/state-table.ts";
import { isBeforeIn, servedAfter, startOf } from "./coverage.ts";
import type { Job, Order } from "./job.ts";
import { keepingLease } from "./keep-lease.ts";
import { isPermission, maySweep, noSweep } from "./may-sweep.ts";
import { readPages } from "./read-pages.ts";
import { ending, poisoned, reporter } from "./report.ts";
import { openSchema, type RunSchema, tell } from "./run-schema.ts";
import { RunSignals } from "./signals.ts";
import { sweep } from "./sweep.ts";

/** How often a decision is made anew because the state has changed meanwhile. */
const MOST_LOOKS = 10;

/** A read that is not consistent may show rows as they were this long ago. */
const SETTLED_MS = 30_000;

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
  readonly #place: Place;
  readonly #slot: Slot;
  readonly #isStored: boolean;
  readonly #isSample: boolean;
  readonly #tally: Tally;
  readonly #counts: Counts;
  /** The run that is worked on: the event's, or the one that it goes on with. */
  #runId: string;
  /** The run does not answer the event. */
  #isOthers = false;
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
    // planted: slot-of-reads-for-children
    this.#isStored = resource.selected && this.#slot === "own";
    this.#isSample = order.limitPages !== undefined;
    this.#tally = tally(world.clock);
    this.#counts = this.#tally.counts;
    this.#runId = order.runId;
    const dynamodb = metered(world.dynamodb, this.#counts);
    const { names, clock, random, deadline } = world;
    this.#world = { ...world, dynamodb, signal: this.#signals.reading };
    this.#steps = { dynamodb, names, clock, random, deadline };
  }

  async run(): Promise<ResourceReport> {
    try {
      return await (this.#isSample ? this.#sample() : this.#run());
    } catch (error) {
      return await this.#giveUp(error);
    } finally {
      this.#signals.close();
    }
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
    await Promise.allSettled(asked);
    const [, { tableId }] = await Promise.all(asked);
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
        this.#tally.goOnFrom(decision.body.counts);
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

  async #look(tableId: string | undefined) {
    const { runId, refresh = false, serves, forChildren = false } = this.#order;
    const { parent } = this.#resource;
    const parentPlace = parent && { source: parent.plan.source, resource: parent.plan.name };
    const followerPlaces = hasOwnCursor(this.#resource)
      ? this.#resource.followers.map(({ name }) => ({ ...this.#place, resource: name }))
      : [];
    const [[stored, ...states], line, epoch] = await Promise.all([
      readStates(this.#steps, [{ ...this.#place, slot: this.#slot }, ...followerPlaces]),
      readRun(this.#steps, this.#place, runId, this.#slot),
      parent && parentPlace && epochOf(this.#steps, parentPlace, runId, parent.plan.hash),
    ]);
    const followers = new Map(followerPlaces.map(({ resource }, n) => [resource, states[n]]));
    const wanted = this.#wanted({
      tableId,
      refresh,
      serves: serves ? [...serves] : null,
      line,
      epoch,
      startFor: (asked, own) =>
        startOf(this.#resource, {
          own,
          followers,
          serves: asked,
          isForChildren: forChildren,
          now: this.#world.clock.now(),
        }),
    });
    return { stored, line, wanted };
  }

  #wanted(
    seen: Pick<Wanted, "refresh" | "serves" | "epoch"> & {
      tableId: string | undefined;
      line: RunRecord | undefined;
      startFor: NonNullable<Wanted["startFor"]>;
    },
  ): Wanted {
    const resource = this.#resource;
    const { incremental, disposition } = resource;
    const { line } = seen;
    return {
      id: this.#order.runId,
      refresh: seen.refresh,
      serves: seen.serves,
      endedAs: line?.status === "done" || line?.status === "failed" ? line.status : null,
      planHash: resource.hash,
      tableId: seen.tableId ?? null,
      cursorPath: incremental?.path.text ?? null,
      initial: incremental?.initialValue ?? null,
      replaces: this.#isStored && disposition === "replace",
      sweeps: /* planted: refresh-of-an-archive */ this.#isStored && disposition !== "append",
      startFor: hasOwnCursor(resource) ? seen.startFor : undefined,
      isBefore: isBeforeIn(incremental),
      isChild: resource.parent !== undefined,
      epoch: seen.epoch,
      hasParentCursors: incremental?.perParent ?? false,
      rows: ({ runId, refresh, refreshAsked }, before) => {
        const rebuild = refreshAsked || (refresh && disposition !== "replace");
        const how = { runId, refresh, rebuild, spoolOnly: !this.#isStored };
        return rowsAtStart(resource, how, before);
      },
      newReadId: () => Math.floor(this.#world.random() * 2 ** 48).toString(36),
      now: this.#world.clock.now(),
    };
  }

  #endedBefore(body: RunState | null, line: RunRecord | undefined): ResourceReport {
    const { tally } = { tally: this.#tally };
    tally.goOnFrom(body?.counts ?? line ?? this.#counts);
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
    this.#tally.goOnFrom(body.counts);
    return this.#report(leaves === "fan_out" ? "waiting" : "covered", { state: body, notBefore });
  }

  async #meetLivingWorker(
    leaves: Extract<Opening, { kind: "busy" }>["leaves"],
    wanted: Wanted,
  ): Promise<ResourceReport | undefined> {
    if (!(await this.#leave(leaves, wanted))) return undefined;
    if (leaves === "wish") return this.#report("covered", {});
    throw leaseHeld(this.#stored?.lease ?? undefined);
  }

  /** False when the state has changed since it was read. */
  async #leave(leaves: "wish" | "fan_out" | "nothing", wanted: Wanted): Promise<boolean> {
    const stored = this.#stored;
    if (!stored || leaves === "nothing") return true;
    const { id, refresh, serves } = wanted;
    if (leaves === "fan_out") {
      return addFanOut(this.#steps, this.#place, this.#slot, { stored, id });
    }
    // planted: wishes-are-stored
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
    this.#tally.goOnFrom(decision.body.counts);
    if (decision.kind === "poison") throw poisoned(decision.body);
    if (decision.kind === "start" && decision.note) {
      this.#world.log.warn(decision.note, { ...place });
    }
    const job = await this.#open(lease, tableId);
    const read = await keepingLease(readPages(job, decision.body, this.#onCheckpoint), job);
    const all = read.phase === "read" ? read : await this.#sweepAfter(read, job);
    return this.#finish(lease, all);
  }

  async #open(lease: Lease, tableId: string | undefined): Promise<Job> {
    const place = this.#place;
    if (this.#isStored) {
      const writing = { ...this.#world, signal: this.#signals.writing };
      const under = { place, tableId, token: lease.token };
      this.#schema = await openSchema(this.#resource, writing, under);
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
      wroteLately: this.#world.clock.now() - updatedAt < SETTLED_MS,
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
    this.#tally.touch();
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
    if (read.refresh_asked) throw noSweep(permission);
    this.#world.log.warn(`nothing was deleted: ${permission.reason}; ${permission.hint}`, {
      ...this.#place,
    });
    return { ...read, phase: "end" };
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
    if (/* planted: unfinished-slice */ state.phase !== "end") {
      const running = this.#report("running", { state });
      await lease.release({
        status: "running",
        body: { ...state, counts: { ...this.#counts } },
      });
      return running;
    }
    const found = this.#schema?.found();
    tell(found, this.#world, this.#place);
    const ended = this.#committed(state);
    const done = this.#report("done", { state: ended, before: state.cursor, schema: found });
    // The history comes first: a run that is cut off here finds the same again.
    const named = await this.#rememberAll(done, state);
    await this.#schema?.close(this.#runId);
    await lease.release({ status: "done", body: ended });
    await this.#rememberLate(done, state, named);
    return done;
  }

  /** Pure: a run that is through moves the cursor, and what it has been served; nothing else does. */
  #committed(through: RunState): RunState {
    const resource = this.#resource;
    const { incremental } = resource;
    if (!this.#isStored) return through;
    const { refresh, is_numbered, rows, counts, parent_epoch, skipped_parents } = through;
    const failures = skipped_parents ? withFailure(through, this.#world.clock.now()) : noFailures;
    const served = skipped_parents
      ? through.served
      : servedAfter(resource, through.served, through.range);
    const state: RunState = {
      ...through,
      rows: rowsBehind(rows, counts),
      served,
      failures,
      consumed: parent_epoch
        ? { ref: parent_epoch, ended_at: through.root_ended_at ?? through.root_began_at }
        : through.consumed,
      last_sweep: refresh ? counts.records : through.last_sweep,
      last_whole: refresh && is_numbered ? (rows.log ?? null) : null,
    };
    if (!incremental || incremental.perParent) return state;
    const before = refresh ? null : state.cursor;
    const clock = /* planted: time-of-cursor-cap */ state.api_time ?? undefined;
    const cursor = commit(before, state.candidate, clock, incremental);
    return { ...state, cursor };
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
    const found = this.#schema?.found();
    tell(found, this.#world, place);
    await this.#schema?.close(this.#runId, { part: true });
    // planted: samples-move-nothing
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
      schema: hasFailed ? this.#schema?.found() : undefined,
    });
    const isOvertaken = error instanceof LeaseError;
    if (!this.#isSample && (isOvertaken || hasFailed)) {
      // The run that is in the way of this event goes on, and its own report tells how it ended.
      const ids = isOvertaken || !this.#lease ? [this.#order.runId] : (state?.ids ?? []);
      await this.#remember(failed, ids, state?.epoch).catch(() => {});
    }
    const lease = this.#lease;
    // A lease that was lost is not ours to give back; one that cannot be given back runs out.
    if (!lease || isOvertaken) return failed;
    // What is stored by now stays, whatever became of the run.
    if (hasFailed) await this.#schema?.close(this.#runId, { part: true }).catch(() => {});
    if (this.#isSample || !state) await lease.letGo().catch(() => {});
    else {
      const body: RunState = {
        ...state,
        // planted: served-stays-when-a-run-fails
        ...end.changes,
        ...(hasFailed ? { failures: this.#failuresAfter(state, error) } : {}),
        counts: { ...state.counts, ...spent(this.#counts) },
      };
      await lease.release({ ...end, body }).catch(() => {});
    }
    return failed;
  }

  /** A fan-out that did not go back for this resource was passed over; its own failures count once a run. */
  #failuresAfter(state: RunState, error: unknown): RunState["failures"] {
    const code = error instanceof RequestError ? error.code : "";
    if (code === "run.parent_gap") {
      return { ...state.failures, passed: state.failures.passed + 1 };
    }
    if (code.startsWith("run.parent_")) return state.failures;
    return withFailure(state, this.#world.clock.now());
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

const noFailures: RunState["failures"] = { runs: 0, passed: 0, last_at: null, is_counted: false };

const withFailure = ({ failures }: RunState, now: number): RunState["failures"] =>
  failures.is_counted
    ? failures
    : {
        runs: failures.runs + 1,
        passed: 0,
        last_at: new Date(now).toISOString(),
        is_counted: true,
      };

/** What was spent on a page counts even where the page itself has to be read again. */
const spent = (counts: Counts) => ({
  requests: counts.requests,
  retries: counts.retries,
  waited_ms: counts.waited_ms,
  write_units: counts.write_units,
  read_units: counts.read_units,
  throttled: counts.throttled,
  worked_ms: counts.worked_ms,
  parents_set_aside: counts.parents_set_aside,
});

const newerFormat = (): LeaseError =>
  new LeaseError({
    code: "state.newer_format",
    message: "the state of this resource was written by a newer version of tidetable",
    hint: "deploy that version again, or a later one; nothing was changed",
  });

const givenUp = (): LeaseError =>
  new LeaseError({
    code: "run.given_up",
    message: "this run has failed, and a later one has begun since",
    hint: "nothing to do: the later run reads what this one did not",
  });
