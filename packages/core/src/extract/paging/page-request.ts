import { type OverlapMemory, readStoredMemory } from "./overlap-memory.ts";

/**
 * The part of a request that differs from page to page. It is plain JSON without credentials: the
 * checkpoint stores it, and the next slice goes on from it.
 */
export interface PageRequest {
  /** Query parameters, over the resource's own. */
  params?: Record<string, string | number>;
  /** A whole URL instead of the resource's (a next link). The resource's params are then dropped. */
  url?: string;
  /** Values in the JSON body, by dotted path. */
  body?: Record<string, string | number>;
  /** Facts of earlier pages that later ones need. */
  memory?: PagingMemory;
}

export interface PagingMemory {
  /** The data_selector that the first page showed, where the config has none. */
  selector?: string;
  /** The paginator that the first page showed, in a config's words. */
  paginator?: Record<string, string | number>;
  /** Fingerprints of records of the first page, until the second shows from where pages count. */
  first?: string[];
  /** The last total that the API named: some APIs name one on the first page only. */
  total?: number;
  overlap?: OverlapMemory;
}

/** Pure: the request that a checkpoint stores, in today's form. */
export function readStoredRequest(stored: PageRequest): PageRequest {
  if (!stored.memory?.overlap) return stored;
  const overlap = readStoredMemory(stored.memory.overlap);
  return { ...stored, memory: { ...stored.memory, overlap } };
}
