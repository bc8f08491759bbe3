import { SLICE_RESERVE_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";

/**
 * Returns the deadline of a slice, for a function with `remaining` milliseconds left. After the
 * deadline come at most a renewal, the history item and the release, and each may wait for one
 * request that times out.
 */
export const deadlineOf = (now: number, remaining: number): number =>
  now + remaining - Math.min(SLICE_RESERVE_MS, remaining / 5);

/** Decides whether there is time for a step twice as slow as the slowest step so far. */
export function createPacer({ clock, deadline }: Pick<World, "clock" | "deadline">) {
  let slowest = 0;
  return {
    hasTime: (): boolean => clock.monotonic() + 2 * slowest < deadline,
    /** Begins to measure a step. The caller calls the returned function when the step has ended. */
    begin() {
      const began = clock.monotonic();
      return (): void => {
        slowest = Math.max(slowest, clock.monotonic() - began);
      };
    },
  };
}
