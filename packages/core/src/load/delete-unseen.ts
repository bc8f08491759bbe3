import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import {
  forEachConcurrently,
  sendUntilAccepted,
  type WriterOptions,
} from "../dynamodb/attempts.ts";
import { errorName, retryTransient } from "../dynamodb/client.ts";
import { keyAttributes } from "../dynamodb/tables.ts";
import type { Item } from "../flow.ts";
import type { SweepState } from "../state/run-state.ts";

/*
 * A refresh ends by deleting the rows that the read did not see. A first pass over the table counts
 * these rows, the guard decides, and a second pass deletes. Both passes continue from a checkpoint.
 */

/** The rows between two checkpoints, so a checkpoint costs one write unit per 1,000 rows. */
const ROWS_PER_STEP = 1000;

const DELETES_IN_FLIGHT = 8;

/** The number of compared attributes: a DynamoDB expression has at most 300 operators and 4 KB. */
const COMPARED_ATTRIBUTES = 100;

export interface Sweeping extends WriterOptions {
  /** Returns whether the read should have seen the row and did not. */
  mayGo: (row: Item) => boolean;
  /** True when `mayGo` needs only the key of a row. */
  isToldByKey: boolean;
}

/** Takes one step of the first pass. `from` is null after the last step. */
export async function countStep(sweep: SweepState, sweeping: Sweeping): Promise<SweepState> {
  const { items, from } = await scanPage(sweeping, sweep.from, sweeping.isToldByKey);
  const unseen = items.filter((item) => sweeping.mayGo(item)).length;
  return { from, rows: sweep.rows + items.length, unseen: sweep.unseen + unseen };
}

/** Takes one step of the second pass. */
export async function deleteStep(
  sweep: SweepState,
  sweeping: Sweeping,
): Promise<{ sweep: SweepState; deleted: number }> {
  const { items, from } = await scanPage(sweeping, sweep.from, false);
  const going = items.filter((item) => sweeping.mayGo(item));
  let deleted = 0;
  await forEachConcurrently(DELETES_IN_FLIGHT, going, async (item) => {
    if (await deleteRow(item, sweeping)) deleted += 1;
  });
  return { sweep: { ...sweep, from }, deleted };
}

/**
 * Pure: returns the reason to keep the rows, or undefined when they may be deleted. `lastSeen` is set
 * for rows without a primary key: the record count of the last refresh, or null before the first.
 */
export function sweepRefusal(
  { rows, unseen }: Pick<SweepState, "rows" | "unseen">,
  { seen: seenRecords, lastSeen }: { seen: number; lastSeen?: number | null | undefined },
): WriteError | undefined {
  if (unseen === 0) return undefined;
  const isEmpty = seenRecords === 0;
  const isShrunk =
    lastSeen === undefined
      ? unseen > rows - unseen
      : lastSeen !== null && 2 * seenRecords < lastSeen;
  if (!isEmpty && !isShrunk) return undefined;
  const reason = isEmpty
    ? `the API showed no records at all, and the table has ${rows} rows`
    : lastSeen === undefined
      ? `${unseen} of ${rows} rows would go, more than would stay`
      : `the API showed ${seenRecords} records, fewer than half of the ${lastSeen} of the last refresh`;
  return new WriteError({
    code: "load.sweep_refused",
    message: `${reason}: nothing was deleted`,
    hint: "check what the API answers; if it is right, set allow_shrink: true for this resource and refresh again",
  });
}

async function scanPage(sweeping: Sweeping, from: SweepState["from"], keysOnly: boolean) {
  const names = keyNames(sweeping);
  const command = new ScanCommand({
    TableName: sweeping.table,
    ConsistentRead: true,
    Limit: ROWS_PER_STEP,
    ExclusiveStartKey: from ? decodeKey(from) : undefined,
    ...(keysOnly
      ? {
          ProjectionExpression: names.map((_, n) => `#k${n}`).join(", "),
          ExpressionAttributeNames: Object.fromEntries(names.map((name, n) => [`#k${n}`, name])),
        }
      : {}),
  });
  const answer = await retryTransient(sweeping, () => sweeping.dynamodb.send(command)).catch(
    (error: unknown) => {
      throw scanError(sweeping.table, error);
    },
  );
  const last = answer.LastEvaluatedKey;
  return { items: (answer.Items ?? []) as Item[], from: last ? encodeKey(last) : null };
}

/** Deletes a row unless the row has changed since the scan. Returns false for a changed row. */
async function deleteRow(item: Item, sweeping: Sweeping): Promise<boolean> {
  const attributes = Object.entries(item).slice(0, COMPARED_ATTRIBUTES);
  const asScanned = attributes.map((_, n) => `#a${n} = :a${n}`).join(" AND ");
  const command = new DeleteItemCommand({
    TableName: sweeping.table,
    Key: Object.fromEntries(keyNames(sweeping).map((name) => [name, item[name] as Item[string]])),
    // A missing row is a success, and also the result of a retry after a lost response.
    ConditionExpression: `attribute_not_exists(#key) OR (${asScanned})`,
    ExpressionAttributeNames: {
      "#key": sweeping.key.hash.name,
      ...Object.fromEntries(attributes.map(([name], n) => [`#a${n}`, name])),
    },
    ExpressionAttributeValues: Object.fromEntries(
      attributes.map(([, value], n) => [`:a${n}`, value]),
    ),
  });
  let deleted = true;
  await sendUntilAccepted(async () => {
    try {
      await sweeping.dynamodb.send(command, { abortSignal: sweeping.signal });
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      deleted = false;
    }
    return undefined;
  }, sweeping);
  return deleted;
}

const keyNames = ({ key }: Sweeping) => keyAttributes(key).map(({ name }) => name);

const scanError = (table: string, error: unknown) =>
  new WriteError({
    code: "load.sweep",
    message: `DynamoDB did not answer a scan of the table ${table} (${errorName(error)})`,
    hint: "the next slice goes on with the sweep",
  });

/** Encodes a key for the checkpoint, because JSON has no binary values. */
const encodeKey = (key: Record<string, Item[string]>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(key).map(([name, { S, N, B }]) => [
      name,
      S !== undefined
        ? `S${S}`
        : N !== undefined
          ? `N${N}`
          : `B${Buffer.from(B ?? []).toString("base64")}`,
    ]),
  );

const decodeKey = (key: Record<string, string>): Record<string, Item[string]> =>
  Object.fromEntries(
    Object.entries(key).map(([name, text]) => {
      const value = text.slice(1);
      if (text.startsWith("B")) return [name, { B: Buffer.from(value, "base64") }];
      return [name, text.startsWith("N") ? { N: value } : { S: value }];
    }),
  );
