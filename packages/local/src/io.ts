/** What of a process's output the commands use; `process.stdout` is one. */
export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/** The outside of a command, so that a test can be one. */
export interface Io {
  stdout: Stream;
  stderr: Stream;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Aborts on Ctrl-C and SIGTERM. */
  signal: AbortSignal;
  /** Puts a question to the person at the terminal. Without a terminal there is nobody to ask. */
  ask?: ((question: string) => Promise<string>) | undefined;
}
