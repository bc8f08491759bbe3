import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestError } from "../../packages/core/src/base/errors.ts";
import { nextDelay } from "../../packages/core/src/extract/http/retry.ts";

describe("a retry's delay (P12)", () => {
  const errors = fc.record({
    retryable: fc.boolean(),
    retryAfterMs: fc.option(fc.integer({ min: 1, max: 100_000_000 }), { nil: undefined }),
  });
  const policies = fc.record({
    maxRetries: fc.integer({ min: 0, max: 10 }),
    backoffFactor: fc.double({ min: 0, max: 60, noNaN: true }),
  });

  it("a retry's delay stays within its bounds, and final errors have none (P12)", () => {
    fc.assert(
      fc.property(
        errors,
        policies,
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failure, policy, attempt, random) => {
          const error = new RequestError({ code: "extract.status", message: "", ...failure });
          const full = { ...policy, statuses: new Set<number>(), maxWaitMs: 86_400_000 };
          const delay = nextDelay({ attempt, error, policy: full, random: () => random });
          if (!failure.retryable || attempt > policy.maxRetries) {
            expect(delay).toBeUndefined();
          } else if (failure.retryAfterMs !== undefined) {
            expect(delay).toBe(Math.min(failure.retryAfterMs, full.maxWaitMs));
          } else {
            const maxDelay = policy.backoffFactor * 2 ** (attempt - 1) * 1000;
            // Delays are rounded to a whole millisecond.
            expect(delay).toBeGreaterThanOrEqual(maxDelay / 2 - 1);
            expect(delay).toBeLessThanOrEqual(maxDelay + 1);
          }
        },
      ),
    );
  });
});
