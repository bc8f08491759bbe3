import type { Lease } from "./load/state.ts";
import type { Clock, World } from "./world.ts";

/** Well inside of a lease's 50 seconds, with room for a slow answer of the state table. */
const RENEW_MS = 20_000;

/** Waits for `work` and renews the lease meanwhile. */
export async function holding<T>(work: Promise<T>, lease: Lease, clock: Clock): Promise<T> {
  const settled = new AbortController();
  const result = work.finally(() => settled.abort());
  const ended = result.then(
    () => false,
    () => false,
  );
  while (true) {
    const due = clock.sleep(RENEW_MS, settled.signal).then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([due, ended]))) return result;
    await lease.renew();
  }
}

/** Tells whether another step as slow as the slowest so far, twice, fits in. */
export function pacer({ clock, deadline }: Pick<World, "clock" | "deadline">) {
  let began = clock.monotonic();
  let slowest = 0;
  return {
    hasTime: (): boolean => clock.monotonic() + 2 * slowest < deadline,
    /** A step has ended and the next one begins. */
    done(): void {
      const now = clock.monotonic();
      slowest = Math.max(slowest, now - began);
      began = now;
    },
  };
}
