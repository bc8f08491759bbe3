import { hash } from "node:crypto";
import { limits } from "./extract/limits.ts";

/*
 * Brent's way to find a cycle: remember one page and compare those after it with it; after twice as
 * many steps remember another. A cycle of any length is found within three times its length, with a
 * memory that fits into every checkpoint.
 */

/** What a checkpoint remembers of the pages before. */
export interface LoopGuard {
  /** Of the remembered page: what it held, and what was asked for after it. */
  content: string | null;
  next: string | null;
  /** Steps since then, and after how many another is remembered. */
  steps: number;
  until: number;
}

/** What a page is recognised by. */
export interface Footprint {
  /** The keys of its records, or all of it where they have none; null when it is empty. */
  content: string | null;
  /** The request for the page after it; null after the last. */
  next: string | null;
}

export function footprint(marks: readonly string[], next: unknown): Footprint {
  return {
    content: marks.length === 0 ? null : short(JSON.stringify(marks)),
    next: next === undefined ? null : short(JSON.stringify(next)),
  };
}

/** What of a page repeats an earlier one; "nothing" where there is no end all the same. */
export type Repeats = "page" | "request" | "nothing";

/** Pure: what to remember after a page, and what of it says that there will be no end. */
export function watch(
  guard: LoopGuard | null,
  page: Footprint,
): { guard: LoopGuard; repeats: Repeats | undefined } {
  const remembered = { ...page, steps: 0 };
  if (!guard) return { guard: { ...remembered, until: 1 }, repeats: undefined };
  const same = (name: keyof Footprint) => page[name] !== null && page[name] === guard[name];
  const isEndless = page.next !== null && guard.until + guard.steps >= limits.pages;
  const goesOn = isEndless ? "nothing" : undefined;
  const repeats = same("content") ? "page" : same("next") ? "request" : goesOn;
  const steps = guard.steps + 1;
  const next =
    steps < guard.until ? { ...guard, steps } : { ...remembered, until: guard.until * 2 };
  return { guard: next, repeats };
}

const short = (text: string): string => hash("sha256", text, "base64url").slice(0, 16);
