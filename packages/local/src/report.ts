import {
  ConfigError,
  type Counts,
  isFailure,
  type Problem,
  type ResourceReport,
} from "@tidetable/core";

/*
 * The documents that `--json` prints. They are public: members are added, never renamed.
 */

export interface RunDocument {
  run_id: string;
  status: "succeeded" | "failed" | "partial";
  started_at: string;
  duration_ms: number;
  /** A sample: cursors stayed where they were. */
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
  error: ResourceReport["error"];
}

/** What `run --json` prints. Each report is its resource's last; `open` is said of unfinished ones. */
export function runDocument(
  run: { run_id: string; started_at: string; duration_ms: number },
  reports: readonly ResourceReport[],
  open: NonNullable<ResourceReport["error"]> = interrupted,
): RunDocument {
  const resources = reports.map((report) => resourceDocument(report, open));
  const succeeded = resources.filter(({ status }) => status === "succeeded").length;
  const some = succeeded > 0 ? "partial" : "failed";
  return {
    run_id: run.run_id,
    status: succeeded === resources.length ? "succeeded" : some,
    started_at: run.started_at,
    duration_ms: run.duration_ms,
    ...(reports.some(({ limited }) => limited) ? { limited: true } : {}),
    resources,
  };
}

const statuses = {
  done: "succeeded",
  skipped: "skipped",
  failed: "failed",
  running: "failed",
  waiting: "failed",
  covered: "failed",
} as const satisfies Record<ResourceReport["status"], ResourceDocument["status"]>;

function resourceDocument(
  report: ResourceReport,
  open: NonNullable<ResourceReport["error"]>,
): ResourceDocument {
  return {
    source: report.source,
    resource: report.resource,
    table: report.table,
    status: statuses[report.status],
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
    error: isOpen(report) ? open : report.error,
  };
}

const isOpen = ({ status }: ResourceReport) =>
  status === "running" || status === "waiting" || status === "covered";

/** Nobody invokes it again: what was open when the command ended was interrupted. */
const interrupted = {
  code: "run.interrupted",
  message: "the run was interrupted",
  hint: "run it again: it continues from the last checkpoint",
};

/** An error as the documents have it. What the user has to change, or nobody foresaw, goes on. */
export function failureOf(error: unknown): NonNullable<ResourceReport["error"]> {
  if (!isFailure(error) || error instanceof ConfigError) throw error;
  return { code: error.code, message: error.message, hint: error.hint ?? null };
}

/** What exit code 2 prints. */
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
