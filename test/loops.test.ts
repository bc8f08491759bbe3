import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../packages/core/src/base/limits.ts";
import { type PageMarks, watchForLoop } from "../packages/core/src/run/loop-guard.ts";
import type { LoopGuard } from "../packages/core/src/state/run-state.ts";

/** Reads pages until something repeats, and gives the number of pages and what repeats. */
function readUntilLoop(
  pages: Iterable<PageMarks>,
): { pagesRead: number; repeats: string } | undefined {
  let guard: LoopGuard | null = null;
  let pagesRead = 0;
  for (const page of pages) {
    pagesRead += 1;
    const step = watchForLoop(guard, page);
    if (step.repeats) return { pagesRead, repeats: step.repeats };
    // The guard goes through JSON, as it does through a checkpoint.
    guard = JSON.parse(JSON.stringify(step.guard));
  }
  return undefined;
}

const marksOf = (keys: string | null, content: string, next: unknown): PageMarks => ({
  keys,
  content: () => content,
  next,
});

const numberedPage = (n: number, next: unknown = { cursor: n + 1 }) =>
  marksOf(`k${n}`, `records ${n}`, next);

/** Gives `before` pages, and then a circle of `length` pages for ever. */
function* circlePages(
  before: number,
  length: number,
  nextOf: (page: number, at: number) => unknown,
): Generator<PageMarks> {
  for (let n = 0; n < before; n++) yield numberedPage(n, nextOf(n, n));
  for (let n = 0; n < 100_000; n++) {
    const at = before + (n % length);
    yield numberedPage(at, nextOf(before + n, before + ((n + 1) % length)));
  }
}

describe("paging that goes round in circles (P11)", () => {
  it("a loop is noticed at the third equal page when an API ignores the offset", () => {
    const pages = Array.from({ length: 5 }, (_, n) => marksOf("k", "same", { offset: n }));
    expect(readUntilLoop(pages)).toEqual({ pagesRead: 3, repeats: "page" });
  });

  it("a page that comes twice is no loop, because two pages in a row may both show a change", () => {
    const pages = [0, 1, 1, 2, 3, 3, 4, 4, 5].map((n, at) => numberedPage(n, { offset: at }));
    expect(readUntilLoop(pages)).toBeUndefined();
  });

  it("pages with the same keys and other records are no loop", () => {
    const pages = Array.from({ length: 50 }, (_, n) => marksOf("k", `version ${n}`, { offset: n }));
    expect(readUntilLoop(pages)).toBeUndefined();
  });

  it("the content of a page is asked for only where its keys are those of the remembered page", () => {
    let asked = 0;
    const page = (keys: string, offset: number): PageMarks => ({
      keys,
      content: () => {
        asked += 1;
        return "content";
      },
      next: { offset },
    });
    const { guard } = watchForLoop(null, page("a", 1));
    expect(asked).toBe(1);
    const later = { ...guard, until: 8 };
    watchForLoop(later, page("b", 2));
    expect(asked).toBe(1);
    watchForLoop(later, page("a", 2));
    expect(asked).toBe(2);
  });

  it("a loop is noticed when a request comes again, even if records have no keys", () => {
    const unkeyed = [...Array(10)].map((_, n) => marksOf(null, "", { cursor: n % 3 }));
    expect(readUntilLoop(unkeyed)?.repeats).toBe("request");
  });

  const anySmall = fc.integer({ min: 0, max: 200 });
  const anyLength = fc.integer({ min: 1, max: 200 });

  it("a loop of requests of any length and start is found within a few times their sum", () => {
    fc.assert(
      fc.property(anySmall, anyLength, (before, length) => {
        const loop = readUntilLoop(circlePages(before, length, (_, at) => ({ cursor: at })));
        expect(loop?.pagesRead).toBeLessThanOrEqual(3 * (before + length) + 3);
      }),
    );
  });

  it("a loop of pages of any length and start is found, whatever the requests are", () => {
    fc.assert(
      fc.property(anySmall, anyLength, (before, length) => {
        const loop = readUntilLoop(circlePages(before, length, (page) => ({ offset: page })));
        expect(loop?.repeats).toBe("page");
        expect(loop?.pagesRead).toBeLessThanOrEqual(6 * (before + length) + 6);
      }),
    );
  });

  it("different pages and empty pages are not taken for a loop", () => {
    const differentPages = Array.from({ length: 2000 }, (_, n) => numberedPage(n));
    expect(readUntilLoop(differentPages)).toBeUndefined();
    const emptyPages = Array.from({ length: 50 }, (_, n) => marksOf(null, "[]", { offset: n }));
    expect(readUntilLoop(emptyPages)).toBeUndefined();
    expect(readUntilLoop([...Array(9)].map(() => marksOf(null, "[]", undefined)))).toBeUndefined();
  });

  it("paging is ended after a million pages in which nothing repeats (P10)", () => {
    const next = (guard: LoopGuard, isLast = false) =>
      watchForLoop(guard, marksOf("c", "c", isLast ? undefined : "n")).repeats;
    const before = { keys: "a", content: "a", times: 1, next: "b", until: 2 ** 19 };
    expect(next({ ...before, steps: limits.pages - 2 ** 19 - 1 })).toBeUndefined();
    const guard = { ...before, steps: limits.pages - 2 ** 19 };
    expect(next(guard)).toBe("nothing");
    expect(next(guard, true)).toBeUndefined();
  });
});
