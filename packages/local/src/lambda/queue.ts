import { setTimeout as wait } from "node:timers/promises";
import type { Answer, Invocation } from "./runtime-api.ts";
import type { FailureRecord, LambdaFunction } from "./types.ts";

export interface Queue {
  /** Returns at once. */
  send(definition: LambdaFunction, event: Invocation): void;
  /** Resolves when nothing waits or is in work any more. */
  waitUntilIdle(): Promise<void>;
}

export interface QueueSettings {
  /** Rejects when no process could be had. */
  invoke: (definition: LambdaFunction, event: Invocation) => Promise<Answer | "throttled">;
  retryDelaysMs: readonly number[];
  throttleDelayMs: number;
  onFailure: (record: FailureRecord) => void;
  /** Drops everything. */
  signal: AbortSignal;
}

const SIX_HOURS_MS = 6 * 3_600_000;
const LONGEST_THROTTLE_DELAY_MS = 300_000;

/** Asynchronous events, from their 202 to their success or to the on-failure destination. */
export function openQueue(settings: QueueSettings): Queue {
  const { invoke, retryDelaysMs, throttleDelayMs, onFailure, signal } = settings;
  const open = new Set<Promise<void>>();

  async function deliver(definition: LambdaFunction, event: Invocation): Promise<void> {
    const { retries = 2, maximumEventAgeMs = SIX_HOURS_MS } = definition;
    const expiresAt = performance.now() + maximumEventAgeMs;
    let attempts = 0;
    let throttles = 0;
    let last: Answer | undefined;
    for (;;) {
      // Neither a throttle nor a fault of the service counts as an attempt.
      const answer = await invoke(definition, event).catch(() => "throttled" as const);
      if (signal.aborted) return;
      if (answer === "throttled") {
        throttles += 1;
      } else if (answer.errorType === undefined) {
        return;
      } else {
        last = answer;
        attempts += 1;
        throttles = 0;
        if (attempts > retries) {
          return onFailure(recordOf(event, "RetriesExhausted", attempts, last));
        }
      }
      const delay = throttles > 0 ? throttleDelay(throttles) : retryDelay(attempts);
      const left = expiresAt - performance.now();
      await wait(Math.max(0, Math.min(delay, left)), undefined, { signal });
      if (delay >= left) return onFailure(recordOf(event, "EventAgeExceeded", attempts, last));
    }
  }

  const retryDelay = (attempts: number) =>
    retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0;
  const throttleDelay = (throttles: number) =>
    Math.min(throttleDelayMs * 2 ** (throttles - 1), LONGEST_THROTTLE_DELAY_MS);

  return {
    send(definition, event) {
      const delivery = deliver(definition, event)
        .catch((error) => {
          if (!signal.aborted) throw error;
        })
        .finally(() => open.delete(delivery));
      open.add(delivery);
    },
    async waitUntilIdle() {
      while (open.size > 0) await Promise.all(open);
    },
  };
}

function recordOf(
  { requestId, functionArn, payload }: Invocation,
  condition: FailureRecord["requestContext"]["condition"],
  approximateInvokeCount: number,
  last: Answer | undefined,
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
    ...(last && {
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      },
      responsePayload: JSON.parse(last.payload),
    }),
  };
}
