import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { features, matrixText } from "./features.ts";
import { simulate } from "./simulate.ts";
import { add, merge, noTotals, tell } from "./totals.ts";

const SEEDS = 140;

describe("the engine in a world that fails", () => {
  it(`keeps every promise in ${SEEDS} histories of the product of features (P1-P20)`, async () => {
    const totals = noTotals();
    for (let seed = 1; seed <= SEEDS; seed++) add(totals, await simulate(seed));
    expect(totals.failures.map(tell).join("\n")).toBe("");
    // A history in which nothing went wrong proves nothing.
    const { counters, cells } = totals;
    expect(counters.crashes).toBeGreaterThan(SEEDS);
    expect(counters.pauses).toBeGreaterThan(SEEDS / 2);
    expect(counters.faults).toBeGreaterThan(5 * SEEDS);
    expect(counters.takeovers).toBeGreaterThan(SEEDS / 2);
    expect(counters.duplicate_events).toBeGreaterThan(SEEDS / 2);
    expect(counters.quarantined).toBeGreaterThan(SEEDS / 4);
    expect(counters.deletes).toBeGreaterThan(SEEDS);
    expect(counters.runs_done).toBeGreaterThan(5 * SEEDS);
    expect(counters.refreshes_done).toBeGreaterThan(SEEDS);
    for (const feature of features)
      expect(cells[`${feature} × ${feature}`], feature).toBeGreaterThan(5);
  }, 180_000);

  it("is replayed by its seed, event by event", async () => {
    for (const seed of [1, 2, 3]) {
      const [first, second] = [await simulate(seed), await simulate(seed)];
      expect(second).toEqual(first);
    }
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  }, 60_000);
});

describe("the oracle", () => {
  it("imports no code of the engine", () => {
    const folder = `${import.meta.dirname}/oracle`;
    for (const file of readdirSync(folder)) {
      expect(readFileSync(`${folder}/${file}`, "utf8"), file).not.toContain("packages/core");
    }
  });
});

describe("the figures of many histories", () => {
  it("are the same when they are summed from parts", async () => {
    const [whole, first, second] = [noTotals(), noTotals(), noTotals()];
    for (const seed of [11, 12]) {
      const history = await simulate(seed);
      add(whole, history);
      add(seed === 11 ? first : second, history);
    }
    merge(first, second);
    expect(first).toEqual(whole);
  }, 30_000);

  it("show a pair of features that was never drawn as a hole", () => {
    expect(matrixText({ "children × refresh": 3 })).toContain("never");
  });
});
