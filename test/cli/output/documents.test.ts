import { ConfigError, type ResourceReport, zeroCounts } from "@tidetable/core/internal";
import { describe, expect, it } from "vitest";
import {
  errorDocument,
  problemsDocument,
  runDocument,
} from "../../../packages/cli/src/output/documents.ts";
import { LeaseError } from "../../../packages/core/src/base/errors.ts";

const run = { run_id: "r1", started_at: "2026-01-01T00:00:00.000Z", duration_ms: 1234 };

const createReport = (changes: Partial<ResourceReport> = {}): ResourceReport => ({
  source: "ticketing",
  resource: "tickets",
  table: "tidetable-local-ticketing.tickets",
  run_id: "r1",
  status: "done",
  ...zeroCounts(),
  slice: zeroCounts(),
  slices: 1,
  started_at: "2026-01-01T00:00:00.000Z",
  duration_ms: 900,
  cursor: null,
  schema: null,
  error: null,
  ...changes,
});

const error = { code: "extract.status", message: "answered 404", hint: "look at the path" };
const failed = createReport({ status: "failed", error });
const skipped = createReport({ status: "skipped", error: { ...error, code: "state.lease_held" } });

describe("the document of run --json", () => {
  it("the document of run --json has exactly the members of the contract, in their order", () => {
    const done = createReport({
      requests: 4,
      pages: 3,
      records: 250,
      written: 248,
      superseded: 2,
      retries: 1,
      waited_ms: 2010,
      write_units: 250,
      read_units: 3.5,
      cursor: { before: null, after: "2026-01-01" },
    });
    expect(JSON.stringify(runDocument(run, [done]))).toBe(
      JSON.stringify({
        run_id: "r1",
        status: "succeeded",
        started_at: "2026-01-01T00:00:00.000Z",
        duration_ms: 1234,
        resources: [
          {
            source: "ticketing",
            resource: "tickets",
            table: "tidetable-local-ticketing.tickets",
            status: "succeeded",
            requests: 4,
            pages: 3,
            records: 250,
            written: 248,
            unchanged: 0,
            superseded: 2,
            quarantined: 0,
            deleted: 0,
            parents_set_aside: 0,
            discarded_values: 0,
            retries: 1,
            waited_ms: 2010,
            write_units: 250,
            read_units: 3.5,
            throttled: 0,
            worked_ms: 0,
            slices: 1,
            duration_ms: 900,
            cursor: { before: null, after: "2026-01-01" },
            schema: null,
            error: null,
          },
        ],
      }),
    );
  });

  it.each([
    ["succeeded when every resource succeeded", [createReport(), createReport()], "succeeded"],
    ["partial when one failed", [createReport(), failed], "partial"],
    ["partial when one was skipped: skipped is not success", [createReport(), skipped], "partial"],
    ["failed when none succeeded", [failed, skipped], "failed"],
  ] as const)("the document of run --json is %s", (_, reports, status) => {
    expect(runDocument(run, reports).status).toBe(status);
  });

  it("the document of run --json has the reasons of failed and of skipped resources", () => {
    const { resources } = runDocument(run, [failed, skipped]);
    expect(resources.map(({ status, error }) => [status, error?.code])).toEqual([
      ["failed", "extract.status"],
      ["skipped", "state.lease_held"],
    ]);
  });

  it.each([
    "running",
    "waiting",
  ] as const)("the document of run --json calls a resource that was still %s interrupted", (status) => {
    const [resource] = runDocument(run, [createReport({ status, pages: 2 })]).resources;
    expect(resource).toMatchObject({
      status: "failed",
      pages: 2,
      error: { code: "run.interrupted", hint: expect.stringContaining("continues") },
    });
  });

  it("the document of run --json marks a sample", () => {
    expect(runDocument(run, [createReport({ limited: true })]).limited).toBe(true);
    expect(runDocument(run, [createReport()])).not.toHaveProperty("limited");
  });
});

it("the document of exit code 2 carries every problem, with a hint or null", () => {
  const problems = [
    { path: "resources[0].name", message: "is missing" },
    { path: "client.bas_url", message: "is not a key", hint: "did you mean base_url?" },
  ];
  expect(problemsDocument(problems)).toEqual({
    status: "invalid",
    problems: [
      { path: "resources[0].name", message: "is missing", hint: null },
      { path: "client.bas_url", message: "is not a key", hint: "did you mean base_url?" },
    ],
  });
});

it("a document holds known failures, and other errors are thrown on", () => {
  const held = { code: "state.lease_held", message: "held" };
  expect(errorDocument(new LeaseError(held))).toEqual({ ...held, hint: null });
  for (const error of [new ConfigError(held), new Error("no space left")]) {
    expect(() => errorDocument(error)).toThrow(error);
  }
});
