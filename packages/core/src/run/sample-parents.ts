import type { World } from "../base/world.ts";
import { initialValueAt, startingAt } from "../config/incremental.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { advanceCursor } from "../extract/cursor/cursor.ts";
import type { RequestMeter } from "../extract/http/request.ts";
import { fetchPages, openSession } from "../extract/pages.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { RunState } from "../state/run-state.ts";
import type { SpoolRow } from "../state/spool.ts";
import { type ParentValues, parentValues, spoolRow, withSteps } from "./page-records.ts";
import { isUnusable, type Series, seriesAt } from "./page-series.ts";
import type { ParentRow } from "./parent-rows.ts";

/*
 * A check and a sample write no state, so a child has no spool to read. The child's parent records
 * are read from the API directly.
 */

interface SampleOptions {
  world: World;
  secrets: SecretStore;
  meter: RequestMeter;
  /** The maximum number of pages of each ancestor. */
  pages: number;
}

export type SampleSeries = Pick<Series, "request" | "range"> & { parent: ParentValues | undefined };

const atStart = { start: null, window: null };

/** Yields the series of a resource as a first run would read them. */
export async function* sampleSeries(
  planned: ResourcePlan,
  asking: SampleOptions,
): AsyncGenerator<SampleSeries> {
  const now = asking.world.clock.now();
  const resource = startingAt(planned, initialValueAt(planned.incremental, now));
  if (!resource.parent) {
    yield { ...seriesAt(resource, atStart), parent: undefined };
    return;
  }
  for await (const row of sampleRows(resource.parent.plan, asking)) {
    const series = usableSeries(resource, row);
    if (series) yield series;
  }
}

async function* sampleRows(
  resource: ResourcePlan,
  asking: SampleOptions,
): AsyncGenerator<SpoolRow> {
  const session = openSession(resource, asking);
  let count = 0;
  for await (const { request, range, parent } of sampleSeries(resource, asking)) {
    for await (const page of fetchPages(resource, request, undefined, session)) {
      const { incremental, steps } = resource;
      const recordsWithFields = withSteps(page.records, parent?.added ?? {}, steps);
      const records = incremental
        ? advanceCursor(recordsWithFields, incremental, range, null).records
        : recordsWithFields;
      for (const record of records) yield spoolRow(record, resource);
      count += 1;
      if (count === asking.pages) return;
    }
  }
}

/** Returns undefined when the values of the parent record cannot be used in a request. */
function usableSeries(resource: ResourcePlan, row: SpoolRow): SampleSeries | undefined {
  try {
    // The values are checked first: a request cannot tell a missing value from a wrong reference.
    const parent = parentValues(row, resource);
    return { ...seriesAt(resource, atStart, row), parent };
  } catch (error) {
    const isRaised = resource.parent?.onMissing === "raise" || !isUnusable(error);
    if (isRaised) throw error;
    return undefined;
  }
}

/** Yields parent records in the form of spool rows, for a sample. */
export async function* sampleParentRows(
  resource: ResourcePlan,
  asking: SampleOptions,
): AsyncGenerator<ParentRow, Partial<RunState>> {
  if (!resource.parent) return {};
  for await (const row of sampleRows(resource.parent.plan, asking)) {
    const position = { block: 0, row: 0 };
    yield { row, position, stateHere: {}, stateAfter: {}, isSecondTry: false };
  }
  return {};
}
