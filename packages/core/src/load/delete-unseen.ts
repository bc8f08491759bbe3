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
 * The end of a refresh: rows that it did not see go. A first pass over the table counts them, the
 * guard decides, and a second pass deletes. Both go on from a checkpoint.
 */

/** Rows between two checkpoints: one more write unit for each 1,000 rows read. */
const ROWS_PER_STEP = 1000;

const DELETES_IN_FLIGHT = 8;

/** An expression takes 300 operators and 4 KB; an item with more attributes is compared by these. */
const COMPARED_ATTRIBUTES = 100;

export interface Sweeping extends WriterOptions {
  /** Whether a row is one that the read did not see, and should have. */
  mayGo: (row: Item) => boolean;
  /** The key of a row is enough to tell. */
  isToldByKey: boolean;
}

/** One step of the first pass. `from` is null after the last. */
export async function countStep(sweep: SweepState, sweeping: Sweeping): Promise<SweepState> {
  const { items, from } = await scan(sweeping, sweep.from, sweeping.isToldByKey);
  const unseen = items.filter((item) => sweeping.mayGo(item)).length;
  return { from, rows: sweep.rows + items.length, unseen: sweep.unseen + unseen };
}

/** One step of the second pass. */
export async function deleteStep(
  sweep: SweepState,
  sweeping: Sweeping,
): Promise<{ sweep: SweepState; deleted: number }> {
  const { items, from } = await scan(sweeping, sweep.from, false);
  const going = items.filter((item) => sweeping.mayGo(item));
  let deleted = 0;
  await forEachConcurrently(DELETES_IN_FLIGHT, going, async (item) => {
    if (await remove(item, sweeping)) deleted += 1;
  });
  return { sweep: { ...sweep, from }, deleted };
}

/**
 * Pure: why these rows may not go; undefined when they may. `lastSeen`: how many records the last
 * read had that swept, for rows that have no key to be known by; null when there was none.
 */
export function refusal(
  { rows, unseen }: Pick<SweepState, "rows" | "unseen">,
  { seen, lastSeen }: { seen: number; lastSeen?: number | null | undefined },
): WriteError | undefined {
  if (unseen === 0) return undefined;
  const isEmpty = seen === 0;
  const isShrunk =
    lastSeen === undefined ? unseen > rows - unseen : lastSeen !== null && 2 * seen < lastSeen;
  if (!isEmpty && !isShrunk) return undefined;
  const reason = isEmpty
    ? `the API showed no records at all, and the table has ${rows} rows`
    : lastSeen === undefined
      ? `${unseen} of ${rows} rows would go, more than would stay`
      : `the API showed ${seen} records, fewer than half of the ${lastSeen} of the last refresh`;
  return new WriteError({
    code: "load.sweep_refused",
    message: `${reason}: nothing was deleted`,
    hint: "check what the API answers; if it is right, set allow_shrink: true for this resource and refresh again",
  });
}

async function scan(sweeping: Sweeping, from: SweepState["from"], keysOnly: boolean) {
  const names = keyNames(sweeping);
  const command = new ScanCommand({
    TableName: sweeping.table,
    ConsistentRead: true,
    Limit: ROWS_PER_STEP,
    ExclusiveStartKey: from ? decode(from) : undefined,
    ...(keysOnly
      ? {
          ProjectionExpression: names.map((_, n) => `#k${n}`).join(", "),
          ExpressionAttributeNames: Object.fromEntries(names.map((name, n) => [`#k${n}`, name])),
        }
      : {}),
  });
  const answer = await retryTransient(sweeping, () => sweeping.dynamodb.send(command)).catch(
    (error: unknown) => {
      throw unreadable(sweeping.table, error);
    },
  );
  const last = answer.LastEvaluatedKey;
  return { items: (answer.Items ?? []) as Item[], from: last ? encode(last) : null };
}

/** Deletes a row if it still is as it was scanned; false when somebody has changed it since. */
async function remove(item: Item, sweeping: Sweeping): Promise<boolean> {
  const attributes = Object.entries(item).slice(0, COMPARED_ATTRIBUTES);
  const asScanned = attributes.map((_, n) => `#a${n} = :a${n}`).join(" AND ");
  const command = new DeleteItemCommand({
    TableName: sweeping.table,
    Key: Object.fromEntries(keyNames(sweeping).map((name) => [name, item[name] as Item[string]])),
    // A row that is gone is what we want, and what a retry finds after a lost answer.
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

const unreadable = (table: string, error: unknown) =>
  new WriteError({
    code: "load.sweep",
    message: `DynamoDB did not answer a scan of the table ${table} (${errorName(error)})`,
    hint: "the next slice goes on with the sweep",
  });

/** A key as the checkpoint stores it: bytes have no place in JSON. */
const encode = (key: Record<string, Item[string]>): Record<string, string> =>
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

const decode = (key: Record<string, string>): Record<string, Item[string]> =>
  Object.fromEntries(
    Object.entries(key).map(([name, text]) => {
      const value = text.slice(1);
      if (text.startsWith("B")) return [name, { B: Buffer.from(value, "base64") }];
      return [name, text.startsWith("N") ? { N: value } : { S: value }];
    }),
  );
