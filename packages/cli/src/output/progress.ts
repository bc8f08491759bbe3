import type { Counts, Fields, Log, ResourceReport } from "@tidetable/core/internal";
import type { Io } from "../base/io.ts";
import { type Colors, createColors, formatAmount, formatDuration } from "./render.ts";

/** A person reads no faster than this, and a terminal is slower than an API. */
const REDRAW_MS = 100;
/** The interval between two lines of a resource on a pipe. */
const LINE_INTERVAL_MS = 2000;

const CLEAR_BELOW = "\x1b[0J";
const moveUp = (lines: number) => (lines === 0 ? "" : `\x1b[${lines}A\r`);

/** A resource that is running. */
interface ProgressRow {
  name: string;
  counts: Counts | undefined;
  /** The last warning, or the end of a wait. Cleared by a new page. */
  note: string;
  /** When the last line of this resource went to the pipe. */
  printedAt: number;
}

interface ProgressOptions {
  json?: boolean;
  now?: () => number;
}

export const openProgressLog = (
  io: Pick<Io, "stderr" | "env">,
  options: ProgressOptions = {},
): ProgressLog => new ProgressLog(io, options);

/**
 * A log for people, on stderr. On a terminal each running resource has a live line, and warnings and
 * ends of runs scroll above; on a pipe and with --json, lines are plain. The cursor is always below
 * the last line, and Ctrl-C leaves a clean terminal.
 */
export class ProgressLog implements Log {
  readonly #stderr: Io["stderr"];
  readonly #color: Colors;
  readonly #now: () => number;
  /** Whether lines are rewritten in place. */
  readonly #isLive: boolean;
  /** The running resources by name, in the order in which they first reported. */
  readonly #rows = new Map<string, ProgressRow>();
  /** The number of live lines on the screen: the next drawing moves up by as many. */
  #drawnLines = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(
    { stderr, env }: Pick<Io, "stderr" | "env">,
    { json = false, now = () => performance.now() }: ProgressOptions,
  ) {
    this.#stderr = stderr;
    this.#now = now;
    this.#isLive = stderr.isTTY === true && !json;
    this.#color = createColors(this.#isLive ? stderr : { ...stderr, isTTY: false }, env);
  }

  debug(_message: string, fields: Fields = {}): void {
    this.#handleReport(fields);
  }

  info(message: string, fields: Fields = {}): void {
    if (!this.#handleReport(fields)) this.#printMessage(message, fields);
  }

  warn(message: string, fields: Fields = {}): void {
    if (!this.#handleReport(fields)) this.#printWarning(message, fields);
  }

  error(message: string, fields: Fields = {}): void {
    this.warn(message, fields);
  }

  /** Leaves the live lines on the screen. Later output appears below them. */
  stop(): void {
    if (this.#isLive && this.#rows.size > 0) this.#draw();
    this.#rows.clear();
    this.#drawnLines = 0;
  }

  /** Shows the counts of a page or the report of a slice. False for a line with neither. */
  #handleReport(fields: Fields): boolean {
    const { counts, report } = fields as { counts?: Counts; report?: ResourceReport };
    const row = counts || report ? this.#findRow(fields) : undefined;
    if (row && report) this.#showSlice(row, report);
    else if (row && counts) this.#showPage(row, counts);
    return row !== undefined;
  }

  #showPage(row: ProgressRow, counts: Counts): void {
    row.counts = counts;
    row.note = "";
    if (this.#isLive) {
      if (this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
    } else if (this.#now() - row.printedAt >= LINE_INTERVAL_MS) {
      row.printedAt = this.#now();
      this.#stderr.write(`${row.name}: ${amountsText(counts)}\n`);
    }
  }

  #showSlice(row: ProgressRow, report: ResourceReport): void {
    row.counts = report;
    if (report.status === "running" || report.status === "waiting" || report.status === "covered") {
      row.note = report.not_before ? `waits until ${report.not_before}` : report.status;
      if (this.#isLive) this.#draw();
      return;
    }
    this.#rows.delete(row.name);
    const { green, red, yellow } = this.#color;
    const paint = { done: green, failed: red, skipped: yellow }[report.status];
    const retries =
      report.retries > 0 ? `, ${formatAmount(report.retries, "retry", "retries")}` : "";
    this.#keep(
      `${row.name}: ${paint(report.status)}, ${amountsText(report)}${retries}, ${formatDuration(report.duration_ms)}`,
    );
  }

  #printWarning(message: string, fields: Fields): void {
    const row = this.#findRow(fields);
    if (row) row.note = message;
    this.#keep(`${row ? `${row.name}: ` : ""}${this.#color.yellow(message)}`);
  }

  /** Messages about the whole run are dropped: the table at its end has their content. */
  #printMessage(message: string, fields: Fields): void {
    const row = this.#findRow(fields);
    if (row) this.#keep(`${row.name}: ${message}`);
  }

  /** The row of the resource that a line is about; added when the resource is new. */
  #findRow(fields: Fields): ProgressRow | undefined {
    if (typeof fields.source !== "string" || typeof fields.resource !== "string") return undefined;
    const name = `${fields.source}.${fields.resource}`;
    const row = this.#rows.get(name) ?? {
      name,
      counts: undefined,
      note: "",
      printedAt: this.#now(),
    };
    this.#rows.set(name, row);
    return row;
  }

  /** Writes a line that stays: above the live lines on a terminal. */
  #keep(line: string): void {
    if (this.#isLive) this.#draw(`${line}\n`);
    else this.#stderr.write(`${line}\n`);
  }

  /** Replaces the live lines on the screen, with `keptLines` above them. */
  #draw(keptLines = ""): void {
    // Some terminals report a size of 0.
    const { rows, columns } = this.#stderr;
    const mostLines = Math.max(1, (rows || 24) - 1);
    const liveLines = [...this.#rows.values()]
      .slice(0, mostLines)
      .map((row) => `${liveLine(row, columns || 80)}\n`);
    this.#stderr.write(moveUp(this.#drawnLines) + CLEAR_BELOW + keptLines + liveLines.join(""));
    this.#drawnLines = liveLines.length;
    this.#drawnAt = this.#now();
  }
}

const amountsText = ({ pages, records }: Counts) =>
  `${formatAmount(records, "record")} in ${formatAmount(pages, "page")}`;

/** Never wider than the terminal: a wrapped line could not be rewritten in place. */
function liveLine({ name, counts, note }: ProgressRow, columns: number): string {
  const parts = [counts ? amountsText(counts) : "starts", note].filter(Boolean);
  return `${name}: ${parts.join(", ")}`.slice(0, columns - 1);
}
