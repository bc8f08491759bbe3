import { describe, expect, test } from "vitest";
import { RequestError } from "../../packages/core/src/base/errors.ts";
import { nextDelay, readRetryAfter } from "../../packages/core/src/extract/http/retry.ts";

const policy = {
  statuses: new Set([503]),
  maxRetries: 3,
  backoffFactor: 2,
  maxWaitMs: 86_400_000,
};

const statusError = (retryable: boolean, retryAfterMs?: number) =>
  new RequestError({
    code: "extract.status",
    message: "GET /x answered 503",
    retryable,
    retryAfterMs,
  });

describe("the pause before the next attempt (P12)", () => {
  test.each([
    // attempt, random, Retry-After → delay
    [1, 1, undefined, 2000],
    [2, 1, undefined, 4000],
    [3, 1, undefined, 8000],
    [1, 0, undefined, 1000],
    [2, 0.5, undefined, 3000],
    [3, 0.2, undefined, 4800],
    [4, 1, undefined, undefined],
    [1, 0, 60_000, 60_000],
    [3, 0, 1, 1],
    [4, 0, 60_000, undefined],
    [1, 0, 604_800_000, 86_400_000],
  ])("after attempt %i, with random %d and a Retry-After of %s ms, the pause is %s ms (P12)", (attempt, random, after, delay) => {
    const error = statusError(true, after);
    expect(nextDelay({ attempt, error, policy, random: () => random })).toBe(delay);
  });

  test("no attempt follows an error that another attempt cannot cure (P12)", () => {
    const error = statusError(false, 1000);
    expect(nextDelay({ attempt: 1, error, policy, random: () => 1 })).toBe(undefined);
  });

  test("the backoff factor may be a fraction, and max_retries 0 means no retry (P12)", () => {
    const delayWith = (changes: Partial<typeof policy>) =>
      nextDelay({
        attempt: 1,
        error: statusError(true),
        policy: { ...policy, ...changes },
        random: () => 1,
      });
    expect(delayWith({ backoffFactor: 0.25 })).toBe(250);
    expect(delayWith({ maxRetries: 0 })).toBe(undefined);
  });

  test("no pause is longer than max_wait, whether an answer or the config asks for it (P12)", () => {
    const delayWith = (changes: Partial<typeof policy>, after?: number) =>
      nextDelay({
        attempt: 3,
        error: statusError(true, after),
        policy: { ...policy, ...changes },
        random: () => 1,
      });
    expect(delayWith({ maxWaitMs: 5_000 }, 60_000)).toBe(5_000);
    expect(delayWith({ maxWaitMs: 120_000 }, 60_000)).toBe(60_000);
    expect(delayWith({ maxWaitMs: 5_000, backoffFactor: 600 })).toBe(5_000);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);
  test.each([
    ["120", 120_000],
    ["1.5", 1500],
    ["Thu, 01 Jan 2026 12:00:30 GMT", 30_000],
    ["0", undefined],
    ["-5", undefined],
    ["Thu, 01 Jan 2026 11:59:00 GMT", undefined],
    ["soon", undefined],
    ["", undefined],
    ["604800", 604_800_000],
    ["99999999999999999999", undefined],
    ["Thu, 01 Jan 2099 00:00:00 GMT", undefined],
  ])('a Retry-After of "%s" is a wait of %s ms', (value, ms) => {
    expect(readRetryAfter({ "retry-after": value }, { now, status: 503 })).toBe(ms);
  });

  test("an answer without Retry-After asks for no wait", () => {
    expect(readRetryAfter({}, { now, status: 503 })).toBe(undefined);
  });

  test.each([
    [{ "x-ratelimit-reset": "30" }, 30_000],
    [{ "ratelimit-reset": "30" }, 30_000],
    [{ "x-rate-limit-reset": String(now / 1000 + 45) }, 45_000],
    [{ "x-ratelimit-reset": String(now + 1500) }, 1500],
    [{ "x-ratelimit-reset": String(now / 1000 - 45) }, undefined],
    [{ "x-ratelimit-reset": "soon" }, undefined],
    [{ "x-ratelimit-reset": "30", "retry-after": "2" }, 2000],
  ])("a 429 with the headers %j asks for a wait of %s ms", (headers, ms) => {
    expect(readRetryAfter(headers, { now, status: 429 })).toBe(ms);
  });

  test("the reset of a rate limit asks for no wait where the status is not 429", () => {
    expect(readRetryAfter({ "x-ratelimit-reset": "30" }, { now, status: 503 })).toBe(undefined);
  });
});
