import { RequestError } from "../../base/errors.ts";
import type { RangeEnd } from "../../config/plan-types.ts";
import { fingerprintPage } from "./overlap.ts";
import type { PagingMemory } from "./page-request.ts";
import { type ReceivedPage, readHasMore, readNamedTotal } from "./paging.ts";

/*
 * Where the pages of an offset or page_number paginator end. A total that the answer itself names is
 * certain. A total of an earlier answer is not: rows may have come since. Behind such a total, pages
 * are asked for until one is not full, is the page before it once more, or is refused.
 */

/** The position that paging has reached, in the unit of the total: rows or pages. */
interface Position {
  /** The row or page that the next request is for. */
  next: number;
  /** The number of the first row or page of the list. */
  base: number;
  /** No request may be made any more: the config's maximum is reached. */
  isAtMaximum: boolean;
}

/** Pure: what the next request has to know of totals; undefined where this page is the last. */
export function memoryBeforeNext(
  page: ReceivedPage,
  plan: RangeEnd,
  { next, base, isAtMaximum }: Position,
): PagingMemory | undefined {
  const { memory = {} } = page.request;
  const named = readNamedTotal(page, plan);
  const total = named ?? memory.total;
  if (total === undefined && plan.total?.required) throw missingTotalError(plan.total.path.text);
  const hasMore = readHasMore(page, plan);
  if (isAtMaximum || hasMore === false) return undefined;
  if (total === undefined) return {};

  const isBaseUnsure = memory.first !== undefined || memory.isBaseUnsure === true;
  const largestPage = Math.max(memory.largestPage ?? 0, page.records.length);
  const isPastEnd = next >= total + base;
  if (isPastEnd) {
    const isFull = page.records.length >= largestPage;
    // An answer that shows more than its own total contradicts itself, so its total tells nothing.
    const isContradicted = isFull && page.records.length > 0 && next > total + base;
    if (isContradicted && named !== undefined && hasMore === undefined && !isBaseUnsure) return {};
    const isCertain = named !== undefined && (!isBaseUnsure || next > total);
    if (isCertain || !(hasMore ?? isFull)) return undefined;
  }
  const isBehind = isPastEnd || (isBaseUnsure && next >= total);
  const behindTotal = isBehind ? { behindTotal: fingerprintPage(page.records) } : {};
  return { total, largestPage, ...behindTotal };
}

/** Pure: whether the API shows its last page again, because the request went beyond the end. */
export const isLastPageAgain = ({ request, records }: ReceivedPage): boolean =>
  request.memory?.behindTotal !== undefined &&
  request.memory.behindTotal === fingerprintPage(records);

/** Statuses of the 4xx that say nothing about the page that was asked for. */
const unrelatedStatuses = new Set([
  401 /* Unauthorized */, 403 /* Forbidden */, 408 /* Request Timeout */,
  429 /* Too Many Requests */,
]);

/** True for an error by which an API may say that it has no such page. */
export const saysNoSuchPage = ({ status = 0 }: RequestError): boolean =>
  status >= 400 && status < 500 && !unrelatedStatuses.has(status);

const missingTotalError = (path: string) =>
  new RequestError({
    code: "extract.total",
    message: `the answer has no number at total_path "${path}"`,
    hint: "correct total_path, or remove it to read until an empty page",
    retryable: false,
  });
