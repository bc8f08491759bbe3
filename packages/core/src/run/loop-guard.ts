import { hash } from "node:crypto";
import { limits } from "../base/limits.ts";
import type { LoopGuard } from "../state/run-state.ts";

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
