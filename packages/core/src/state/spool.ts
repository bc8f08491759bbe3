import { ConditionalCheckFailedException, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { LeaseError, WriteError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { SPOOL_DAYS } from "../base/timing.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { putBlock } from "./blocks.ts";
import { type StateWorld, steadily } from "./state-table.ts";

/*
 * What the children of a resource need of its records: a log in blocks of the state table, written
 * before the checkpoint of their page and numbered on from run to run. A child keeps its own place
 * in it. Each block has a partition of its own, so that they never throttle the lease.
 */

/** About a hundred write units, and far from an item's 400 KB. */
const BLOCK_BYTES = 90_000;

/** Of one record: the values at the paths that children name, by the paths' texts. */
export type SpoolRow = JsonObject;

/** Appends rows behind the `first` blocks that are there. Returns how many there are then. */
export async function appendSpool(
  world: StateWorld,
  { resourceRef, token }: { resourceRef: ResourceRef; token: number },
  rows: readonly SpoolRow[],
  first: number,
): Promise<number> {
  let block = first;
  for (const text of blocks(rows)) {
    const guard = { token, days: SPOOL_DAYS };
    const command = putBlock(world, keyOf(resourceRef, block), { rows: { S: text } }, guard);
    await steadily(world, "did not take what the children need", () =>
      world.dynamodb.send(command),
    ).catch((error: unknown) => {
      throw error instanceof ConditionalCheckFailedException ? overtaken() : error;
    });
    block += 1;
  }
  return block;
}

function* blocks(rows: readonly SpoolRow[]): Generator<string> {
  let texts: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    const text = jsonText(row);
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > BLOCK_BYTES && texts.length > 0) {
      yield `[${texts.join(",")}]`;
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield `[${texts.join(",")}]`;
}

/** The text of a block, a JSON list of rows: whoever reads it needs its numbers exact. */
export async function readSpool(
  world: StateWorld,
  resourceRef: ResourceRef,
  block: number,
): Promise<string> {
  const command = new GetItemCommand({
    TableName: stateTableName(world.names),
    Key: keyOf(resourceRef, block),
    ConsistentRead: true,
  });
  const { Item } = await steadily(world, "was not readable", () => world.dynamodb.send(command));
  if (Item?.rows?.S !== undefined) return Item.rows.S;
  throw new WriteError({
    code: "load.spool_missing",
    message: `block ${block} of ${resourceRef.source}.${resourceRef.resource}'s records is gone; they are kept for ${SPOOL_DAYS} days`,
    hint: "a full refresh of the source reads the parent's records again",
  });
}

const keyOf = ({ source, resource }: ResourceRef, block: number) => ({
  pk: { S: `${source}#${resource}/spool/${block}` },
  sk: { S: "rows" },
});

const overtaken = () =>
  new LeaseError({
    code: "state.lease_lost",
    message: "another worker has read further pages of this run",
    hint: "it continues from the last checkpoint; nothing is lost",
  });
