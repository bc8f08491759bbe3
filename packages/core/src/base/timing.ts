/*
 * The durations that the engine decides by. Names end with their unit. Many durations have to fit
 * into each other, and test/base/timing.test.ts asserts how.
 */

export const MINUTE_MS = 60_000;

export const DAY_MS = 24 * 60 * MINUTE_MS;

// Leases: a worker's right to write a resource.

/** The duration of a lease after its last renewal. Each checkpoint renews the lease. */
export const LEASE_MS = 50_000;

/** The interval of renewals while a request, a wait or a scan is pending. */
export const LEASE_RENEWAL_MS = 20_000;

/** The replay of a quarantine renews its lease between two records only, and therefore earlier. */
export const REPLAY_RENEWAL_MS = 15_000;

/** The pause between a lease's end and a takeover, in which the old holder's last write ends. */
export const TAKEOVER_MS = 10_000;

// Requests to DynamoDB.

/** The time limit for a connection to DynamoDB or Secrets Manager. */
export const AWS_CONNECT_MS = 2_000;

/** The time limit for one attempt of a request to DynamoDB or Secrets Manager. */
export const AWS_REQUEST_MS = 5_000;

/** The time for which an unused connection to DynamoDB is kept. A page may take that long. */
export const AWS_IDLE_MS = 30_000;

/** The time for which a request to DynamoDB is repeated after throttles and lost connections. */
export const DYNAMODB_PATIENCE_MS = 20_000;

/** The same limit for the requests that end a slice, counted from the slice's deadline. */
export const DYNAMODB_GRACE_MS = 5_000;

/** The longest pause before the second attempt is `first`. Each further one doubles, up to `most`. */
export const DYNAMODB_RETRY_MS = Object.freeze({ first: 50, most: 5_000 });

/** A time without throttled writes after which one more request may be under way at once. */
export const UNTHROTTLED_MS = 1_000;

/** The age at which a written row is sure to appear in eventually consistent reads. */
export const CONSISTENT_AFTER_MS = 30_000;

// Slices, of which a run has one per invocation.

/** Pages that become durable within this time share a checkpoint, which costs as much as a batch. */
export const CHECKPOINT_MS = 200;

/** The part of an invocation's time that is kept to renew the lease, record the run and release. */
export const SLICE_RESERVE_MS = 25_000;

/** After an interrupt no further request is made; pages already read get this time to be written. */
export const FINISH_WRITING_MS = 2_000;

/** A longer wait for the API ends the slice, and the run goes on after the wait at no cost. */
export const WAIT_IN_SLICE_MS = 60_000;

/** The longest wait that one answer may ask for, unless `client.max_wait` says otherwise. */
export const DEFAULT_MAX_WAIT_MS = 1 * DAY_MS;

/** The largest `client.max_wait`: what a run has left for its next slice is kept for twice as long. */
export const LONGEST_WAIT_MS = 7 * DAY_MS;

/** A Retry-After of more than a year is taken for nonsense. */
export const NONSENSE_WAIT_MS = 366 * DAY_MS;

/** The interval at which a worker reads the state of its source's gate. */
export const GATE_READ_MS = 5_000;

// Children, which read what their parent's run has spooled.

/** The time that a child waits inside its slice for more records of its parent. */
export const PARENT_PATIENCE_MS = 5_000;

/** The pauses between two reads of the parent's state, which double from `first` up to `most`. */
export const PARENT_POLL_MS = Object.freeze({ first: 50, most: 1_000 });

/** The pause before the next slice of a child whose parent was not ready. */
export const PARENT_RESUME_MS = 1_000;

/** A child gives up when its parent's run has not begun after this time. */
export const PARENT_OVERDUE_MS = 15 * MINUTE_MS;

// Secrets and tokens.

/** The time for which a worker keeps its source's secret in memory. */
export const SECRET_CACHE_MS = 5 * MINUTE_MS;

/** The pauses before the second and third attempt to write a secret. */
export const SECRET_WRITE_PAUSES_MS = Object.freeze([200, 1_000]);

/** An OAuth token is renewed earlier than it expires, because a request takes time. */
export const TOKEN_MARGIN_MS = 60_000;

/** The duration of the lock on a source's token. A worker that died leaves the lock to expire. */
export const TOKEN_LOCK_MS = 60_000;

/** The time that a lock's holder has to ask the API. The remaining time is for storing the answer. */
export const TOKEN_REFRESH_MS = 20_000;

/** The interval at which a waiting worker tries to take the lock. */
export const TOKEN_LOCK_POLL_MS = 1_000;

// Retention of items in the state table.

/** A line of the run history. */
export const HISTORY_DAYS = 90;

/** A block of fingerprints. */
export const FINGERPRINT_DAYS = 90;

/** A block of a parent's spool. */
export const SPOOL_DAYS = 14;

/** A record in quarantine. */
export const QUARANTINE_DAYS = 30;

/** A gate or a token's lock, after its end. */
export const LOCK_DAYS = 1;
