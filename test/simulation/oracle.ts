import { isDeepStrictEqual } from "node:util";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import { CANARY } from "./api.ts";
import { itemOf, type Row } from "./api-model.ts";
import type { Author, Watcher } from "./container.ts";
import type { Change, Dynamodb } from "./dynamodb.ts";
import type { Item } from "./expressions.ts";
import { type Deployed, openKnowledge, type Subject, unaccounted, versionOf } from "./knowledge.ts";
import { stateSteps } from "./oracle-state.ts";
import type { Process } from "./process.ts";
import { ORIGIN } from "./shop.ts";
import type { Stage } from "./stage.ts";

/*
 * Watches everything that happens, knows the truth, and says at which step a promise was broken:
 *
 * I1  no checkpoint is ahead of the table: each record of its pages is stored at that version or a
 *     newer one, or is quarantined
 * I2  every record is accounted for, in each checkpoint and in each report; no error is unexpected
 * I3  token and seq grow in steps of one, only the holder of the lease moves the state, a takeover
 *     waits, and no batch is sent outside of its sender's lease
 * I4  every invocation ends in time, and nothing of it goes on afterwards
 * I5  what a run that is done had to read is in the table, and only then its cursor moves; at rest,
 *     the table is the API's data
 * I6  requests are bounded, go to the API only, and not before it wants the next
 * I7  no credential in a log line, an item, a report or an error
 * I8  a row that the API has does not disappear, and none before its run has written all others
 * I9  a worker that is awake does not lose or give up a lease that nobody else has taken
 */

/** Per page: 1 + max_retries, and one more after a 401. */
const REQUESTS_PER_PAGE = 5;

const WRITES: ReadonlySet<string> = new Set([
  "BatchWriteItem",
  "PutItem",
  "UpdateItem",
  "DeleteItem",
]);

export interface Oracle extends Watcher {
  changed(change: Change): void;
  reported(process: Process, report: ResourceReport): void;
  logged(process: Process, line: string): void;
  /** When all faults are over and everything has come to rest. */
  atRest(): void;
}

export interface World extends Deployed {
  stateTable: string;
  dynamodb: () => Dynamodb;
}

