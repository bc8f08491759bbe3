import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "./world.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    wait(ms, undefined, signal ? { signal } : {}).catch(() => {
      // Node rejects with an AbortError of its own; callers want to know why.
      throw signal?.reason;
    }),
};
