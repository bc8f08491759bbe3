import { setTimeout as wait } from "node:timers/promises";
import type { Answer, Invocation } from "./runtime-api.ts";
import type { FailureRecord, LambdaFunction } from "./types.ts";

export interface EventQueueSettings {
  /** Invokes a function. Rejects when no process can be started. */
  invoke: (definition: LambdaFunction, event: Invocation) => Promise<Answer | "throttled">;
  retryDelaysMs: readonly number[];
  throttleDelayMs: number;
  onFailure: (record: FailureRecord) => void;
  /** Drops all events. */
  signal: AbortSignal;
}

const SIX_HOURS_MS = 6 * 3_600_000;
const LONGEST_THROTTLE_DELAY_MS = 300_000;

/** The asynchronous events, until they succeed or reach the on-failure destination. */
export class EventQueue {
  readonly #settings: EventQueueSettings;
  /** The events that are waiting or running. */
  readonly #deliveries = new Set<Promise<void>>();

  constructor(settings: EventQueueSettings) {
    this.#settings = settings;
  }

  /** Accepts an event and returns at once. */
  send(definition: LambdaFunction, event: Invocation): void {
    const delivery = this.#deliver(definition, event)
      .catch((error) => {
        if (!this.#settings.signal.aborted) throw error;
      })
      .finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }

  /** Resolves when no event is waiting or running. */
  async waitUntilIdle(): Promise<void> {
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
  }

  async #deliver(definition: LambdaFunction, event: Invocation): Promise<void> {
    const { invoke, onFailure, signal } = this.#settings;
    const { retries = 2, maximumEventAgeMs = SIX_HOURS_MS } = definition;
    const expiresAt = performance.now() + maximumEventAgeMs;
    let attempts = 0;
    let throttles = 0;
    let lastError: Answer | undefined;
    for (;;) {
      // Neither a throttle nor a fault of the service counts as an attempt.
      const answer = await invoke(definition, event).catch(() => "throttled" as const);
      if (signal.aborted) return;
      if (answer === "throttled") {
        throttles += 1;
      } else if (answer.errorType === undefined) {
        return;
      } else {
        lastError = answer;
        attempts += 1;
        throttles = 0;
        if (attempts > retries) {
          return onFailure(failureRecord(event, "RetriesExhausted", attempts, lastError));
        }
      }
      const delay = throttles > 0 ? this.#throttleDelay(throttles) : this.#retryDelay(attempts);
      const remainingMs = expiresAt - performance.now();
      await wait(Math.max(0, Math.min(delay, remainingMs)), undefined, { signal });
      if (delay >= remainingMs) {
        return onFailure(failureRecord(event, "EventAgeExceeded", attempts, lastError));
      }
    }
  }

  #retryDelay(attempts: number): number {
    const { retryDelaysMs } = this.#settings;
    return retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0;
  }

  #throttleDelay(throttles: number): number {
    const delay = this.#settings.throttleDelayMs * 2 ** (throttles - 1);
    return Math.min(delay, LONGEST_THROTTLE_DELAY_MS);
  }
}

function failureRecord(
  { requestId, functionArn, payload }: Invocation,
  condition: FailureRecord["requestContext"]["condition"],
  approximateInvokeCount: number,
  lastError: Answer | undefined,
): FailureRecord {
  return {
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId,
      functionArn: `${functionArn}:$LATEST`,
      condition,
      approximateInvokeCount,
    },
    requestPayload: JSON.parse(payload),
    ...(lastError && {
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      },
      responsePayload: JSON.parse(lastError.payload),
    }),
  };
}
