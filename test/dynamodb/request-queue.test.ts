import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cut, inLanesOf, type Told } from "../../packages/core/src/dynamodb/request-queue.ts";
import type { KeyedItem } from "../../packages/core/src/flow.ts";
import { virtualClock } from "../support/clock.ts";

const limits = { size: 25, bytes: 1024 * 1024 };
const itemOf = (key: string, bytes = 1): KeyedItem => ({
  key,
  item: {},
  bytes,
  index: 0,
  record: {},
});
const itemsOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => itemOf(`${from + n}`));

describe("a request", () => {
  it("a request takes the first pending items that fit, each key once, and the others keep their order", () => {
    const waiting = fc.array(
      fc.record({
        key: fc.integer({ min: 0, max: 60 }),
        bytes: fc.integer({ min: 1, max: 409_600 }),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(waiting, fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (queued, under) => {
        const busy = new Set(under.map(String));
        const queue = queued.map(({ key, bytes }, n) => ({ n, one: { key: String(key), bytes } }));
        const { batch, rest, isFull } = cut(queue, busy, limits);
        const keys = batch.map(({ one }) => one.key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.some((key) => busy.has(key))).toBe(false);
        expect(batch.length).toBeLessThanOrEqual(25);
        expect(batch.reduce((sum, { one }) => sum + one.bytes, 0)).toBeLessThanOrEqual(
          limits.bytes,
        );
        // Nothing is lost, and of each key the earliest goes first.
        expect([...batch, ...rest].map(({ n }) => n).sort((a, b) => a - b)).toEqual(
          queue.map(({ n }) => n),
        );
        expect(rest.map(({ n }) => n)).toEqual(rest.map(({ n }) => n).sort((a, b) => a - b));
        for (const { n, one } of batch) {
          expect(rest.some((other) => other.one.key === one.key && other.n < n)).toBe(false);
        }
        const free = queue.filter(({ one }) => !busy.has(one.key));
        if (!isFull) expect(new Set(free.map(({ one }) => one.key)).size).toBe(batch.length);
      }),
    );
  });
});

/** Requests that end when they are told to. */
function openQueue(lanes = { ...limits, first: 4, most: 16 }) {
  const clock = virtualClock();
  const under: { batch: KeyedItem[]; told: Told; end: (error?: Error) => void }[] = [];
  const writer = inLanesOf(lanes, clock, (batch, told) => {
    return new Promise<void>((resolve, reject) => {
      under.push({
        batch,
        told,
        end(error) {
          if (error) return reject(error);
          for (const item of batch) told.settled(item, "written");
          resolve();
        },
      });
    });
  });
  const endAll = async () => {
    for (const { end } of under.splice(0)) end();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { writer, clock, under, endAll };
}

describe("requests at once", () => {
  it("the number of requests at once begins with a few and grows by one per second without trouble", async () => {
    const { writer, clock, under, endAll } = openQueue();
    void writer.write(itemsOf(25 * 100));
    const counts = [under.length];
    for (let second = 0; second < 4; second++) {
      await clock.sleep(1_000, new AbortController().signal);
      await endAll();
      counts.push(under.length);
    }
    expect(counts).toEqual([4, 5, 6, 7, 8]);
  });

  it("the number of requests at once is halved by a throttle, once for all requests under way", async () => {
    const { writer, clock, under, endAll } = openQueue({ ...limits, first: 8, most: 16 });
    void writer.write(itemsOf(25 * 100));
    await clock.sleep(10, new AbortController().signal);
    for (const { told } of under) told.throttled();
    await endAll();
    expect(under.length).toBe(4);
  });

  it("the request queue has room only for items that it can send soon", async () => {
    const { writer, endAll } = openQueue();
    let isFree = false;
    void writer.write(itemsOf(25 * 13));
    const room = writer.room().then(() => {
      isFree = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFree).toBe(false);
    await endAll();
    await room;
  });

  it("all requests end after one has failed, and none is started after it", async () => {
    const { writer, under } = openQueue();
    const pages = [
      writer.write(itemsOf(50)),
      writer.write(itemsOf(50, 50)),
      writer.write(itemsOf(500, 100)),
    ];
    const ends = Promise.allSettled(pages);
    const [first, ...others] = under.splice(0);
    first?.end(new Error("refused"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(under).toEqual([]);
    for (const { end } of others) end();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    await expect(writer.write(itemsOf(1))).rejects.toThrow("refused");
    await writer.room();
  });
});
