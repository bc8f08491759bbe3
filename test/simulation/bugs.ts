import { readFileSync } from "node:fs";

/** A change of the engine that breaks a promise; the simulation has to notice each of them. */
export interface Bug {
  name: string;
  /** Of promises.md. */
  promise: string;
  /** Below packages/core/src. */
  file: string;
  /** Each text stands in the file exactly once, and is replaced by the other. */
  edits: readonly [find: string, replace: string][];
}

const bug = (
  name: string,
  promise: string,
  file: string,
  ...edits: Bug["edits"][number][]
): Bug => ({
  name,
  promise,
  file,
  edits,
});

export const bugs: readonly Bug[] = [
  bug("the checkpoint moves before the write", "P2", "run/page-writer.ts", [
    "        await first.storing;",
    `        await lease.checkpoint({ ...first.behind, rows: state.rows, counts: { ...counts } });
        await first.storing;`,
  ]),
  bug("UnprocessedItems are taken for written", "P2", "dynamodb/batch-writer.ts", [
    `if (!unprocessed.includes(one)) told.settled(one, "written");\n    left = unprocessed;`,
    `told.settled(one, "written");\n    left = unprocessed.slice(0, 0);`,
  ]),
  bug("quarantine is not waited for", "P2", "run/page-writer.ts", [
    "      await setAside(aside,",
    "      void setAside(aside,",
  ]),
  bug("the checkpoint is not waited for", "P5", "run/page-writer.ts", [
    "if (!isSample) await lease.checkpoint(state);",
    "if (!isSample) void lease.checkpoint(state).catch(() => {});",
  ]),
  bug("a step of the state has no condition", "P5", "state/state-item.ts", [
    `      : "#token = :expected_token AND #seq = :expected_seq",`,
    `      : "#token <> :expected_token OR #seq <> :expected_seq OR attribute_exists(#seq)",`,
  ]),
  bug("the first step has no condition", "P5", "state/state-item.ts", [
    `      ? "attribute_not_exists(#seq)"`,
    `      ? "attribute_not_exists(#seq) OR attribute_exists(#token)"`,
  ]),
  bug("a lease does not keep others out", "P5", "state/lease.ts", [
    "clock.now() < stored.lease.until + TAKEOVER_MS",
    "clock.now() < 0",
  ]),
  bug("a takeover does not wait for what is under way", "P5", "state/lease.ts", [
    "clock.now() < stored.lease.until + TAKEOVER_MS",
    "clock.now() < stored.lease.until",
  ]),
  bug("pages land in the order in which they are written", "P2", "run/page-writer.ts", [
    "        await first.storing;",
    "        await Promise.any(afloat.map(({ storing }) => storing));",
  ]),
  bug(
    "an answer that was asked for early is taken for any page",
    "P14",
    "extract/paging/ahead.ts",
    ["asked.get(keyOf(request)) ?? fetch(request);", "[...asked.values()][0] ?? fetch(request);"],
  ),
  bug("no guard before a batch", "P5", "dynamodb/attempts.ts", ["    guard();\n", ""]),
  bug("the lease is counted from its answer", "P5", "state/lease.ts", [
    "until = giveBack ? 0 : asked + LEASE_MS;",
    "until = giveBack ? 0 : clock.monotonic() + LEASE_MS;",
  ]),
  bug("the lease is not renewed while something is pending", "P5", "run/keep-lease.ts", [
    "    await lease.renew();\n",
    "",
  ]),
  bug("a worker does not know its own success", "P6", "state/state-item.ts", [
    "if (stored?.write_id !== fields.write_id) throw overtaken(stored);",
    "throw overtaken(stored);",
  ]),
  bug("the state is read without ConsistentRead", "P6", "state/state-item.ts", [
    "ConsistentRead: true",
    "ConsistentRead: false",
  ]),
  bug("a slice begins at the first page and counts on", "P6", "run/read-pages.ts", [
    "let from = begun.next ?? undefined;",
    "let from = (begun.next, undefined);",
  ]),
  bug("a slice that ran out of time is done", "P6", "run/run.ts", [
    `if (!slice.isSample && state.phase !== "end") {`,
    "if (state === undefined) {",
  ]),
  bug("the cursor is the highest value seen", "P3", "extract/cursor/marks.ts", [
    "if (apiTime === undefined ||",
    "if (apiTime !== undefined ||",
  ]),
  bug("the cursor is capped at our own clock", "P3", "run/run.ts", [
    "state.api_time ?? undefined",
    "Date.parse(state.started_at)",
  ]),
  bug("the cursor moves with every page", "P3", "run/read-pages.ts", [
    "    deaths: 0,\n    waits: 0,",
    "    cursor: state.candidate,\n    deaths: 0,\n    waits: 0,",
  ]),
  bug("lag is not taken off", "P3", "extract/cursor/cursor.ts", [
    "const start = lag === 0 ?",
    "const start = lag !== 0 ?",
  ]),
  bug("the sweep begins after the first page", "P4", "run/read-pages.ts", [
    "...(page.next ? {} : series.behind)",
    "...(page.next && !state.refresh ? {} : series.behind)",
  ]),
  bug("rows that could not be written are not seen", "P4", "run/page-writer.ts", [
    "        ...rejections.flatMap(({ key }) => key ?? []),\n",
    "",
  ]),
  bug("every page's keys replace those of the page before", "P4", "load/changed-rows.ts", [
    "pending, log.end);",
    "pending, log.start);",
  ]),
  bug("a refresh that goes on has forgotten what it saw", "P4", "state/lease.ts", [
    "    rows: rowsGoingOn(body.rows, runId),\n",
    `    rows: rowsGoingOn(
      { ...body.rows, log: body.rows.log && { ...body.rows.log, end: body.rows.log.start } },
      runId,
    ),\n`,
  ]),
  bug("what could not be written counts as there", "P8", "load/changed-rows.ts", [
    "pending.push(...prints, ...gone);",
    "pending.push(...prints);",
  ]),
  bug("an ordered put has no condition", "P5", "dynamodb/conditional-writer.ts", [
    `"NOT attribute_type(#version, :type) OR #version <= :version"`,
    `"NOT attribute_type(#version, :type) OR #version <= :version OR #version > :version"`,
  ]),
  bug("what is set aside is not counted", "P8", "run/page-writer.ts", [
    "  counts.quarantined += aside.length;\n",
    "  counts.records -= aside.length;\n",
  ]),
  bug("what was superseded is not counted", "P8", "run/page-writer.ts", [
    "  counts.superseded += landed.superseded;\n",
    "",
  ]),
  bug("numbers go through a double", "P9", "values/parse-json.ts", [
    "return mayBeInexact(text) ? parseExactly(text) : JSON.parse(text);",
    "return JSON.parse(text);",
  ]),
  bug("a Retry-After is slept whatever the deadline", "P10", "extract/http/request.ts", [
    "if (ms > WORTH_WAITING_MS || clock.monotonic() + ms >= deadline) {",
    "if (ms < 0) {",
  ]),
  bug("a throttled batch knows no deadline", "P10", "dynamodb/attempts.ts", [
    "    if (clock.monotonic() + delay >= deadline) throw failure(trouble, table);\n",
    "",
  ]),
  bug("a request may outlast the slice", "P10", "extract/http/request.ts", [
    "Math.min(timeoutMs, remaining)",
    "timeoutMs",
  ]),
  bug("an event hurries a run that the API asked to wait", "P12", "state/lease.ts", [
    `if (status === "waiting" && stored.not_before &&`,
    `if (want.now < 0 && stored.not_before &&`,
  ]),
  bug("three retries too many", "P12", "extract/http/retry.ts", [
    "attempt > policy.maxRetries)",
    "attempt > policy.maxRetries + 3)",
  ]),
  bug(
    "steps by limit where the server caps its pages",
    "P14",
    "extract/paging/paginators-offset.ts",
    [
      "const received = Math.min(records.length, limit);",
      "const received = records.length && limit;",
    ],
  ),
  bug("what is secret is not hidden", "P15", "secrets/redact.ts", [
    "inOrder.reduce((all, one) => replaceBetween(all, one), text)",
    "inOrder.reduce((all) => all, text)",
  ]),
];

/** The file with the bug in it. Throws when the engine has changed so that the bug can not be planted. */
export function planted(bug: Bug, sources: string): string {
  let text = readFileSync(`${sources}/${bug.file}`, "utf8");
  for (const [find, replace] of bug.edits) {
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`"${bug.name}": ${count} places in ${bug.file}, not 1`);
    text = text.replace(find, () => replace);
  }
  return text;
}
