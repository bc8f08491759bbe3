import type { ResourcePlan } from "../config/plan-types.ts";

type WriteMethod = NonNullable<ResourcePlan["writes"]>;

/** Where fingerprints begin to pay, and where they take too much memory: 85 MB. */
const LEAST_RECORDS = 1_000;

const MOST_ROWS = 4_000_000;

/** What earlier runs have left behind. */
export interface EarlierWrites {
  /** The last run of this table that came to its end. */
  last: { how: WriteMethod; records: number; unchanged: number } | undefined;
  /** How many rows the log has; undefined where there is none that was kept by every run since. */
  log: number | undefined;
  /** The last run failed, or a worker of it or of this one died: what it sent may land at any time. */
  inDoubt: boolean;
  /** A full refresh was asked for. */
  rebuild: boolean;
}

export interface WriteChoice {
  how: WriteMethod;
  /** This run writes prints. Where it does not go by those that are there, it begins a log. */
  log: boolean;
}

const always: WriteChoice = Object.freeze({ how: "always", log: false });

/** Pure: how a run tells which rows it has to put. */
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
  // A run that puts every row does not see which have changed, so the one behind it looks again.
  const { records, unchanged } = last;
  const hasSeen = last.how !== "always";
  if (hasSeen && unchanged < 0.1 * records && !inDoubt) return always;
  if (isTrusted) return { how: "fingerprints", log: true };
  return {
    how: "compare",
    log: fits && hasSeen && records >= LEAST_RECORDS && unchanged >= 0.5 * records,
  };
}
