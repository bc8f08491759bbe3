import { defaultOverlap } from "../../config/paginators.ts";
import type { OffsetPlan } from "../../config/plan-types.ts";
import { initialMemory, type PageReading, readOffsetPage } from "./offset-modes.ts";
import { fingerprintRecord, keyPart } from "./overlap.ts";
import type { AsTheyCome, OverlapMemory, Overlapping } from "./overlap-memory.ts";
import type { PageRequest, PagingMemory } from "./page-request.ts";
import {
  type Paginator,
  placeValues,
  type ReceivedPage,
  readHasMore,
  readNamedTotal,
  readSlot,
} from "./paging.ts";
import { isLastPageAgain, memoryBeforeNext } from "./range-end.ts";

/**
 * Offset paging over rows that may come and go meanwhile. A step is as long as the page that came, so
 * positions count rows, as limits and totals do.
 */
export function offsetPaginator(plan: OffsetPlan, keyFields: readonly string[]): Paginator {
  // A page is read twice: once for its fresh records, and once for the next request.
  const readings = new WeakMap<ReceivedPage, PageReading>();

  function readOnce(page: ReceivedPage): PageReading {
    const { request, records } = page;
    const start = startOf(request, plan);
    const list = { plan, end: endOfRows(page, plan), keyFields };
    const memory = request.memory?.overlap ?? initialMemory(list, start);
    const reading = readings.get(page) ?? readOffsetPage({ start, records }, memory, list);
    readings.set(page, reading);
    return reading;
  }

  return {
    first: () => requestAt(plan.offset, plan),
    fresh(page) {
      if (isLastPageAgain(page)) return [];
      const reading = readOnce(page);
      return reading.kind === "rows" ? reading.fresh : [];
    },
    ...(plan.overlap > 0
      ? {
          isInPlace(page: ReceivedPage) {
            const reading = readOnce(page);
            return reading.kind === "rows" && reading.isInPlace === true;
          },
        }
      : {}),
    next(page) {
      if (isLastPageAgain(page)) return undefined;
      const reading = readOnce(page);
      if (reading.kind === "rows") return requestAfterRows(page, reading, plan, keyFields);
      const memory = { ...page.request.memory, overlap: reading.memory };
      return requestAt(reading.offset, plan, memory);
    },
  };
}

export function requestAt(
  offset: number,
  plan: OffsetPlan,
  memory: PagingMemory = {},
): PageRequest {
  const request = placeValues([
    [plan.offsetAt, offset],
    [plan.limitAt, plan.limit],
  ]);
  return Object.keys(memory).length > 0 ? { ...request, memory } : request;
}

export const startOf = (request: PageRequest, plan: OffsetPlan): number =>
  Number(readSlot(request, plan.offsetAt));

/** dlt asks at every multiple of the limit below the maximum, and the last page goes beyond it. */
const endOfPages = (maximum: number, { offset, limit }: OffsetPlan): number =>
  offset + Math.ceil((maximum - offset) / limit) * limit;

const maximumEnd = (plan: OffsetPlan): number =>
  plan.maximum === undefined ? Number.POSITIVE_INFINITY : endOfPages(plan.maximum, plan);

/** The first row that is not wanted. A total is such a bound where the API says that it has more. */
function endOfRows(page: ReceivedPage, plan: OffsetPlan): number {
  const isBound = page.records.length > 0 && readHasMore(page, plan) === true;
  const total = isBound ? readNamedTotal(page, plan) : undefined;
  return Math.min(maximumEnd(plan), total === undefined ? Infinity : endOfPages(total, plan));
}

function requestAfterRows(
  page: ReceivedPage,
  reading: Extract<PageReading, { kind: "rows" }>,
  plan: OffsetPlan,
  keyFields: readonly string[],
): PageRequest | undefined {
  const isEmpty = reading.gained === 0;
  if (isEmpty && (plan.stopAfterEmptyPage || page.body === undefined)) {
    return requestForMissedRows(page, reading.memory, plan, keyFields);
  }
  const { memory } = reading;
  const position = isEmpty ? memory.position + plan.limit : memory.position;
  const reached = { next: position, base: 0, isAtMaximum: position >= maximumEnd(plan) };
  const totals = memoryBeforeNext(page, plan, reached);
  if (!totals) return undefined;

  const after = isEmpty ? { ...memory, position, tail: [] } : memory;
  const largestBefore = page.request.memory?.overlap?.largestPage ?? 0;
  const isShort = page.records.length < (largestBefore || plan.limit);
  const overlap = overlapAfter(after, isShort, plan);
  return requestAt(position - overlap, plan, {
    ...(overlap > 0 ? withoutBehind(totals) : totals),
    ...(plan.overlap > 0 ? { overlap: after } : {}),
  });
}

/** For a page that has known rows: where the API refuses it, rows have gone. */
export function withoutBehind({ behindTotal: _, ...totals }: PagingMemory): PagingMemory {
  return totals;
}

/** The number of rows to read again. Where the list seems to end, a single row is enough. */
function overlapAfter(
  { mode, tail, largestPage }: OverlapMemory,
  isShort: boolean,
  plan: OffsetPlan,
): number {
  if (mode === "as-they-come") return 0;
  const isCapped = largestPage < plan.limit;
  const usual = isCapped ? Math.min(plan.overlap, defaultOverlap(largestPage)) : plan.overlap;
  return Math.min(isShort ? 1 : usual, usual, tail.length);
}

/** The request after a page without new rows; undefined where the page proves the end of the list. */
function requestForMissedRows(
  page: ReceivedPage,
  memory: Overlapping | AsTheyCome,
  plan: OffsetPlan,
  keyFields: readonly string[],
): PageRequest | undefined {
  const before = page.request.memory?.overlap;
  if (!before || memory.tail.length === 0) return undefined;
  if (isLastPage(page, before, startOf(page.request, plan), keyFields)) return undefined;
  // A capped page may have had room for known rows alone.
  const overlap =
    memory.mode === "as-they-come" ? 0 : memory.needlessSearches ? memory.tail.length : 1;
  const next = { ...page.request.memory, overlap: memory };
  return requestAt(memory.position - overlap, plan, next);
}

function isLastPage(
  { records }: ReceivedPage,
  { mode, position, tail, largestPage }: OverlapMemory,
  start: number,
  keyFields: readonly string[],
): boolean {
  const overlap = position - start;
  const last = records.at(-1);
  return (
    mode !== "searching-back" &&
    (overlap <= 1 || records.length > overlap) &&
    records.length < largestPage &&
    (last === undefined ||
      keyPart(fingerprintRecord(last, keyFields)) === keyPart(tail.at(-1) ?? ""))
  );
}
