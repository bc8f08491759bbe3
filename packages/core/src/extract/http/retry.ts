import type { IncomingHttpHeaders } from "node:http";
import type { RequestError } from "../../base/errors.ts";
import { NONSENSE_WAIT_MS } from "../../base/timing.ts";
import type { RetryPlan } from "../../config/plan-types.ts";

/**
 * The pause before the next attempt in milliseconds, or undefined where the error is final. Attempt 1
 * is the first. A Retry-After is kept exactly. Otherwise the pause grows as factor × 2^(n−1) seconds,
 * times random(0.5…1): workers that failed together should not return together. No pause is longer
 * than the policy allows: one odd answer would close a source for weeks.
 */
export function nextDelay(failed: {
  attempt: number;
  error: RequestError;
  policy: RetryPlan;
  random: () => number;
}): number | undefined {
  const { attempt, error, policy, random } = failed;
  if (!error.retryable || /* planted: attempts */ attempt > policy.maxRetries) return undefined;
  const backoffSeconds = policy.backoffFactor * 2 ** (attempt - 1) * (0.5 + random() / 2);
  return Math.min(error.retryAfterMs ?? Math.round(backoffSeconds * 1000), policy.maxWaitMs);
}

/**
 * The wait in milliseconds that the API asks for: a Retry-After in seconds or as an HTTP date, or, for
 * a 429 without a Retry-After, the reset of the rate limit. Undefined without either, for nonsense, and
 * for a time in the past, which would use up the attempts without a pause.
 */
export function readRetryAfter(
  headers: IncomingHttpHeaders,
  { now, status }: { now: number; status: number },
): number | undefined {
  const retryMs = parseRetryAfter(headers["retry-after"], now);
  const ms = retryMs ?? (status === 429 ? msUntilReset(headers, now) : 0);
  return ms > 0 && ms <= NONSENSE_WAIT_MS ? Math.round(ms) : undefined;
}

function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const value = header?.trim();
  if (!value) return undefined;
  const ms = isNumberText(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Seconds from now, or, where the number is large enough, a time since 1970. */
function msUntilReset(headers: IncomingHttpHeaders, now: number): number {
  const names = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];
  const value = names.map((name) => String(headers[name] ?? "").trim()).find(isNumberText);
  const reset = Number(value ?? 0);
  if (reset < 1e9) return reset * 1000;
  return (reset < 1e12 ? reset * 1000 : reset) - now;
}

const isNumberText = (text: string): boolean => /^\d+(\.\d+)?$/.test(text);
