import { hash } from "node:crypto";
import type { ResourcePlan } from "../config/plan-types.ts";
import { type CursorRange, startValue, windowEnd } from "../extract/cursor/cursor.ts";
import { type FilledRequest, fillRequest, incrementalValues } from "../extract/fill-request.ts";
import type { Cursor } from "../flow.ts";
import { readParentCursor } from "../state/parent-cursors.ts";
import type { RunState } from "../state/run-state.ts";
import type { SpoolRow } from "../state/spool.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import type { Job } from "./job.ts";
import { fieldsFrom } from "./page-records.ts";
import type { ParentRow } from "./parent-rows.ts";

/**
 * What is paged through in one go: the whole resource, a window of a backfill, or what belongs to
 * one record of the parent. A run reads its series one after the other.
 */
export interface Series {
  request: FilledRequest;
  /** What of it is kept, for an incremental. */
  range: CursorRange;
  /** What each record gets of the parent's. */
  added: JsonObject;
  /** Where it has a cursor of its own: whose, and where that stands. */
  own?: { id: string; cursor: Cursor };
  /** What the state becomes when it begins, and behind its last page. */
  here: Partial<RunState>;
  behind: Partial<RunState>;
}

/** The series from the one that a state stands in. Returns what the state becomes behind the last. */
export async function* allSeries(
  job: Pick<Job, "resource" | "resourceRef" | "world">,
  from: RunState,
  rows: AsyncGenerator<ParentRow, RunState["at"]>,
): AsyncGenerator<Series, Partial<RunState>> {
  const { resource } = job;
  const over: Partial<RunState> = { phase: from.refresh ? "count" : "end" };
  if (!resource.parent) {
    for (const { last, next, ...series } of windows(resource, from)) {
      yield { ...series, added: {}, behind: last ? over : { window: next } };
    }
    return over;
  }
  // Only the first record can be one that an earlier slice has begun.
  let begun = from.window;
  while (true) {
    const { value, done } = await rows.next();
    if (done) return { ...over, at: value };
    const added = fieldsFrom(value.row, resource);
    if (!added) continue;
    const own = resource.incremental?.perParent
      ? await ownCursor(job, value.row, from.refresh)
      : undefined;
    const state = { ...from, ...(own ? { cursor: own.cursor } : {}), window: begun };
    begun = null;
    for (const { last, next, here, ...series } of windows(resource, state, value.row)) {
      const behind = last ? { at: value.behind, window: null } : { window: next };
      yield {
        ...series,
        added,
        ...(own ? { own } : {}),
        here: { ...here, at: value.here },
        behind,
      };
    }
  }
}

/** The windows of a backfill, or the one that is everything. */
function* windows(resource: ResourcePlan, from: RunState, row?: SpoolRow) {
  let window = from.window;
  while (true) {
    const { request, range } = seriesAt(resource, { ...from, window }, row);
    const next = range.end ?? null;
    const last = next === null || next === resource.incremental?.endValue;
    yield { request, range, here: { window }, next, last };
    if (last) return;
    window = next;
  }
}

/** The cursor of one record of the parent, which is known by what the request names of it. */
async function ownCursor(
  { resource, resourceRef, world }: Pick<Job, "resource" | "resourceRef" | "world">,
  row: SpoolRow,
  refresh: boolean,
): Promise<NonNullable<Series["own"]>> {
  const named = resource.parent?.needed.map((field) => [field, row[field] ?? null]) ?? [];
  const id = hash("sha256", jsonText(Object.fromEntries(named), { sorted: true }), "base64url");
  const path = resource.incremental?.path.text ?? "";
  return { id, cursor: refresh ? null : await readParentCursor(world, resourceRef, { id, path }) };
}

/** Pure: the request that a state asks with, for a child in the name of a record of its parent. */
export function seriesAt(
  { request, incremental }: Pick<ResourcePlan, "request" | "incremental">,
  state: Pick<RunState, "refresh" | "cursor" | "window">,
  row: SpoolRow = {},
): Pick<Series, "request" | "range"> {
  const last = state.refresh ? null : state.cursor;
  const start = incremental ? (state.window ?? startValue(incremental, last)) : null;
  const end = incremental && windowEnd(incremental, start);
  const own = incrementalValues(incremental, { start, last, end });
  const filled = fillRequest(request, (reference) =>
    reference.of === "parent" ? row[reference.field.text] : own(reference),
  );
  return { request: filled, range: { start, end } };
}
