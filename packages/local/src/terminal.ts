import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Io } from "./io.ts";

/** On stderr, so that a document on stdout stays one. An interruption is no answer. */
export const askAtTerminal =
  (signal: AbortSignal): NonNullable<Io["ask"]> =>
  async (question, { hidden = false } = {}) => {
    const { stdin: input, stderr } = process;
    // It echoes what is typed to its output.
    const nowhere = new Writable({ write: (_, __, done) => done() });
    const output = hidden ? nowhere : stderr;
    const terminal = createInterface({ input, output, terminal: true, historySize: 0 });
    // In raw mode Ctrl-C is a key like others.
    terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    const closed = new Promise<string>((resolve) => terminal.on("close", () => resolve("")));
    if (hidden) stderr.write(question);
    try {
      return await Promise.race([terminal.question(question, { signal }), closed]);
    } catch {
      return "";
    } finally {
      terminal.close();
      if (hidden) stderr.write("\n");
    }
  };
