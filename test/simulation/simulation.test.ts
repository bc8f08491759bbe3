import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.ts";
import { add, noTotals, tell } from "./totals.ts";

const SEEDS = 200;

describe("the engine in a world that fails", () => {
  it(`the engine keeps every promise in ${SEEDS} simulated histories (P1-P10, P12, P15)`, async () => {
    const totals = noTotals();
    for (let seed = 1; seed <= SEEDS; seed++) add(totals, await simulate(seed));
    expect(totals.failures.map(tell).join("\n")).toBe("");
    // A history in which nothing went wrong proves nothing.
    const { counters } = totals;
    expect(counters.crashes).toBeGreaterThan(SEEDS);
    expect(counters.pauses).toBeGreaterThan(SEEDS / 2);
    expect(counters.faults).toBeGreaterThan(5 * SEEDS);
    expect(counters.takeovers).toBeGreaterThan(SEEDS / 2);
    expect(counters.duplicate_events).toBeGreaterThan(SEEDS / 2);
    expect(counters.quarantined).toBeGreaterThan(SEEDS);
    expect(counters.deletes).toBeGreaterThan(SEEDS / 4);
    expect(counters.runs_done).toBeGreaterThan(5 * SEEDS);
  }, 600_000);

  it("a simulated history is replayed by its seed, event by event", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [first, second] = [await simulate(seed), await simulate(seed)];
      expect(second).toEqual(first);
    }
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  });
});
