import type { IncomingHttpHeaders } from "node:http";
import type { RetryPlan } from "../config/plan-types.ts";
import type { RequestError } from "../errors.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The pause before the next attempt in milliseconds, or undefined when there shall be none.
 * Attempt 1 is the first try. A Retry-After is kept exactly; without one the pause grows as
 * factor × 2^(n−1) seconds, times random(0.5…1) so that workers that failed together do not come
 * back together.
 */
export function nextDelay(failed: {
  attempt: number;
  error: RequestError;
  policy: RetryPlan;
  random: () => number;
}): number | undefined {
  const { attempt, error, policy, random } = failed;
  if (!error.retryable || attempt > policy.maxRetries) return undefined;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs;
  const seconds = policy.backoffFactor * 2 ** (attempt - 1);
  return Math.round(seconds * 1000 * (0.5 + random() / 2));
}

/**
 * Retry-After in milliseconds, from seconds or an HTTP date. Undefined for none, for what is past
 * or now (which would burn the attempts without a pause) and for nonsense.
 */
export function retryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 && ms <= 7 * DAY_MS ? Math.round(ms) : undefined;
}
