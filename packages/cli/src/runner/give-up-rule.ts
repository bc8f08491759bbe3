import type { Clock } from "@tidetable/core/internal";
import type { Pipeline } from "./follow.ts";

/** Lambda attempts an event three times: at once, after a minute, and two minutes after that. */
const ATTEMPTS = 3;
const NEXT_ATTEMPT_MS = 3 * 60_000;
const SILENCE_MS = 10 * 60_000;

/** The failures of a run that have been seen in the state table. */
interface SeenFailures {
  /** The times at which its attempts ended, by the worker's clock. */
  endedAt: Set<number>;
  /** When the last failure was first seen, by the local clock. */
  seenAt: number;
}

/** Decides how long to wait for a run after a failure, or without any trace of the run. */
export function createGiveUpRule(clock: Pick<Clock, "now">): Pipeline["giveUpReason"] {
  const failuresByRun = new Map<string, SeenFailures>();
  return ({ source, resource, runId, at }, failedAt) => {
    const now = clock.now();
    if (failedAt === undefined) {
      return now - at < SILENCE_MS ? undefined : "its worker has not begun for ten minutes";
    }
    const key = `${source}.${resource} ${runId}`;
    const failures = failuresByRun.get(key) ?? { endedAt: new Set(), seenAt: now };
    failuresByRun.set(key, failures);
    if (!failures.endedAt.has(failedAt)) {
      failures.endedAt.add(failedAt);
      // The time is measured by this clock, because the worker's clock may differ.
      failures.seenAt = now;
    }
    const hasUsedAllAttempts = failures.endedAt.size >= ATTEMPTS;
    const isNextAttemptOverdue = now - failures.seenAt >= NEXT_ATTEMPT_MS;
    return hasUsedAllAttempts || isNextAttemptOverdue ? "all attempts failed" : undefined;
  };
}
