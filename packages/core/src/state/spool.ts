import { WriteError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { SPOOL_DAYS } from "../base/timing.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import type { EpochRef } from "./run-state.ts";
import { blockKey, getItem, putBlock, type StateWorld } from "./state-table.ts";

/*
 * The spool holds the fields of records that children need, in blocks of the state table. A block is
 * written before the checkpoint of its page. Each child stores a position in the spool.
 */

/** A block takes about 100 write units, far below the item limit of 400 KB. */
const BLOCK_BYTES = 90_000;

/** The values of one record at the paths that children use, by path text. */
export type SpoolRow = JsonObject;

/** Appends rows after the first `first` blocks. Returns the new number of blocks. */
export async function appendSpool(
  world: StateWorld,
  { resourceRef, epoch, token }: { resourceRef: ResourceRef; epoch: EpochRef; token: number },
  rows: readonly SpoolRow[],
  first: number,
): Promise<number> {
  let block = first;
  for (const text of blocksOf(rows)) {
    await putBlock(
      world,
      keyOf(resourceRef, epoch, block),
      { rows: { S: text } },
      { token, days: SPOOL_DAYS, failure: "did not take the records for the children" },
    );
    block += 1;
  }
  return block;
}

function* blocksOf(rows: readonly SpoolRow[]): Generator<string> {
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

/** Returns the text of a block, a JSON list. Callers parse the text to keep numbers exact. */
export async function readSpoolBlock(
  world: StateWorld,
  resourceRef: ResourceRef,
  epoch: EpochRef,
  block: number,
): Promise<string> {
  const item = await getItem(world, keyOf(resourceRef, epoch, block));
  if (item?.rows?.S !== undefined) return item.rows.S;
  throw new WriteError({
    code: "load.spool_missing",
    message: `block ${block} of ${resourceRef.source}.${resourceRef.resource}'s records is gone; they are kept for ${SPOOL_DAYS} days`,
    hint: "the next run reads the parent's records again",
  });
}

const keyOf = (resourceRef: ResourceRef, { slot, id }: EpochRef, block: number) =>
  blockKey(
    resourceRef,
    `${slot === "own" ? "spool" : "spool-for-children"}/${id}/${block}`,
    "rows",
  );
