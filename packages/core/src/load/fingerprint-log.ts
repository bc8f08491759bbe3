import { isFailure, WriteError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { FINGERPRINT_DAYS } from "../base/timing.ts";
import { blockKey, getItems, putBlock, type StateWorld } from "../state/state-table.ts";
import { FINGERPRINT_BYTES, FingerprintTable } from "./fingerprints.ts";

/*
 * The log of a table's rows: their fingerprints, in blocks of the state table. A block is durable
 * before the checkpoint that counts the block. Later blocks override earlier blocks.
 */

/** A block has 96 KB: about 100 write units, and far below the item limit of 400 KB. */
const FINGERPRINTS_PER_BLOCK = 6_000;

/** The number of blocks read at once, because a block takes several times its size in memory. */
const BLOCKS_AT_ONCE = 16;

/** The address of a log. The log has the id of the run that began the log. */
export interface LogRef {
  resourceRef: ResourceRef;
  log: string;
}

/** The block numbers of a log. A new log continues the numbering. */
export interface Blocks {
  /** The first block, and the block after the last. */
  start: number;
  end: number;
}

/** Returns whether an error means that a block of the log is missing. */
export const isMissing = (error: unknown): boolean =>
  isFailure(error) && error.code === "load.seen_missing";

/** Appends fingerprints as blocks from `first` on. Returns the block number after the last block. */
export async function appendFingerprints(
  world: StateWorld,
  { resourceRef, log, token }: LogRef & { token: number },
  fingerprints: Iterable<Buffer>,
  first: number,
): Promise<number> {
  let block = first;
  for (const bytes of packBlocks(fingerprints)) {
    const content = { log: { S: log }, prints: { B: bytes } };
    const options = {
      token,
      days: FINGERPRINT_DAYS,
      failure: "did not take the fingerprints of rows",
    };
    await putBlock(world, keyOf(resourceRef, block), content, options);
    block += 1;
  }
  return block;
}

function* packBlocks(fingerprints: Iterable<Buffer>): Generator<Buffer> {
  let block: Buffer[] = [];
  for (const fingerprint of fingerprints) {
    block.push(fingerprint);
    if (block.length < FINGERPRINTS_PER_BLOCK) continue;
    yield Buffer.concat(block);
    block = [];
  }
  if (block.length > 0) yield Buffer.concat(block);
}

/** Reads all blocks of a log into a table. Throws when a block is missing. */
export async function readFingerprints(
  world: StateWorld,
  { resourceRef, log }: LogRef,
  { start, end }: Blocks,
  table = new FingerprintTable(),
): Promise<FingerprintTable> {
  let blocksRead = 0;
  for (let first = start; first < end; first += BLOCKS_AT_ONCE) {
    const length = Math.min(BLOCKS_AT_ONCE, end - first);
    const keys = Array.from({ length }, (_, n) => keyOf(resourceRef, first + n));
    const items = new Map((await getItems(world, keys)).map((item) => [item.pk?.S, item]));
    // The blocks are added in their order, because DynamoDB returns items in any order.
    for (const { pk } of keys) {
      const item = items.get(pk.S);
      if (item?.log?.S !== log || !item.prints?.B) continue;
      blocksRead += 1;
      const bytes = Buffer.from(item.prints.B);
      for (let at = 0; at < bytes.length; at += FINGERPRINT_BYTES) table.add(bytes, at);
    }
  }
  if (blocksRead !== end - start) throw missingBlocksError(blocksRead, end - start);
  return table;
}

const keyOf = (resourceRef: ResourceRef, block: number) =>
  blockKey(resourceRef, `seen/${block}`, "keys");

const missingBlocksError = (blocksRead: number, blocks: number) =>
  new WriteError({
    code: "load.seen_missing",
    message: `only ${blocksRead} of ${blocks} blocks with the keys that were read are there, so nothing was deleted`,
    hint: "start the refresh again",
  });
