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
  /** Fingerprints of records of the first page, until the second shows from where pages count. */
  first?: string[];
  /** The last total that the API sent: some APIs send a total with the first page only. */
  total?: number;
  overlap?: OverlapMemory;
}

/** Pure: the request that a checkpoint stores, in today's form. */
export function readStoredRequest(stored: PageRequest): PageRequest {
  if (!stored.memory?.overlap) return stored;
  const overlap = readStoredMemory(stored.memory.overlap);
  return { ...stored, memory: { ...stored.memory, overlap } };
}
