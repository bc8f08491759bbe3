import type { Bug } from "./bug.ts";

/** The code runs, and nothing waits for its end. */
const notAwaited = "void (async () => { $& })().catch(() => {});";

const removed = "";

/** Of the ways to write, to keep a lease, to ask an API, to tell. */
export const bugsOfParts: readonly Bug[] = [
  {
    name: "the checkpoint moves before the write",
    promise: "P2",
    marker: "write-before-checkpoint",
    replacement: `if (!this.#job.isSample) {
          const { rows, blocks } = this.#state;
          const counts = { ...this.#job.counts };
          await this.#job.lease.checkpoint({ ...first.stateAfter, rows, blocks, counts });
        }
        $&`,
  },
  {
    name: "UnprocessedItems are taken for written",
    promise: "P2",
    marker: "unprocessed-items",
    replacement: "$&.slice(0, 0)",
  },
  {
    name: "quarantine is not waited for",
    promise: "P2",
    marker: "quarantine-is-awaited",
    replacement: notAwaited,
  },
  {
    name: "the checkpoint is not waited for",
    promise: "P5",
    marker: "checkpoint-is-awaited",
    replacement: notAwaited,
  },
  {
    name: "a step of the state has no condition",
    promise: "P5",
    marker: "step-condition",
    replacement: `"#token <> :expected_token OR #seq <> :expected_seq OR attribute_exists(#seq)"`,
  },
  {
    name: "the first step has no condition",
    promise: "P5",
    marker: "first-step-condition",
    replacement: `"attribute_not_exists(#seq) OR attribute_exists(#token)"`,
  },
  {
    name: "a lease does not keep others out",
    promise: "P5",
    marker: "lease-is-held",
    replacement: "now < 0",
  },
  {
    name: "a takeover does not wait for what is under way",
    promise: "P5",
    marker: "lease-is-held",
    replacement: "now < stored.lease.until",
  },
  {
    name: "a sample does not ask who has the lease",
    promise: "P5",
    marker: "lease-keeps-out",
    replacement: removed,
  },
  {
    name: "pages land in the order in which they are written",
    promise: "P2",
    marker: "write-before-checkpoint",
    replacement: "await Promise.any(this.#pending.map(({ writing }) => writing));",
  },
  {
    name: "an answer that was asked for early is taken for any page",
    promise: "P14",
    marker: "answer-of-its-request",
    replacement: "[...this.#answers.values()][0]",
  },
  {
    name: "no guard before a batch",
    promise: "P5",
    marker: "guard-before-request",
    replacement: removed,
  },
  {
    name: "the lease is counted from its answer",
    promise: "P5",
    marker: "lease-counted-from-request",
    replacement: "this.#validUntil = effects.givesBack ? 0 : clock.monotonic() + LEASE_MS;",
  },
  {
    name: "the lease is not renewed while something is pending",
    promise: "P5",
    marker: "renew-while-pending",
    replacement: removed,
  },
  {
    name: "a worker does not know its own success",
    promise: "P6",
    marker: "own-success",
    replacement: "return stored === undefined;",
  },
  {
    name: "the state is read without ConsistentRead",
    promise: "P6",
    marker: "state-read-consistent",
    replacement: "ConsistentRead: false",
  },
  {
    name: "a slice begins at the first page and counts on",
    promise: "P6",
    marker: "first-request-of-slice",
    replacement: "undefined",
  },
  {
    name: "a slice that ran out of time is done",
    promise: "P6",
    marker: "unfinished-slice",
    replacement: "false",
  },
  {
    name: "the cursor is the highest value seen",
    promise: "P3",
    marker: "cursor-cap",
    replacement: "candidate",
  },
  {
    name: "the cursor is capped at our own clock",
    promise: "P3",
    marker: "cursor-capped-at-api",
    replacement: "const apiTime = Date.parse(state.started_at);",
  },
  {
    name: "the cursor moves with every page",
    promise: "P3",
    marker: "cursor-stays-while-reading",
    replacement: "cursor: state.candidate, $&",
  },
  {
    name: "lag is not taken off",
    promise: "P3",
    marker: "lag",
    replacement: "committed",
  },
  {
    name: "the sweep begins after the first page",
    promise: "P4",
    marker: "end-of-series",
    replacement: "(isLast || this.#state.refresh ? series.stateAfter : {})",
  },
  {
    name: "rows that could not be written are not seen",
    promise: "P4",
    marker: "rejected-rows-are-seen",
    replacement: "...[]",
  },
  {
    name: "every page's keys replace those of the page before",
    promise: "P4",
    marker: "log-goes-on",
    replacement:
      "const end = await appendFingerprints(this.#options, to, this.#pending, log.start);",
  },
  {
    name: "a refresh that goes on has forgotten what it saw",
    promise: "P4",
    marker: "rows-of-earlier-slices",
    replacement: `rows: rowsAtResume(
      { ...body.rows, log: body.rows.log && { ...body.rows.log, end: body.rows.log.start } },
      runId,
    )`,
  },
  {
    name: "what could not be written counts as there",
    promise: "P8",
    marker: "unwritten-rows-are-unknown",
    replacement: "...[]",
  },
  {
    name: "an ordered put has no condition",
    promise: "P5",
    marker: "newest-version",
    replacement: `"NOT attribute_type(#version, :type) OR #version <= :version OR #version > :version"`,
  },
  {
    name: "what is set aside is not counted",
    promise: "P8",
    marker: "quarantined-are-counted",
    replacement: "counts.records -= quarantined.length;",
  },
  {
    name: "what was superseded is not counted",
    promise: "P8",
    marker: "superseded-are-counted",
    replacement: removed,
  },
  {
    name: "numbers go through a double",
    promise: "P9",
    marker: "exact-numbers",
    replacement: "JSON.parse(text)",
  },
  {
    name: "a Retry-After is slept whatever the deadline",
    promise: "P10",
    marker: "wait-elsewhere",
    replacement: "ms < 0",
  },
  {
    name: "a throttled batch knows no deadline",
    promise: "P10",
    marker: "deadline-of-retries",
    replacement: removed,
  },
  {
    name: "a request may outlast the slice",
    promise: "P10",
    marker: "time-out-within-slice",
    replacement: "timeoutMs",
  },
  {
    name: "an event hurries a run that the API asked to wait",
    promise: "P12",
    marker: "wait-is-kept",
    replacement: removed,
  },
  {
    name: "ten retries too many",
    promise: "P12",
    marker: "attempts",
    replacement: "attempt > policy.maxRetries + 10",
  },
  {
    name: "steps by limit where the server caps its pages",
    promise: "P14",
    marker: "step-of-offset",
    replacement: "records.length && plan.limit",
  },
  {
    name: "what is secret is not hidden",
    promise: "P15",
    marker: "hidden-secrets",
    replacement: "text",
  },
];
