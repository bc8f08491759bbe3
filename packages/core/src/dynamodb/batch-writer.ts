import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { Item, KeyedItem } from "../flow.ts";
import {
  keyOfItem,
  rejectItem,
  sendUntilAccepted,
  type Writer,
  type WriterOptions,
} from "./attempts.ts";
import {
  type RequestLimits,
  type RequestProgress,
  RequestQueue,
  shareSignal,
} from "./request-queue.ts";

const requestLimits: RequestLimits = Object.freeze({
  itemsPerRequest: 25, // the limit of BatchWriteItem
  // BatchWriteItem also takes at most 16 MB of JSON. An item's JSON has less than 16 times the bytes
  // that DynamoDB counts, so 1 MB is always allowed, and is sent well within a time-out.
  bytesPerRequest: 1024 * 1024,
  initialRequests: 4, // a new table takes 4,000 writes a second
  maxRequests: 16, // 40,000 writes a second at 10 ms, a table's usual quota
});

/** Opens the default writer: an item replaces its row without a condition. */
export function openBatchWriter(options: WriterOptions): Writer {
  const signal = shareSignal(options.signal);
  return new RequestQueue(requestLimits, options.clock, (items, progress) =>
    writeBatch(items, progress, { ...options, signal }),
  );
}

/** Repeats a batch until every item has an outcome. */
async function writeBatch(
  batch: KeyedItem[],
  progress: RequestProgress,
  options: WriterOptions,
): Promise<void> {
  let remaining = batch;
  const attempt = async () => {
    const { UnprocessedItems } = await sendBatch(remaining, options);
    const unprocessed = /* planted: unprocessed-items */ findUnprocessed(
      remaining,
      UnprocessedItems?.[options.table] ?? [],
      options.key,
    );
    for (const item of remaining) if (!unprocessed.includes(item)) progress.settle(item, "written");
    remaining = unprocessed;
    if (remaining.length === 0) return undefined;
    return { kind: "throttled", name: "UnprocessedItems" } as const;
  };
  const end = await sendUntilAccepted(attempt, options, progress.reportThrottle);
  if (end === "invalid") await isolateInvalid(remaining, progress, options);
}

function sendBatch(items: KeyedItem[], { dynamodb, table, key, signal }: WriterOptions) {
  const requests = items.map(
    ({ item, deletesRow }): WriteRequest =>
      deletesRow
        ? { DeleteRequest: { Key: keyOfItem(item, key) } }
        : { PutRequest: { Item: item } },
  );
  return dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }), {
    abortSignal: signal,
  });
}

/**
 * Halves a batch until the invalid item stands alone: DynamoDB refuses the whole batch and does not
 * say which item is at fault. Batches with an invalid item are rare, because items are checked first.
 */
async function isolateInvalid(
  batch: KeyedItem[],
  progress: RequestProgress,
  options: WriterOptions,
): Promise<void> {
  const [item] = batch;
  if (item && batch.length === 1) {
    progress.settle(item, rejectItem(item));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await writeBatch(batch.slice(0, middle), progress, options);
  await writeBatch(batch.slice(middle), progress, options);
}

/**
 * Finds the unprocessed items by their keys. The items from the answer cannot be sent again: the SDK loses
 * the value of an attribute named `__proto__`.
 */
function findUnprocessed(
  sentItems: KeyedItem[],
  requests: WriteRequest[],
  { hash, range }: WriterOptions["key"],
): KeyedItem[] {
  if (requests.length === 0) return [];
  const keyText = (item: Item | undefined) =>
    JSON.stringify([item?.[hash.name], range && item?.[range.name]]);
  const keys = new Set(
    requests.map(({ PutRequest, DeleteRequest }) =>
      keyText(PutRequest?.Item ?? DeleteRequest?.Key),
    ),
  );
  const unprocessed = sentItems.filter(({ item }) => keys.has(keyText(item)));
  // DynamoDB may write a key differently. Repeating the whole batch is safe, and losing an item is not.
  return unprocessed.length === requests.length ? unprocessed : sentItems;
}
