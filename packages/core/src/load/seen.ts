import { hash } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { LeaseError, WriteError } from "../errors.ts";
import { putBlock } from "./blocks.ts";
import { nameOf, patiently } from "./client.ts";
import { type Place, readMany, type StateWorld } from "./state-query.ts";

/*
 * The keys that a refresh has seen, 8 bytes each, in blocks of the state table. A block is durable
 * before the checkpoint that counts it, and each has a partition of its own, so that they never
 * throttle the lease. A sweep without every one of them does not start.
 */

/** 96 KB: about a hundred write units at most, and far from an item's 400 KB. */
const KEYS_PER_BLOCK = 12_000;
const BYTES_PER_KEY = 8;
const KEPT_DAYS = 7;
/** As many as one BatchGetItem takes. */
const BLOCKS_AT_ONCE = 100;

/** Which run's keys, and under which lease they are written. */
export interface Seeing {
  place: Place;
  runId: string;
  token: number;
}

/** Stores the keys of a page behind the `first` blocks that are there. Returns how many there are then. */
export async function appendSeen(
  world: StateWorld,
  { place, runId, token }: Seeing,
  keys: readonly string[],
  first: number,
): Promise<number> {
  let block = first;
  for (let at = 0; at < keys.length; at += KEYS_PER_BLOCK) {
    const digests = keys.slice(at, at + KEYS_PER_BLOCK).map(digest);
    const content = { run_id: { S: runId }, keys: { B: Buffer.concat(digests) } };
    const command = putBlock(world, keyOf(place, block), content, { token, days: KEPT_DAYS });
    await patiently(world, () => world.dynamodb.send(command)).catch((error: unknown) => {
      throw unwritten(error);
    });
    block += 1;
  }
  return block;
}

/** Whether a run has seen a key. */
export type Seen = (key: string) => boolean;

/** Reads all blocks of a run, and keeps of them the keys alone; throws when one is missing. */
export async function readSeen(
  world: StateWorld,
  { place, runId }: Pick<Seeing, "place" | "runId">,
  blocks: number,
): Promise<Seen> {
  const parts: BigUint64Array[] = [];
  let found = 0;
  for (let first = 0; first < blocks; first += BLOCKS_AT_ONCE) {
    const length = Math.min(BLOCKS_AT_ONCE, blocks - first);
    const keys = Array.from({ length }, (_, n) => keyOf(place, first + n));
    const read = (await readMany(world, keys)).flatMap((item) =>
      item.run_id?.S === runId && item.keys?.B ? item.keys.B : [],
    );
    found += read.length;
    parts.push(numbersIn(Buffer.concat(read)));
  }
  if (found !== blocks) throw missing(found, blocks);

  const all = new BigUint64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  all.sort();
  return (key) => includes(all, digest(key).readBigUInt64BE());
}

const keyOf = ({ source, resource }: Place, block: number) => ({
  pk: { S: `${source}#${resource}/seen/${block}` },
  sk: { S: "keys" },
});

// Two keys with one digest: a row that should go stays until its digest is not seen any more.
const digest = (key: string): Buffer =>
  Buffer.from(hash("sha256", key, "hex").slice(0, BYTES_PER_KEY * 2), "hex");

function numbersIn(bytes: Buffer): BigUint64Array {
  const numbers = new BigUint64Array(bytes.length / BYTES_PER_KEY);
  for (let n = 0; n < numbers.length; n++) numbers[n] = bytes.readBigUInt64BE(n * BYTES_PER_KEY);
  return numbers;
}

function includes(sorted: BigUint64Array, value: bigint): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as bigint) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

function unwritten(error: unknown): LeaseError | WriteError {
  if (error instanceof ConditionalCheckFailedException) {
    return new LeaseError({
      code: "state.lease_lost",
      message: "another worker has seen further pages of this run",
      hint: "it continues from the last checkpoint; nothing is lost",
    });
  }
  return new WriteError({
    code: "load.seen",
    message: `the state table did not take the keys that the refresh has seen (${nameOf(error)})`,
    hint: "the page is not counted as done; the next slice reads it again",
  });
}

function missing(found: number, blocks: number): WriteError {
  return new WriteError({
    code: "load.seen_missing",
    message: `only ${found} of ${blocks} blocks with the keys of this refresh are there, so nothing was deleted`,
    hint: "start the refresh again",
  });
}
