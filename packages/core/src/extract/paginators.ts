import type { PaginatorPlan } from "../config/plan-types.ts";
import { RequestError } from "../errors.ts";
import type { JsonValue, PageRequest } from "../flow.ts";
import { find } from "./select.ts";

/** What a paginator decides from. */
export interface PageSeen {
  request: PageRequest;
  /** How many records the page had. */
  received: number;
  /** Undefined after a 204. */
  body: JsonValue | undefined;
}

/** A pure state machine: all that it knows is in the request that it returned. */
export interface Paginator {
  first(): PageRequest;
  /** Undefined after the last page. */
  next(page: PageSeen): PageRequest | undefined;
}

/** One function per type of the plan. */
export function paginator(plan: PaginatorPlan): Paginator {
  switch (plan.type) {
    case "single_page":
      return singlePage();
    case "offset":
      return offset(plan);
  }
}

function singlePage(): Paginator {
  return { first: () => ({}), next: () => undefined };
}

function offset(plan: Extract<PaginatorPlan, { type: "offset" }>): Paginator {
  const { limit, offsetParam, limitParam, maximumOffset, stopAfterEmptyPage } = plan;
  const at = (position: number): PageRequest => ({
    params: { [offsetParam]: position, [limitParam]: limit },
  });
  return {
    first: () => at(plan.offset),
    next({ request, received, body }) {
      if (received === 0 && stopAfterEmptyPage) return undefined;
      const total = totalOf(body, plan.total);
      // A short page is not the last one: the server may cap pages below `limit`. To step by what
      // it sent skips nothing then; to step by `limit` would.
      const step = received === 0 ? limit : Math.min(received, limit);
      const position = Number(request.params?.[offsetParam]) + step;
      if (total !== undefined && position >= total) return undefined;
      if (maximumOffset !== undefined && position >= maximumOffset) return undefined;
      return at(position);
    },
  };
}

/** How many rows the body says there are. Undefined where it does not and does not have to. */
function totalOf(
  body: JsonValue | undefined,
  total: { path: Parameters<typeof find>[1]; required: boolean } | undefined,
): number | undefined {
  if (!total) return undefined;
  const value = body === undefined ? undefined : find(body, total.path);
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof count === "number" && Number.isInteger(count)) return count;
  if (!total.required) return undefined;
  throw new RequestError({
    code: "extract.total",
    message: `the answer has no number at total_path "${total.path.text}"`,
    hint: "correct total_path, or remove it to read until an empty page",
    retryable: false,
  });
}
