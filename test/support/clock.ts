import type { Clock } from "../../packages/core/src/base/world.ts";

export interface VirtualClock extends Clock {
  /** The sleeps that made time pass, in order. */
  readonly sleeps: number[];
  /** Lets time pass from outside: what is due by then wakes up. */
  advance(ms: number): void;
}

interface Waiting {
  at: number;
  wake: () => void;
}

/**
 * Time that passes only when somebody sleeps: a sleep moves the clock at once and is recorded.
 * Time-outs and renewals are sleeps too, but ones that hope to be interrupted: those of the
 * lengths in `watches` stay pending until other sleeps or `advance` have brought the clock there.
 */
export function virtualClock({
  start = Date.UTC(2026, 0, 1),
  watches = [30_000, 20_000],
}: {
  start?: number;
  watches?: number[];
} = {}): VirtualClock {
  const sleeps: number[] = [];
  const pending = new Set<Waiting>();
  let elapsed = 0;

  const advance = (ms: number) => {
    elapsed += ms;
    for (const waiting of [...pending].sort((a, b) => a.at - b.at)) {
      if (waiting.at <= elapsed) waiting.wake();
    }
  };

  return {
    sleeps,
    advance,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (!watches.includes(ms)) {
        sleeps.push(ms);
        advance(ms);
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => () => {
          pending.delete(waiting);
          signal?.removeEventListener("abort", abort);
          settle();
        };
        const abort = end(() => reject(signal?.reason));
        const waiting = { at: elapsed + ms, wake: end(resolve) };
        pending.add(waiting);
        signal?.addEventListener("abort", abort);
      });
    },
  };
}
