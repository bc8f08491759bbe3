import type { Counts, Fields, Log, ResourceReport } from "@tidetable/core";
import type { Io } from "./io.ts";
import { colors, duration, several } from "./render.ts";

/** Faster than this nobody reads, and a terminal is slower than an API. */
const REDRAW_MS = 100;
/** On a pipe each resource speaks up this often. */
const LINE_MS = 2000;

const CLEAR_BELOW = "\x1b[0J";
const up = (lines: number) => (lines === 0 ? "" : `\x1b[${lines}A\r`);

interface Row {
  name: string;
  counts: Counts | undefined;
  note: string;
  said: number;
}

interface Progress extends Log {
  /** Leaves the lines as they are; what is written afterwards stands below them. */
  stop(): void;
}

/**
 * A log for people, on stderr. On a terminal each resource that is at work has one live line, and
 * what is worth keeping (warnings, ends) scrolls above; on a pipe and with --json all lines are
 * plain. The cursor always stands below the last line, so that Ctrl-C at any moment leaves a clean
 * terminal.
 */
export function progress(
  { stderr, env }: Pick<Io, "stderr" | "env">,
  { json = false, now = () => performance.now() } = {},
): Progress {
  const live = stderr.isTTY === true && !json;
  const color = colors(live ? stderr : { ...stderr, isTTY: false }, env);
  const rows = new Map<string, Row>();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;

  function draw(kept = ""): void {
    // A terminal that does not know its size says 0.
    const most = Math.max(1, (stderr.rows || 24) - 1);
    const lines = [...rows.values()]
      .slice(0, most)
      .map((row) => liveLine(row, stderr.columns || 80));
    stderr.write(up(drawn) + CLEAR_BELOW + kept + lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
    drawnAt = now();
  }

  const keep = (line: string) => (live ? draw(`${line}\n`) : stderr.write(`${line}\n`));

  function rowOf(fields: Fields): Row | undefined {
    if (typeof fields.source !== "string" || typeof fields.resource !== "string") return undefined;
    const name = `${fields.source}.${fields.resource}`;
    const row = rows.get(name) ?? { name, counts: undefined, note: "", said: now() };
    rows.set(name, row);
    return row;
  }

  function page(row: Row, counts: Counts): void {
    row.counts = counts;
    row.note = "";
    if (live) {
      if (now() - drawnAt >= REDRAW_MS) draw();
    } else if (now() - row.said >= LINE_MS) {
      row.said = now();
      stderr.write(`${row.name}: ${amounts(counts)}\n`);
    }
  }

  function slice(row: Row, report: ResourceReport): void {
    row.counts = report;
    if (report.status === "running" || report.status === "waiting" || report.status === "covered") {
      row.note = report.not_before ? `waits until ${report.not_before}` : report.status;
      if (live) draw();
      return;
    }
    rows.delete(row.name);
    const paint = { done: color.green, failed: color.red, skipped: color.yellow }[report.status];
    const retries = report.retries > 0 ? `, ${several(report.retries, "retry", "retries")}` : "";
    keep(
      `${row.name}: ${paint(report.status)}, ${amounts(report)}${retries}, ${duration(report.duration_ms)}`,
    );
  }

  function event(fields: Fields): boolean {
    const { counts, report } = fields as { counts?: Counts; report?: ResourceReport };
    const row = counts || report ? rowOf(fields) : undefined;
    if (row && report) slice(row, report);
    else if (row && counts) page(row, counts);
    return row !== undefined;
  }

  function notice(message: string, fields: Fields): void {
    const row = rowOf(fields);
    if (row) row.note = message;
    keep(`${row ? `${row.name}: ` : ""}${color.yellow(message)}`);
  }

  /** What a resource has to say; of the whole run the table at its end tells. */
  function told(message: string, fields: Fields): void {
    const row = rowOf(fields);
    if (row) keep(`${row.name}: ${message}`);
  }

  return {
    debug: (_, fields = {}) => void event(fields),
    info: (message, fields = {}) => void (event(fields) || told(message, fields)),
    warn: (message, fields = {}) => void (event(fields) || notice(message, fields)),
    error: (message, fields = {}) => void (event(fields) || notice(message, fields)),
    stop() {
      if (live && rows.size > 0) draw();
      rows.clear();
      drawn = 0;
    },
  };
}

const amounts = ({ pages, records }: Counts) =>
  `${several(records, "record")} in ${several(pages, "page")}`;

/** Never wider than the terminal: a wrapped line could not be rewritten in place. */
function liveLine({ name, counts, note }: Row, columns: number): string {
  const parts = [counts ? amounts(counts) : "starts", note].filter(Boolean);
  return `${name}: ${parts.join(", ")}`.slice(0, columns - 1);
}
