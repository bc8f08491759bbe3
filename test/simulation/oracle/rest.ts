import { isAppended, isReplaced } from "../draw/levels.ts";
import type { Item } from "../expressions.ts";
import type { Invariant } from "../stage.ts";
import type { Claims } from "./claims.ts";
import type { EventWatch } from "./events.ts";
import type { Subject } from "./subject.ts";

/** What the oracle knows, as far as it matters at rest. */
interface Oracle {
  subjects: ReadonlyMap<string, Subject>;
  claims: Claims;
  events: EventWatch;
}

/** What is wrong when everything has come to rest. */
export interface Problem {
  invariant: Invariant;
  what: string;
}

/** The API has not changed for a while, all faults are over, and a few whole fan-outs have run. */
export function* atRest(oracle: Oracle, states: readonly Item[], now: number): Generator<Problem> {
  for (const subject of oracle.subjects.values()) {
    for (const slot of ["own", "for_children"] as const) {
      const state = stateOf(states, subject, slot);
      const status = state?.status?.S;
      const where = `${subject.name}${slot === "own" ? "" : " for children"}`;
      if (status === "running" || status === "waiting") {
        yield { invariant: "I10", what: `${where} is ${status}` };
      }
      if (state?.wishes) yield { invariant: "I10", what: `${where} has wishes: ${state.wishes.S}` };
    }
    if (!subject.level.isStored) continue;
    const { last } = lastOf(oracle, subject);
    if (last && last.status !== "done" && !mayFail(oracle, subject, { code: last.code, now })) {
      const what = `the last run of ${subject.name} is ${last.status} (${last.code})`;
      yield { invariant: "I10", what };
    }
    const read = { from: now, to: now };
    for (const { why } of oracle.claims.missing(subject, read, { isWhole: false })) {
      yield { invariant: "I5", what: `${subject.name}: ${why}` };
    }
  }
  for (const { resource, slot, id } of oracle.events.unended()) {
    yield { invariant: "I10", what: `the event ${id} of ${resource} (${slot}) has no end` };
  }
}

const stateOf = (states: readonly Item[], { name }: Subject, slot: "own" | "for_children") =>
  states.find(
    ({ pk, sk }) =>
      pk?.S?.endsWith(`#${name}`) && sk?.S === (slot === "own" ? "state" : "state/for_children"),
  );

function lastOf(oracle: Oracle, subject: Subject) {
  const events = oracle.events
    .all()
    .filter(({ resource, slot }) => resource === subject.name && slot === "own")
    .filter((event) => event.isAccepted && !isPassedOver(oracle, subject, event.id))
    .sort((a, b) => b.sentAt - a.sentAt)
    .map((event) => oracle.events.ended(event));
  return { last: events[0] };
}

/**
 * After a refusal, fan-outs do not go back for a resource each time, and then have nothing for its
 * children either. An event that met the run of another tells of that run alone.
 */
function isPassedOver(oracle: Oracle, subject: Subject, id: string): boolean {
  const event = oracle.events
    .all()
    .find((one) => one.resource === subject.name && one.slot === "own" && one.id === id);
  const code = event && oracle.events.ended(event)?.code;
  if (code === "run.parent_gap" || code === "run.other_open") return true;
  const parent = oracle.claims.subjectAt(subject.level.depth - 1);
  return code === "run.parent_failed" && !!parent && isPassedOver(oracle, parent, id);
}

/** Failures that the data and the config explain: a guard, or what was set aside. */
function mayFail(
  oracle: Oracle,
  subject: Subject,
  { code, now }: { code: string; now: number },
): boolean {
  if (code === "load.sweep_refused") {
    return !subject.level.allowsShrink && hasGone(oracle, subject, now);
  }
  return code === "run.no_sweep" && !isAppended(subject.level);
}

/** The guard of a sweep refuses when more rows would go than stay, or none was shown. */
function hasGone({ claims }: Oracle, subject: Subject, now: number): boolean {
  if (isAppended(subject.level)) return false;
  if (subject.level.rows === "replace_keyless") {
    const shown = subject
      .rows()
      .filter((row) => claims.claimed(subject, row, { from: now, to: now }));
    // Twins count twice; so much the oracle need not know.
    return shown.length < subject.lastSwept;
  }
  const stored = subject.rows().filter((row) => subject.stored(row).length > 0);
  const gone = stored.filter((row) => !claims.claimed(subject, row, { from: now, to: now }));
  return gone.length > 0 || isReplaced(subject.level);
}
