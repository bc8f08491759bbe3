import { type Cells, cellsOf } from "./features.ts";
import type { Counter, History, Violation } from "./stage.ts";

/** Many histories in numbers. */
export interface Totals {
  histories: number;
  hours: number;
  steps: number;
  counters: Partial<Record<Counter, number>>;
  /** How many histories drew each pair of features. */
  cells: Cells;
  failures: Failure[];
}

export interface Failure {
  seed: number;
  violation: Violation;
  tail: string[];
}

export const noTotals = (): Totals => ({
  histories: 0,
  hours: 0,
  steps: 0,
  counters: {},
  cells: {},
  failures: [],
});

export function add(totals: Totals, history: History): void {
  const { seed, hours, steps, counters, features, violations, tail } = history;
  const failures = violations.slice(0, 1).map((violation) => ({ seed, violation, tail }));
  const cells = Object.fromEntries(cellsOf(features).map((cell) => [cell, 1]));
  merge(totals, { histories: 1, hours, steps, counters, cells, failures });
}

export function merge(totals: Totals, more: Totals): void {
  totals.histories += more.histories;
  totals.hours += more.hours;
  totals.steps += more.steps;
  totals.failures.push(...more.failures);
  for (const [name, count] of Object.entries(more.counters) as [Counter, number][]) {
    totals.counters[name] = (totals.counters[name] ?? 0) + count;
  }
  for (const [cell, count] of Object.entries(more.cells)) {
    totals.cells[cell] = (totals.cells[cell] ?? 0) + count;
  }
}

/** What a person needs to see what happened: the seed brings it back. */
export function tell({ seed, violation, tail }: Failure): string {
  const { invariant, what, step, at } = violation;
  return [
    ...tail,
    "",
    `seed ${seed} breaks ${invariant} at step ${step} (${(at / 1000).toFixed(1)} s): ${what}`,
    `again: npm run simulate -- --first-seed ${seed} --seeds 1`,
  ].join("\n");
}
