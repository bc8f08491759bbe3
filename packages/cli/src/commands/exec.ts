import { spawn } from "node:child_process";
import { constants } from "node:os";
import { ConfigError } from "@tidetable/core/internal/config";
import type { Context } from "../base/options.ts";
import { openSession } from "../session/session.ts";

/**
 * `exec -- COMMAND…`: runs a program with the embedded engine in its environment. The engine stays
 * open until the program ends, and the program's exit code becomes the command's.
 */
export async function executeProgram({ args, options, io }: Context): Promise<number> {
  const session = await openSession(options);
  try {
    return await runProgram(args, io.cwd);
  } finally {
    await session.close();
  }
}

const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function runProgram([program = "", ...args]: string[], cwd: string): Promise<number> {
  // The session has set the engine's address in the environment, which the child inherits.
  const child = spawn(program, args, { cwd, stdio: "inherit" });
  const forwardSignal = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to parent and child, and forwarding would interrupt the program twice.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of forwardedSignals) process.on(signal, forwardSignal);
  return new Promise<number>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => reject(notStartedError(program, error)));
    child.on("exit", (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]),
    );
  }).finally(() => {
    for (const signal of forwardedSignals) process.off(signal, forwardSignal);
  });
}

function notStartedError(program: string, { code }: NodeJS.ErrnoException): ConfigError {
  const message = `it cannot be started (${code})`;
  const hint =
    "name a program that your shell finds, as in: npx --no tidetable exec -- node app.ts";
  const problems = [{ path: program, message, hint }];
  return new ConfigError({ code: "cli.exec", message, problems });
}
