import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Io } from "../base/io.ts";

/** Asks on stderr, because stdout may carry a document. An interrupt counts as an empty answer. */
export const askAtTerminal =
  (signal: AbortSignal): NonNullable<Io["ask"]> =>
  async (question, { hidden = false } = {}) => {
    const { stdin: input, stderr } = process;
    // The readline interface echoes typed text to the output, which discards a hidden answer.
    const discard = new Writable({ write: (_chunk, _encoding, done) => done() });
    const output = hidden ? discard : stderr;
    const terminal = createInterface({ input, output, terminal: true, historySize: 0 });
    // In raw mode Ctrl-C is an ordinary key and raises no signal by itself.
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
