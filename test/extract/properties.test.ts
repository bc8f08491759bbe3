import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PaginatorPlan } from "../../packages/core/src/config/plan-types.ts";
import { RequestError } from "../../packages/core/src/errors.ts";
import { paginator } from "../../packages/core/src/extract/paginators.ts";
import { nextDelay } from "../../packages/core/src/extract/retry.ts";
import type { PageRequest } from "../../packages/core/src/flow.ts";

const total = { path: { text: "total", steps: [{ name: "total" }] }, required: false };

/** Pages a list as an API would, which caps its pages and may or may not say how many rows it has. */
function readAll(rows: number, plan: { limit: number; cap: number; withTotal: boolean }) {
  const offsetPlan: PaginatorPlan = {
    type: "offset",
    limit: plan.limit,
    offset: 0,
    offsetParam: "offset",
    limitParam: "limit",
    total,
    maximumOffset: undefined,
    stopAfterEmptyPage: true,
  };
  const { first, next } = paginator(offsetPlan);
  const seen: number[] = [];
  let requests = 0;
  let request: PageRequest | undefined = first();
  while (request) {
    requests += 1;
    const from = Number(request.params?.offset);
    const received = Math.max(0, Math.min(plan.limit, plan.cap, rows - from));
    for (let n = 0; n < received; n++) seen.push(from + n);
    const body = plan.withTotal ? { data: [], total: rows } : { data: [] };
    // As a checkpoint stores it, so that paging can go on in another slice after any page.
    request = next(JSON.parse(JSON.stringify({ request, received, body })));
  }
  return { seen, requests };
}

const paging = fc.record({
  limit: fc.integer({ min: 1, max: 50 }),
  cap: fc.integer({ min: 1, max: 60 }),
  withTotal: fc.boolean(),
});

describe("offset paging, whatever the list, the limit and the server's cap (P14)", () => {
  it("reads every row exactly once, and stops", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), paging, (rows, plan) => {
        const { seen, requests } = readAll(rows, plan);
        expect(seen).toEqual(Array.from({ length: rows }, (_, n) => n));
        const pages = Math.ceil(rows / Math.min(plan.limit, plan.cap));
        expect(requests).toBeLessThanOrEqual(pages + 1);
      }),
    );
  });
});

describe("a retry's delay (P12)", () => {
  const errors = fc.record({
    retryable: fc.boolean(),
    retryAfterMs: fc.option(fc.integer({ min: 1, max: 100_000_000 }), { nil: undefined }),
  });
  const policies = fc.record({
    maxRetries: fc.integer({ min: 0, max: 10 }),
    backoffFactor: fc.double({ min: 0, max: 60, noNaN: true }),
  });

  it("is in its bounds, and there is none without a reason", () => {
    fc.assert(
      fc.property(
        errors,
        policies,
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (about, policy, attempt, random) => {
          const error = new RequestError({ code: "extract.status", message: "", ...about });
          const full = { ...policy, statuses: new Set<number>() };
          const delay = nextDelay({ attempt, error, policy: full, random: () => random });
          if (!about.retryable || attempt > policy.maxRetries) {
            expect(delay).toBeUndefined();
          } else if (about.retryAfterMs !== undefined) {
            expect(delay).toBe(about.retryAfterMs);
          } else {
            const most = policy.backoffFactor * 2 ** (attempt - 1) * 1000;
            // To a whole millisecond.
            expect(delay).toBeGreaterThanOrEqual(most / 2 - 1);
            expect(delay).toBeLessThanOrEqual(most + 1);
          }
        },
      ),
    );
  });
});
