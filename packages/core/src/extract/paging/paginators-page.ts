import type { PageNumberPlan } from "../../config/plan-types.ts";
import type { PageRequest } from "../../flow.ts";
import { hasMoreOf, type Paginator, placed, totalOf, valueAt } from "./paging.ts";

/** Pages that are numbered. A total counts pages. */
export function pageNumber(plan: PageNumberPlan): Paginator {
  const at = (page: number, memory: PageRequest["memory"] = {}): PageRequest => ({
    ...placed([[plan.pageAt, page]]),
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
  });
  return {
    first: () => at(plan.page),
    next(seen) {
      const { records, body, request } = seen;
      const isEmpty = records.length === 0;
      if (isEmpty && (plan.stopAfterEmptyPage || body === undefined)) return undefined;
      const total = totalOf(seen, plan);
      // A page that was detected is the plan's first, and no request has named it.
      const next = Number(valueAt(request, plan.pageAt) ?? plan.page) + 1;
      const isBehind =
        (total !== undefined && next >= total + plan.basePage) ||
        (plan.maximum !== undefined && next >= plan.maximum);
      if (!(hasMoreOf(seen, plan) ?? !isBehind)) return undefined;
      return at(next, total === undefined ? {} : { total });
    },
  };
}
