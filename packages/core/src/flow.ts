import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { JsonValue, Members } from "./values/json.ts";

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
  deletesRow?: true;
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
export interface PreparedPage {
  items: KeyedItem[];
  /** Records that a later one of the same page with the same key replaced. */
  superseded: number;
  rejections: Rejection[];
  /** What became items, as the schema has it. */
  typedRecords: Members[];
  /** Values that the schema_contract did not let in. */
  discardedValues: number;
}

/** The one thing that flows back: how long the requests of a source have to wait. */
export interface Gate {
  /** Milliseconds until the next request may go; 0 when it may go now. */
  remainingMs(): Promise<number>;
  /** Makes all workers of the source wait. */
  closeFor(ms: number): Promise<void>;
}

/** The incremental value: where a run starts from. */
export type Cursor = string | number | null;
