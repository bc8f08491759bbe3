import { cpus } from "node:os";
import { type Figure, passes, type Scale } from "./measure.ts";

/** The one place that prints: a table for people, or a document for programs. */
export function print(figures: Figure[], scale: Scale, json: boolean): void {
  const lines = json ? [JSON.stringify(documentOf(figures))] : tableOf(figures, scale);
  for (const line of lines) console.log(line);
}

export const documentOf = (figures: Figure[]) => ({
  figures: figures.map((figure) => {
    const { id, name, unit, value, baseline, ratio, target } = figure;
    return {
      ...{ id, name: unit ? `${name} (${unit})` : name, value, baseline, ratio },
      target: target?.most ?? target?.least ?? null,
      // Null where it is not judged.
      pass: passes(figure) ?? null,
    };
  }),
});

function tableOf(figures: Figure[], { records, rounds }: Scale): string[] {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const line = (name: string, cells: string[], pass: string) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(13)).join("")}  ${pass}`;
  const machine = cpus();
  return [
    `${records} records of 1 KB, ${rounds} rounds, Node ${process.version}, ${machine.length} × ${machine[0]?.model.trim()}`,
    line("", ["value", "baseline", "ratio", "target"], "pass"),
    ...figures.map((figure) => {
      const { name, unit, value, baseline, ratio, target, unjudged } = figure;
      const cells = [
        `${short(value)} ${unit}`.trim(),
        short(baseline),
        short(ratio),
        target ? targetText(target) : "-",
      ];
      const verdict = { true: "yes", false: "NO", undefined: "-" }[`${passes(figure)}`];
      return line(name, cells, unjudged === undefined ? `${verdict}` : `- (${unjudged})`);
    }),
  ];
}

function targetText({ most, least }: NonNullable<Figure["target"]>): string {
  if (most === undefined) return `≥ ${least}`;
  return least === undefined ? `≤ ${most}` : `= ${most}`;
}

/** Three digits that count. */
function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
