import { stripVTControlCharacters } from "node:util";
import type { ResourceReport } from "@tidetable/core/internal";
import { changeText, explainError } from "@tidetable/core/internal/config";
import { hideSecretsUpTo } from "@tidetable/core/internal/redact";
import type { Problem } from "@tidetable/core/plan";
import picocolors from "picocolors";
import type { Io, Stream } from "../base/io.ts";
import type { ResourceDocument, RunDocument } from "./documents.ts";

/** Colours for a terminal; none for a pipe or under NO_COLOR. */
export const createColors = (stream: Stream, env: Io["env"]) =>
  picocolors.createColors(stream.isTTY === true && !env.NO_COLOR);

export type Colors = ReturnType<typeof createColors>;

export const formatCount = (value: number): string => value.toLocaleString("en-US");

/** A count with its noun: 1 page, 2 pages. */
export const formatAmount = (value: number, noun: string, plural = `${noun}s`): string =>
  `${formatCount(value)} ${value === 1 ? noun : plural}`;

/** A duration as a person says it: 840 ms, 3.2 s, 2 min 5 s, 1 h 3 min. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Dollars, with enough digits for the costs of a small run. */
export const formatDollars = (value: number): string => `$${value.toFixed(value < 0.1 ? 6 : 2)}`;

/** Text from an API on a single line, without characters that could control the terminal. */
export const safeLine = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");

/** A cell's text is read so far before it is cut: a huge one is not read as a whole. */
const MAX_READ = 2_000;

/** The beginning of a line. Secrets are hidden before the cut, which would leave a part of them. */
export function cutLine(text: string, width: number): string {
  const line = safeLine(hideSecretsUpTo(text, MAX_READ));
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

type Cell = string | number;

/** Pads columns under their heads. Columns with numbers are aligned to the right. */
export function formatTable(heads: string[], rows: Cell[][]): string {
  const cellText = (cell: Cell) => (typeof cell === "number" ? formatCount(cell) : cell);
  const cellWidth = (cell: Cell) => stripVTControlCharacters(cellText(cell)).length;
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => cellWidth(row[i] ?? ""))),
  );
  const alignRight = heads.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const formatLine = (cells: Cell[]) =>
    cells
      .map((cell, i) => {
        const padding = " ".repeat((widths[i] ?? 0) - cellWidth(cell));
        return alignRight[i] ? padding + cellText(cell) : cellText(cell) + padding;
      })
      .join("  ")
      .trimEnd();
  return [heads, ...rows].map((row) => `${formatLine(row)}\n`).join("");
}

/** Counts without a column when every resource has zero. */
const rareCounts = [
  "unchanged",
  "superseded",
  "quarantined",
  "deleted",
  "discarded_values",
] as const;

/** The number of changed fields that a run's summary lists. */
const LISTED_CHANGES = 5;

interface ChangedSchema {
  source: string;
  resource: string;
  schema: ResourceReport["schema"] | undefined;
}

/**
 * The changes of a resource's schema in a run, a line for each field. `sourceArg` is the source on a
 * command line: a name, or the path of a file.
 */
export function schemaChangeLines(
  { source, resource, schema }: ChangedSchema,
  sourceArg = source,
): string[] {
  if (!schema || schema.changed === 0) return [];
  const listed = schema.changes.slice(0, LISTED_CHANGES).map((change) => {
    return safeLine(changeText(change));
  });
  const unlisted = schema.changed - listed.length;
  const command = `tidetable schema ${sourceArg}/${resource} --diff`;
  const lines =
    unlisted > 0 ? [...listed, `and ${formatAmount(unlisted, "change")} more: ${command}`] : listed;
  const prefix = `${source}.${resource}, schema version ${schema.version}`;
  return lines.map((line) => `${prefix}: ${line}\n`);
}

/**
 * The report of a run for a person: a row for each resource, a line for each failure, a sum.
 * `sourceArgs` maps sources to their names on the command line.
 */
export function runReportText(
  run: RunDocument,
  color: Colors,
  sourceArgs: ReadonlyMap<string, string> = new Map(),
): string {
  const { resources } = run;
  const presentCounts = rareCounts.filter((name) => resources.some((report) => report[name] > 0));
  const rows = resources.map((report) => reportRow(report, presentCounts, color));
  const heads = ["source", "resource", "status", "records", "written", ...presentCounts];
  return [
    formatTable([...heads, "retries", "waited", "time"], rows),
    "\n",
    ...resources.flatMap(({ source, resource, error }) =>
      error ? [`${color.red(`${source}.${resource}`)}: ${explainError(error)}\n`] : [],
    ),
    ...resources.flatMap((report) => schemaChangeLines(report, sourceArgs.get(report.source))),
    `${runSummary(run)}\n`,
  ].join("");
}

function reportRow(
  report: ResourceDocument,
  presentCounts: readonly (typeof rareCounts)[number][],
  color: Colors,
): Cell[] {
  const paint = { succeeded: color.green, failed: color.red, skipped: color.yellow };
  return [
    report.source,
    report.resource,
    paint[report.status](report.status),
    report.records,
    report.written,
    ...presentCounts.map((name) => report[name]),
    report.retries,
    report.waited_ms === 0 ? "-" : formatDuration(report.waited_ms),
    formatDuration(report.duration_ms),
  ];
}

function runSummary({ resources, limited, duration_ms }: RunDocument): string {
  const succeeded = resources.filter(({ status }) => status === "succeeded").length;
  const records = resources.reduce((sum, report) => sum + report.records, 0);
  const sample = limited ? " (a sample: no cursor was committed)" : "";
  return `${succeeded} of ${formatAmount(resources.length, "resource")} succeeded: ${formatAmount(records, "record")} in ${formatDuration(duration_ms)}${sample}`;
}

/** A line for each problem: `path: message; hint`, followed by the snippet of the file, if any. */
export function problemLines(problems: readonly Problem[], prefix = ""): string {
  return problems
    .map(
      (problem) =>
        `${prefix}${problem.path ? `${problem.path}: ` : ""}${explainError(problem)}\n${indentSnippet(problem.snippet)}`,
    )
    .join("");
}

const indentSnippet = (snippet: string | undefined) =>
  snippet?.replace(/.+\n?/g, "    $&").concat("\n") ?? "";
