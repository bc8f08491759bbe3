import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "./world.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    wait(ms, undefined, signal ? { signal } : {}).catch(() => {
      // Node rejects with an AbortError, which hides the reason that callers need.
      throw signal?.reason;
    }),
};
