import { fieldsFrom, type ParentRow } from "./children.ts";
import type { ResourcePlan } from "./config/plan-types.ts";
import { type Range, startValue, windowEnd } from "./extract/cursor.ts";
import { type FilledRequest, fill, incrementalValues } from "./extract/fill.ts";
import type { JsonObject } from "./flow.ts";
import type { SpoolRow } from "./load/spool.ts";
import type { RunState } from "./load/state-item.ts";
import type { Job } from "./run.ts";

/**
 * What is paged through in one go: the whole resource, a window of a backfill, or what belongs to
 * one record of the parent. A run reads its series one after the other.
 */
export interface Series {
  request: FilledRequest;
  /** What of it is kept, for an incremental. */
  range: Range;
  /** What each record gets of the parent's. */
  added: JsonObject;
  /** What the state becomes when it begins, and behind its last page. */
  here: Partial<RunState>;
  behind: Partial<RunState>;
}

/** The series from the one that a state stands in. Returns what the state becomes behind the last. */
export async function* allSeries(
  { resource }: Pick<Job, "resource">,
  from: RunState,
  rows: AsyncGenerator<ParentRow, RunState["at"]>,
): AsyncGenerator<Series, Partial<RunState>> {
  const over: Partial<RunState> = { phase: from.refresh ? "count" : "end" };
  if (!resource.parent) {
    let window = from.window;
    while (true) {
      const { request, range } = seriesAt(resource, { ...from, window });
      const last = range.end === resource.incremental?.endValue;
      const behind = last || range.end === undefined ? over : { window: range.end };
      yield { request, range, added: {}, here: { window }, behind };
      if (last || range.end === undefined) return over;
      window = range.end;
    }
  }
  while (true) {
    const { value, done } = await rows.next();
    if (done) return { ...over, at: value };
    const added = fieldsFrom(value.row, resource);
    if (!added) continue;
    const { request, range } = seriesAt(resource, from, value.row);
    yield { request, range, added, here: { at: value.here }, behind: { at: value.behind } };
  }
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
  const filled = fill(request, (reference) =>
    reference.of === "parent" ? row[reference.field.text] : own(reference),
  );
  return { request: filled, range: { start, end } };
}
