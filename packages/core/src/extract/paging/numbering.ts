import type { OffsetPlan, PageNumberPlan, PaginatorPlan } from "../../config/plan-types.ts";
import { type PageRequest, type PagingMemory, repeatable } from "./page-request.ts";
import { requestAt, startOf, withoutBehind } from "./paginators-offset.ts";
import { numberOf, requestPage } from "./paginators-page.ts";
import type { ReceivedPage } from "./paging.ts";

/*
 * Numbered pages are found by their number or offset, and show no row of the page before. Paginators
 * of three kinds ask for them: by number, by offset, or by the links and cursors of the answers.
 */

/** Pure: whether the page after this one is found by its number. */
export function isNumbered(
  plan: PaginatorPlan,
  page: Pick<ReceivedPage, "request" | "url" | "records">,
  following: PageRequest | undefined,
): boolean {
  switch (plan.type) {
    case "page_number":
      return true;
    case "offset": {
      const overlap = following?.memory?.overlap ?? page.request.memory?.overlap;
      return plan.overlap === 0 || overlap?.mode === "as-they-come" || isWithoutOverlap(plan, page);
    }
    case "auto":
    case "single_page":
      return false;
    default:
      return following !== undefined && leadsToNumber(page, following);
  }
}

/** Where an API sends fewer than ten rows whatever the limit, pages do not overlap. */
function isWithoutOverlap(
  plan: OffsetPlan,
  { request, records }: Pick<ReceivedPage, "request" | "records">,
): boolean {
  const { position } = request.memory?.overlap ?? {};
  const isLater = position !== undefined && position > plan.offset && records.length > 0;
  return isLater && startOf(request, plan) === position;
}

/** Names of parameters for a page's number or offset, by their letters and digits. */
const numberNames =
  /^(p|pg|page|page(no|num|number|index|offset)|current_?page|offset|skip|start|start(at|index|row|record|position)|begin)$/;

/** A parameter with such a name holds the place in the list, whatever number stands beside it. */
const cursorNames = /cursor|token|after|before|since|marker|continu|scroll|key/;

/** A larger number is a time or an id. */
const LARGEST_NUMBER = 1e9;

/** Whether the next request differs from this one in a page's number alone. */
function leadsToNumber(
  { url, request }: Pick<ReceivedPage, "request" | "url">,
  following: PageRequest,
): boolean {
  const before = following.url === undefined ? valuesOf(request) : queryOf(url);
  const after = following.url === undefined ? valuesOf(following) : queryOf(following.url);
  const changed = [...after].filter(([name, value]) => before.get(name) !== value);
  const numbers = changed.filter(([name, value]) => {
    const isWhole = /^\d+$/.test(value) && Number(value) < LARGEST_NUMBER;
    return isWhole && numberNames.test(plainName(name));
  });
  // The link of the first page may write out parameters that the request left to their defaults.
  const others = changed.filter((pair) => !numbers.includes(pair));
  return (
    numbers.length === 1 &&
    others.every(([name]) => !before.has(name) && !cursorNames.test(plainName(name)))
  );
}

const queryOf = (url: string) => new Map(new URL(url).searchParams);

const valuesOf = ({ params, body }: PageRequest) =>
  new Map(Object.entries({ ...body, ...params }).map(([name, value]) => [name, String(value)]));

/** `page[number]`, `$skip` and `paging.page` as plain words. */
const plainName = (name: string): string =>
  name
    .slice(name.lastIndexOf(".") + 1)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");

/** A page that can be asked for. */
export interface PlacedRequest {
  position: number;
  request: PageRequest;
}

/** How a paginator counts its pages, and how it asks for one that was read before. */
export interface PageNumbering {
  /** The position of the first page that is read. */
  first: number;
  positionOf(request: PageRequest): number;
  /** The position of the page after the one at `position`. */
  positionAfter(position: number, following: PageRequest): number;
  /** The number of items, or pages, that stand in the list before a position, or fewer. */
  before(position: number, largestPage: number): { items: number; pages: number };
  /** The page that stands `pages` pages before a position, or the first page. */
  back(from: number, pages: number, recent: readonly PlacedRequest[]): PlacedRequest;
  /** Whether only the request that led to a page can ask for it again. */
  needsRecent: boolean;
}

/** `request` is that of the page just read, whose memory the earlier pages need as well. */
export function numberingOf(plan: PaginatorPlan, request: PageRequest): PageNumbering {
  switch (plan.type) {
    case "page_number":
      return numberedPages(plan, request.memory);
    case "offset":
      return offsetPages(plan, request.memory);
    default:
      return linkedPages;
  }
}

function numberedPages(plan: PageNumberPlan, memory: PagingMemory = {}): PageNumbering {
  const { page: first, basePage } = plan;
  return {
    first,
    positionOf: (request) => numberOf(request, plan),
    positionAfter: (_, following) => numberOf(following, plan),
    before(position, largestPage) {
      const pages = position - basePage;
      return { pages, items: pages * largestPage };
    },
    back(from, pages) {
      const position = Math.max(first, from - pages);
      // The first page of a detected paginator was asked for without a number.
      const isPlain = position === first && memory.paginator !== undefined;
      const request = isPlain ? {} : requestPage(position, plan);
      return { position, request: repeatable({ ...request, memory: withoutBehind(memory) }) };
    },
    needsRecent: false,
  };
}

function offsetPages(plan: OffsetPlan, memory: PagingMemory = {}): PageNumbering {
  return {
    first: plan.offset,
    positionOf: (request) => startOf(request, plan),
    positionAfter: (_, following) => startOf(following, plan),
    before: (position, largestPage) => ({ items: position, pages: position / largestPage }),
    back(from, pages) {
      const position = Math.max(plan.offset, from - pages * plan.limit);
      const kept = withoutBehind(memory);
      if (kept.overlap) kept.overlap = { ...kept.overlap, position, tail: [] };
      return { position, request: repeatable(requestAt(position, plan, kept)) };
    },
    needsRecent: false,
  };
}

/** Pages behind links have no numbers of their own: they are counted as they come. */
const linkedPages: PageNumbering = {
  first: 0,
  positionOf: ({ memory }) => memory?.count?.position ?? 0,
  positionAfter: (position) => position + 1,
  before: (position, largestPage) => ({ pages: position, items: position * largestPage }),
  back(from, pages, recent) {
    return recent.find(({ position }) => position === from - pages) ?? { position: 0, request: {} };
  },
  needsRecent: true,
};
