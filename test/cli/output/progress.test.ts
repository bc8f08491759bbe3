import { type ResourceReport, zeroCounts } from "@tidetable/core/internal";
import { describe, expect, it } from "vitest";
import { openProgressLog } from "../../../packages/cli/src/output/progress.ts";

const tickets = { source: "ticketing", resource: "tickets" };
const incidents = { source: "incidents", resource: "incident_data" };
const createCounts = (pages: number) => ({ ...zeroCounts(), pages, records: pages * 100 });
const createReport = (
  resourceRef: typeof tickets,
  changes: Partial<ResourceReport> = {},
): ResourceReport => ({
  ...resourceRef,
  table: "t",
  run_id: "r1",
  status: "done",
  ...createCounts(3),
  slice: createCounts(3),
  slices: 1,
  started_at: "2026-01-01T00:00:00.000Z",
  duration_ms: 1200,
  cursor: null,
  schema: null,
  error: null,
  ...changes,
});

function setUp({ isTTY = false, json = false, columns = 80, rows = 24 } = {}) {
  let written = "";
  let time = 0;
  const write = (text: string) => {
    written += text;
  };
  const passTime = (ms: number) => {
    time += ms;
  };
  const stderr = { write, isTTY, columns, rows };
  const log = openProgressLog({ stderr, env: { NO_COLOR: "1" } }, { json, now: () => time });
  return {
    log,
    pass: passTime,
    raw: () => written,
    screen: () => screenLines(written),
  };
}

/** Interprets line feeds, "cursor up" and "erase below", and returns the terminal's lines. */
function screenLines(bytes: string): string[] {
  const lines = [""];
  let row = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
  for (const [part] of bytes.matchAll(/\x1b\[\d+[AJ]|[\r\n]|[^\x1b\r\n]+/g)) {
    const up = /\[(\d+)A/.exec(part);
    if (up) row -= Number(up[1]);
    else if (part === "\x1b[0J") lines.splice(row, lines.length, "");
    else if (part === "\n") lines[++row] ??= "";
    else if (part !== "\r") lines[row] = part;
  }
  return lines;
}

describe("on a terminal", () => {
  it("on a terminal each resource has one live line, which is rewritten in place", () => {
    const { log, pass, screen } = setUp({ isTTY: true });
    log.debug("page", { ...tickets, counts: createCounts(1) });
    pass(100);
    log.debug("page", { ...incidents, counts: createCounts(1) });
    pass(100);
    log.debug("page", { ...tickets, counts: createCounts(2) });
    expect(screen()).toEqual([
      "ticketing.tickets: 200 records in 2 pages",
      "incidents.incident_data: 100 records in 1 page",
      "",
    ]);
  });

  it("on a terminal ended resources and warnings scroll above the live lines", () => {
    const { log, pass, screen } = setUp({ isTTY: true, columns: 100 });
    log.debug("page", { ...tickets, counts: createCounts(1) });
    pass(100);
    log.debug("page", { ...incidents, counts: createCounts(1) });
    log.warn("answered 503; retry 1 of 3 in 1.6 s", incidents);
    log.info("done", { ...tickets, report: createReport(tickets, { retries: 1 }) });
    expect(screen()).toEqual([
      "incidents.incident_data: answered 503; retry 1 of 3 in 1.6 s",
      "ticketing.tickets: done, 300 records in 3 pages, 1 retry, 1.2 s",
      "incidents.incident_data: 100 records in 1 page, answered 503; retry 1 of 3 in 1.6 s",
      "",
    ]);
  });

  it("the live lines are redrawn at most ten times a second", () => {
    const { log, pass, raw } = setUp({ isTTY: true });
    for (let page = 1; page <= 1000; page++) {
      log.debug("page", { ...tickets, counts: createCounts(page) });
      pass(1);
    }
    expect(raw().match(/\n/g)).toHaveLength(10);
  });

  it("the live lines never wrap, and are never more than fit on the terminal", () => {
    const { log, pass, screen } = setUp({ isTTY: true, columns: 20, rows: 3 });
    for (const resource of ["one", "two", "three", "four"]) {
      log.debug("page", { source: "crm", resource, counts: createCounts(1) });
      pass(100);
    }
    expect(screen()).toEqual(["crm.one: 100 record", "crm.two: 100 record", ""]);
  });

  it("a terminal that reports the size 0 is treated as 80 by 24", () => {
    const { log, screen } = setUp({ isTTY: true, columns: 0, rows: 0 });
    log.debug("page", { ...tickets, counts: createCounts(1) });
    expect(screen()[0]).toBe("ticketing.tickets: 100 records in 1 page");
  });

  it("after every write the cursor is below the live lines, so that Ctrl-C leaves a clean terminal", () => {
    const { log, raw } = setUp({ isTTY: true });
    log.debug("page", { ...tickets, counts: createCounts(1) });
    log.warn("answered 503", tickets);
    log.stop();
    expect(raw().endsWith("\n")).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the code that hides the cursor.
    expect(raw()).not.toMatch(/\x1b\[\?25l/);
  });

  it("after stop() the live lines stay, and later output is below them", () => {
    const { log, screen } = setUp({ isTTY: true });
    log.debug("page", { ...tickets, counts: createCounts(1) });
    log.stop();
    log.debug("page", { ...incidents, counts: createCounts(1) });
    log.info("done", { ...incidents, report: createReport(incidents) });
    expect(screen()).toEqual([
      "ticketing.tickets: 100 records in 1 page",
      "incidents.incident_data: done, 300 records in 3 pages, 1.2 s",
      "",
    ]);
  });
});

describe.each([
  ["on a pipe", { isTTY: false }],
  ["with --json on a terminal", { isTTY: true, json: true }],
])("%s", (_, outside) => {
  it("without live lines there are plain lines for ends, warnings, and progress every two seconds", () => {
    const { log, pass, raw } = setUp(outside);
    for (let page = 1; page <= 50; page++) {
      log.debug("page", { ...tickets, counts: createCounts(page) });
      pass(100);
    }
    log.warn("answered 503; retry 1 of 3 in 1.6 s", tickets);
    log.info("done", { ...tickets, report: createReport(tickets) });
    expect(raw()).toBe(`ticketing.tickets: 2,100 records in 21 pages
ticketing.tickets: 4,100 records in 41 pages
ticketing.tickets: answered 503; retry 1 of 3 in 1.6 s
ticketing.tickets: done, 300 records in 3 pages, 1.2 s
`);
  });
});

it("the end of a slice is not reported as the end of its resource", () => {
  const { log, screen } = setUp({ isTTY: true });
  const waiting = { status: "waiting", not_before: "2026-01-01T00:10:00.000Z" } as const;
  log.info("waiting", { ...tickets, report: createReport(tickets, waiting) });
  expect(screen()).toEqual([
    "ticketing.tickets: 300 records in 3 pages, waits until 2026-01-01T00:10:00.000Z",
    "",
  ]);
});
