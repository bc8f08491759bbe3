import { isAppended, isReplaced } from "../draw/levels.ts";
import type { Stage } from "../stage.ts";
import type { Claims, Interval } from "./claims.ts";
import { CopyCounts } from "./copies.ts";
import type { SentEvent } from "./events.ts";
import { leftovers } from "./gone.ts";
import type { QuarantineWatch } from "./quarantine.ts";
import { type Body, safelyBefore } from "./state-steps.ts";
import type { Subject } from "./subject.ts";

/* What the oracle checks when a run has come to its end. */

export class Ends {
  readonly #stage: Stage;
  readonly #claims: Claims;
  readonly #quarantine: QuarantineWatch;
  readonly #copies: CopyCounts;

  constructor(stage: Stage, claims: Claims, quarantine: QuarantineWatch) {
    this.#stage = stage;
    this.#claims = claims;
    this.#quarantine = quarantine;
    this.#copies = new CopyCounts(stage, claims);
  }

  /** The state of a resource says that its run is done. */
  runIsDone(subject: Subject, body: Body): void {
    const { level } = subject;
    if (!level.isStored) return;
    subject.hasDoneRun = true;
    const read = { from: safelyBefore(body.root_began_at), to: this.#stage.time.now() };
    const isWhole = body.coverage === "everything";
    for (const { row, why } of this.#claims.missing(subject, read, { isWhole })) {
      const what = `${why}; ${row.uid} was there all the time`;
      this.#stage.violated("I5", `${subject.name} is done, and ${what}`);
    }
    this.#copies.runIsDone(subject, read, body);
    if (!body.refresh) return;
    if (isReplaced(level)) this.#replaced(subject, read);
    subject.wholeReads.push({ ...read, startedAt: safelyBefore(body.started_at) });
    subject.lastSwept = body.counts["records"] ?? 0;
  }

  /** The history, or a report, says that a refresh is done. */
  refreshIsDone(subject: Subject, { id, sentAt }: Pick<SentEvent, "id" | "sentAt">): void {
    if (!subject.level.isStored || isAppended(subject.level)) return;
    this.#stage.count("refreshes_done");
    const read = { from: sentAt, to: this.#stage.time.now() };
    this.#nothingIsLeft(subject, read, `the refresh ${id} is done`);
  }

  /** An ordinary run that replaces: where something was set aside it says so, and deletes nothing. */
  #replaced(subject: Subject, read: Interval): void {
    if (this.#quarantine.couldNotSweep(subject, read, this.#claims)) return;
    this.#nothingIsLeft(subject, read, "a run that replaces is done");
  }

  #nothingIsLeft(subject: Subject, read: Interval, when: string): void {
    const left = leftovers(subject, read, this.#claims);
    for (const { row, stored } of left) {
      this.#stage.violated("I12", `${when}, and ${subject.name} still has ${row.uid} v${stored.n}`);
    }
  }
}
