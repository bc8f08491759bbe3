/*
 * The features whose pairs docs/reliability.md shows as a matrix. Crashes, pauses, lost answers,
 * duplicates, late events and rows that change while they are read are part of every history.
 */

export const features = [
  "children",
  "grandchildren",
  "not stored",
  "replace",
  "replace without a key",
  "append",
  "insert-only, ordered",
  "incremental",
  "ranges, steps",
  "per_parent",
  "numbered pages",
  "odd parents",
  "refresh",
  "one resource alone",
  "samples, resets, new configs",
] as const;

export type Feature = (typeof features)[number];

/** How many histories drew both features of a cell; a feature with itself: how many drew it. */
export type Cells = Record<string, number>;

export const cellName = (one: Feature, other: Feature): string => `${one} × ${other}`;

/** The cells that a history fills: each pair once, in the order of the list. */
export const cellsOf = (drawn: readonly Feature[]): string[] =>
  drawn.flatMap((one, n) => drawn.slice(n).map((other) => cellName(one, other)));

/** The matrix as a Markdown table. A cell that no history has drawn is a hole, and says so. */
export function matrixText(cells: Cells): string {
  const count = (one: Feature, other: Feature) => cells[cellName(one, other)] ?? 0;
  const head = ["", ...features.map((_, n) => String(n + 1))];
  const rows = features.map((one, n) => [
    `${n + 1} ${one}`,
    ...features.map((other, m) => (m < n ? "" : cellText(count(one, other)))),
  ]);
  const line = (parts: string[]) => `| ${parts.join(" | ")} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

const cellText = (count: number): string => (count === 0 ? "never" : count.toLocaleString("en"));

/** The cells that no history has drawn. */
export const holesIn = (cells: Cells): string[] =>
  cellsOf(features).filter((cell) => (cells[cell] ?? 0) === 0);
