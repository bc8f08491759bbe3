import type { SendBatch, WireItem, WireRequest } from "../base/wire.ts";
import type { KeyedItem } from "../flow.ts";
import { parseWireItem } from "../values/wire-text.ts";
import { rejectItem, sendUntilAccepted, type Writer, type WriterOptions } from "./attempts.ts";
import { batchSenderOf } from "./batch-commands.ts";
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
  const batchOptions = { ...options, signal, sendBatch: batchSenderOf(options.dynamodb) };
  return new RequestQueue(requestLimits, options.clock, (items, progress) =>
    writeBatch(items, progress, batchOptions),
  );
}

interface BatchOptions extends WriterOptions {
  sendBatch: SendBatch;
}

/** Repeats a batch until every item has an outcome. */
async function writeBatch(
  batch: KeyedItem[],
  progress: RequestProgress,
  options: BatchOptions,
): Promise<void> {
  let remaining = batch;
  const attempt = async () => {
    const { UnprocessedItems } = await sendItems(remaining, options);
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

function sendItems(items: KeyedItem[], { sendBatch, table, signal }: BatchOptions) {
  const requests = items.map(({ itemText, rowKeyText, deletesRow }) =>
    deletesRow ? `{"DeleteRequest":{"Key":${rowKeyText}}}` : `{"PutRequest":{"Item":${itemText}}}`,
  );
  const requestItems = `{${JSON.stringify(table)}:[${requests.join(",")}]}`;
  const body = `{"RequestItems":${requestItems},"ReturnConsumedCapacity":"TOTAL"}`;
  return sendBatch("BatchWriteItem", body, signal);
}

/**
 * Halves a batch until the invalid item stands alone: DynamoDB refuses the whole batch and does not
 * say which item is at fault. Batches with an invalid item are rare, because items are checked first.
 */
async function isolateInvalid(
  batch: KeyedItem[],
  progress: RequestProgress,
  options: BatchOptions,
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

/** Finds the unprocessed items by their keys: the text of an item is sent as it is, or not at all. */
function findUnprocessed(
  sentItems: KeyedItem[],
  requests: WireRequest[],
  { hash, range }: WriterOptions["key"],
): KeyedItem[] {
  if (requests.length === 0) return [];
  const keyText = (item: WireItem = {}) =>
    JSON.stringify([item[hash.name], range && item[range.name]]);
  const keys = new Set(
    requests.map(({ PutRequest, DeleteRequest }) =>
      keyText(PutRequest?.Item ?? DeleteRequest?.Key),
    ),
  );
  const unprocessed = sentItems.filter(({ rowKeyText }) =>
    keys.has(keyText(parseWireItem(rowKeyText))),
  );
  // DynamoDB may write a key differently. Repeating the whole batch is safe, and losing an item is not.
  return unprocessed.length === requests.length ? unprocessed : sentItems;
}
