/*
 * The JSON of DynamoDB's protocol, in which a batch is written and answered. Binary values are
 * base64 strings, unlike in the attribute values of the SDK.
 */

/** One value of an item: `{"S":"a"}`, `{"N":"1"}`, … */
export interface WireValue {
  S?: string;
  N?: string;
  B?: string;
  BOOL?: boolean;
  NULL?: boolean;
  L?: WireValue[];
  M?: WireItem;
}

export type WireItem = Record<string, WireValue>;

export type BatchOperation = "BatchWriteItem" | "BatchGetItem";

/** An answer to either operation, with what is left to do. */
export interface BatchAnswer {
  Responses?: Record<string, WireItem[]>;
  UnprocessedKeys?: Record<string, { Keys: WireItem[] }>;
  UnprocessedItems?: Record<string, WireRequest[]>;
  ConsumedCapacity?: { CapacityUnits?: number }[];
}

export interface WireRequest {
  PutRequest?: { Item: WireItem };
  DeleteRequest?: { Key: WireItem };
}

/** Sends the text of a batch request once. Rejects with the error that DynamoDB answers. */
export type SendBatch = (
  operation: BatchOperation,
  body: string,
  signal?: AbortSignal,
) => Promise<BatchAnswer>;
