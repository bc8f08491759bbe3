import { setMaxListeners } from "node:events";
import { UNTHROTTLED_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { KeyedItem, Rejection } from "../flow.ts";
import { nothingWritten, type Writer, type Written } from "./attempts.ts";

/*
 * Where items wait for their request. Requests are filled from one page to the next, several are
 * under way at once, and how many is found out: one more for every second without a throttle, half
 * as many after one.
 */

/** How large a request may be, and how many of them there may be at once. */
export interface Lanes {
  /** Items of one request. */
  size: number;
  /** Their bytes. */
  bytes: number;
  first: number;
  most: number;
}

/** What became of an item. */
export type Fate = "written" | "unchanged" | "superseded" | Rejection;

/** What a request tells while it is tried until nothing of it is left. */
export interface Told {
  settled: (one: KeyedItem, fate: Fate) => void;
  throttled: () => void;
}

/** One call of `write`: it is over when each of its items has met its fate. */
interface Parcel {
  total: Written;
  left: number;
  resolve: (total: Written) => void;
  reject: (error: unknown) => void;
}

interface Waiting {
  one: KeyedItem;
  parcel: Parcel;
}

/** Of what waits, so much for each request that may be under way: more would only use memory. */
const QUEUED = Object.freeze({ requests: 2, bytes: 4 * 1024 * 1024 });

/** A writer that hands requests to `settle`, which returns when nothing of one is left. */
export function inLanesOf(
  lanes: Lanes,
  { monotonic }: Pick<World["clock"], "monotonic">,
  settle: (batch: KeyedItem[], told: Told) => Promise<void>,
): Writer {
  let queue: Waiting[] = [];
  const busy = new Set<string>();
  const open = new Set<Parcel>();
  const waiters: (() => void)[] = [];
  let active = 0;
  let allowed = lanes.first;
  let since = monotonic();
  let flushing = false;
  let broken: { error: unknown } | undefined;

  function pump(): void {
    while (active < allowed && !broken) {
      const { batch, rest, isFull } = cut(queue, busy, lanes);
      if (batch.length === 0 || (!isFull && !flushing)) break;
      queue = rest;
      void run(batch);
    }
    if (queue.length === 0) flushing = false;
    if (hasRoom()) for (const wake of waiters.splice(0)) wake();
  }

  const hasRoom = () =>
    broken !== undefined ||
    (queue.length < QUEUED.requests * allowed * lanes.size &&
      queue.reduce((sum, { one }) => sum + one.bytes, 0) < QUEUED.bytes);

  async function run(batch: Waiting[]): Promise<void> {
    const began = monotonic();
    const parcels = new Map(batch.map(({ one, parcel }) => [one, parcel]));
    for (const { one } of batch) busy.add(one.key);
    active += 1;
    try {
      await settle(
        batch.map(({ one }) => one),
        {
          settled: (one, fate) => count(one, fate, parcels.get(one) as Parcel),
          throttled() {
            // One halving for all that was under way when it came.
            if (began < since) return;
            allowed = Math.max(1, Math.floor(allowed / 2));
            since = monotonic();
          },
        },
      );
      if (allowed < lanes.most && active === allowed && monotonic() - since >= UNTHROTTLED_MS) {
        allowed += 1;
        since = monotonic();
      }
    } catch (error) {
      broken ??= { error };
      queue = [];
    }
    active -= 1;
    for (const { one } of batch) busy.delete(one.key);
    // Only when nothing is on its way any more: who hears of it may let go of the lease.
    if (broken && active === 0) for (const parcel of open) parcel.reject(broken.error);
    pump();
  }

  function count(one: KeyedItem, fate: Fate, parcel: Parcel): void {
    const { total } = parcel;
    if (typeof fate === "object") total.rejections.push(fate);
    else total[fate] += 1;
    if (fate === "written" && one.deletesRow) total.deleted += 1;
    parcel.left -= 1;
    if (parcel.left > 0) return;
    open.delete(parcel);
    parcel.resolve(total);
  }

  return {
    write(items) {
      if (broken) return Promise.reject(broken.error);
      if (items.length === 0) return Promise.resolve(nothingWritten());
      return new Promise((resolve, reject) => {
        const parcel = { total: nothingWritten(), left: items.length, resolve, reject };
        open.add(parcel);
        for (const one of items) queue.push({ one, parcel });
        pump();
      });
    },
    flush() {
      flushing = true;
      pump();
    },
    async room() {
      while (!hasRoom()) await new Promise<void>((wake) => waiters.push(wake));
    },
  };
}

/** Every request under way listens to it, and Node would take more than 10 for a leak. */
export function forMany(...signals: AbortSignal[]): AbortSignal {
  const own = AbortSignal.any(signals);
  setMaxListeners(0, own);
  return own;
}

/**
 * Pure: the next request of what waits, in order. A key that is under way waits for its answer, and
 * what came later under the same key waits behind it: whoever is last stays.
 */
export function cut<T extends { one: Pick<KeyedItem, "key" | "bytes"> }>(
  queue: readonly T[],
  busy: ReadonlySet<string>,
  { size, bytes: most }: Pick<Lanes, "size" | "bytes">,
): { batch: T[]; rest: T[]; isFull: boolean } {
  const batch: T[] = [];
  const rest: T[] = [];
  const taken = new Set<string>();
  let bytes = 0;
  for (const [at, waiting] of queue.entries()) {
    const { key, bytes: more } = waiting.one;
    if (batch.length === size || (batch.length > 0 && bytes + more > most)) {
      return {
        batch,
        rest: rest.length === 0 ? queue.slice(at) : [...rest, ...queue.slice(at)],
        isFull: true,
      };
    }
    if (busy.has(key) || taken.has(key)) {
      rest.push(waiting);
      continue;
    }
    taken.add(key);
    batch.push(waiting);
    bytes += more;
  }
  return { batch, rest, isFull: batch.length === size };
}
