import { WriteError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { SPOOL_DAYS } from "../base/timing.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import type { EpochRef } from "./run-state.ts";
import { blockKey, getItem, putBlock, type StateWorld } from "./state-table.ts";

/*
 * The records of a read as its children need them: blocks of the state table, written before the
 * checkpoint of their page. A child keeps its own place in them.
 */

/** About a hundred write units, and far from an item's 400 KB. */
const BLOCK_BYTES = 90_000;

/** Of one record: the values at the paths that children name, by the paths' texts. */
export type SpoolRow = JsonObject;

/** Appends rows after the `first` blocks that are there. Returns how many blocks there are then. */
export async function appendSpool(
  world: StateWorld,
  { place, epoch, token }: { place: ResourceRef; epoch: EpochRef; token: number },
  rows: readonly SpoolRow[],
  first: number,
): Promise<number> {
  let block = first;
  for (const text of blocksOf(rows)) {
    await putBlock(
      world,
      keyOf(place, epoch, block),
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

/** The text of a block, a JSON list of rows: whoever reads it needs its numbers exact. */
export async function readSpoolBlock(
  world: StateWorld,
  place: ResourceRef,
  epoch: EpochRef,
  block: number,
): Promise<string> {
  const item = await getItem(world, keyOf(place, epoch, block));
  if (item?.rows?.S !== undefined) return item.rows.S;
  throw new WriteError({
    code: "load.spool_missing",
    message: `block ${block} of ${place.source}.${place.resource}'s records is gone; they are kept for ${SPOOL_DAYS} days`,
    hint: "the next run reads the parent's records again",
  });
}

const keyOf = (place: ResourceRef, { slot, id }: EpochRef, block: number) =>
  blockKey(place, `${slot === "own" ? "spool" : "spool-for-children"}/${id}/${block}`, "rows");
