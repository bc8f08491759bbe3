import { hideSecrets } from "@tidetable/core/redact";

/** An output stream, reduced to the members in use. `process.stdout` fits. */
export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/** Wraps a stream and hides the secret values known to the process. */
export const hidingStream = (stream: Stream): Stream =>
  Object.create(stream, { write: { value: (text: string) => stream.write(hideSecrets(text)) } });

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
