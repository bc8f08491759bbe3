import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type RequestProgress,
  RequestQueue,
  shareSignal,
  takeBatch,
} from "../../packages/core/src/dynamodb/request-queue.ts";
import type { KeyedItem } from "../../packages/core/src/flow.ts";
import { virtualClock } from "../support/clock.ts";

const limits = { itemsPerRequest: 25, bytesPerRequest: 1024 * 1024 };
const itemOf = (key: string, bytes = 1): KeyedItem => ({
  key,
  itemText: "{}",
  rowKeyText: "{}",
  bytes,
  index: 0,
  record: {},
});
const itemsOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => itemOf(`${from + n}`));

describe("a request", () => {
  it("a request takes the first pending items that fit, each key once, and the others keep their order", () => {
    const pendingItems = fc.array(
      fc.record({
        key: fc.integer({ min: 0, max: 60 }),
        bytes: fc.integer({ min: 1, max: 409_600 }),
      }),
      { maxLength: 120 },
    );
    const keysUnderWay = fc.uniqueArray(fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(pendingItems, keysUnderWay, (pending, underWay) => {
        const busyKeys = new Set(underWay.map(String));
        const queue = pending.map(({ key, bytes }, position) => ({
          position,
          item: { key: String(key), bytes },
        }));
        const { batch, remaining, isFull } = takeBatch(queue, busyKeys, limits);
        const keys = batch.map(({ item }) => item.key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.some((key) => busyKeys.has(key))).toBe(false);
        expect(batch.length).toBeLessThanOrEqual(25);
        expect(batch.reduce((sum, { item }) => sum + item.bytes, 0)).toBeLessThanOrEqual(
          limits.bytesPerRequest,
        );
        // Nothing is lost, and of each key the earliest item goes first.
        const positions = remaining.map(({ position }) => position);
        expect(
          [...batch, ...remaining].map(({ position }) => position).sort((a, b) => a - b),
        ).toEqual(queue.map(({ position }) => position));
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
        for (const { position, item } of batch) {
          const isOvertaking = remaining.some(
            (later) => later.item.key === item.key && later.position < position,
          );
          expect(isOvertaking).toBe(false);
        }
        const free = queue.filter(({ item }) => !busyKeys.has(item.key));
        if (!isFull) expect(new Set(free.map(({ item }) => item.key)).size).toBe(batch.length);
      }),
    );
  });
});

interface OpenRequest {
  items: KeyedItem[];
  progress: RequestProgress;
  end: (error?: Error) => void;
}

