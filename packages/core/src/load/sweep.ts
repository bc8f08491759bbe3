import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { KeyPlan } from "../config/plan-types.ts";
import { isFailure, WriteError } from "../errors.ts";
import type { Item } from "../flow.ts";
import type { World } from "../world.ts";
import { nameOf, patiently } from "./client.ts";
import type { Seen } from "./seen.ts";
import type { SweepState } from "./state-item.ts";

/*
 * The end of a refresh: rows that it did not see go. A first pass over the table counts them, the
 * guard decides, and a second pass deletes. Both go on from a checkpoint.
 */

/** Rows between two checkpoints: one more write unit for each 1,000 rows read. */
const ROWS_PER_STEP = 1000;
const DELETES_IN_FLIGHT = 8;
/** An expression takes 300 operators and 4 KB; an item with more attributes is compared by these. */
const COMPARED_ATTRIBUTES = 100;

export interface Sweeping {
  world: Pick<World, "dynamodb" | "clock" | "random">;
  table: string;
  key: KeyPlan;
  seen: Seen;
  /** An item's key as the text that `seen` knows. */
  keyText: (item: Item) => string;
  /** Called before every delete; throws when this worker may not write any more. */
  guard: () => void;
}

/** One step of the first pass. `from` is null after the last. */
export async function countStep(sweep: SweepState, of: Sweeping): Promise<SweepState> {
  const { items, from } = await scan(of, sweep.from, true);
  const unseen = items.filter((item) => !of.seen(of.keyText(item))).length;
  return { from, rows: sweep.rows + items.length, unseen: sweep.unseen + unseen };
}

/** One step of the second pass. */
export async function deleteStep(
  sweep: SweepState,
  of: Sweeping,
): Promise<{ sweep: SweepState; deleted: number }> {
  const { items, from } = await scan(of, sweep.from, false);
  const going = items.filter((item) => !of.seen(of.keyText(item)));
  let deleted = 0;
  const lane = async () => {
    for (let item = going.pop(); item; item = going.pop()) {
      if (await remove(item, of)) deleted += 1;
    }
  };
  const lanes = Array.from({ length: DELETES_IN_FLIGHT }, lane);
  const failed = (await Promise.allSettled(lanes)).find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
  return { sweep: { ...sweep, from }, deleted };
}

/** Pure: why these rows may not go; undefined when they may. */
export function refusal(
  { rows, unseen }: Pick<SweepState, "rows" | "unseen">,
  blocks: number,
): WriteError | undefined {
  if (unseen === 0) return undefined;
  const empty = blocks === 0;
  if (!empty && unseen <= rows - unseen) return undefined;
  return new WriteError({
    code: "load.sweep_refused",
    message: empty
      ? `the API showed no records at all, and the table has ${rows} rows: nothing was deleted`
      : `${unseen} of ${rows} rows would go, more than would stay: nothing was deleted`,
    hint: "check what the API answers; if it is right, set allow_shrink: true for this resource and refresh again",
  });
}

async function scan(of: Sweeping, from: SweepState["from"], keysOnly: boolean) {
  const names = [of.key.hash, of.key.range].flatMap((part) => (part ? [part.name] : []));
  const command = new ScanCommand({
    TableName: of.table,
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
  const answer = await patiently(of.world, () => of.world.dynamodb.send(command));
  const last = answer.LastEvaluatedKey;
  return { items: (answer.Items ?? []) as Item[], from: last ? encode(last) : null };
}

/** Deletes a row if it still is as it was scanned; false when somebody has changed it since. */
async function remove(item: Item, { world, table, key, guard }: Sweeping): Promise<boolean> {
  guard();
  const attributes = Object.entries(item).slice(0, COMPARED_ATTRIBUTES);
  const names = [key.hash, key.range].flatMap((part) => (part ? [part.name] : []));
  const command = new DeleteItemCommand({
    TableName: table,
    Key: Object.fromEntries(names.map((name) => [name, item[name] as Item[string]])),
    ConditionExpression: attributes.map((_, n) => `#a${n} = :a${n}`).join(" AND "),
    ExpressionAttributeNames: Object.fromEntries(attributes.map(([name], n) => [`#a${n}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      attributes.map(([, value], n) => [`:a${n}`, value]),
    ),
  });
  try {
    await patiently(world, () => {
      guard();
      return world.dynamodb.send(command);
    });
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    if (isFailure(error)) throw error;
    throw new WriteError({
      code: "load.sweep",
      message: `a row of the table ${table} could not be deleted (${nameOf(error)})`,
      hint: "the next slice goes on with the sweep",
    });
  }
}

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
