import { expect, it } from "vitest";
import { limits } from "../../packages/core/src/base/limits.ts";
import * as timing from "../../packages/core/src/base/timing.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import { deadlineOf } from "../../packages/core/src/run/pacer.ts";

const {
  AWS_CONNECT_MS,
  AWS_REQUEST_MS,
  CHECKPOINT_MS,
  DYNAMODB_GRACE_MS,
  DYNAMODB_PATIENCE_MS,
  DYNAMODB_RETRY_MS,
  FINGERPRINT_DAYS,
  FINISH_WRITING_MS,
  GATE_READ_MS,
  LEASE_MS,
  LEASE_RENEWAL_MS,
  DEFAULT_MAX_WAIT_MS,
  LONGEST_WAIT_MS,
  MINUTE_MS,
  DAY_MS,
  PARENT_OVERDUE_MS,
  PARENT_PATIENCE_MS,
  PARENT_POLL_MS,
  REPLAY_RENEWAL_MS,
  SECRET_WRITE_PAUSES_MS,
  SLICE_RESERVE_MS,
  SPOOL_DAYS,
  TAKEOVER_MS,
  TOKEN_LOCK_MS,
  TOKEN_LOCK_POLL_MS,
  TOKEN_MARGIN_MS,
  TOKEN_REFRESH_MS,
  WAIT_IN_SLICE_MS,
} = timing;

/** What docs/cli.md promises: a run may start this long after its predecessor crashed. */
const CRASH_TO_NEXT_RUN_MS = 60_000;

/** What docs/cli.md promises: a command ends this long after SIGINT. */
const INTERRUPT_TO_END_MS = 10_000;

/** A worker's time-out in packages/sst/src/pipeline.ts, which is the longest that Lambda has. */
const WORKER_MS = 15 * MINUTE_MS;

/** The schedule function plays the tick that starts unfinished runs again this often. */
const TICK_MS = MINUTE_MS;

/** The SDK's Secrets Manager client makes this many attempts of each of our requests. */
const SECRETS_MANAGER_ATTEMPTS = 2;

/** A worker that writes a secret and gets no answer needs this long to give up. */
const LONGEST_SECRET_WRITE_MS =
  (SECRET_WRITE_PAUSES_MS.length + 1) * SECRETS_MANAGER_ATTEMPTS * AWS_REQUEST_MS +
  sum(SECRET_WRITE_PAUSES_MS);

const { resources } = planSource(
  rest_api_source({ client: { base_url: "https://api.example.com/" }, resources: ["rows"] }),
  "timing",
);
const requestTimeoutMs = resources[0]?.timeoutMs ?? Number.NaN;

it.each<[sentence: string, smaller: number, larger: number]>([
  [
    "a renewal that DynamoDB takes late still comes before the lease's end",
    LEASE_RENEWAL_MS + DYNAMODB_PATIENCE_MS,
    LEASE_MS,
  ],
  [
    "a renewal between two records of a replay still comes before the lease's end",
    REPLAY_RENEWAL_MS + DYNAMODB_PATIENCE_MS,
    LEASE_MS,
  ],
  ["a replay renews its lease earlier than a run", REPLAY_RENEWAL_MS, LEASE_RENEWAL_MS],
  ["a write under way at a lease's end has ended at the takeover", AWS_REQUEST_MS, TAKEOVER_MS],
  ["a connection to AWS stands before its request times out", AWS_CONNECT_MS, AWS_REQUEST_MS],
  [
    "a request is attempted more than once within its patience",
    AWS_REQUEST_MS,
    DYNAMODB_PATIENCE_MS,
  ],
  [
    "the longest pause before another attempt leaves time for that attempt",
    DYNAMODB_RETRY_MS.most + 2 * AWS_REQUEST_MS,
    DYNAMODB_PATIENCE_MS,
  ],
  [
    "the end of a slice fits into its reserve when renewal, record and release are each answered late",
    DYNAMODB_GRACE_MS + 3 * AWS_REQUEST_MS,
    SLICE_RESERVE_MS,
  ],
  ["a slice's reserve is a small part of a worker's time", 10 * SLICE_RESERVE_MS, WORKER_MS],
  [
    "an interrupted command has written, and released its lease, in the time that the CLI promises",
    FINISH_WRITING_MS + AWS_REQUEST_MS,
    INTERRUPT_TO_END_MS,
  ],
  ["checkpoints are frequent beside renewals", CHECKPOINT_MS, LEASE_RENEWAL_MS / 10],
  ["a wait inside a slice leaves most of the slice for work", 2 * WAIT_IN_SLICE_MS, WORKER_MS],
  [
    "a gate is read again before a wait inside a slice could end",
    GATE_READ_MS,
    Math.min(WAIT_IN_SLICE_MS, LEASE_RENEWAL_MS),
  ],
  [
    "a child's wait for its parent grows from step to step",
    PARENT_POLL_MS.first,
    PARENT_POLL_MS.most,
  ],
  [
    "a child looks at its parent several times before it ends its slice",
    3 * PARENT_POLL_MS.most,
    PARENT_PATIENCE_MS,
  ],
  [
    "a parent is given several ticks, and a crashed predecessor's lease, before it is overdue",
    3 * TICK_MS + LEASE_MS + TAKEOVER_MS,
    PARENT_OVERDUE_MS,
  ],
  [
    "a refreshed token is stored before its lock ends, even if Secrets Manager answers late",
    TOKEN_REFRESH_MS + LONGEST_SECRET_WRITE_MS,
    TOKEN_LOCK_MS,
  ],
  ["a token's lock is asked for often beside its length", 10 * TOKEN_LOCK_POLL_MS, TOKEN_LOCK_MS],
  [
    "a connection to an API stands before its request times out",
    limits.connectMs,
    requestTimeoutMs,
  ],
  ["a token outlives the request that carries it", requestTimeoutMs, TOKEN_MARGIN_MS],
  [
    "an API may ask for less by default than a config may allow",
    DEFAULT_MAX_WAIT_MS,
    LONGEST_WAIT_MS,
  ],
  [
    "a spool is still there after the longest wait that an API can ask for",
    LONGEST_WAIT_MS,
    SPOOL_DAYS * DAY_MS,
  ],
  [
    "fingerprints outlive the longest wait that an API can ask for",
    LONGEST_WAIT_MS,
    FINGERPRINT_DAYS * DAY_MS,
  ],
])("%s", (_, smaller, larger) => {
  expect(smaller).toBeGreaterThan(0);
  expect(smaller).toBeLessThan(larger);
});

it("a new run may start a minute after a crash", () => {
  expect(LEASE_MS + TAKEOVER_MS).toBeLessThanOrEqual(CRASH_TO_NEXT_RUN_MS);
});

it("a worker of fifteen minutes stops a reserve before its end", () => {
  expect(deadlineOf(0, WORKER_MS)).toBe(WORKER_MS - SLICE_RESERVE_MS);
});

it("every duration is a positive number", () => {
  const durations = Object.values(timing).flatMap((value) =>
    typeof value === "number" ? [value] : Object.values<number>(value),
  );
  expect(durations.filter((duration) => !(duration > 0))).toEqual([]);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
