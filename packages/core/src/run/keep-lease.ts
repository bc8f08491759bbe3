import { LEASE_RENEWAL_MS } from "../base/timing.ts";
import type { Job } from "./job.ts";

/**
 * Waits for `work` and renews the lease meanwhile. When the lease is lost, the work is stopped and
 * waited for: nothing of this worker goes on after its end.
 */
export async function keepingLease<T>(
  work: Promise<T>,
  { lease, world, signals }: Pick<Job, "lease" | "world" | "signals">,
): Promise<T> {
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
      // planted: renew-while-pending
      await lease.renew();
    } catch (error) {
      signals.abort(error);
      // A step of the work that failed is the cause: the work tells.
      await result;
      throw error;
    }
  }
}
