import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../packages/core/src/base/limits.ts";
import { type Footprint, footprint, watch } from "../packages/core/src/run/loop-guard.ts";
import type { LoopGuard } from "../packages/core/src/state/run-state.ts";

/** Reads pages until something repeats; after how many, and what. */
function follow(pages: Iterable<Footprint>): { after: number; repeats: string } | undefined {
  let guard: LoopGuard | null = null;
  let after = 0;
  for (const page of pages) {
    after += 1;
    const step = watch(guard, page);
    if (step.repeats) return { after, repeats: step.repeats };
    // What a checkpoint stores and the next slice reads.
    guard = JSON.parse(JSON.stringify(step.guard));
  }
  return undefined;
}

const page = (n: number, next = n + 1) => footprint([`k${n}`, `l${n}`], { cursor: next });

/** `before` pages, and then a circle of `length` for ever. */
function* circle(before: number, length: number): Generator<Footprint> {
  for (let n = 0; n < before; n++) yield page(n);
  for (let n = 0; n < 100_000; n++) {
    const at = n % length;
    yield page(before + at, before + ((at + 1) % length));
  }
}

describe("paging that goes round in circles (P11)", () => {
  it("is noticed at once when an API ignores the offset", () => {
    const same = footprint(["a", "b"], undefined).content;
    const pages = Array.from({ length: 5 }, (_, n) => ({ content: same, next: `offset${n}` }));
    expect(follow(pages)).toEqual({ after: 2, repeats: "page" });
  });

  it("is noticed when a cursor leads back, even where records have no keys", () => {
    const unkeyed = [...Array(10)].map((_, n) => footprint([], { cursor: n % 3 }));
    expect(follow(unkeyed)?.repeats).toBe("request");
  });

  it("is found whatever the circle's length and start, in a few times their sum", () => {
    const small = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 200 }), (before, length) => {
        const found = follow(circle(before, length));
        expect(found?.after).toBeLessThanOrEqual(3 * (before + length) + 3);
      }),
    );
  });

  it("is not seen where every page is another one, nor in empty pages", () => {
    const all = Array.from({ length: 2000 }, (_, n) => page(n));
    expect(follow(all)).toBeUndefined();
    const empty = Array.from({ length: 50 }, (_, n) => footprint([], { offset: n }));
    expect(follow(empty)).toBeUndefined();
    expect(follow([...Array(9)].map(() => footprint([], undefined)))).toBeUndefined();
  });

  it("is found to have no end after a million pages, when nothing else repeats (P10)", () => {
    const next = (guard: LoopGuard, isLast = false) =>
      watch(guard, { content: "c", next: isLast ? null : "n" }).repeats;
    const before = { content: "a", next: "b", until: 2 ** 19 };
    expect(next({ ...before, steps: limits.pages - 2 ** 19 - 1 })).toBeUndefined();
    const guard = { ...before, steps: limits.pages - 2 ** 19 };
    expect(next(guard)).toBe("nothing");
    expect(next(guard, true)).toBeUndefined();
  });
});
