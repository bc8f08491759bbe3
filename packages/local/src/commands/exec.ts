import { spawn } from "node:child_process";
import { constants } from "node:os";
import { ConfigError } from "@tidetable/core";
import type { Context } from "../options.ts";
import { openSession } from "../session.ts";

/**
 * `exec -- COMMAND…`: a program of yours, with the embedded engine in its environment for as long as
 * it runs. Its exit code is the command's.
 */
export async function exec({ args, options, io }: Context): Promise<number> {
  const session = await openSession(options);
  try {
    return await run(args, io.cwd);
  } finally {
    await session.close();
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function run([command = "", ...args]: string[], cwd: string): Promise<number> {
  // The session has put into this process's environment what leads to the engine.
  const child = spawn(command, args, { cwd, stdio: "inherit" });
  const forward = (signal: NodeJS.Signals) => {
    // A terminal has sent Ctrl-C to both: twice is more than one asked for.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return new Promise<number>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => reject(notStarted(command, error)));
    child.on("exit", (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]),
    );
  }).finally(() => {
    for (const signal of signals) process.off(signal, forward);
  });
}

function notStarted(command: string, { code }: NodeJS.ErrnoException): ConfigError {
  const message = `it can not be started (${code})`;
  const hint = "name a program that your shell finds, as in: npx tidetable exec -- node app.ts";
  const problems = [{ path: command, message, hint }];
  return new ConfigError({ code: "cli.exec", message, problems });
}
