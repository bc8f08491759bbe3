import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { isFailure, LeaseError, WriteError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { FINGERPRINT_DAYS } from "../base/timing.ts";
import { putBlock } from "../state/blocks.ts";
import { readMany, type StateWorld, steadily } from "../state/state-table.ts";
import { PRINT_BYTES, type Prints, printTable } from "./fingerprints.ts";

/*
 * The log of a table's rows: their prints, in blocks of the state table. A block is durable before
 * the checkpoint that counts it, and each has a partition of its own, so that they never throttle
 * the lease. Later blocks count over earlier ones.
 */

/** 96 KB: about a hundred write units at most, and far from an item's 400 KB. */
const PRINTS_PER_BLOCK = 6_000;

/** While they are read, each takes the memory of its bytes a few times over. */
const BLOCKS_AT_ONCE = 16;

/** Which log: it has the id of the run that began it. */
export interface PrintLog {
  resourceRef: ResourceRef;
  log: string;
}

/** The part of a resource's blocks that a log takes. They are numbered on from log to log. */
export interface Blocks {
  /** Its first block, and the one behind its last. */
  start: number;
  end: number;
}

/** Whether an error says that a log is no longer whole. */
export const isMissing = (error: unknown): boolean =>
  isFailure(error) && error.code === "load.seen_missing";

/** Appends prints behind the blocks before `first`. Returns the block behind the last, then. */
export async function appendPrints(
  world: StateWorld,
  { resourceRef, log, token }: PrintLog & { token: number },
  prints: Iterable<Buffer>,
  first: number,
): Promise<number> {
  let block = first;
  for (const bytes of packed(prints)) {
    const content = { log: { S: log }, prints: { B: bytes } };
    const command = putBlock(world, keyOf(resourceRef, block), content, {
      token,
      days: FINGERPRINT_DAYS,
    });
    await steadily(world, "did not take the prints of rows", () =>
      world.dynamodb.send(command),
    ).catch((error: unknown) => {
      throw error instanceof ConditionalCheckFailedException ? overtaken() : error;
    });
    block += 1;
  }
  return block;
}

function* packed(prints: Iterable<Buffer>): Generator<Buffer> {
  let block: Buffer[] = [];
  for (const print of prints) {
    block.push(print);
    if (block.length < PRINTS_PER_BLOCK) continue;
    yield Buffer.concat(block);
    block = [];
  }
  if (block.length > 0) yield Buffer.concat(block);
}

/** Reads all blocks of a log into a table; throws when one is missing. */
export async function readPrints(
  world: StateWorld,
  { resourceRef, log }: PrintLog,
  { start, end }: Blocks,
  prints: Prints = printTable(),
): Promise<Prints> {
  let found = 0;
  for (let first = start; first < end; first += BLOCKS_AT_ONCE) {
    const length = Math.min(BLOCKS_AT_ONCE, end - first);
    const keys = Array.from({ length }, (_, n) => keyOf(resourceRef, first + n));
    const items = new Map((await readMany(world, keys)).map((item) => [item.pk?.S, item]));
    // DynamoDB answers in any order.
    for (const { pk } of keys) {
      const item = items.get(pk.S);
      if (item?.log?.S !== log || !item.prints?.B) continue;
      found += 1;
      const bytes = Buffer.from(item.prints.B);
      for (let at = 0; at < bytes.length; at += PRINT_BYTES) prints.add(bytes, at);
    }
  }
  if (found !== end - start) throw missing(found, end - start);
  return prints;
}

const keyOf = ({ source, resource }: ResourceRef, block: number) => ({
  pk: { S: `${source}#${resource}/seen/${block}` },
  sk: { S: "keys" },
});

const overtaken = () =>
  new LeaseError({
    code: "state.lease_lost",
    message: "another worker has seen further pages of this run",
    hint: "it continues from the last checkpoint; nothing is lost",
  });

const missing = (found: number, blocks: number) =>
  new WriteError({
    code: "load.seen_missing",
    message: `only ${found} of ${blocks} blocks with the keys that were read are there, so nothing was deleted`,
    hint: "start the refresh again",
  });
