import { isFailure, WriteError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { FINGERPRINT_DAYS } from "../base/timing.ts";
import { blockKey, getItems, putBlock, type StateWorld } from "../state/state-table.ts";
import { FINGERPRINT_BYTES, FingerprintTable } from "./fingerprints.ts";

/*
 * The log of a table's rows: their fingerprints, in blocks of the state table. A block is durable
 * before the checkpoint that counts it. Later blocks count over earlier ones.
 */

/** 96 KB: about a hundred write units at most, and far from an item's 400 KB. */
const FINGERPRINTS_PER_BLOCK = 6_000;

/** While blocks are read, each takes a few times the memory of its bytes. */
const BLOCKS_AT_ONCE = 16;

/** Which log: it has the id of the run that began it. */
export interface LogRef {
  resourceRef: ResourceRef;
  log: string;
}

/** The part of a resource's blocks that a log takes. They are numbered on from log to log. */
export interface Blocks {
  /** Its first block, and the one after its last. */
  start: number;
  end: number;
}

/** Whether an error says that a log is no longer whole. */
export const isMissing = (error: unknown): boolean =>
  isFailure(error) && error.code === "load.seen_missing";

/** Appends fingerprints as blocks from `first` on. Returns the number after the last block. */
export async function appendFingerprints(
  world: StateWorld,
  { resourceRef: place, log, token }: LogRef & { token: number },
  fingerprints: Iterable<Buffer>,
  first: number,
): Promise<number> {
  let block = first;
  for (const bytes of packed(fingerprints)) {
    const content = { log: { S: log }, prints: { B: bytes } };
    const how = { token, days: FINGERPRINT_DAYS, failure: "did not take the fingerprints of rows" };
    await putBlock(world, keyOf(place, block), content, how);
    block += 1;
  }
  return block;
}

function* packed(fingerprints: Iterable<Buffer>): Generator<Buffer> {
  let block: Buffer[] = [];
  for (const fingerprint of fingerprints) {
    block.push(fingerprint);
    if (block.length < FINGERPRINTS_PER_BLOCK) continue;
    yield Buffer.concat(block);
    block = [];
  }
  if (block.length > 0) yield Buffer.concat(block);
}

/** Reads all blocks of a log into a table; throws when one is missing. */
export async function readFingerprints(
  world: StateWorld,
  { resourceRef: place, log }: LogRef,
  { start, end }: Blocks,
  table = new FingerprintTable(),
): Promise<FingerprintTable> {
  let blocksRead = 0;
  for (let first = start; first < end; first += BLOCKS_AT_ONCE) {
    const length = Math.min(BLOCKS_AT_ONCE, end - first);
    const keys = Array.from({ length }, (_, n) => keyOf(place, first + n));
    const items = new Map((await getItems(world, keys)).map((item) => [item.pk?.S, item]));
    // In the order of the blocks: DynamoDB answers in any order.
    for (const { pk } of keys) {
      const item = items.get(pk.S);
      if (item?.log?.S !== log || !item.prints?.B) continue;
      blocksRead += 1;
      const bytes = Buffer.from(item.prints.B);
      for (let at = 0; at < bytes.length; at += FINGERPRINT_BYTES) table.add(bytes, at);
    }
  }
  if (blocksRead !== end - start) throw missing(blocksRead, end - start);
  return table;
}

const keyOf = (place: ResourceRef, block: number) => blockKey(place, `seen/${block}`, "keys");

const missing = (blocksRead: number, blocks: number) =>
  new WriteError({
    code: "load.seen_missing",
    message: `only ${blocksRead} of ${blocks} blocks with the keys that were read are there, so nothing was deleted`,
    hint: "start the refresh again",
  });
