import { hide } from "@tidetable/core/redact";

/** What of a process's output the commands use; `process.stdout` is one. */
export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/** A stream that no secret value comes out of which this process has seen. */
export const hiding = (stream: Stream): Stream =>
  Object.create(stream, { write: { value: (text: string) => stream.write(hide(text)) } });

/** The outside of a command, so that a test can be one. */
export interface Io {
  stdout: Stream;
  stderr: Stream;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Aborts on Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  /**
   * Puts a question to the person at the terminal; a `hidden` answer is not shown while it is
   * typed. Without a terminal there is nobody to ask.
   */
  ask?: ((question: string, options?: { hidden?: boolean }) => Promise<string>) | undefined;
  /** All of standard input, where that is no terminal. */
  input?: (() => Promise<string>) | undefined;
}
