import { CANARY, type Served } from "../api/api.ts";
import type { Dataset } from "../api/dataset.ts";
import type { Author, Watcher } from "../container.ts";
import type { Level } from "../draw/levels.ts";
import type { Change, Dynamodb } from "../dynamodb.ts";
import type { Process } from "../process.ts";
import type { Stage } from "../stage.ts";
import { Claims } from "./claims.ts";
import { Ends } from "./ends.ts";
import { EventWatch } from "./events.ts";
import { type Beginning, KnownProcesses, unaccounted } from "./known.ts";
import { QuarantineWatch } from "./quarantine.ts";
import { atRest } from "./rest.ts";
import { StateSteps } from "./state-steps.ts";
import { type Slot, Subject } from "./subject.ts";
import { TableWatch } from "./table-watch.ts";
import { Traffic } from "./traffic.ts";

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
  readonly #traffic: Traffic;
  readonly #ends: Ends;
  #author: Author | undefined;

  constructor(stage: Stage, world: OracleWorld) {
    this.#stage = stage;
    this.#world = world;
    this.events = new EventWatch(stage);
    this.#stateSteps = new StateSteps(stage, this.#known, (subject, body) =>
      this.#ends.runIsDone(subject, body),
    );
    this.#tables = new TableWatch(stage, this.#known, this.claims);
    this.#traffic = new Traffic(stage, this.#known, this.claims);
    this.#ends = new Ends(stage, this.claims, this.#quarantine);
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
    const table = input["TableName"] ?? Object.keys(input["RequestItems"] ?? {})[0] ?? "";
    this.#traffic.sends(process, operation, { input, subject: this.#subjectOf(table) });
  }

  requests(process: Process, origin: string, path: string): void {
    this.#traffic.requests(process, origin, path);
  }

  received(process: Process, page: Served, status: number): void {
    this.#traffic.received(process, page, status);
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
      const sentAt = this.#traffic.firstSent(author.input);
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
      if (event?.isRefresh && event.slot === "own") this.#ends.refreshIsDone(owner, event);
    }
  }

  reported(process: Process, report: Report): void {
    const { status, resource, run_id, error } = report;
    const known = this.#known.of(process);
    const { slot } = known;
    known.outcome = status;
    this.#stage.trace(process.name, `${status} ${error?.code ?? ""} ${error?.message ?? ""}`);
    this.#noCredential("a report", JSON.stringify(report));
    if (error && this.#isUnexpected(error.code, resource)) {
      this.#stage.violated("I2", `${process.name}: ${error.message}`);
    }
    if (unaccounted({ ...report }) !== 0) this.#stage.violated("I2", JSON.stringify(report));
    this.events.accepted({ resource, slot, id: known.runId });
    const subject = this.#subject(resource);
    const memory = slot === "sample" ? undefined : subject.slots[slot];
    if (error?.code === "state.lease_lost" && memory?.holder === process && !process.hasFrozen) {
      this.#stage.violated("I9", `${process.name} gives up (${error.code})`);
    }
    if (status !== "done" || slot === "sample") return;
    const sentAt = this.events.refreshSentAt({ resource, slot, id: known.runId });
    if (known.isRefresh && slot === "own" && sentAt !== undefined) {
      this.#ends.refreshIsDone(subject, { id: run_id, sentAt });
    }
    if (this.events.ended({ resource, slot, id: run_id })?.status !== "done") {
      this.#stage.violated("I5", `${process.name} reports ${run_id} as done, the history does not`);
    }
  }

  /** A reset of the parent takes away what its child was reading. */
  #isUnexpected(code: string, resource: string): boolean {
    const { depth } = this.#subject(resource).level;
    const resets = this.claims.subjectAt(depth - 1)?.resets ?? 0;
    return UNEXPECTED.has(code) && (code !== "load.spool_missing" || resets === 0);
  }

  logged(process: Process, line: string): void {
    this.#noCredential(`the log of ${process.name}`, line);
  }

  /** From now on nothing has changed since the last run: what is there need not be put again. */
  expectNoRewrites(): void {
    this.#tables.expectsNoRewrites = true;
  }

  /** When all faults are over and everything has come to rest. */
  atRest(): void {
    const states = this.#world.dynamodb().items(this.#world.stateTable);
    for (const problem of atRest(this, states, this.#stage.time.now())) {
      this.#stage.violated(problem.invariant, `at rest, ${problem.what}`);
    }
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
