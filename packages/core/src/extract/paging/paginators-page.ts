import type { PageNumberPlan } from "../../config/plan-types.ts";
import type { PageRequest } from "./page-request.ts";
import { type Paginator, placeValues, readHasMore, readSlot, readTotal } from "./paging.ts";

/** Numbered pages. A total counts pages, not rows. */
export function pageNumberPaginator(plan: PageNumberPlan): Paginator {
  const requestAt = (number: number, total?: number): PageRequest => ({
    ...placeValues([[plan.pageAt, number]]),
    ...(total === undefined ? {} : { memory: { total } }),
  });
  return {
    first: () => requestAt(plan.page),
    next(page) {
      const isEmpty = page.records.length === 0;
      if (isEmpty && (plan.stopAfterEmptyPage || page.body === undefined)) return undefined;
      const total = readTotal(page, plan);
      // The request of the first page has no page number where the paginator was detected in its answer.
      const next = Number(readSlot(page.request, plan.pageAt) ?? plan.page) + 1;
      const isPastEnd =
        (total !== undefined && next >= total + plan.basePage) ||
        (plan.maximum !== undefined && next >= plan.maximum);
      return (readHasMore(page, plan) ?? !isPastEnd) ? requestAt(next, total) : undefined;
    },
  };
}
