import { stripVTControlCharacters } from "node:util";
import { changeText, explain, type Problem, type ResourceReport } from "@tidetable/core";
import picocolors from "picocolors";
import type { Io, Stream } from "./io.ts";
import type { RunDocument } from "./report.ts";

/** Colours for a terminal, none for a pipe or under NO_COLOR. */
export const colors = (stream: Stream, env: Io["env"]) =>
  picocolors.createColors(stream.isTTY === true && !env.NO_COLOR);

export type Colors = ReturnType<typeof colors>;

export const count = (value: number): string => value.toLocaleString("en-US");

/** 1 page, 2 pages. */
export const several = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A duration as a person says it: 840 ms, 3.2 s, 2 min 5 s, 1 h 3 min. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Dollars, with enough digits for a run that costs next to nothing. */
export const dollars = (value: number): string => `$${value.toFixed(value < 0.1 ? 6 : 2)}`;

/** Foreign text on one line of a terminal, without anything that could steer it. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");

type Cell = string | number;

/** Padded columns under their heads; numbers stand to the right. */
export function table(heads: string[], rows: Cell[][]): string {
  const text = (cell: Cell) => (typeof cell === "number" ? count(cell) : cell);
  const width = (cell: Cell) => stripVTControlCharacters(text(cell)).length;
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => width(row[i] ?? ""))),
  );
  const right = heads.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const line = (cells: Cell[]) =>
    cells
      .map((cell, i) => {
        const space = " ".repeat((widths[i] ?? 0) - width(cell));
        return right[i] ? space + text(cell) : text(cell) + space;
      })
      .join("  ")
      .trimEnd();
  return [heads, ...rows].map((row) => `${line(row)}\n`).join("");
}

/** The counts that are news only when they are not zero. */
const exceptions = [
  "unchanged",
  "superseded",
  "quarantined",
  "deleted",
  "discarded_values",
] as const;

/** Of more, a table is no place. */
const SHOWN_CHANGES = 5;

/**
 * What a run has changed in a resource's schema, a line for each field. `called` is what a command
 * line calls the source: its name, or the path of its file.
 */
export function driftLines({ source, resource, schema }: Drifted, called = source): string[] {
  if (!schema || schema.changed === 0) return [];
  const shown = schema.changes.slice(0, SHOWN_CHANGES).map((one) => oneLine(changeText(one)));
  const more = schema.changed - shown.length;
  const rest =
    more > 0
      ? [`and ${several(more, "change")} more: tidetable schema ${called}/${resource} --diff`]
      : [];
  const name = `${source}.${resource}, schema version ${schema.version}`;
  return [...shown, ...rest].map((line) => `${name}: ${line}\n`);
}

type Drifted = { source: string; resource: string; schema: ResourceReport["schema"] | undefined };

/** The end of a run for a person: a row per resource, then a line per failure, then the sum. */
export function runTable(
  run: RunDocument,
  color: Colors,
  called: ReadonlyMap<string, string> = new Map(),
): string {
  const present = exceptions.filter((name) => run.resources.some((one) => one[name] > 0));
  const paint = { succeeded: color.green, failed: color.red, skipped: color.yellow };
  const rows = run.resources.map((one): Cell[] => [
    one.source,
    one.resource,
    paint[one.status](one.status),
    one.records,
    one.written,
    ...present.map((name) => one[name]),
    one.retries,
    one.waited_ms === 0 ? "-" : duration(one.waited_ms),
    duration(one.duration_ms),
  ]);
  const heads = ["source", "resource", "status", "records", "written", ...present];
  return [
    table([...heads, "retries", "waited", "time"], rows),
    "\n",
    ...run.resources.flatMap(({ source, resource, error }) =>
      error ? [`${color.red(`${source}.${resource}`)}: ${explain(error)}\n`] : [],
    ),
    ...run.resources.flatMap((one) => driftLines(one, called.get(one.source))),
    `${summary(run)}\n`,
  ].join("");
}

function summary(run: RunDocument): string {
  const succeeded = run.resources.filter(({ status }) => status === "succeeded").length;
  const records = run.resources.reduce((sum, one) => sum + one.records, 0);
  const limited = run.limited ? " (a sample: no cursor was committed)" : "";
  return `${succeeded} of ${several(run.resources.length, "resource")} succeeded: ${several(records, "record")} in ${duration(run.duration_ms)}${limited}`;
}

/** One line per problem: `path: message; hint`, with the line of its file where there is one. */
export function problemLines(problems: readonly Problem[], before = ""): string {
  return problems
    .map(
      (problem) =>
        `${before}${problem.path ? `${problem.path}: ` : ""}${explain(problem)}\n${indented(problem.snippet)}`,
    )
    .join("");
}

const indented = (snippet: string | undefined) =>
  snippet?.replace(/.+\n?/g, "    $&").concat("\n") ?? "";
