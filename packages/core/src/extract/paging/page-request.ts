import { type OverlapMemory, readStoredMemory } from "./overlap-memory.ts";

/**
 * The part of a request that differs from page to page. The checkpoint stores it for the next slice,
 * so it is plain JSON without credentials.
 */
export interface PageRequest {
  /** Query parameters, over the resource's own. */
  params?: Record<string, string | number>;
  /** A whole URL instead of the resource's (a next link). The resource's params are then dropped. */
  url?: string;
  /** Values in the JSON body, by dotted path. */
  body?: Record<string, string | number>;
  /** Facts of earlier pages for later pages. */
  memory?: PagingMemory;
}

export interface PagingMemory {
  /** The data_selector detected in the first page, where the config has none. */
  selector?: string;
  /** The paginator detected in the first page, in a config's words. */
  paginator?: Record<string, string | number>;
  /** The fingerprint of the first page, until the second shows from where pages count. */
  first?: string;
  /** The paginator was detected, and no answer has said whether its pages count from 0 or from 1. */
  isBaseUnsure?: true;
  /** The last total that the API sent: some APIs send a total with the first page only. */
  total?: number;
  /** The records of the largest page so far. Remembered together with a total. */
  largestPage?: number;
  /**
   * This request goes beyond a total that may be out of date. The fingerprint of the page before it:
   * some APIs show their last page again.
   */
  behindTotal?: string;
  overlap?: OverlapMemory;
  count?: CountMemory;
}

/** Where answers name how many items there are, or, as a coarser sign, how many pages. */
export type CountPlace = { unit: "items" | "pages" } & (
  | { header: string }
  /** A JSONPath in the body. */
  | { path: string }
);

/** A page whose answer named a count. Positions are page numbers, offsets, or numbers of links. */
export interface CountedPage {
  /** Asks for the page once more. Null where reading has just gone back to the page after it. */
  request: PageRequest | null;
  position: number;
  /** The position of the page after it, when it was read. */
  nextPosition: number;
  count: number;
  /** Stand for the first record and for the last ones; null where the page had none. */
  firstRow: string | null;
  lastRows: string | null;
}

interface CountProgress {
  place: CountPlace;
  /** The position of the requested page. */
  position: number;
  /** The last page that named a count. Later counts are compared with it. */
  counted: CountedPage;
  /** The number of pages since then, which named none. */
  uncountedPages: number;
  /** The records of the largest and of the smallest page so far. */
  largestPage: number;
  smallestPage: number;
  /** The position of the furthest page so far. */
  furthest: number;
  /** How often reading has gone back since it first came to the furthest page. */
  rounds: number;
  /** The last few pages, where only the request that led to a page can ask for it again. */
  recent: { position: number; request: PageRequest }[];
  /** The position of a page that was missing once already. */
  missingAt: number | null;
  /** The page with a lower count, as it was before the counted page was read again. */
  doubted: CountedPage | null;
}

/** One page follows the other. */
export type ReadingOnward = CountProgress & { mode: "onward" };

/**
 * The count has fallen, or a page is missing. The counted page is asked for again, to see whether
 * its last rows still stand there.
 */
export type CheckingCounted = CountProgress & {
  mode: "checking";
  /** The position of the page with the lower count, or of the missing page. */
  suspectAt: number;
  /** The page with the lower count; null where a page was missing. */
  suspect: CountedPage | null;
  /**
   * The request after the suspect page, for the case that no row has moved. The request in it is
   * null where the suspect page was the last. Null: pages in between named no count, and are read again.
   */
  resume: { request: PageRequest | null } | null;
};

/** Tells numbered pages whether rows have gone while they were read. */
export type CountMemory = ReadingOnward | CheckingCounted;

/** Pure: the request that a checkpoint stores, in today's form. */
export function readStoredRequest(stored: PageRequest): PageRequest {
  if (!stored.memory?.overlap) return stored;
  const overlap = readStoredMemory(stored.memory.overlap);
  return { ...stored, memory: { ...stored.memory, overlap } };
}

/** Pure: a request without the count, whose progress would hide that the request repeats. */
export function withoutCount({ memory, ...request }: PageRequest): PageRequest {
  const { count: _, ...others } = memory ?? {};
  return Object.keys(others).length > 0 ? { ...request, memory: others } : request;
}

/** Pure: a request with the facts that its own paginator needs to read the page once more. */
export function repeatable({ memory, ...request }: PageRequest): PageRequest {
  const { total, largestPage, behindTotal, overlap } = memory ?? {};
  const kept = { total, largestPage, behindTotal, overlap };
  const defined = Object.entries(kept).filter(([, value]) => value !== undefined);
  return defined.length > 0 ? { ...request, memory: Object.fromEntries(defined) } : request;
}
