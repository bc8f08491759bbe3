import type { IncomingHttpHeaders } from "node:http";
import type { RequestError } from "../../base/errors.ts";
import type { RetryPlan } from "../../config/plan-types.ts";

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
  if (!error.retryable || /* planted: attempts */ attempt > policy.maxRetries) return undefined;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs;
  const seconds = policy.backoffFactor * 2 ** (attempt - 1);
  return Math.round(seconds * 1000 * (0.5 + random() / 2));
}

/**
 * How long the API asks to wait, in milliseconds: Retry-After, from seconds or an HTTP date, and for
 * a 429 without one the reset of the rate limit. Undefined for none, for what is past or now (which
 * would burn the attempts without a pause) and for nonsense.
 */
export function retryAfter(
  headers: IncomingHttpHeaders,
  { now, status }: { now: number; status: number },
): number | undefined {
  const ms = afterMs(headers["retry-after"], now) ?? (status === 429 ? resetMs(headers, now) : 0);
  return ms > 0 && ms <= 7 * DAY_MS ? Math.round(ms) : undefined;
}

function afterMs(header: string | undefined, now: number): number | undefined {
  const value = header?.trim();
  if (!value) return undefined;
  const ms = isNumber(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : ms;
}

/** The names that APIs use: seconds from now, or, where it is that large, a time since 1970. */
function resetMs(headers: IncomingHttpHeaders, now: number): number {
  const names = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];
  const value = names.map((name) => String(headers[name] ?? "").trim()).find(isNumber);
  const reset = Number(value ?? 0);
  if (reset < 1e9) return reset * 1000;
  return (reset < 1e12 ? reset * 1000 : reset) - now;
}

const isNumber = (text: string): boolean => /^\d+(\.\d+)?$/.test(text);
