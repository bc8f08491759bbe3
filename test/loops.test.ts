import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../packages/core/src/base/limits.ts";
import { type Footprint, footprint, watch } from "../packages/core/src/run/loop-guard.ts";
import type { LoopGuard } from "../packages/core/src/state/run-state.ts";

/** Reads pages until something repeats, and gives the number of pages and what repeats. */
function readUntilLoop(
  pages: Iterable<Footprint>,
): { pagesRead: number; repeats: string } | undefined {
  let guard: LoopGuard | null = null;
  let pagesRead = 0;
  for (const page of pages) {
    pagesRead += 1;
    const step = watch(guard, page);
    if (step.repeats) return { pagesRead, repeats: step.repeats };
    // The guard goes through JSON, as it does through a checkpoint.
    guard = JSON.parse(JSON.stringify(step.guard));
  }
  return undefined;
}

const pageFootprint = (n: number, next = n + 1) => footprint([`k${n}`, `l${n}`], { cursor: next });

/** Gives `before` pages, and then a circle of `length` pages for ever. */
function* circlePages(before: number, length: number): Generator<Footprint> {
  for (let n = 0; n < before; n++) yield pageFootprint(n);
  for (let n = 0; n < 100_000; n++) {
    const at = n % length;
    yield pageFootprint(before + at, before + ((at + 1) % length));
  }
}

describe("paging that goes round in circles (P11)", () => {
  it("a loop is noticed at once when an API ignores the offset", () => {
    const content = footprint(["a", "b"], undefined).content;
    const pages = Array.from({ length: 5 }, (_, n) => ({ content, next: `offset${n}` }));
    expect(readUntilLoop(pages)).toEqual({ pagesRead: 2, repeats: "page" });
  });

  it("a loop is noticed when a cursor leads back, even if records have no keys", () => {
    const unkeyed = [...Array(10)].map((_, n) => footprint([], { cursor: n % 3 }));
    expect(readUntilLoop(unkeyed)?.repeats).toBe("request");
  });

  it("a loop of any length and start is found within a few times their sum", () => {
    const anySmall = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(anySmall, fc.integer({ min: 1, max: 200 }), (before, length) => {
        const loop = readUntilLoop(circlePages(before, length));
        expect(loop?.pagesRead).toBeLessThanOrEqual(3 * (before + length) + 3);
      }),
    );
  });

  it("different pages and empty pages are not taken for a loop", () => {
    const differentPages = Array.from({ length: 2000 }, (_, n) => pageFootprint(n));
    expect(readUntilLoop(differentPages)).toBeUndefined();
    const emptyPages = Array.from({ length: 50 }, (_, n) => footprint([], { offset: n }));
    expect(readUntilLoop(emptyPages)).toBeUndefined();
    expect(readUntilLoop([...Array(9)].map(() => footprint([], undefined)))).toBeUndefined();
  });

  it("paging is ended after a million pages in which nothing repeats (P10)", () => {
    const next = (guard: LoopGuard, isLast = false) =>
      watch(guard, { content: "c", next: isLast ? null : "n" }).repeats;
    const before = { content: "a", next: "b", until: 2 ** 19 };
    expect(next({ ...before, steps: limits.pages - 2 ** 19 - 1 })).toBeUndefined();
    const guard = { ...before, steps: limits.pages - 2 ** 19 };
    expect(next(guard)).toBe("nothing");
    expect(next(guard, true)).toBeUndefined();
  });
});
