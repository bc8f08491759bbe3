import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { fetchPages, openSession } from "../extract/pages.ts";
import { toItems } from "../normalize/items.ts";
import { Tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { Order } from "../run/job.ts";
import { rowNaming, withSteps } from "../run/page-records.ts";
import { createReporter, decideEnding } from "../run/report.ts";
import { sampleSeries } from "../run/sample-parents.ts";
import { recordFitter } from "../schema/contract.ts";
import type { SecretStore } from "../secrets/store.ts";

/** Reads the first page as a run would, and writes nothing. */
export async function checkResource(
  resource: ResourcePlan,
  order: Order,
  world: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  const tally = new Tally(world.clock);
  const { counts } = tally;
  const report = createReporter(resource, order, world, tally);
  try {
    const access = { world, secrets, meter: counts, pages: 1 };
    const { value: series } = await sampleSeries(resource, access).next();
    // A child makes no request when its parent has no records.
    if (!series) return report("done", {});
    const session = openSession(resource, access);
    const { value: page } = await fetchPages(resource, series.request, undefined, session).next();
    const records = withSteps(page?.records ?? [], series.parent?.added ?? {}, resource.steps);
    const { rejections, superseded } = toItems(
      records,
      resource,
      rowNaming(series.parent, order.runId),
      recordFitter(resource, undefined),
    );
    counts.pages = 1;
    counts.records = records.length;
    counts.superseded = superseded;
    counts.quarantined = rejections.length;
    return report("done", {});
  } catch (error) {
    return report("failed", {
      error: decideEnding(error, { resource, state: undefined, world }).error,
    });
  }
}
