import { setMaxListeners } from "node:events";
import { UNTHROTTLED_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { KeyedItem, Rejection } from "../flow.ts";
import { emptyWriteResult, type WriteResult, type Writer } from "./attempts.ts";

/** The size of a request, and the number of requests that may be under way at once. */
export interface RequestLimits {
  itemsPerRequest: number;
  bytesPerRequest: number;
  /** The number before the first throttle or the first second without a throttle. */
  initialRequests: number;
  maxRequests: number;
}

export type ItemOutcome = "written" | "unchanged" | "superseded" | Rejection;

/** Receives reports while a request is repeated until each of its items has an outcome. */
export interface RequestProgress {
  settle: (item: KeyedItem, outcome: ItemOutcome) => void;
  reportThrottle: () => void;
}

/** Sends a request, and resolves when each of its items has an outcome. */
export type SendRequest = (items: KeyedItem[], progress: RequestProgress) => Promise<void>;

/** A call of `write`, which ends when each of its items has an outcome. */
interface WriteCall {
  result: WriteResult;
  pendingCount: number;
  resolve: (result: WriteResult) => void;
  reject: (error: unknown) => void;
}

interface QueuedItem {
  item: KeyedItem;
  call: WriteCall;
}

/** A longer queue would use memory and save no time. */
const MAX_QUEUED = Object.freeze({ requestsPerAllowed: 2, bytes: 4 * 1024 * 1024 });

/**
 * Collects items into requests, across pages, and has several requests under way at once. Their
 * number follows the table: plus one after every second without a throttle, half as many after a
 * throttle.
 *
 * To save requests, a request waits until it is full, but never for ever. A partial request is sent
 * after a flush, and when there is no room and no request under way. The second case comes from few
 * keys on many pages, because a request takes each key once.
 */
export class RequestQueue implements Writer {
  readonly #limits: RequestLimits;
  readonly #clock: Pick<World["clock"], "monotonic">;
  readonly #sendRequest: SendRequest;

  /** Items without a request, in the order in which they came. */
  #queue: QueuedItem[] = [];
  #queuedBytes = 0;
  /** Keys in requests under way. A further item with a busy key waits, and later replaces the row. */
  readonly #busyKeys = new Set<string>();
  #activeRequests = 0;
  /** The most requests under way at once. */
  #allowedRequests: number;
  /** The time of the last change of `#allowedRequests`. */
  #allowedSince: number;
  /** True from a flush until the queue is empty: requests need not be full. */
  #isFlushing = false;
  /** Calls of `write` whose items do not have outcomes yet. */
  readonly #openCalls = new Set<WriteCall>();
  /** Callers of `waitForRoom`. */
  #waitingReaders: (() => void)[] = [];
  /** The error of the first failed request. No request is started after a failure. */
  #failure: { error: unknown } | undefined;

  constructor(
    limits: RequestLimits,
    clock: Pick<World["clock"], "monotonic">,
    sendRequest: SendRequest,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sendRequest = sendRequest;
    this.#allowedRequests = limits.initialRequests;
    this.#allowedSince = clock.monotonic();
  }

  write(items: KeyedItem[]): Promise<WriteResult> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (items.length === 0) return Promise.resolve(emptyWriteResult());
    return new Promise((resolve, reject) => {
      const call = { result: emptyWriteResult(), pendingCount: items.length, resolve, reject };
      this.#openCalls.add(call);
      for (const item of items) {
        this.#queue.push({ item, call });
        this.#queuedBytes += item.bytes;
      }
      this.#startRequests();
    });
  }

  flush(): void {
    this.#isFlushing = true;
    this.#startRequests();
  }

  async waitForRoom(): Promise<void> {
    while (!this.#hasRoom()) {
      await new Promise<void>((resolve) => this.#waitingReaders.push(resolve));
    }
  }

  #hasRoom(): boolean {
    if (this.#failure) return true;
    const maxItems =
      MAX_QUEUED.requestsPerAllowed * this.#allowedRequests * this.#limits.itemsPerRequest;
    return this.#queue.length < maxItems && this.#queuedBytes < MAX_QUEUED.bytes;
  }

  /** Without a request under way, no end of a request will ever make room. */
  #maySendPartly(): boolean {
    return this.#isFlushing || (this.#activeRequests === 0 && !this.#hasRoom());
  }

  #startRequests(): void {
    while (this.#activeRequests < this.#allowedRequests && !this.#failure) {
      const { batch, remaining, isFull } = takeBatch(this.#queue, this.#busyKeys, this.#limits);
      if (batch.length === 0 || !(isFull || this.#maySendPartly())) break;
      this.#queue = remaining;
      for (const { item } of batch) this.#queuedBytes -= item.bytes;
      void this.#runRequest(batch);
    }
    if (this.#queue.length === 0) this.#isFlushing = false;
    if (!this.#hasRoom()) return;
    const readers = this.#waitingReaders;
    this.#waitingReaders = [];
    for (const resolve of readers) resolve();
  }

  async #runRequest(batch: QueuedItem[]): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const calls = new Map(batch.map(({ item, call }) => [item, call]));
    const items = batch.map(({ item }) => item);
    for (const { key } of items) this.#busyKeys.add(key);
    this.#activeRequests += 1;
    try {
      await this.#sendRequest(items, {
        settle: (item, outcome) => this.#settleItem(item, outcome, calls.get(item) as WriteCall),
        reportThrottle: () => this.#allowFewer(startedAt),
      });
      this.#allowMore();
    } catch (error) {
      this.#fail(error);
    }
    this.#activeRequests -= 1;
    for (const { key } of items) this.#busyKeys.delete(key);
    if (this.#failure && this.#activeRequests === 0) this.#rejectCalls(this.#failure.error);
    this.#startRequests();
  }

  #settleItem(item: KeyedItem, outcome: ItemOutcome, call: WriteCall): void {
    const { result } = call;
    if (typeof outcome === "object") result.rejections.push(outcome);
    else result[outcome] += 1;
    if (outcome === "written" && item.deletesRow) result.deleted += 1;
    call.pendingCount -= 1;
    if (call.pendingCount > 0) return;
    this.#openCalls.delete(call);
    call.resolve(result);
  }

  /** Halves the number once for all requests under way at the time of a throttle. */
  #allowFewer(startedAt: number): void {
    if (startedAt < this.#allowedSince) return;
    this.#allowedRequests = Math.max(1, Math.floor(this.#allowedRequests / 2));
    this.#allowedSince = this.#clock.monotonic();
  }

  #allowMore(): void {
    const now = this.#clock.monotonic();
    const isUsed = this.#activeRequests === this.#allowedRequests;
    const mayGrow = this.#allowedRequests < this.#limits.maxRequests;
    if (!mayGrow || !isUsed || now - this.#allowedSince < UNTHROTTLED_MS) return;
    this.#allowedRequests += 1;
    this.#allowedSince = now;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** Called when no request is under way, because the caller may give the lease back at once. */
  #rejectCalls(error: unknown): void {
    for (const { reject } of this.#openCalls) reject(error);
    this.#openCalls.clear();
  }
}

/** Combines signals for many requests. Node takes more than 10 listeners of a signal for a leak. */
export function shareSignal(...signals: AbortSignal[]): AbortSignal {
  const combined = AbortSignal.any(signals);
  setMaxListeners(0, combined);
  return combined;
}

/**
 * Pure: takes the next request from the front of the queue. An item stays in the queue while its key
 * is busy or already in the batch, because the items of a key have to be written in order.
 */
export function takeBatch<Queued extends { item: Pick<KeyedItem, "key" | "bytes"> }>(
  queue: readonly Queued[],
  busyKeys: ReadonlySet<string>,
  limits: Pick<RequestLimits, "itemsPerRequest" | "bytesPerRequest">,
): { batch: Queued[]; remaining: Queued[]; isFull: boolean } {
  const batch: Queued[] = [];
  const skipped: Queued[] = [];
  const batchKeys = new Set<string>();
  let batchBytes = 0;
  for (const [position, queued] of queue.entries()) {
    const { key, bytes } = queued.item;
    const isTooLarge = batch.length > 0 && batchBytes + bytes > limits.bytesPerRequest;
    if (batch.length === limits.itemsPerRequest || isTooLarge) {
      return { batch, remaining: [...skipped, ...queue.slice(position)], isFull: true };
    }
    if (busyKeys.has(key) || batchKeys.has(key)) {
      skipped.push(queued);
      continue;
    }
    batchKeys.add(key);
    batch.push(queued);
    batchBytes += bytes;
  }
  return { batch, remaining: skipped, isFull: batch.length === limits.itemsPerRequest };
}
