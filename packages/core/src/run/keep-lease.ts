import type { Job } from "./job.ts";

/** Well inside of a lease's 50 seconds, with room for a slow answer of the state table. */
const RENEW_MS = 20_000;

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
