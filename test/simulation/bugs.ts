/** A change of the engine that breaks a promise; the simulation has to notice each of them. */
export interface Bug {
  name: string;
  /** Of docs/reliability.md. */
  promise: string;
  /** The comment `planted: <marker>` stands before the code that is replaced. */
  marker: string;
  /** The code that takes its place; `$&` stands for the code that was there. */
  replacement: string;
}

/** The code runs, and nothing waits for its end. */
const notAwaited = "void (async () => { $& })().catch(() => {});";

const removed = "";

export const bugs: readonly Bug[] = [
  {
    name: "the checkpoint moves before the write",
    promise: "P2",
    marker: "storing-before-checkpoint",
    replacement: `await lease.checkpoint({ ...first.behind, rows: state.rows, counts: { ...counts } }); $&`,
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
    marker: "quarantine-before-checkpoint",
    replacement: notAwaited,
  },
  {
    name: "the checkpoint is not waited for",
    promise: "P5",
    marker: "checkpoint-in-order",
    replacement: notAwaited,
  },
  {
    name: "a step of the state has no condition",
    promise: "P5",
    marker: "condition-of-later-steps",
    replacement: `"#token <> :expected_token OR #seq <> :expected_seq OR attribute_exists(#seq)"`,
  },
  {
    name: "the first step has no condition",
    promise: "P5",
    marker: "condition-of-first-step",
    replacement: `"attribute_not_exists(#seq) OR attribute_exists(#token)"`,
  },
  {
    name: "a lease does not keep others out",
    promise: "P5",
    marker: "lease-is-held",
    replacement: "clock.now() < 0",
  },
  {
    name: "a takeover does not wait for what is under way",
    promise: "P5",
    marker: "lease-is-held",
    replacement: "clock.now() < stored.lease.until",
  },
  {
    name: "pages land in the order in which they are written",
    promise: "P2",
    marker: "storing-before-checkpoint",
    replacement: "await Promise.any(afloat.map(({ storing }) => storing));",
  },
  {
    name: "an answer that was asked for early is taken for any page",
    promise: "P14",
    marker: "answer-of-its-request",
    replacement: "[...this.#answers.values()][0] ?? this.#sender.fetch(request)",
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
    marker: "lease-counts-from-request",
    replacement: "clock.monotonic() + LEASE_MS",
  },
  {
    name: "the lease is not renewed while something is pending",
    promise: "P5",
    marker: "renewal",
    replacement: removed,
  },
  {
    name: "a worker does not know its own success",
    promise: "P6",
    marker: "write-of-another-worker",
    replacement: "true",
  },
  {
    name: "the state is read without ConsistentRead",
    promise: "P6",
    marker: "consistent-state",
    replacement: "false",
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
    marker: "time-of-cursor-cap",
    replacement: "Date.parse(state.started_at)",
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
    replacement: "page.next && !ahead.refresh ? {} : series.behind",
  },
  {
    name: "rows that could not be written are not seen",
    promise: "P4",
    marker: "rejected-rows-stay",
    replacement: "...[]",
  },
  {
    name: "every page's keys replace those of the page before",
    promise: "P4",
    marker: "end-of-log",
    replacement: "log.start",
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
    marker: "fingerprints-of-unwritten-rows",
    replacement: "pending.push(...prints);",
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
    marker: "quarantined-count",
    replacement: "counts.records -= aside.length;",
  },
  {
    name: "what was superseded is not counted",
    promise: "P8",
    marker: "superseded-count",
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
    marker: "wait-of-run",
    replacement: "runRequest.now < 0 && $&",
  },
  {
    name: "three retries too many",
    promise: "P12",
    marker: "attempts",
    replacement: "attempt > policy.maxRetries + 3",
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
