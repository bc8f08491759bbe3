import type { Cursor } from "../flow.ts";
import type { Change } from "../schema/columns.ts";
import type { Counts } from "./counts.ts";

/** What a run has found out about its records' fields. */
export interface SchemaReport {
  version: number;
  /** How many fields are not as they were at the version before; the first of them. */
  changed: number;
  changes: Change[];
}

/**
 * What a worker returns for one slice. `running` and `waiting` mean: invoke it again
 * (`waiting` not before `not_before`). `covered`: another run goes first, and the next one that
 * begins answers this event; how it ended stands in the history then.
 */
export interface ResourceReport extends Counts {
  source: string;
  resource: string;
  table: string;
  run_id: string;
  status: "done" | "running" | "waiting" | "failed" | "skipped" | "covered";
  not_before?: string;
  limited?: true;
  /** What this slice alone has done. */
  slice: Counts;
  slices: number;
  started_at: string;
  duration_ms: number;
  cursor: { before: Cursor; after: Cursor } | null;
  /** Null before the run has ended, and where nothing is stored. */
  schema: SchemaReport | null;
  error: null | { code: string; message: string; hint: string | null };
}