/** A queue whose requests end when the test ends them. */
function openQueue(counts = { initialRequests: 4, maxRequests: 16 }) {
  const clock = virtualClock();
  const openRequests: OpenRequest[] = [];
  const queue = new RequestQueue({ ...limits, ...counts }, clock, (items, progress) => {
    return new Promise<void>((resolve, reject) => {
      const end = (error?: Error) => {
        if (error) return reject(error);
        for (const item of items) progress.settle(item, "written");
        resolve();
      };
      openRequests.push({ items, progress, end });
    });
  });
  const endAll = async () => {
    for (const { end } of openRequests.splice(0)) end();
    await nextTurn();
  };
  return { queue, clock, openRequests, endAll };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("requests at once", () => {
  it("the number of requests at once begins with a few and grows by one per second without trouble", async () => {
    const { queue, clock, openRequests, endAll } = openQueue();
    void queue.write(itemsOf(25 * 100));
    const counts = [openRequests.length];
    for (let second = 0; second < 4; second++) {
      await clock.sleep(1_000, new AbortController().signal);
      await endAll();
      counts.push(openRequests.length);
    }
    expect(counts).toEqual([4, 5, 6, 7, 8]);
  });

  it("the number of requests at once is halved by a throttle, once for all requests under way", async () => {
    const { queue, clock, openRequests, endAll } = openQueue({
      initialRequests: 8,
      maxRequests: 16,
    });
    void queue.write(itemsOf(25 * 100));
    await clock.sleep(10, new AbortController().signal);
    for (const { progress } of openRequests) progress.reportThrottle();
    await endAll();
    expect(openRequests.length).toBe(4);
  });

  it("the request queue has room only for items that it can send soon", async () => {
    const { queue, endAll } = openQueue();
    let isFree = false;
    void queue.write(itemsOf(25 * 13));
    const room = queue.waitForRoom().then(() => {
      isFree = true;
    });
    await nextTurn();
    expect(isFree).toBe(false);
    await endAll();
    await room;
  });

  it("all requests end after one has failed, and none is started after it", async () => {
    const { queue, openRequests } = openQueue();
    const writes = [
      queue.write(itemsOf(50)),
      queue.write(itemsOf(50, 50)),
      queue.write(itemsOf(500, 100)),
    ];
    const ends = Promise.allSettled(writes);
    const [firstRequest, ...otherRequests] = openRequests.splice(0);
    firstRequest?.end(new Error("refused"));
    await nextTurn();
    expect(openRequests).toEqual([]);
    for (const { end } of otherRequests) end();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    await expect(queue.write(itemsOf(1))).rejects.toThrow("refused");
    await queue.waitForRoom();
  });
});

describe("a queue with few keys", () => {
  const readings = (count: number, devices: number) =>
    Array.from({ length: count }, (_, index) => itemOf(`device-${index % devices}`));

  it("a request that is not full is kept while there is room for more items", async () => {
    const { queue, openRequests } = openQueue();
    void queue.write(readings(100, 10));
    await queue.waitForRoom();
    expect(openRequests).toEqual([]);
  });

  it("a request that is not full is sent when there is no room and no request under way", async () => {
    const { queue, openRequests, endAll } = openQueue();
    void queue.write(readings(300, 10));
    expect(openRequests.map(({ items }) => items.length)).toEqual([10]);
    let isFree = false;
    const room = queue.waitForRoom().then(() => {
      isFree = true;
    });
    for (let round = 0; round < 100 && !isFree; round++) await endAll();
    await room;
  });

  it("pages with the same few keys are written to the end, whatever the number of keys", async () => {
    const shape = fc.record({
      pages: fc.integer({ min: 1, max: 30 }),
      perPage: fc.integer({ min: 1, max: 120 }),
      devices: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ pages, perPage, devices }) => {
        const { queue, openRequests, endAll } = openQueue();
        const written: Promise<unknown>[] = [];
        let isRead = false;
        const reading = (async () => {
          for (let page = 0; page < pages; page++) {
            await queue.waitForRoom();
            written.push(queue.write(readings(perPage, devices)));
          }
          queue.flush();
          await Promise.all(written);
          isRead = true;
        })();
        await nextTurn();
        for (let idleRounds = 0; !isRead && idleRounds < 3; ) {
          idleRounds = openRequests.length === 0 ? idleRounds + 1 : 0;
          await endAll();
        }
        expect(isRead).toBe(true);
        await reading;
      }),
      { numRuns: 60 },
    );
  });

  it("items of a key are written in order, one request after the other", async () => {
    const { queue, openRequests, endAll } = openQueue();
    const items = [1, 2, 3].map((index) => ({ ...itemOf("device"), index }));
    const writing = queue.write(items);
    queue.flush();
    const order: number[] = [];
    while (openRequests.length > 0) {
      expect(openRequests).toHaveLength(1);
      order.push(...openRequests.flatMap((request) => request.items.map(({ index }) => index)));
      await endAll();
    }
    expect(order).toEqual([1, 2, 3]);
    expect((await writing).written).toBe(3);
  });

  it("a queue whose items are too many bytes for its room goes on as well", async () => {
    const { queue, openRequests, endAll } = openQueue();
    const large = Array.from({ length: 12 }, () => itemOf("device", 400 * 1024));
    void queue.write(large);
    let isFree = false;
    const room = queue.waitForRoom().then(() => {
      isFree = true;
    });
    for (let round = 0; round < 20 && !isFree; round++) await endAll();
    await room;
    expect(openRequests.length).toBeLessThanOrEqual(1);
  });
});

it("a signal for many requests aborts with the reason of the first of its signals", () => {
  const [person, lease] = [new AbortController(), new AbortController()];
  const signal = shareSignal(person.signal, lease.signal);
  lease.abort(new Error("the lease is lost"));
  person.abort(new Error("interrupted"));
  expect(signal.reason).toEqual(new Error("the lease is lost"));
});
