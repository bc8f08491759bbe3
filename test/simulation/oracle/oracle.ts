import { CANARY, type Served } from "../api/api.ts";
import type { Dataset } from "../api/dataset.ts";
import type { Author, Watcher } from "../container.ts";
import { ORIGIN } from "../draw/config.ts";
import { drawn } from "../draw/drawn.ts";
import type { Level } from "../draw/levels.ts";
import type { Change, Dynamodb } from "../dynamodb.ts";
import type { Process } from "../process.ts";
import type { Stage } from "../stage.ts";
import { Claims } from "./claims.ts";
import { CopyCounts } from "./copies.ts";
import { EventWatch, type SentEvent } from "./events.ts";
import { leftovers } from "./gone.ts";
import {
  type Known,
  KnownProcesses,
  keepsItsPages,
  leaseName,
  leaseOf,
  unaccounted,
} from "./known.ts";
import { QuarantineWatch } from "./quarantine.ts";
import { atRest } from "./rest.ts";
import { type Body, StateSteps, safelyBefore } from "./state-steps.ts";
import { type Slot, Subject } from "./subject.ts";
import { TableWatch } from "./table-watch.ts";

/*
 * Watches everything that happens, knows the truth, and says at which step a promise was broken:
 *
 * I1  what stands in a table was shown by the API, value by value, and lies in the declared range
 * I2  every record is accounted for, in each checkpoint and in each report; no error is unexpected
 * I3  token and seq grow in steps of one, only the holder of the lease moves the state, a takeover
 *     waits, no batch is sent outside of its sender's lease, and no older version replaces a newer
 * I4  every invocation ends in time, and nothing of it goes on afterwards
 * I5  when a run is done, each row that the API showed for the whole run is in the table, and only
 *     then its cursor moves; at rest all of them are
 * I6  requests are bounded, go to the API only, and not before it wants the next
 * I7  no credential in a log line, an item, a report or an error
 * I8  a row that the API shows does not disappear, and what only reads for others stores nothing
 * I9  a worker that is awake does not lose or give up a lease that nobody else has taken
 * I10 everything comes to rest, and each event that was accepted ends in the history
 * I11 no record is there more often than it was read, and no two have one name
 * I12 when a refresh is done, what was gone before it is gone from the table
 * I13 where runs tell by themselves which rows have changed, a row that is there is not put again
 */

const WRITES: ReadonlySet<string> = new Set([
  "BatchWriteItem",
  "PutItem",
  "UpdateItem",
  "DeleteItem",
]);

/** What nothing in this world is a reason for. */
const UNEXPECTED: ReadonlySet<string> = new Set([
  "run.unexpected",
  "extract.loop",
  "extract.selector",
  "extract.cursor",
  "extract.total",
  "extract.template",
  "extract.parent_field",
  "extract.parent_value",
  "load.spool_missing",
  "load.too_many_rejected",
]);

/** For one page: 1 + max_retries, and one more after a 401; twice, because pages may be read again. */
const REQUESTS_PER_PAGE = 10;

/** No invocation of these small lists needs more. */
const REQUESTS_PER_INVOCATION = 3_000;

/** The part of a worker's event that the oracle reads. */
export interface WorkerEvent {
  resource: string;
  limit_pages?: number;
  spool_only?: boolean;
}

/** The part of a report that the oracle reads. */
export interface Report {
  resource: string;
  run_id: string;
  status: string;
  error: null | { code: string; message: string };
}

export interface OracleWorld {
  levels: readonly Level[];
  dataset: Dataset;
  /** By resource. */
  tables: Record<string, string>;
  stateTable: string;
  dynamodb: () => Dynamodb;
}

export class Oracle implements Watcher {
  readonly subjects = new Map<string, Subject>();
  readonly claims = new Claims(this.subjects);
  readonly events: EventWatch;
  readonly #stage: Stage;
  readonly #world: OracleWorld;
  readonly #known = new KnownProcesses();
  readonly #stateSteps: StateSteps;
  readonly #tables: TableWatch;
  readonly #quarantine = new QuarantineWatch();
  readonly #copies: CopyCounts;
  readonly #firstSent = new WeakMap<object, number>();
  #author: Author | undefined;

