import type { Clock } from "../../packages/core/src/base/world.ts";

export interface VirtualClock extends Clock {
  /** The sleeps that made time pass, in order. */
  readonly sleeps: number[];
  /** Lets time pass; sleeps that are due by then end. */
  advance(ms: number): void;
}

interface PendingSleep {
  endsAt: number;
  wake: () => void;
}

/**
 * Time that passes only when the code under test sleeps: a sleep moves the clock at once and is
 * recorded. Time-outs and renewals are sleeps as well, but ones that are meant to be interrupted.
 * A sleep whose length is in `watches`, or at least `watchesFrom`, therefore stays pending until
 * short sleeps or `advance` have brought the clock to its end.
 */
export function virtualClock({
  start = Date.UTC(2026, 0, 1),
  watches = [30_000, 20_000],
  watchesFrom = Number.POSITIVE_INFINITY,
}: {
  start?: number;
  watches?: number[];
  watchesFrom?: number;
} = {}): VirtualClock {
  const sleeps: number[] = [];
  const pending = new Set<PendingSleep>();
  let elapsed = 0;

  const advance = (ms: number) => {
    elapsed += ms;
    for (const sleep of [...pending].sort((a, b) => a.endsAt - b.endsAt)) {
      if (sleep.endsAt <= elapsed) sleep.wake();
    }
  };

  return {
    sleeps,
    advance,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (!watches.includes(ms) && ms < watchesFrom) {
        sleeps.push(ms);
        advance(ms);
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const endWith = (settle: () => void) => () => {
          pending.delete(sleep);
          signal?.removeEventListener("abort", abort);
          settle();
        };
        const abort = endWith(() => reject(signal?.reason));
        const sleep = { endsAt: elapsed + ms, wake: endWith(resolve) };
        pending.add(sleep);
        signal?.addEventListener("abort", abort);
      });
    },
  };
}

/**
 * A world for tests of slices: every answer of the API takes ANSWER_MS of a virtual clock, and a
 * slice has SLICE_MS. The end of a slice then depends on the number of its requests alone, however
 * busy the machine is.
 */
export function slicedTime({ start }: { start?: number } = {}) {
  const clock = virtualClock({ watchesFrom: 1_000, ...(start === undefined ? {} : { start }) });
  return {
    clock,
    passAnswer: () => clock.advance(ANSWER_MS),
    oneSlice: () => ({ clock, deadline: clock.monotonic() + SLICE_MS }),
  };
}

const ANSWER_MS = 6_000;
const SLICE_MS = 15_000;
