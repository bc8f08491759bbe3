import type { Job } from "./run.ts";
import type { World } from "./world.ts";

/** Well inside of a lease's 50 seconds, with room for a slow answer of the state table. */
const RENEW_MS = 20_000;

/** A checkpoint costs as much as a batch: pages that are durable soon after one wait for the next. */
export const CHECKPOINT_MS = 200;

/**
 * When a slice has to have ended, for a function that has `remaining` milliseconds left. Behind it
 * come at most a renewal, the run's line in the history and the release, each of which may wait out
 * one silent request.
 */
export const deadlineOf = (now: number, remaining: number): number =>
  now + remaining - Math.min(25_000, remaining / 5);

/**
 * Waits for `work` and renews the lease meanwhile. When the lease is lost, the work is called off
 * and waited for: nothing of this worker goes on behind its end.
 */
export async function holding<T>(work: Promise<T>, { lease, world, stop }: Job): Promise<T> {
  const settled = new AbortController();
  const result = work.finally(() => settled.abort());
  const ended = result.then(
    () => false,
    () => false,
  );
  while (true) {
    const due = world.clock.sleep(RENEW_MS, settled.signal).then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([due, ended]))) return result;
    try {
      await lease.renew();
    } catch (error) {
      stop.abort(error);
      // A step of its own that failed is why this one did: the work tells.
      await result;
      throw error;
    }
  }
}

/** Tells whether there is time for a step that is twice as slow as the slowest so far. */
export function pacer({ clock, deadline }: Pick<World, "clock" | "deadline">) {
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
