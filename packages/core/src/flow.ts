import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { JsonValue, Members } from "./values/json.ts";

export type Item = Record<string, AttributeValue>;

/** An item with the key of its row, and the record that the item was made from. */
export interface KeyedItem {
  /** The row's key as a string. Equal keys have equal strings. */
  key: string;
  /** The key attributes as DynamoDB reads them: `{"id":{"S":"7"}}`. */
  rowKeyText: string;
  /** The whole item, written likewise. An item stays a string from its record to its request. */
  itemText: string;
  /** The size that DynamoDB counts: names and values, without JSON's quotes and braces. */
  bytes: number;
  /** The position of the record in its page. */
  index: number;
  record: JsonValue;
  /** The record asks for the deletion of its row. */
  deletesRow?: true;
}

/** A record that cannot become an item. The record goes to quarantine. */
export interface Rejection {
  /** The position of the record in its page. */
  index: number;
  code: string;
  message: string;
  /** The path to the field that caused the rejection. */
  path: string;
  record: JsonValue;
  /** The record's key, if it has one. A sweep keeps the row, because the API still has the record. */
  key?: string;
}

/** A page's records as items. `items.length + superseded + rejections.length` is the number of records. */
export interface PreparedPage {
  items: KeyedItem[];
  /** The number of records that were replaced by a later record of the page with the same key. */
  superseded: number;
  rejections: Rejection[];
  /** The records behind the items, with the types of the schema. */
  typedRecords: Members[];
  /** The number of values that the schema_contract kept out. */
  discardedValues: number;
}

/** The gate makes all workers of a source wait after a 429. */
export interface Gate {
  /** Returns the milliseconds until the next request may be sent. */
  remainingMs(): Promise<number>;
  /** Closes the gate for all workers of the source. */
  closeFor(ms: number): Promise<void>;
}

/** The incremental value up to which a resource has been read. */
export type Cursor = string | number | null;
