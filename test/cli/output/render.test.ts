import { zeroCounts } from "@tidetable/core/internal";
import { describe, expect, it } from "vitest";
import type { ResourceDocument, RunDocument } from "../../../packages/cli/src/output/documents.ts";
import {
  createColors,
  formatAmount,
  formatDollars,
  formatDuration,
  formatTable,
  problemLines,
  runReportText,
  safeLine,
} from "../../../packages/cli/src/output/render.ts";

const plain = createColors({ write: () => {} }, {});

describe("formatTable", () => {
  it("a table pads text on the right and numbers on the left, with thousands separators", () => {
    const text = formatTable(
      ["name", "records"],
      [
        ["a", 1],
        ["longer", 12345],
      ],
    );
    expect(text).toBe("name    records\na             1\nlonger   12,345\n");
  });

  it("a table measures visible characters and not colour codes", () => {
    const color = createColors({ write: () => {}, isTTY: true }, {});
    const text = formatTable(
      ["s", "n"],
      [
        [color.green("ok"), 1],
        ["no", 2],
      ],
    );
    const [, first, second] = text.split("\n");
    expect(first?.replace(color.green("ok"), "ok").length).toBe(second?.length);
  });
});

describe("colours", () => {
  const terminal = { write: () => {}, isTTY: true };
  it("there are colours on a terminal, and none on a pipe or under NO_COLOR", () => {
    expect(createColors(terminal, {}).red("x")).toContain("\x1b[31m");
    expect(createColors(terminal, { NO_COLOR: "1" }).red("x")).toBe("x");
    expect(createColors({ write: () => {} }, {}).red("x")).toBe("x");
  });
});

it.each([
  [0, "0 ms"],
  [840, "840 ms"],
  [3210, "3.2 s"],
  [59_960, "1 min 0 s"],
  [125_000, "2 min 5 s"],
  [3_780_000, "1 h 3 min"],
])("a duration of %d ms is printed as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

it.each([
  [0, "$0.000000"],
  [0.000016, "$0.000016"],
  [1.2345, "$1.23"],
])("%d dollars are printed as %s", (value, text) => expect(formatDollars(value)).toBe(text));

it("text from an API stays on its line and cannot control the terminal", () => {
  expect(safeLine("a\nb\u001b[31m\u009b2J\u202ec é 漢")).toBe("a b [31m 2J c é 漢");
});

it("an amount has the singular or plural of its noun", () => {
  expect([
    formatAmount(1, "page"),
    formatAmount(2000, "page"),
    formatAmount(2, "retry", "retries"),
  ]).toEqual(["1 page", "2,000 pages", "2 retries"]);
});

it("a problem is printed as path: message; hint", () => {
  const problems = [
    { path: "client.bas_url", message: "is not a key", hint: "did you mean base_url?" },
    { path: "", message: "nothing to do" },
  ];
  expect(problemLines(problems)).toBe(
    "client.bas_url: is not a key; did you mean base_url?\nnothing to do\n",
  );
});

describe("the end of a run", () => {
  const createResource = (changes: Partial<ResourceDocument> = {}): ResourceDocument => ({
    source: "ticketing",
    resource: "tickets",
    table: "t",
    status: "succeeded",
    ...zeroCounts(),
    slices: 1,
    duration_ms: 1200,
    cursor: null,
    schema: null,
    error: null,
    ...changes,
  });
  const createRun = (resources: ResourceDocument[]): RunDocument => ({
    run_id: "r1",
    status: "partial",
    started_at: "2026-01-01T00:00:00.000Z",
    duration_ms: 2500,
    resources,
  });

  it("the report of a run has a row per resource, a line per failure and a sum", () => {
    const failure = { code: "extract.status", message: "answered 404", hint: "look at the path" };
    const text = runReportText(
      createRun([
        createResource({ records: 250, written: 250, retries: 2, waited_ms: 4000 }),
        createResource({ resource: "comments", status: "failed", error: failure }),
      ]),
      plain,
    );
    expect(text).toBe(`source     resource  status     records  written  retries  waited  time
ticketing  tickets   succeeded      250      250        2  4.0 s   1.2 s
ticketing  comments  failed           0        0        0  -       1.2 s

ticketing.comments: answered 404; look at the path
1 of 2 resources succeeded: 250 records in 2.5 s
`);
  });

  it("the report of a run has columns for quarantined and superseded records only if there are any", () => {
    const quiet = runReportText(createRun([createResource()]), plain);
    const loud = runReportText(
      createRun([createResource({ quarantined: 1, superseded: 3 })]),
      plain,
    );
    expect(quiet).not.toContain("quarantined");
    expect(loud.split("\n")[0]).toMatch(/written {2}superseded {2}quarantined {2}retries/);
  });
});
