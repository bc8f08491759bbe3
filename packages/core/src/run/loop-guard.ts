import { hash } from "node:crypto";
import { limits } from "../base/limits.ts";
import type { LoopGuard } from "../state/run-state.ts";

/** The marks by which a repeated page is recognised. */
export interface PageMarks {
  /** The keys of the records. Pages with different keys have different records. Null: no keys. */
  keys: string | null;
  /** The selected records as text. Called only when the keys equal those of the remembered page. */
  content: () => string;
  /** The request for the next page; undefined after the last page. */
  next: unknown;
}

/** The part of a page that repeats an earlier page; "nothing" when there are just too many pages. */
export type Repeats = "page" | "request" | "nothing";

/** The third equal page is a loop. A second one may show two changes of the same record. */
const TIMES = 3;

/**
 * Pure: returns the guard to store after a page, and whether paging repeats. Brent's cycle detection:
 * remember one page, compare the following pages with that page, and replace the remembered page after
 * twice as many steps. The guard fits into a checkpoint and finds a cycle of any length.
 */
export function watchForLoop(
  guard: LoopGuard | null,
  page: PageMarks,
): { guard: LoopGuard; repeats: Repeats | undefined } {
  const keys = page.keys === null ? null : shortDigest(page.keys);
  const next = page.next === undefined ? null : shortDigest(JSON.stringify(page.next));
  const rememberPage = (until: number): LoopGuard => ({
    keys,
    content: keys === null ? null : shortDigest(page.content()),
    times: 1,
    next,
    steps: 0,
    until,
  });
  if (!guard) return { guard: rememberPage(1), repeats: undefined };
  const isSameContent =
    /* planted: loops-by-content */ keys !== null &&
    keys === guard.keys &&
    shortDigest(page.content()) === guard.content;
  const times = guard.times + (isSameContent ? 1 : 0);
  const isSameRequest = next !== null && next === guard.next;
  const isEndless = next !== null && guard.until + guard.steps >= limits.pages;
  const repeats =
    times >= TIMES ? "page" : isSameRequest ? "request" : isEndless ? "nothing" : undefined;
  const steps = guard.steps + 1;
  // A page that came twice stays remembered, because only the third time proves a loop.
  const isKept = steps < guard.until || (times > 1 && steps < 2 * guard.until);
  return {
    guard: isKept ? { ...guard, steps, times } : rememberPage(guard.until * 2),
    repeats,
  };
}

const shortDigest = (text: string): string => hash("sha256", text, "base64url").slice(0, 16);
