import { hash } from "node:crypto";
import { isFailure, RequestError } from "../base/errors.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { type Range, startValue, windowEnd } from "../extract/cursor/cursor.ts";
import { type FilledRequest, fill, incrementalValues } from "../extract/fill.ts";
import type { Cursor } from "../flow.ts";
import { readParentCursor } from "../state/parent-cursors.ts";
import type { RunState } from "../state/run-state.ts";
import type { SpoolRow } from "../state/spool.ts";
import { jsonText } from "../values/json-text.ts";
import type { Job } from "./job.ts";
import { type ParentValues, parentValues } from "./page-records.ts";
import type { ParentRow } from "./parent-rows.ts";

/**
 * What is paged through in one go: the whole resource, a window of a backfill, or the records of one
 * record of the parent. A run reads its series one after the other.
 */
export interface Series {
  request: FilledRequest;
  /** Which records of it are kept, for an incremental. */
  range: Range;
  /** The record of the parent that it is read for. */
  parent: (ParentValues & { row: ParentRow }) | undefined;
  /** Where it has a cursor of its own: whose, and where that stands. */
  own?: { id: string; cursor: Cursor };
  /** Changes of the state when it begins, and after its last page. */
  stateAtStart: Partial<RunState>;
  stateAfter: Partial<RunState>;
}

/** A record of the parent that no request can be made for. */
export interface UnusableParent {
  unusable: RequestError;
  row: ParentRow;
}

/** The series from the one that a state stands in. Returns the changes of the state after the last. */
export async function* allSeries(
  job: Pick<Job, "resource" | "place" | "world">,
  begun: RunState,
  rows: AsyncGenerator<ParentRow, Partial<RunState>>,
): AsyncGenerator<Series | UnusableParent, Partial<RunState>> {
  const { resource } = job;
  const over: Partial<RunState> = { phase: begun.refresh ? "count" : "end" };
  if (!resource.parent) {
    for (const { isLast, next, ...series } of windows(resource, begun)) {
      const stateAfter = isLast ? over : { window: next };
      yield { ...series, parent: undefined, stateAfter };
    }
    return over;
  }
  // Only the first record can be one that an earlier slice has begun.
  let window = begun.window;
  while (true) {
    const { value, done } = await rows.next();
    if (done) return { ...over, ...value };
    yield* seriesOfRow(job, begun, value, window);
    window = null;
  }
}

async function* seriesOfRow(
  job: Pick<Job, "resource" | "place" | "world">,
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
  const own = resource.incremental?.perParent ? await ownCursor(job, values, begun) : undefined;
  const state = { ...begun, ...(own ? { start: own.cursor } : {}), window };
  for (const { isLast, next, ...series } of windows(resource, state, row.row)) {
    yield {
      ...series,
      parent: { ...values, row },
      ...(own ? { own } : {}),
      stateAtStart: { ...series.stateAtStart, ...row.stateHere },
      stateAfter: isLast ? { ...row.stateAfter, window: null } : { window: next },
    };
  }
}

/** What requests need of a parent's record, or why none can be made. Undefined: it is left out. */
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

/** The windows of a backfill, or the one that is everything. */
function* windows(resource: ResourcePlan, state: RunState, row?: SpoolRow) {
  let window = state.window;
  while (true) {
    const { request, range } = seriesAt(resource, { ...state, window }, row);
    const next = range.end ?? null;
    const isLast = next === null || next === resource.incremental?.endValue;
    yield { request, range, stateAtStart: { window } as Partial<RunState>, next, isLast };
    if (isLast) return;
    // planted: windows-move-on
    window = next;
  }
}

/** The cursor of one record of the parent, which is known by what the request names of it. */
async function ownCursor(
  { resource, place, world }: Pick<Job, "resource" | "place" | "world">,
  { named }: ParentValues,
  { refresh, refresh_asked, table_id }: RunState,
): Promise<NonNullable<Series["own"]>> {
  const id = hash("sha256", jsonText(named, { sorted: true }), "base64url");
  const path = resource.incremental?.path.text ?? "";
  // planted: refresh-of-parent-cursors
  if (refresh || refresh_asked) return { id, cursor: null };
  return { id, cursor: await readParentCursor(world, place, { id, path, tableId: table_id }) };
}

/** Pure: the request that a state asks with, for a child in the name of a record of its parent. */
export function seriesAt(
  { request, incremental }: Pick<ResourcePlan, "request" | "incremental">,
  { start: last, window }: Pick<RunState, "start" | "window">,
  row: SpoolRow = {},
): Pick<Series, "request" | "range"> {
  const start = incremental ? (window ?? startValue(incremental, last)) : null;
  const end = incremental && windowEnd(incremental, start);
  const own = incrementalValues(incremental, { start, last, end });
  const filled = fill(request, (reference) =>
    reference.of === "parent" ? row[reference.field.text] : own(reference),
  );
  return { request: filled, range: { start, end } };
}
