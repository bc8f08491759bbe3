import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { JsonValue, Members } from "./values/json.ts";

/**
 * What a paginator adds to the resource's request to get one page. Plain JSON without credentials:
 * the checkpoint stores it, and the next slice goes on from it.
 */
export interface PageRequest {
  /** Query parameters, over the resource's own. */
  params?: Record<string, string | number>;
  /** A whole URL instead of the resource's (a next link). The resource's params are then dropped. */
  url?: string;
  /** Values in the JSON body, by dotted path. */
  body?: Record<string, string | number>;
  /** What paging remembers from page to page. */
  memory?: PagingMemory;
}

export interface PagingMemory {
  /** The data_selector that the first page showed, where the config has none. */
  selector?: string;
  /** The paginator that it showed, in a config's words. */
  paginator?: Record<string, string | number>;
  /** Fingerprints of records of the first page, until the second shows from where pages count. */
  first?: string[];
  /** The last total that the API named: some name it on the first page only. */
  total?: number;
  overlap?: OverlapMemory;
}

/** How far offset paging has come, and the rows by which it sees that they have moved. */
export interface OverlapMemory {
  /** Every row before this one has been read. */
  position: number;
  /** Fingerprints of the last rows before it: `key` or `key:content`. */
  tail: string[];
  /** Rows of the largest page so far: a server may cap pages below `limit`. */
  size: number;
  /** An overlap was found again, so this API's records can be recognised. */
  proven?: boolean;
  /** How many steps back in search of the tail. */
  back?: number;
  /** How often everything was read again from the start. */
  restarts?: number;
  /** The start was asked for twice, to see whether this API shows the same records twice. */
  again?: boolean;
  /** How many pages in a row seemed to begin at the multiple of the limit below what was asked for. */
  rounded?: number;
  /** How often in a row rows were sought before their place and were in it: the server may round up. */
  odd?: number;
  /** Why there is no overlap any more: the server rounds offsets, or its rows are never the same. */
  off?: "rounds" | "differs";
}

/** One answer of the API. `records` are as the API sent them. */
export interface Page {
  request: PageRequest;
  records: JsonValue[];
  /** The request for the page after this one; undefined after the last. */
  next: PageRequest | undefined;
  /** Rows went away before this page: the next one was, in part, read before. */
  goesBack?: boolean;
  /** The next page is found by its number, and shows no row of this one: rows that move go unseen. */
  isNumbered?: boolean;
  /** The API's own clock, epoch milliseconds, where its answer has a Date. */
  apiTime?: number | undefined;
}

export type Item = Record<string, AttributeValue>;

/** An item with its key as one text, equal for equal keys, and the record that it was made from. */
export interface KeyedItem {
  key: string;
  item: Item;
  /** By DynamoDB's measure: names and values, without JSON's quotes and braces. */
  bytes: number;
  /** Position in the page. */
  index: number;
  record: JsonValue;
  /** The record says that its row is gone. */
  remove?: true;
}

/** A record that DynamoDB could not hold, and why. It goes to quarantine. */
export interface Rejection {
  /** Position in the page. */
  index: number;
  code: string;
  message: string;
  /** Where in the record. */
  path: string;
  record: JsonValue;
  /** Its key, where it has one: the row that it could not replace is still the API's. */
  key?: string;
}

/** What a page became. `items.length + superseded + rejections.length` = records. */
export interface Prepared {
  items: KeyedItem[];
  /** Records that a later one of the same page with the same key replaced. */
  superseded: number;
  rejections: Rejection[];
  /** What became items, as the schema has it. */
  fitted: Members[];
  /** Values that the schema_contract did not let in. */
  discarded: number;
}

/** The one thing that flows back: how long the requests of a source have to wait. */
export interface Gate {
  /** Milliseconds until the next request may go; 0 when it may go now. */
  closedFor(): Promise<number>;
  /** Makes all workers of the source wait. */
  close(ms: number): Promise<void>;
}

/** The incremental value: where a run starts from. */
export type Cursor = string | number | null;
