import type { JsonPath } from "../../config/jsonpath.ts";
import type { PaginatorPlan } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import type { PageNumbering, PlacedRequest } from "./numbering.ts";
import { fingerprintRecord, keyPart } from "./overlap.ts";
import {
  type CountedPage,
  type CountMemory,
  type PageRequest,
  type ReadingOnward,
  repeatable,
} from "./page-request.ts";
import type { ReceivedPage } from "./paging.ts";

/*
 * What `count-watch.ts` remembers from page to page. It stands in every checkpoint, so it is bounded.
 */

/** So many rows at the end of a page stand for it. */
const LAST_ROWS = 5;

/** How many pages behind links are remembered, in how many characters of JSON. */
const MAX_RECENT = { pages: 8, characters: 8192 };

/** A page, with the request that its paginator makes next. */
export interface NumberedPage {
  received: ReceivedPage;
  following: PageRequest | undefined;
  plan: PaginatorPlan;
  /** The path of the records in the answer. */
  list: JsonPath | undefined;
  keyFields: readonly string[];
}

/** The memory after a page that was read in its turn. */
export function memoryAfter(
  page: NumberedPage,
  memory: ReadingOnward,
  following: PageRequest,
  numbering: PageNumbering,
): ReadingOnward {
  const { request, records } = page.received;
  const progress = {
    ...memory,
    largestPage: largestWith(page, memory),
    smallestPage: Math.min(memory.smallestPage, records.length),
  };
  const nextPosition = numbering.positionAfter(memory.position, following);
  return afterPage(progress, request, nextPosition, numbering);
}

/** The memory for the page after the one at `memory.position`. */
export function afterPage(
  memory: CountMemory,
  request: PageRequest,
  nextPosition: number,
  { needsRecent }: PageNumbering,
): ReadingOnward {
  const { position, furthest, rounds, recent } = memory;
  const pages = [...recent.filter((earlier) => earlier.position < position), { position, request }];
  return {
    ...onwardOf(memory),
    position: nextPosition,
    furthest: Math.max(position, furthest),
    rounds: position > furthest ? 0 : rounds,
    recent: needsRecent ? lastPages(pages) : [],
  };
}

/** The last pages, as far as the checkpoint has room for them. */
function lastPages(pages: PlacedRequest[]): PlacedRequest[] {
  const last = pages
    .slice(-MAX_RECENT.pages)
    .map(({ position, request }) => ({ position, request: repeatable(request) }));
  while (JSON.stringify(last).length > MAX_RECENT.characters) last.shift();
  return last;
}

/** The memory without what a check alone needs. */
export function onwardOf(memory: CountMemory): ReadingOnward {
  if (memory.mode === "onward") return memory;
  const { suspectAt: _, suspect: __, resume: ___, ...progress } = memory;
  return { ...progress, mode: "onward" };
}

/** A page with the count that its answer names. */
export function countedPage(
  page: NumberedPage,
  count: number,
  position: number,
  numbering: PageNumbering,
): CountedPage {
  const { received, following } = page;
  return {
    request: repeatable(received.request),
    position,
    nextPosition: following ? numbering.positionAfter(position, following) : position + 1,
    count,
    firstRow: firstRowOf(page),
    lastRows: lastRowsOf(page),
  };
}

/** Stands for the first row of a page. */
const firstRowOf = ({ received, keyFields }: NumberedPage): string | null =>
  keysOf(received.records.slice(0, 1), keyFields);

/** Stands for the last rows of a page. */
export const lastRowsOf = ({ received, keyFields }: NumberedPage): string | null =>
  keysOf(received.records.slice(-LAST_ROWS), keyFields);

/** A row is known by its key, so that it may change in its place. */
function keysOf(records: readonly JsonValue[], keyFields: readonly string[]): string | null {
  if (records.length === 0) return null;
  return records.map((record) => keyPart(fingerprintRecord(record, keyFields))).join(" ");
}

export const largestWith = ({ received }: NumberedPage, { largestPage }: CountMemory): number =>
  Math.max(largestPage, received.records.length);

export const withCount = (request: PageRequest, count: CountMemory): PageRequest => ({
  ...request,
  memory: { ...request.memory, count },
});

/** Whether a checkpoint can hold several requests of this length. */
export const isStorable = (request: PageRequest): boolean =>
  JSON.stringify(request).length <= MAX_RECENT.characters;
