import { SLICE_RESERVE_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";

/**
 * When a slice has to have ended, for a function that has `remaining` milliseconds left. Behind it
 * come at most a renewal, the run's line in the history and the release, each of which may wait out
 * one silent request.
 */
export const deadlineOf = (now: number, remaining: number): number =>
  now + remaining - Math.min(SLICE_RESERVE_MS, remaining / 5);

/** Tells whether there is time for a step that is twice as slow as the slowest so far. */
export function createPacer({ clock, deadline }: Pick<World, "clock" | "deadline">) {
  let slowest = 0;
  return {
    hasTime: (): boolean => clock.monotonic() + 2 * slowest < deadline,
    /** A step begins; it has come to an end, or further, when what is returned is called. */
    begin() {
      const began = clock.monotonic();
      return (): void => {
        slowest = Math.max(slowest, clock.monotonic() - began);
      };
    },
  };
}
