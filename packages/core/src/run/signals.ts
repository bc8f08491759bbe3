import { FINISH_WRITING_MS } from "../base/timing.ts";
import type { Clock } from "../base/world.ts";

/**
 * What stops a slice. After an interrupt no further request is made to the API, and pages that were
 * read get a moment to be written. When the lease is lost, everything stops at once.
 */
export class RunSignals {
  /** The person or the platform wants the run to stop. */
  readonly interrupted: AbortSignal;
  /** Stops requests to the API. */
  readonly reading: AbortSignal;
  /** Stops writing to DynamoDB. */
  readonly writing: AbortSignal;

  /** Everything stops: the lease is lost, or the slice has ended. */
  readonly #aborted = new AbortController();
  /** The moment after an interrupt is over. */
  readonly #tooLate = new AbortController();
  /** Ends the timer of that moment. */
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

  /** The slice has ended: whatever is still pending stops. */
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
