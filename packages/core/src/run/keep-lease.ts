import { LEASE_RENEWAL_MS } from "../base/timing.ts";
import type { Job } from "./job.ts";

/**
 * Waits for `work` and renews the lease in the meantime. When the lease is lost, the work is aborted
 * and awaited, so that no write of this worker happens later.
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
      // If the work has failed, its error is the cause and is thrown first.
      await result;
      throw error;
    }
  }
}
