import type { ResourcePlan } from "../config/plan-types.ts";

type WriteMethod = NonNullable<ResourcePlan["writes"]>;

/** Fingerprints save money from this number of records on. */
const LEAST_RECORDS = 1_000;

/** Fingerprints of more rows would take more than 85 MB of memory. */
const MOST_ROWS = 4_000_000;

/** The results of earlier runs. */
export interface EarlierWrites {
  /** The last successful run of this table. */
  last: { how: WriteMethod; records: number; unchanged: number } | undefined;
  /** The number of rows in the log; undefined without a complete log. */
  log: number | undefined;
  /** The last run failed or a worker died, so a put may still reach DynamoDB without being logged. */
  inDoubt: boolean;
  /** A full refresh was requested. */
  rebuild: boolean;
}

export interface WriteChoice {
  how: WriteMethod;
  /** The run writes fingerprints. A run that cannot use the existing log begins a new log. */
  log: boolean;
}

const always: WriteChoice = Object.freeze({ how: "always", log: false });

/** Pure: chooses how a run decides which rows to put. */
export function chooseWrites(
  {
    writes,
    writeMode,
    disposition,
    incremental,
    key,
  }: Pick<ResourcePlan, "writes" | "writeMode" | "disposition" | "incremental" | "key">,
  { last, log, inDoubt, rebuild }: EarlierWrites,
): WriteChoice {
  const isReplacing = writeMode.kind === "batch" && disposition !== "append";
  if (!isReplacing || key.fields.length === 0 || writes === "always") return always;
  if (writes === "compare") return { how: "compare", log: false };

  const fits = (log ?? last?.records ?? 0) <= MOST_ROWS;
  const isTrusted = log !== undefined && fits && !inDoubt && !rebuild;
  if (writes === "fingerprints") {
    if (isTrusted) return { how: "fingerprints", log: true };
    return { how: last ? "compare" : "always", log: fits };
  }

  const hasCursor = incremental !== undefined && disposition !== "replace";
  if (!last || (hasCursor && !rebuild)) return always;
  if (rebuild) return { how: "compare", log: fits && !hasCursor };
  // A run that puts every row does not count unchanged rows, so the next run compares again.
  const { records, unchanged } = last;
  const hasSeen = last.how !== "always";
  if (hasSeen && unchanged < 0.1 * records && !inDoubt) return always;
  if (isTrusted) return { how: "fingerprints", log: true };
  return {
    how: "compare",
    log: fits && hasSeen && records >= LEAST_RECORDS && unchanged >= 0.5 * records,
  };
}