export function openOracle(stage: Stage, world: World): Oracle {
  const { time } = stage;
  const { stateTable, dynamodb } = world;
  const knowledge = openKnowledge(world, dynamodb);
  const { subjects } = knowledge;
  const stateStep = stateSteps(stage, knowledge);
  const firstSent = new WeakMap<object, number>();
  let author: Author | undefined;

  const subjectOf = (table: string) => subjects.find((one) => one.table === table);

  function rowChange(
    { process, late }: Author,
    { key, before, after }: Change,
    subject: Subject,
  ): void {
    stage.count("writes");
    const outside = knowledge.of(process).token !== subject.token;
    if (outside) stage.count("late_writes");
    if (outside && !late) stage.violated("I3", `${process.name} writes in another's lease`);
    if (!after) rowGone(key, subject);
    else if (versionOf(after) > versionOf(before)) subject.stale.delete(key);
    else if (versionOf(after) === versionOf(before)) return;
    else if (!late || subject.ordered)
      stage.violated("I3", `${process.name} puts an older ${key} over a newer`);
    else {
      // The residual of a batch, which nothing can fence: counted, and healed by the next run.
      subject.stale.add(key);
      stage.count("stale_rows");
    }
  }

  /** Only a refresh takes a row, only one that the API has no more, and only when all others are in. */
  function rowGone(key: string, subject: Subject): void {
    stage.count("deletes");
    const { model, name, atStart } = subject;
    if (model.rows.some(({ id }) => String(id) === key)) {
      stage.violated("I8", `${name} ${key} disappears from the table`);
    }
    for (const [row, version] of atStart) {
      const why = knowledge.missing(subject, row, version);
      if (why) stage.violated("I8", `${name} ${key} is swept, and ${why}`);
    }
  }

  function setAside({ before, after }: Change, subject: Subject): void {
    const text = after?.record?.S ?? "";
    const [, uid = ""] = /"uid":"([^"]+)"/.exec(text) ?? [];
    const [, version] = /"version":(\d+)/.exec(text) ?? [];
    const known = subject.quarantined.get(uid) ?? 0;
    subject.quarantined.set(uid, Math.max(known, Number(version)));
    if (!before) stage.count("quarantined");
  }

  function noCredential(where: string, text: string): void {
    if (text.includes(CANARY) || text.includes(Buffer.from(CANARY).toString("base64"))) {
      stage.violated("I7", `a credential in ${where}: ${text.slice(0, 200)}`);
    }
  }

  function wrongAtRest(subject: Subject, row: Row): string | undefined {
    if (row.fault) return knowledge.missing(subject, row);
    const item = knowledge.stored(subject, row);
    // Where only changes are read, a row that a late batch put back stays so until it changes.
    if (isDeepStrictEqual(item, itemOf(row)) || subject.stale.has(String(row.id))) return undefined;
    return `${row.uid}@${row.version} is ${JSON.stringify(item)}`;
  }

  return {
    sends(process, operation, input) {
      if (!firstSent.has(input)) firstSent.set(input, time.now());
      const table = input.TableName ?? Object.keys(input.RequestItems ?? {})[0];
      if (!WRITES.has(operation) || !subjectOf(table) || process.state !== "running") return;
      const over = time.now() - knowledge.of(process).leaseUntil;
      if (over >= 0) stage.violated("I3", `${process.name} writes ${over} ms after its lease`);
    },

    requests(process, origin) {
      const known = knowledge.of(process);
      known.requests += 1;
      if (known.requests > REQUESTS_PER_PAGE * (known.pages + 1)) {
        stage.violated("I6", `${process.name}: request ${known.requests}, page ${known.pages}`);
      }
      if (origin !== ORIGIN) stage.violated("I6", `a request to ${origin}`);
    },

    received(process, page) {
      const known = knowledge.of(process);
      known.pages += 1;
      // One that was asked for early, dropped and asked for again counts once.
      known.unchecked = known.unchecked.filter(({ position }) => position !== page.position);
      known.unchecked.push(page);
    },

    performs(by, effect) {
      author = by;
      try {
        return effect();
      } finally {
        author = undefined;
      }
    },

    changed(change) {
      if (!author) return;
      noCredential("an item", JSON.stringify(change.after ?? {}));
      const subject = subjectOf(change.table);
      if (subject) return rowChange(author, change, subject);
      const [pk = "", sk = ""] = change.key.split("\u0000");
      const owner = subjects.find(({ name }) => pk.endsWith(`#${name}`));
      if (change.table !== stateTable || !owner) return;
      if (sk === "state") {
        stateStep(author, change, owner, firstSent.get(author.input) ?? time.now());
      }
      if (sk.startsWith("quarantine#")) setAside(change, owner);
    },

    reported(process, report) {
      const { status, resource, error } = report;
      stage.trace(process.name, `${status} ${error?.code ?? ""}`);
      noCredential("a report", JSON.stringify(report));
      if (error?.code === "run.unexpected") {
        stage.violated("I2", `${process.name}: ${error.message}`);
      }
      if (unaccounted({ ...report }) !== 0) stage.violated("I2", JSON.stringify(report));
      const subject = subjects.find(({ name }) => name === resource);
      if (status === "skipped" && subject?.holder === process && !process.hasFrozen) {
        stage.violated("I9", `${process.name} gives up (${error?.code})`);
      }
      const isDone = knowledge.of(process).finished || subject?.done.has(report.run_id);
      if (status === "done" && !isDone) {
        stage.violated("I5", `${process.name} reports a run as done that is not`);
      }
    },

    logged(process, line) {
      noCredential(`the log of ${process.name}`, line);
    },

    atRest() {
      const states = dynamodb().items(stateTable);
      for (const subject of subjects) {
        const { name, model, table } = subject;
        const isState = ({ pk, sk }: Item) => pk?.S?.endsWith(`#${name}`) && sk?.S === "state";
        const status = states.find(isState)?.status?.S;
        if (status !== "done") stage.violated("I5", `${name} has come to rest as ${status}`);
        for (const row of model.rows) {
          const wrong = wrongAtRest(subject, row);
          if (wrong) stage.violated("I5", `at rest, ${wrong}`);
        }
        const ids = new Set(model.rows.map(({ id }) => String(id)));
        const foreign = dynamodb()
          .items(table)
          .find(({ id }) => !ids.has(id?.S ?? ""));
        if (foreign) stage.violated("I5", `a row that the API never had: ${foreign.id?.S}`);
      }
    },
  };
}
