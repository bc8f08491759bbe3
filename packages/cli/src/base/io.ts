import { hideSecrets, printable } from "@tidetable/core/internal/redact";

/** An output stream, reduced to the members in use. `process.stdout` fits. */
export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/**
 * Wraps a stream. What a command prints may quote an API, a file or a message that somebody sent, so
 * secrets are hidden here, and characters that steer a terminal are written as escapes.
 */
export const safeStream = (stream: Stream): Stream =>
  Object.create(stream, {
    write: { value: (text: string) => stream.write(safeOutput(text, stream.isTTY === true)) },
  });

/** The colours of our tables. An API that sends one colours its own words. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
const colors = /(\x1b\[(?:[0-2]|22|3[1-69])m)/;

/** The beginning of the live lines of a run, which are drawn in place of those before. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them.
const redrawing = /^(?:\x1b\[\d+A\r)?\x1b\[0J/;

function safeOutput(text: string, isTerminal: boolean): string {
  const hidden = hideSecrets(text);
  if (!isTerminal) return withoutCommands(printable(hidden));
  const [start = ""] = redrawing.exec(hidden) ?? [];
  // Splitting by a pattern with a group gives text and colours in turn.
  const parts = hidden.slice(start.length).split(colors);
  return start + parts.map((part, index) => (index % 2 === 0 ? printable(part) : part)).join("");
}

/** GitHub and Azure take lines such as `::error::…` and `##[error]…` in a log of CI for commands. */
function withoutCommands(text: string): string {
  // In a JSON document the escape means the same.
  const hash = text.startsWith("{") ? "#\\u0023" : "# #";
  return text.replace(/^([^\S\n]*:)(?=:)/gm, "$1 ").replace(/##(?=\[|vso\[)/g, hash);
}

/** The process around a command. Tests pass streams and signals of their own. */
export interface Io {
  stdout: Stream;
  stderr: Stream;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Aborts on Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  /**
   * Asks a question at the terminal. A `hidden` answer is not shown while the person types.
   * Undefined without a terminal.
   */
  ask?: ((question: string, options?: { hidden?: boolean }) => Promise<string>) | undefined;
  /** Reads standard input to its end. Undefined when standard input is a terminal. */
  input?: (() => Promise<string>) | undefined;
  /** Lets the process import TypeScript, which costs time. Undefined if it already can. */
  prepareTypeScript?: (() => Promise<void>) | undefined;
}
