import type { Cursor } from "../flow.ts";
import type { Change } from "../schema/columns.ts";
import type { Counts } from "./counts.ts";

/** The changes of a schema that a run has found. */
export interface SchemaReport {
  version: number;
  /** The number of changed fields since the previous version. */
  changed: number;
  /** The first of the changes. */
  changes: Change[];
}

/**
 * A worker's answer for one slice. After `running` and `waiting` the worker has to be invoked again,
 * after `waiting` not before `not_before`.
 */
export interface ResourceReport extends Counts {
  source: string;
  resource: string;
  table: string;
  run_id: string;
  status: "done" | "running" | "waiting" | "failed" | "skipped" | "covered";
  not_before?: string;
  limited?: true;
  /** The counts of the current slice. */
  slice: Counts;
  slices: number;
  started_at: string;
  duration_ms: number;
  cursor: { before: Cursor; after: Cursor } | null;
  /** Null until the run has ended, and for a resource that is not stored. */
  schema: SchemaReport | null;
  error: null | { code: string; message: string; hint: string | null };
}
