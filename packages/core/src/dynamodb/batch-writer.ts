import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import type { Item, KeyedItem } from "../flow.ts";
import { keyItem, refused, untilTaken, type Writer, type WriterOptions } from "./attempts.ts";
import { forMany, inLanesOf, type Told } from "./request-queue.ts";

const lanes = Object.freeze({
  size: 25, // items of one BatchWriteItem
  // Its other limit is 16 MB of JSON. An item's JSON has less than 16 times the bytes that DynamoDB
  // counts for it, so nothing needs to be measured twice; and 1 MB is sent well within a time-out.
  bytes: 1024 * 1024,
  first: 4, // requests at once: a new table takes 4,000 writes a second
  most: 16, // 40,000 a second at 10 ms, a table's usual quota
});

/** The writer that is used unless a resource asks for another: whatever comes last stands. */
export function writer(options: WriterOptions): Writer {
  const signal = forMany(options.signal);
  return inLanesOf(lanes, options.clock, (batch, told) =>
    settle(batch, told, { ...options, signal }),
  );
}

/** Sends a batch until nothing of it is left. */
async function settle(batch: KeyedItem[], told: Told, options: WriterOptions): Promise<void> {
  let left = batch;
  const attempt = async () => {
    const { UnprocessedItems } = await send(left, options);
    const unprocessed = /* planted: unprocessed-items */ remaining(
      left,
      UnprocessedItems?.[options.table] ?? [],
      options.key,
    );
    for (const one of left) if (!unprocessed.includes(one)) told.settled(one, "written");
    left = unprocessed;
    if (left.length === 0) return undefined;
    return { outcome: "throttled", name: "UnprocessedItems" } as const;
  };
  const end = await untilTaken(attempt, options, told.throttled);
  if (end === "invalid") await isolate(left, told, options);
}

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
async function isolate(batch: KeyedItem[], told: Told, options: WriterOptions): Promise<void> {
  const [only] = batch;
  if (only && batch.length === 1) {
    told.settled(only, refused(only));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await settle(batch.slice(0, middle), told, options);
  await settle(batch.slice(middle), told, options);
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
  if (unprocessed.length === 0) return [];
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
