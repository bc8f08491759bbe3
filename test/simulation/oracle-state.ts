import { LEASE_MS } from "../../packages/core/src/base/timing.ts";
import type { Author } from "./container.ts";
import type { Change } from "./dynamodb.ts";
import type { Item } from "./expressions.ts";
import { type Knowledge, type Known, numberOf, type Subject, unaccounted } from "./knowledge.ts";
import { CLOCK_ERROR_MS, EPOCH, type Process } from "./process.ts";
import type { Stage } from "./stage.ts";

/* What the oracle checks at each step of a state item. */

/** By then a request that a worker sent within its lease has landed or has been given up. */
const LANDED_MS = 5_000;

/** The part of a run's state that the oracle reads. */
export interface Body {
  started_at: string;
  page: number;
  next: { params?: { offset?: number } } | null;
  phase: "read" | "count" | "sweep" | "end";
  cursor: string | number | null;
  counts: { records: number };
}

export const bodyOf = (item: Item | undefined): Body | undefined =>
  item?.body?.S === undefined ? undefined : JSON.parse(item.body.S);

/** `sentAt`: when the request that made the step was sent for the first time. */
export type StateStep = (author: Author, change: Change, subject: Subject, sentAt: number) => void;

export function stateSteps(stage: Stage, knowledge: Knowledge): StateStep {
  const { time } = stage;

  return ({ process }, { key, before, after }, subject, sentAt) => {
    if (!after) {
      stage.violated("I8", `the state of ${key} was deleted`);
      return;
    }
    const known = knowledge.of(process);
    const [token, seq] = [numberOf(after.token), numberOf(after.seq)];
    stage.count("checkpoints");
    stage.trace("state", `${subject.name} ${token}.${seq} ${after.status?.S} by ${process.name}`);

    if (seq !== numberOf(before?.seq) + 1) stage.violated("I3", `seq jumps to ${seq}`);
    if (token === numberOf(before?.token) + 1) takeover(process, before, subject);
    else if (token !== numberOf(before?.token)) stage.violated("I3", `token jumps to ${token}`);
    else if (token !== known.token) {
      stage.violated("I3", `${process.name} moves a state whose lease is not its own`);
    }
    known.token = token;
    known.leaseUntil = after.lease_owner ? sentAt + LEASE_MS : 0;

    if (after.body?.S !== before?.body?.S) position(known, before, after, subject);
    if (after.status?.S === "done" && before?.status?.S !== "done") done(known, after, subject);
  };

  function takeover(process: Process, before: Item | undefined, subject: Subject): void {
    const early = Date.parse(before?.not_before?.S ?? "") - EPOCH - time.now();
    if (before?.status?.S === "waiting" && early > 2 * CLOCK_ERROR_MS) {
      stage.violated("I6", `${process.name} goes on ${early} ms before the API wants it`);
    }
    const { holder } = subject;
    subject.holder = process;
    subject.token += 1;
    if (!before?.lease_owner || !holder) return;

    stage.count("takeovers");
    const left = knowledge.of(holder).leaseUntil + LANDED_MS - time.now();
    if (left > 0) {
      stage.violated("I3", `${process.name} takes over ${left} ms before ${holder.name} is out`);
    }
    if (holder.state === "running" && !holder.hasFrozen) {
      stage.violated("I9", `${holder.name} let its lease run out`);
    }
  }

  function position(known: Known, before: Item | undefined, after: Item, subject: Subject): void {
    const [old, body] = [bodyOf(before), bodyOf(after) as Body];
    const anew = old?.started_at !== body.started_at || before?.run_id?.S !== after.run_id?.S;
    if (anew) subject.atStart = new Map(subject.model.rows.map((row) => [row, row.version]));
    const from = anew || !old ? { page: 0, records: 0 } : { page: old.page, ...old.counts };
    const pages = body.page - from.page;
    const records = body.counts.records - from.records;
    if (unaccounted(body.counts) !== 0) stage.violated("I2", `checkpoint: ${after.body?.S}`);
    if (old && body.cursor !== old.cursor && after.status?.S !== "done") {
      stage.violated("I5", "the cursor moves before the end of its run");
    }

    if (pages === 0) {
      if (records !== 0) stage.violated("I2", `${records} records more, and no page`);
      return;
    }
    // Pages that were read ahead are not covered by this checkpoint.
    const end = body.phase !== "read" ? Number.POSITIVE_INFINITY : (body.next?.params?.offset ?? 0);
    const came = known.unchecked.filter((page) => page.position < end);
    // Behind its last page a run wants none of those that it had asked for.
    const covered = came.sort((a, b) => a.position - b.position).slice(0, pages);
    known.unchecked = known.unchecked.filter((page) => page.position >= end);
    if (covered.length === 0) stage.violated("I1", "a checkpoint after a page that nobody got");
    const rows = covered.flatMap((page) => page.rows);
    const why = firstOf(rows, (row) => knowledge.missing(subject, row));
    if (why) stage.violated("I1", `checkpoint of page ${body.page}: ${why}`);
    if (pages !== covered.length || records !== rows.length) {
      const counted = `${pages} pages with ${records} records count`;
      stage.violated("I2", `${counted}, ${covered.length} with ${rows.length} came`);
    }
  }

  function done(known: Known, after: Item, subject: Subject): void {
    known.finished = true;
    subject.done.add(after.run_id?.S);
    stage.count("runs_done");
    const body = bodyOf(after) as Body;
    if (body.phase !== "end") stage.violated("I5", "a run is done before its last page");
    const ever = subject.model.ever();
    // Rows that change while an incremental run reads come into its list, and move the others.
    if (body.cursor === null && body.counts.records > ever) {
      stage.violated("I2", `${body.counts.records} records counted, and the API had ${ever}`);
    }
    const why = firstOf(subject.atStart, ([row, version]) =>
      knowledge.missing(subject, row, version),
    );
    if (why) stage.violated("I5", `a run is done, and ${why}`);
  }
}

function firstOf<T>(list: Iterable<T>, problem: (one: T) => string | undefined) {
  for (const one of list) {
    const found = problem(one);
    if (found) return found;
  }
  return undefined;
}
