import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { Item, KeyedItem } from "../flow.ts";
import {
  inLanes,
  keyItem,
  nothingWritten,
  refused,
  untilTaken,
  type Writer,
  type WriterOptions,
  type Written,
} from "./attempts.ts";

const limits = Object.freeze({
  items: 25, // of one BatchWriteItem
  // Its other limit is 16 MB of JSON. An item's JSON has less than 16 times the bytes that DynamoDB
  // counts for it, so nothing needs to be measured twice; and 1 MB is sent well within a time-out.
  bytes: 1024 * 1024,
  inFlight: 4, // more only waits: a new table takes 4,000 writes a second
});

/** The writer that is used unless a resource asks for another: whatever comes last stands. */
export function writer(options: WriterOptions): Writer {
  return {
    async write(items) {
      const total = nothingWritten();
      await inLanes(limits.inFlight, splitBatches(items), (batch) => settle(batch, total, options));
      return total;
    },
  };
}

/** In the given order, each batch as full as DynamoDB takes it. */
export function splitBatches<T extends Pick<KeyedItem, "bytes">>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    if (batch.length === limits.items || (batch.length > 0 && bytes + item.bytes > limits.bytes)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.bytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Sends a batch until nothing of it is left. */
async function settle(batch: KeyedItem[], total: Written, options: WriterOptions): Promise<void> {
  let left = batch;
  const end = await untilTaken(async () => {
    const answer = await send(left, options);
    const unprocessed = remaining(
      left,
      answer.UnprocessedItems?.[options.table] ?? [],
      options.key,
    );
    total.written += left.length - unprocessed.length;
    total.deleted += removals(left) - removals(unprocessed);
    left = unprocessed;
    return left.length === 0 ? undefined : { outcome: "throttled", name: "UnprocessedItems" };
  }, options);
  if (end === "invalid") await isolate(left, total, options);
}

const removals = (items: KeyedItem[]) => items.filter(({ remove }) => remove).length;

function send(items: KeyedItem[], { dynamodb, table, key, signal }: WriterOptions) {
  const requests = items.map(
    ({ item, remove }): WriteRequest =>
      remove ? { DeleteRequest: { Key: keyItem(item, key) } } : { PutRequest: { Item: item } },
  );
  return dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }), {
    abortSignal: signal,
  });
}

/**
 * One bad item makes DynamoDB refuse all of its batch without a word on which: halves are tried
 * until it stands alone. (Items are checked before they come here; this is for what was missed.)
 */
async function isolate(batch: KeyedItem[], total: Written, options: WriterOptions): Promise<void> {
  const [only] = batch;
  if (only && batch.length === 1) {
    total.rejections.push(refused(only));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await settle(batch.slice(0, middle), total, options);
  await settle(batch.slice(middle), total, options);
}

/**
 * Which of the items came back unprocessed. Ours are sent again, found by their key, and not what
 * the SDK read: it loses the value of an attribute named `__proto__`.
 */
function remaining(
  sent: KeyedItem[],
  unprocessed: WriteRequest[],
  { hash, range }: WriterOptions["key"],
): KeyedItem[] {
  const keyText = (item: Item | undefined) =>
    JSON.stringify([item?.[hash.name], range && item?.[range.name]]);
  const keys = new Set(
    unprocessed.map(({ PutRequest, DeleteRequest }) =>
      keyText(PutRequest?.Item ?? DeleteRequest?.Key),
    ),
  );
  const found = sent.filter(({ item }) => keys.has(keyText(item)));
  // A key that came back in other words: all of them once more does no harm, one too few would.
  return found.length === unprocessed.length ? found : sent;
}
