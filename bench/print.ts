import { cpus } from "node:os";
import { type Figure, passesTarget, type Scale } from "./measure.ts";

/** Prints a table for people, or a document for programs. */
export function printFigures(figures: Figure[], scale: Scale, json: boolean): void {
  const lines = json ? [JSON.stringify(figuresDocument(figures))] : figureLines(figures, scale);
  for (const line of lines) console.log(line);
}

export const figuresDocument = (figures: Figure[]) => ({
  figures: figures.map((figure) => {
    const { id, name, unit, value, baseline, ratio, target } = figure;
    return {
      ...{ id, name: unit ? `${name} (${unit})` : name, value, baseline, ratio },
      target: target?.most ?? target?.least ?? null,
      // Null without a verdict.
      pass: passesTarget(figure) ?? null,
    };
  }),
});

function figureLines(figures: Figure[], { records, rounds }: Scale): string[] {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const formatLine = (name: string, cells: string[], pass: string) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(13)).join("")}  ${pass}`;
  const processors = cpus();
  return [
    `${records} records of 1 KB, ${rounds} rounds, Node ${process.version}, ${processors.length} × ${processors[0]?.model.trim()}`,
    formatLine("", ["value", "baseline", "ratio", "target"], "pass"),
    ...figures.map((figure) => {
      const { name, unit, value, baseline, ratio, target, unjudged } = figure;
      const cells = [
        `${formatNumber(value)} ${unit}`.trim(),
        formatNumber(baseline),
        formatNumber(ratio),
        target ? targetText(target) : "-",
      ];
      const verdict = { true: "yes", false: "NO", undefined: "-" }[`${passesTarget(figure)}`];
      return formatLine(name, cells, unjudged === undefined ? `${verdict}` : `- (${unjudged})`);
    }),
  ];
}

function targetText({ most, least }: NonNullable<Figure["target"]>): string {
  if (most === undefined) return `≥ ${least}`;
  return least === undefined ? `≤ ${most}` : `= ${most}`;
}

/** Rounds to three significant digits. */
function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
