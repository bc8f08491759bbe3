import { hash } from "node:crypto";
import { limits } from "../base/limits.ts";
import type { LoopGuard } from "../state/run-state.ts";

/** What a page is recognised by. */
export interface PageMarks {
  /** The keys of its records, which are at hand: pages with other keys have other records. Null: none. */
  keys: string | null;
  /** Its whole selected records as text. Asked for only when the keys are those of the remembered page. */
  content: () => string;
  /** The request for the page after it; undefined after the last. */
  next: unknown;
}

/** What of a page repeats an earlier one; "nothing" where there is no end all the same. */
export type Repeats = "page" | "request" | "nothing";

/** A page may come a second time: two pages in a row may both show the changes of one record. */
const TIMES = 3;

/**
 * Pure: what to remember after a page, and what of it says that there will be no end. Brent's way to
 * find a cycle: remember one page, compare the next ones with it, and after twice as many steps
 * remember another one. A cycle of any length is found with a memory that fits into a checkpoint.
 */
export function watch(
  guard: LoopGuard | null,
  page: PageMarks,
): { guard: LoopGuard; repeats: Repeats | undefined } {
  const keys = page.keys === null ? null : digest(page.keys);
  const next = page.next === undefined ? null : digest(JSON.stringify(page.next));
  const remember = (until: number): LoopGuard => ({
    keys,
    content: keys === null ? null : digest(page.content()),
    times: 1,
    next,
    steps: 0,
    until,
  });
  if (!guard) return { guard: remember(1), repeats: undefined };
  const isSameContent =
    /* planted: loops-by-content */ keys !== null &&
    keys === guard.keys &&
    digest(page.content()) === guard.content;
  const times = guard.times + (isSameContent ? 1 : 0);
  const isSameRequest = next !== null && next === guard.next;
  const isEndless = next !== null && guard.until + guard.steps >= limits.pages;
  const repeats =
    times >= TIMES ? "page" : isSameRequest ? "request" : isEndless ? "nothing" : undefined;
  const steps = guard.steps + 1;
  // A page that came twice is remembered on: only its third time tells.
  const isKept = steps < guard.until || (times > 1 && steps < 2 * guard.until);
  return {
    guard: isKept ? { ...guard, steps, times } : remember(guard.until * 2),
    repeats,
  };
}

const digest = (text: string): string => hash("sha256", text, "base64url").slice(0, 16);
