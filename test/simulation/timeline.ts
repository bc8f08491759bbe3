/** The one time of a history. It passes only from event to event; no real timer is ever set. */
export interface Timeline {
  /** Virtual milliseconds since the history began. */
  now(): number;
  at(time: number, action: () => void): Scheduled;
  after(ms: number, action: () => void): Scheduled;
  /** Plays events in order until `until` says so or none is left. */
  play(until: () => boolean): Promise<void>;
}

export interface Scheduled {
  cancel(): void;
}

interface Event {
  time: number;
  /** Breaks ties: what was scheduled first happens first. */
  order: number;
  action: () => void;
}

export function timeline(): Timeline {
  const events: Event[] = [];
  let now = 0;
  let order = 0;

  const at = (time: number, action: () => void): Scheduled => {
    order += 1;
    const event = { time: Math.max(time, now), order, action };
    events.splice(position(events, event), 0, event);
    return {
      cancel() {
        const index = position(events, event);
        if (events[index] === event) events.splice(index, 1);
      },
    };
  };

  return {
    now: () => now,
    at,
    after: (ms, action) => at(now + ms, action),
    async play(until) {
      while (!until()) {
        const event = events.pop();
        if (!event) return;
        now = event.time;
        event.action();
        await quiet();
      }
    },
  };
}

/** Where an event stands in the list, whose end is next to happen. */
function position(events: readonly Event[], event: Event): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = events[middle] as Event;
    const later = other.time - event.time || other.order - event.order;
    if (later > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Resolves when the program under test waits for the timeline and for nothing else. Promises and
 * `nextTick` are all done before an immediate runs; Node's streams use one immediate of their own.
 */
async function quiet(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
