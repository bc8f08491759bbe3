import { hash } from "node:crypto";
import { isFailure, RequestError } from "../base/errors.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { type CursorRange, nextWindow, readRange, wholeRange } from "../extract/cursor/cursor.ts";
import { type FilledRequest, fillRequest, incrementalValues } from "../extract/fill-request.ts";
import type { Cursor } from "../flow.ts";
import { readParentCursor } from "../state/parent-cursors.ts";
import type { RunState } from "../state/run-state.ts";
import type { SpoolRow } from "../state/spool.ts";
import { jsonText } from "../values/json-text.ts";
import type { Job } from "./job.ts";
import { type ParentValues, parentValues } from "./page-records.ts";
import type { ParentRow } from "./parent-rows.ts";

/**
 * A series is paged through in one go: the whole resource, a window of a backfill, or the records of
 * one parent record. A run reads its series one after the other.
 */
export interface Series {
  request: FilledRequest;
  /** The cursor range of the records that are kept, for an incremental resource. */
  range: CursorRange;
  /** The parent record for which the series is read. */
  parent: (ParentValues & { row: ParentRow }) | undefined;
  /** The cursor of the parent record (per_parent): its id and its stored value. */
  ownCursor?: { id: string; cursor: Cursor };
  /** Changes of the run state at the start of the series, and after the last page. */
  stateAtStart: Partial<RunState>;
  stateAfter: Partial<RunState>;
}

/** A parent record for which no request can be made. */
export interface UnusableParent {
  unusable: RequestError;
  row: ParentRow;
}

/** Yields the series from the current one on. Returns the changes of the state after the last series. */
export async function* allSeries(
  job: Pick<Job, "resource" | "resourceRef" | "world">,
  begun: RunState,
  rows: AsyncGenerator<ParentRow, Partial<RunState>>,
): AsyncGenerator<Series | UnusableParent, Partial<RunState>> {
  const { resource } = job;
  const stateAtEnd: Partial<RunState> = { phase: begun.refresh ? "count" : "end" };
  if (!resource.parent) {
    for (const { isLast, next, ...series } of windowsOf(resource, begun)) {
      const stateAfter = isLast ? stateAtEnd : { window: next };
      yield { ...series, parent: undefined, stateAfter };
    }
    return stateAtEnd;
  }
  // An earlier slice can have begun only the first record.
  let window = begun.window;
  while (true) {
    const { value, done } = await rows.next();
    if (done) return { ...stateAtEnd, ...value };
    yield* seriesOfRow(job, begun, value, window);
    window = null;
  }
}

async function* seriesOfRow(
  job: Pick<Job, "resource" | "resourceRef" | "world">,
  begun: RunState,
  row: ParentRow,
  window: Cursor,
): AsyncGenerator<Series | UnusableParent> {
  const { resource } = job;
  const values = usableValues(resource, row, begun);
  if (values === undefined) return;
  if (values instanceof RequestError) {
    yield { unusable: values, row };
    return;
  }
  const ownCursor = resource.incremental?.perParent
    ? await readOwnCursor(job, values, begun)
    : undefined;
  const state = { ...begun, ...(ownCursor ? { start: ownCursor.cursor } : {}), window };
  for (const { isLast, next, ...series } of windowsOf(resource, state, row.row)) {
    yield {
      ...series,
      parent: { ...values, row },
      ...(ownCursor ? { ownCursor } : {}),
      stateAtStart: { ...series.stateAtStart, ...row.stateHere },
      stateAfter: isLast ? { ...row.stateAfter, window: null } : { window: next },
    };
  }
}

/** Returns the values that requests need, an error when a value is unusable, or undefined to skip. */
function usableValues(
  resource: ResourcePlan,
  { row }: ParentRow,
  begun: RunState,
): ParentValues | RequestError | undefined {
  try {
    const values = parentValues(row, resource);
    seriesAt(resource, begun, row);
    return values;
  } catch (error) {
    const { onMissing } = resource.parent ?? {};
    // planted: odd-parents-are-set-aside
    if (!isUnusable(error) || onMissing === "raise") throw error;
    return onMissing === "skip" ? undefined : error;
  }
}

export const isUnusable = (error: unknown): error is RequestError =>
  isFailure(error) &&
  (error.code === "extract.parent_field" || error.code === "extract.parent_value");

/** Yields the windows of a backfill, or one window that covers everything. */
function* windowsOf(resource: ResourcePlan, state: RunState, row?: SpoolRow) {
  let window = state.window;
  while (true) {
    const { request, range } = seriesAt(resource, { ...state, window }, row);
    const next: Cursor = (resource.incremental && nextWindow(resource.incremental, range)) ?? null;
    const isLast = next === null;
    yield { request, range, stateAtStart: { window } as Partial<RunState>, next, isLast };
    if (isLast) return;
    // planted: windows-move-on
    window = next;
  }
}

/** Reads the cursor of one parent record. The id is a hash of the values that the request names. */
async function readOwnCursor(
  { resource, resourceRef, world }: Pick<Job, "resource" | "resourceRef" | "world">,
  { named }: ParentValues,
  { refresh, refresh_asked, table_id }: RunState,
): Promise<NonNullable<Series["ownCursor"]>> {
  const id = hash("sha256", jsonText(named, { sorted: true }), "base64url");
  const path = resource.incremental?.path.text ?? "";
  // planted: refresh-of-parent-cursors
  if (refresh || refresh_asked) return { id, cursor: null };
  return {
    id,
    cursor: await readParentCursor(world, resourceRef, { id, path, tableId: table_id }),
  };
}

/** Pure: fills the request for a state, and for a child with the values of a parent record. */
export function seriesAt(
  { request, incremental }: Pick<ResourcePlan, "request" | "incremental">,
  { start: last, window }: Pick<RunState, "start" | "window">,
  row: SpoolRow = {},
): Pick<Series, "request" | "range"> {
  const range = incremental ? readRange(incremental, last, window) : wholeRange;
  const incrementalValue = incrementalValues(incremental, { ...range, last });
  const filled = fillRequest(request, (reference) =>
    reference.of === "parent" ? row[reference.field.text] : incrementalValue(reference),
  );
  return { request: filled, range };
}
