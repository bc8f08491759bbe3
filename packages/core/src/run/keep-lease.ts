import { LEASE_RENEWAL_MS } from "../base/timing.ts";
import type { Job } from "./job.ts";

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
    const due = world.clock.sleep(LEASE_RENEWAL_MS, settled.signal).then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([due, ended]))) return result;
    try {
      // planted: renewal
      await lease.renew();
    } catch (error) {
      stop.abort(error);
      // A step of its own that failed is why this one did: the work tells.
      await result;
      throw error;
    }
  }
}
