import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { openSession, pages } from "../extract/pages.ts";
import { toItems } from "../normalize/items.ts";
import { tally } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { Order } from "../run/job.ts";
import { rowNaming, withSteps } from "../run/page-records.ts";
import { ending, reporter } from "../run/report.ts";
import { sampleSeries } from "../run/sample-parents.ts";
import { fitter } from "../schema/contract.ts";
import type { SecretStore } from "../secrets/store.ts";

/** Reads one page as a run would, and writes nothing. */
export async function checkResource(
  resource: ResourcePlan,
  order: Order,
  world: World,
  secrets: SecretStore,
): Promise<ResourceReport> {
  const tallied = tally(world.clock);
  const { counts } = tallied;
  const report = reporter(resource, order, world, tallied);
  try {
    const asking = { world, secrets, meter: counts, pages: 1 };
    const { value: series } = await sampleSeries(resource, asking).next();
    // A child whose parent has no records has nothing to ask for.
    if (!series) return report("done", {});
    const session = openSession(resource, asking);
    const { value: page } = await pages(resource, series.request, undefined, session).next();
    const records = withSteps(page?.records ?? [], series.parent?.added ?? {}, resource.steps);
    const { rejections, superseded } = toItems(
      records,
      resource,
      rowNaming(series.parent, order.runId),
      fitter(resource, undefined),
    );
    Object.assign(counts, { pages: 1, records: records.length });
    Object.assign(counts, { superseded, quarantined: rejections.length });
    return report("done", {});
  } catch (error) {
    return report("failed", { error: ending(error, { resource, state: undefined, world }).error });
  }
}
