import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { advanceCursor } from "../extract/cursor/cursor.ts";
import type { RequestMeter } from "../extract/http/request.ts";
import { fetchPages, openSession } from "../extract/pages.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { SpoolRow } from "../state/spool.ts";
import { fieldsFrom, made, spoolRow } from "./page-records.ts";
import { type Series, seriesAt } from "./page-series.ts";
import type { ParentRow } from "./parent-rows.ts";

/*
 * A check and a sample leave no trace, so there is no spool for a child: what it needs of its
 * parent is read on the spot.
 */

interface Asking {
  world: World;
  secrets: SecretStore;
  meter: RequestMeter;
  /** At most so many pages of each ancestor. */
  pages: number;
}

type SpotSeries = Pick<Series, "request" | "range" | "added">;

const atStart = { refresh: false, cursor: null, window: null };

/** The series of a resource as a first run would read them. */
export async function* spotSeries(
  resource: ResourcePlan,
  asking: Asking,
): AsyncGenerator<SpotSeries> {
  if (!resource.parent) {
    yield { ...seriesAt(resource, atStart), added: {} };
    return;
  }
  for await (const row of spotRows(resource.parent.plan, asking)) {
    const added = fieldsFrom(row, resource);
    if (added) yield { ...seriesAt(resource, atStart, row), added };
  }
}

async function* spotRows(resource: ResourcePlan, asking: Asking): AsyncGenerator<SpoolRow> {
  const session = openSession(resource, asking);
  let count = 0;
  for await (const { request, range, added } of spotSeries(resource, asking)) {
    for await (const page of fetchPages(resource, request, undefined, session)) {
      const { incremental, steps } = resource;
      const all = made(page.records, added, steps);
      const records = incremental ? advanceCursor(all, incremental, range, null).records : all;
      for (const record of records) yield spoolRow(record, resource);
      count += 1;
      if (count === asking.pages) return;
    }
  }
}

/** The same as the rows of a spool, for a sample. */
export async function* spotParentRows(
  resource: ResourcePlan,
  asking: Asking,
): AsyncGenerator<ParentRow, null> {
  const nowhere = { log: "", block: 0, row: 0 };
  if (!resource.parent) return null;
  for await (const row of spotRows(resource.parent.plan, asking)) {
    yield { row, here: nowhere, behind: nowhere };
  }
  return null;
}
