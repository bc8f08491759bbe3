import type { PaginatorPlan } from "../../config/plan-types.ts";
import { cursor, headerCursor, headerLink, jsonLink } from "./paginators-next.ts";
import { offset } from "./paginators-offset.ts";
import { pageNumber } from "./paginators-page.ts";
import type { Paginator } from "./paging.ts";

/** One function per type of the plan. `fields` are those by which records are known again. */
export function paginator(plan: PaginatorPlan, fields: readonly string[] = []): Paginator {
  switch (plan.type) {
    // What it turns out to be is settled by the first answer (`detect.ts`).
    case "auto":
    case "single_page":
      return { first: () => ({}), next: () => undefined };
    case "offset":
      return offset(plan, fields);
    case "page_number":
      return pageNumber(plan);
    case "cursor":
      return cursor(plan);
    case "header_cursor":
      return headerCursor(plan);
    case "json_link":
      return jsonLink(plan);
    case "header_link":
      return headerLink(plan);
  }
}
