import type { Counts, ResourceReport } from "@tidetable/core/internal";
import { ConfigError, isFailure } from "@tidetable/core/internal/config";
import type { Problem } from "@tidetable/core/plan";

/*
 * The documents of `--json`. The format is public: members are added, never renamed.
 */

/** The document of `run --json`. */
export interface RunDocument {
  run_id: string;
  status: "succeeded" | "failed" | "partial";
  started_at: string;
  duration_ms: number;
  /** Only for a sample, which leaves all cursors unchanged. */
  limited?: true;
  resources: ResourceDocument[];
}

export interface ResourceDocument extends Counts {
  source: string;
  resource: string;
  table: string;
  status: "succeeded" | "failed" | "skipped";
  slices: number;
  duration_ms: number;
  cursor: ResourceReport["cursor"];
  schema: ResourceReport["schema"];
  error: ErrorDocument | null;
}

export type ErrorDocument = NonNullable<ResourceReport["error"]>;

/** The error of a run that was open at the end of the command. No tick resumes a local run. */
const interruptedError: ErrorDocument = {
  code: "run.interrupted",
  message: "the run was interrupted",
  hint: "run it again: it continues from the last checkpoint",
};

/**
 * Builds the document of `run --json` from the last report of each resource. An unfinished resource
 * has no error of its own and gets `unfinishedError`.
 */
export function runDocument(
  run: { run_id: string; started_at: string; duration_ms: number },
  reports: readonly ResourceReport[],
  unfinishedError = interruptedError,
): RunDocument {
  const resources = reports.map((report) => resourceDocument(report, unfinishedError));
  const succeeded = resources.filter(({ status }) => status === "succeeded").length;
  const incomplete = succeeded > 0 ? "partial" : "failed";
  return {
    run_id: run.run_id,
    status: succeeded === resources.length ? "succeeded" : incomplete,
    started_at: run.started_at,
    duration_ms: run.duration_ms,
    ...(reports.some(({ limited }) => limited) ? { limited: true } : {}),
    resources,
  };
}

const documentStatuses = {
  done: "succeeded",
  skipped: "skipped",
  failed: "failed",
  running: "failed",
  waiting: "failed",
  covered: "skipped",
} as const satisfies Record<ResourceReport["status"], ResourceDocument["status"]>;

function resourceDocument(
  report: ResourceReport,
  unfinishedError: ErrorDocument,
): ResourceDocument {
  return {
    source: report.source,
    resource: report.resource,
    table: report.table,
    status: documentStatuses[report.status],
    requests: report.requests,
    pages: report.pages,
    records: report.records,
    written: report.written,
    unchanged: report.unchanged,
    superseded: report.superseded,
    quarantined: report.quarantined,
    deleted: report.deleted,
    parents_set_aside: report.parents_set_aside,
    discarded_values: report.discarded_values,
    retries: report.retries,
    waited_ms: report.waited_ms,
    write_units: report.write_units,
    read_units: report.read_units,
    throttled: report.throttled,
    worked_ms: report.worked_ms,
    slices: report.slices,
    duration_ms: report.duration_ms,
    cursor: report.cursor,
    schema: report.schema,
    error: isUnfinished(report) ? unfinishedError : report.error,
  };
}

const isUnfinished = ({ status }: ResourceReport) => status === "running" || status === "waiting";

/** A failure as a part of a document. Unexpected errors are thrown on and end the command. */
export function failureDocument(error: unknown): ErrorDocument {
  if (!isFailure(error)) throw error;
  return { code: error.code, message: error.message, hint: error.hint ?? null };
}

/** Like `failureDocument`, but problems that the user has to solve end the command, too. */
export function errorDocument(error: unknown): ErrorDocument {
  if (error instanceof ConfigError) throw error;
  return failureDocument(error);
}

/** The document of exit code 2. */
interface ProblemsDocument {
  status: "invalid";
  problems: { path: string; message: string; hint: string | null; snippet?: string | undefined }[];
}

export function problemsDocument(problems: readonly Problem[]): ProblemsDocument {
  return {
    status: "invalid",
    problems: problems.map((problem) => ({ ...problem, hint: problem.hint ?? null })),
  };
}
