import { FINISH_WRITING_MS } from "../base/timing.ts";
import type { Clock } from "../base/world.ts";

/**
 * The signals that stop a slice. After an interrupt no further request is made to the API, and pages
 * that were read get FINISH_WRITING_MS to be written. A lost lease stops everything at once.
 */
export class RunSignals {
  /** Set when a person or the platform stops the run. */
  readonly interrupted: AbortSignal;
  /** Stops requests to the API. */
  readonly reading: AbortSignal;
  /** Stops writing to DynamoDB. */
  readonly writing: AbortSignal;

  /** Stops everything, because the lease is lost or the slice has ended. */
  readonly #aborted = new AbortController();
  /** Set when the time for writing after an interrupt is over. */
  readonly #tooLate = new AbortController();
  /** Ends the timer of the time for writing. */
  readonly #closed = new AbortController();
  readonly #clock: Clock;

  constructor(interrupted: AbortSignal, clock: Clock) {
    this.#clock = clock;
    this.interrupted = interrupted;
    this.reading = AbortSignal.any([interrupted, this.#aborted.signal]);
    this.writing = AbortSignal.any([this.#tooLate.signal, this.#aborted.signal]);
    interrupted.addEventListener("abort", this.#onInterrupt, { once: true });
    if (interrupted.aborted) this.#onInterrupt();
  }

  abort(reason: unknown): void {
    this.#aborted.abort(reason);
  }

  /** Ends the slice and stops all pending work. */
  close(): void {
    this.interrupted.removeEventListener("abort", this.#onInterrupt);
    this.#closed.abort();
    this.#aborted.abort();
  }

  readonly #onInterrupt = (): void => {
    this.#clock.sleep(FINISH_WRITING_MS, this.#closed.signal).then(
      () => this.#tooLate.abort(this.interrupted.reason),
      () => {},
    );
  };
}
