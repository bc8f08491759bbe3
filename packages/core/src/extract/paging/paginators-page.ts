import type { PageNumberPlan } from "../../config/plan-types.ts";
import type { PageRequest, PagingMemory } from "./page-request.ts";
import { type Paginator, placeValues, readSlot } from "./paging.ts";
import { isLastPageAgain, memoryBeforeNext } from "./range-end.ts";

/** Numbered pages. A total counts pages, not rows. */
export function pageNumberPaginator(plan: PageNumberPlan): Paginator {
  return {
    first: () => requestPage(plan.page, plan),
    fresh: (page) => (isLastPageAgain(page) ? [] : page.records),
    next(page) {
      const isEmpty = page.records.length === 0;
      if (isEmpty && (plan.stopAfterEmptyPage || page.body === undefined)) return undefined;
      if (isLastPageAgain(page)) return undefined;
      const next = numberOf(page.request, plan) + 1;
      const isAtMaximum = plan.maximum !== undefined && next >= plan.maximum;
      const memory = memoryBeforeNext(page, plan, { next, base: plan.basePage, isAtMaximum });
      return memory && requestPage(next, plan, memory);
    },
  };
}

export function requestPage(
  number: number,
  plan: PageNumberPlan,
  memory: PagingMemory = {},
): PageRequest {
  const request = placeValues([[plan.pageAt, number]]);
  return Object.keys(memory).length > 0 ? { ...request, memory } : request;
}

/** The request of the first page has no number where the paginator was detected in its answer. */
export const numberOf = (request: PageRequest, plan: PageNumberPlan): number =>
  Number(readSlot(request, plan.pageAt) ?? plan.page);