  constructor(stage: Stage, world: OracleWorld) {
    this.#stage = stage;
    this.#world = world;
    this.events = new EventWatch(stage);
    this.#stateSteps = new StateSteps(stage, this.#known, (subject, body) =>
      this.#runIsDone(subject, body),
    );
    this.#tables = new TableWatch(stage, this.#known, this.claims);
    this.#copies = new CopyCounts(stage, this.claims);
    this.deployed(world.levels);
  }

  /** A config is in force from now on. */
  deployed(levels: readonly Level[]): void {
    for (const level of levels) {
      const subject = this.subjects.get(level.name);
      if (subject) subject.deploy(level);
      else {
        const table = this.#world.tables[level.name] as string;
        this.subjects.set(level.name, new Subject(level, table, this.#world.dataset));
      }
    }
  }

  /** A process begins: a worker with an event, or a reset. */
  begins(process: Process, what: Beginning): void {
    const subject = this.#subject(what.resource);
    this.#known.begin(process, what, subject.level);
    if (what.slot === "sample") subject.samples += 1;
    if (what.isReset) subject.resets += 1;
  }

  /** The slot that a worker's event means: what is not stored has one only. */
  slotOf({ resource, limit_pages, spool_only }: WorkerEvent): Slot {
    if (limit_pages !== undefined) return "sample";
    const { isStored } = this.#subject(resource).level;
    return spool_only && isStored ? "for_children" : "own";
  }

  /** A table was dropped and made anew. */
  emptied(resource: string): void {
    this.#subject(resource).empty();
  }

  sends(process: Process, operation: string, input: Record<string, never>): void {
    if (!this.#firstSent.has(input)) this.#firstSent.set(input, this.#stage.time.now());
    const table = input["TableName"] ?? Object.keys(input["RequestItems"] ?? {})[0] ?? "";
    const subject = this.#subjectOf(table);
    if (!WRITES.has(operation) || !subject || process.state !== "running") return;
    const lease = leaseOf(this.#known.of(process), leaseName(subject.name, "own"));
    const over = this.#stage.time.now() - lease.until;
    if (over < 0) return;
    this.#stage.violated("I3", `${process.name} writes ${over} ms after its lease`);
  }

  requests(process: Process, origin: string, path: string): void {
    const known = this.#known.of(process);
    const url = path.replace(/api_key=[^&]*&?/, "");
    const times = (known.asked.get(url) ?? 0) + 1;
    known.asked.set(url, times);
    known.requests += 1;
    if (times > REQUESTS_PER_PAGE || known.requests > REQUESTS_PER_INVOCATION) {
      const what = `${known.requests} requests, of these ${times} in a row for ${url}`;
      this.#stage.violated("I6", `${process.name}: ${what}`);
    }
    if (origin !== ORIGIN) this.#stage.violated("I6", `a request to ${origin}`);
  }

  received(process: Process, page: Served, status: number): void {
    const { depth, parent, rows } = page;
    const known = this.#known.of(process);
    const at = this.#stage.time.now();
    const subject = this.claims.subjectAt(depth);
    if (!subject) return;
    const isOwn = known.resource === subject.name;
    if (status !== 200) {
      if (parent && isOwn)
        subject.notFound.set(parent, [...(subject.notFound.get(parent) ?? []), at]);
      return;
    }
    // A sample of a child reads its parents on the spot.
    const slot = isOwn ? known.slot : "sample";
    for (const { row, version } of rows) {
      // What the API shows beside the window that it was asked for is left out of it.
      const isAskedFor = version.stamp >= page.since && version.stamp <= page.until;
      const isKept = () => isAskedFor && keepsItsPages(process, known);
      subject.show(row, { at, n: version.n, slot, isKept });
    }
  }

  performs<T>(by: Author, effect: () => T): T {
    this.#author = by;
    try {
      return effect();
    } finally {
      this.#author = undefined;
    }
  }

  changed(change: Change): void {
    const author = this.#author;
    if (!author) return;
    this.#noCredential("an item", JSON.stringify(change.after ?? {}));
    const subject = this.#subjectOf(change.table);
    if (subject) this.#tables.change(author, change, subject);
    else this.#stateChanged(author, change);
  }

  #stateChanged(author: Author, change: Change): void {
    const [pk = "", sk = ""] = change.key.split("\u0000");
    const owner = this.subjects.get(pk.replace(/^[^#]*#/, ""));
    if (change.table !== this.#world.stateTable || !owner) return;
    if (sk === "state" || sk === "state/for_children") {
      const slot = sk === "state" ? "own" : "for_children";
      const sentAt = this.#firstSent.get(author.input) ?? this.#stage.time.now();
      this.#stateSteps.step(author, change, { subject: owner, slot, sentAt });
      if (this.#known.of(author.process).isReset && !change.after?.body) {
        this.events.forgotten(owner.name);
      }
    } else if (sk.startsWith("quarantine#")) {
      if (this.#quarantine.add(change, owner, this.#stage.time.now())) {
        this.#stage.count("quarantined");
      }
    } else if (/^(run|for_children)#/.test(sk)) {
      const event = this.events.line(owner.name, sk, change);
      if (event?.isRefresh && event.slot === "own") this.#refreshIsDone(owner, event);
    }
  }

  reported(process: Process, report: Report): void {
    const { status, resource, run_id, error } = report;
    const known = this.#known.of(process);
    const { slot } = known;
    known.outcome = status;
    this.#stage.trace(process.name, `${status} ${error?.code ?? ""} ${error?.message ?? ""}`);
    this.#noCredential("a report", JSON.stringify(report));
    if (error && UNEXPECTED.has(error.code)) {
      this.#stage.violated("I2", `${process.name}: ${error.message}`);
    }
    if (unaccounted({ ...report }) !== 0) this.#stage.violated("I2", JSON.stringify(report));
    this.events.accepted({ resource, slot, id: known.runId });
    this.#suspectKnownGaps(known, report);
    const subject = this.#subject(resource);
    const memory = slot === "sample" ? undefined : subject.slots[slot];
    if (error?.code === "state.lease_lost" && memory?.holder === process && !process.hasFrozen) {
      this.#stage.violated("I9", `${process.name} gives up (${error.code})`);
    }
    if (status !== "done" || slot === "sample") return;
    if (known.refreshSentAt !== undefined && slot === "own") {
      this.#refreshIsDone(subject, { id: run_id, sentAt: known.refreshSentAt });
    }
    if (this.events.ended({ resource, slot, id: run_id })?.status !== "done") {
      this.#stage.violated("I5", `${process.name} reports ${run_id} as done, the history does not`);
    }
  }

  logged(process: Process, line: string): void {
    this.#noCredential(`the log of ${process.name}`, line);
  }

  /** From now on nothing has changed since the last run: what is there need not be put again. */
  expectNoRewrites(): void {
    this.#tables.expectsNoRewrites = true;
  }

  /** When all faults are over and everything has come to rest. `isLast`: nothing follows. */
  atRest(): void {
    const states = this.#world.dynamodb().items(this.#world.stateTable);
    const gap = this.#stage.suspected();
    for (const problem of atRest(this, states, this.#stage.time.now())) {
      if (gap) this.#stage.abandon(gap);
      this.#stage.violated(problem.invariant, `at rest, ${problem.what}`);
    }
  }

  #runIsDone(subject: Subject, body: Body): void {
    if (!subject.level.isStored) return;
    const read = { from: safelyBefore(body.root_began_at), to: this.#stage.time.now() };
    const isWhole = body.coverage === "everything";
    for (const { row, why } of this.claims.missing(subject, read, { isWhole })) {
      this.#stage.violated(
        "I5",
        `${subject.name} is done, and ${why}; ${row.uid} was there all the time`,
      );
    }
    this.#copies.runIsDone(subject, read, body);
    if (!body.refresh) return;
    const { rows } = subject.level;
    const replaces = rows === "replace" || rows === "replace_keyless";
    if (replaces && this.#quarantine.couldNotSweep(subject, read, this.claims)) {
      subject.hasUnsweptRun = true;
    } else if (replaces) this.#nothingIsLeft(subject, read, "a run that replaces is done");
    subject.wholeReads.push(read);
    subject.lastSwept = body.counts["records"] ?? 0;
  }

  #refreshIsDone(subject: Subject, event: Pick<SentEvent, "id" | "sentAt">): void {
    const { level } = subject;
    if (!level.isStored || level.rows.startsWith("append")) return;
    this.#stage.count("refreshes_done");
    const read = { from: event.sentAt, to: this.#stage.time.now() };
    this.#nothingIsLeft(subject, read, `the refresh ${event.id} is done`);
  }

  #nothingIsLeft(subject: Subject, read: { from: number; to: number }, when: string): void {
    const left = leftovers(subject, read, this.claims);
    if (left.length > 0 && subject.hasUnsweptRun && !drawn.unsweptLogs) {
      this.#stage.abandon("unsweptLogs");
    }
    for (const { row, stored } of left) {
      this.#stage.violated("I12", `${when}, and ${subject.name} still has ${row.uid} v${stored.n}`);
    }
  }

  #suspectKnownGaps(known: Known, { status, error }: Report): void {
    const isEarly = known.leases.size === 0 || error?.code === "state.unavailable";
    if (!isEarly) return;
    if (status === "failed" && !drawn.earlyFailures) this.#stage.suspect("earlyFailures");
    if (status !== "done" || drawn.diesBeforeRelease || !this.#isUnderWay(known)) return;
    this.#stage.suspect("diesBeforeRelease");
  }

  /** Whether another worker, or the next slice, is to go on with the run of this event. */
  #isUnderWay({ resource, slot, runId }: Known): boolean {
    const sortKey = slot === "for_children" ? "state/for_children" : "state";
    const states = this.#world.dynamodb().items(this.#world.stateTable);
    const state = states.find(({ pk, sk }) => pk?.S?.endsWith(`#${resource}`) && sk?.S === sortKey);
    const isOpen = state?.status?.S === "running" || state?.status?.S === "waiting";
    return isOpen && (state.fan_outs?.S ?? "").includes(runId);
  }

  #noCredential(where: string, text: string): void {
    if (text.includes(CANARY) || text.includes(Buffer.from(CANARY).toString("base64"))) {
      this.#stage.violated("I7", `a credential in ${where}: ${text.slice(0, 200)}`);
    }
  }

  #subject(resource: string): Subject {
    const subject = this.subjects.get(resource);
    if (!subject) throw new Error(`there is no resource ${resource}`);
    return subject;
  }

  #subjectOf(table: string): Subject | undefined {
    return [...this.subjects.values()].find((one) => one.table === table);
  }
}
