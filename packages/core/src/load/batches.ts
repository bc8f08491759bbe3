import {
  BatchWriteItemCommand,
  type BatchWriteItemCommandOutput,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import type { KeyPlan } from "../config/plan-types.ts";
import { WriteError } from "../errors.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import type { World } from "../world.ts";
import { awsRetryDelay, nameOf, type Outcome, outcome } from "./client.ts";
import { tableMissing } from "./tables.ts";

const limits = Object.freeze({
  items: 25, // of one BatchWriteItem
  // Its other limit is 16 MB of JSON. An item's JSON has less than 16 times the bytes that DynamoDB
  // counts for it, so nothing needs to be measured twice; and 1 MB is sent well within a time-out.
  bytes: 1024 * 1024,
  inFlight: 4, // more only waits: a new table takes 4,000 writes a second
});

/** From this attempt on a person is told why nothing moves. */
const WORTH_A_WARNING = 6;

interface WriterOptions
  extends Pick<World, "dynamodb" | "clock" | "random" | "log" | "signal" | "deadline"> {
  table: string;
  key: Pick<KeyPlan, "hash" | "range">;
  /** Called before every batch; throws when this worker may not write any more. */
  guard: () => void;
}

interface Written {
  written: number;
  /** Items that DynamoDB alone knows to refuse. */
  rejections: Rejection[];
  /** Write units, as DynamoDB counted them. */
  capacity: number;
}

/**
 * Writes items to one table. `write` resolves when DynamoDB has acknowledged or refused every one
 * of them, and rejects when the deadline comes first. No two items may have the same key.
 */
export function writer(options: WriterOptions): { write(items: KeyedItem[]): Promise<Written> } {
  return {
    async write(items) {
      const total: Written = { written: 0, rejections: [], capacity: 0 };
      const waiting = splitBatches(items);
      const lane = async () => {
        try {
          for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
            await settle(batch, total, options);
          }
        } catch (error) {
          waiting.length = 0;
          throw error;
        }
      };
      const lanes = Array.from({ length: limits.inFlight }, lane);
      // All of them, so that nothing is still being written when this returns.
      const failed = (await Promise.allSettled(lanes)).find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
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
  const { clock, random, signal, deadline, table, log } = options;
  let left = batch;
  for (let attempt = 1; ; attempt++) {
    let trouble: { outcome: Outcome; name: string };
    options.guard();
    try {
      const answer = await send(left, options);
      const unprocessed = remaining(left, answer.UnprocessedItems?.[table] ?? [], options.key);
      total.written += left.length - unprocessed.length;
      total.capacity += capacityOf(answer);
      if (unprocessed.length === 0) return;
      left = unprocessed;
      trouble = { outcome: "throttled", name: "UnprocessedItems" };
    } catch (error) {
      signal.throwIfAborted();
      trouble = { outcome: outcome(error), name: nameOf(error) };
      if (trouble.outcome === "invalid") return isolate(left, total, options);
      if (trouble.outcome === "missing") throw tableMissing(table);
      if (trouble.outcome === "refused") throw failure(trouble, table);
    }
    const delay = awsRetryDelay(attempt, random);
    if (clock.monotonic() + delay >= deadline) throw failure(trouble, table);
    if (attempt === WORTH_A_WARNING) {
      log.warn(`the table ${table} takes its time (${trouble.name}): trying again`, { table });
    }
    await clock.sleep(delay, signal);
  }
}

function send(items: KeyedItem[], { dynamodb, table, signal }: WriterOptions) {
  const requests = items.map(({ item }): WriteRequest => ({ PutRequest: { Item: item } }));
  return dynamodb.send(
    new BatchWriteItemCommand({
      RequestItems: { [table]: requests },
      ReturnConsumedCapacity: "TOTAL",
    }),
    { abortSignal: signal },
  );
}

/**
 * One bad item makes DynamoDB refuse all of its batch without a word on which: halves are tried
 * until it stands alone. (Items are checked before they come here; this is for what was missed.)
 */
async function isolate(batch: KeyedItem[], total: Written, options: WriterOptions): Promise<void> {
  const [only] = batch;
  if (only && batch.length === 1) {
    total.rejections.push({
      index: only.index,
      code: "record.refused",
      // DynamoDB's own words would quote the record.
      message: "DynamoDB refused the item (ValidationException)",
      path: "",
      record: only.record,
    });
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
  const keys = new Set(unprocessed.map(({ PutRequest }) => keyText(PutRequest?.Item)));
  const found = sent.filter(({ item }) => keys.has(keyText(item)));
  // A key that came back in other words: all of them once more does no harm, one too few would.
  return found.length === unprocessed.length ? found : sent;
}

const capacityOf = ({ ConsumedCapacity = [] }: BatchWriteItemCommandOutput): number =>
  ConsumedCapacity.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);

function failure(trouble: { outcome: Outcome; name: string }, table: string): WriteError {
  if (trouble.outcome === "throttled") {
    return new WriteError({
      code: "load.throttled",
      message: `DynamoDB throttled the writes to the table ${table} until the time was up`,
      hint: "run again: it continues from the last checkpoint; if it comes back, raise the table's write limit",
    });
  }
  const refused = trouble.outcome === "refused";
  return new WriteError({
    code: "load.failed",
    message: refused
      ? `DynamoDB refused to write to the table ${table} (${trouble.name})`
      : `DynamoDB did not answer to writes to the table ${table} (${trouble.name}) until the time was up`,
    hint: refused
      ? "check the AWS credentials and what they are allowed to do"
      : "check the connection to DynamoDB, then run again: it continues from the last checkpoint",
  });
}
