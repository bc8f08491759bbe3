import type { PaginatorPlan } from "../../config/plan-types.ts";
import {
  cursorPaginator,
  headerCursorPaginator,
  headerLinkPaginator,
  jsonLinkPaginator,
} from "./paginators-next.ts";
import { offsetPaginator } from "./paginators-offset.ts";
import { pageNumberPaginator } from "./paginators-page.ts";
import type { Paginator } from "./paging.ts";

/** One function per type of the plan. Offset paging recognises records by their `keyFields`. */
export function createPaginator(plan: PaginatorPlan, keyFields: readonly string[] = []): Paginator {
  switch (plan.type) {
    // The first answer replaces `auto` by another type (`choose-paginator.ts`).
    case "auto":
    case "single_page":
      return { first: () => ({}), next: () => undefined };
    case "offset":
      return offsetPaginator(plan, keyFields);
    case "page_number":
      return pageNumberPaginator(plan);
    case "cursor":
      return cursorPaginator(plan);
    case "header_cursor":
      return headerCursorPaginator(plan);
    case "json_link":
      return jsonLinkPaginator(plan);
    case "header_link":
      return headerLinkPaginator(plan);
  }
}
