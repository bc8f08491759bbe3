import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError, isFailure } from "@tidetable/core/internal/config";
import type { Io } from "../base/io.ts";
import type { Context } from "../base/options.ts";
import { openProgressLog } from "../output/progress.ts";
import { openLocalRunner } from "../runner/local-runner.ts";
import { loadSources } from "../sources/load-source.ts";

/**
 * `invoke EVENT.json|-`: hands an event to the schedule function (or, with --worker, to a worker) on
 * this machine, as AWS or its console would, and prints the answer. Each worker that the event starts
 * is invoked once: what is unfinished then waits for the resume tick, `{"resume": true}`.
 */
export async function invokeFunction({ args, options, io }: Context): Promise<number> {
  const [file = "-", ...sourceArgs] = args;
  const event = parseEvent(await readEvent(file, io), file);
  const loadedSources = await loadSources(sourceArgs, options, io);
  const runner = await openLocalRunner(loadedSources, options, io);
  const log = openProgressLog(io, { json: options.json });
  try {
    const toWorker = options.worker ?? false;
    const answer = await runner.deliver(event, { toWorker }, log, io.signal);
    log.stop();
    io.stdout.write(`${JSON.stringify(answer, undefined, options.json ? 0 : 2)}\n`);
    return (answer as { status?: string }).status === "failed" ? 1 : 0;
  } catch (error) {
    // A function refuses an event that it does not understand before it does anything.
    const isRefused = error instanceof ConfigError || !isFailure(error);
    if (isRefused) throw error;
    throw new ConfigError({ code: error.code, message: error.message, hint: error.hint });
  } finally {
    log.stop();
    await runner.close();
  }
}

async function readEvent(file: string, io: Io): Promise<string> {
  if (file !== "-") {
    return readFile(resolve(io.cwd, file), "utf8").catch(() => {
      throw eventProblem(
        file,
        "this file cannot be read",
        "name a JSON file, or - for standard input",
      );
    });
  }
  const text = await io.input?.();
  if (text !== undefined) return text;
  const hint = `pipe an event into it, for instance: echo '{}' | npx --no tidetable invoke -`;
  throw eventProblem("-", "there is nothing on standard input", hint);
}

function parseEvent(text: string, file: string): object {
  try {
    const event: unknown = JSON.parse(text);
    if (typeof event === "object" && event !== null && !Array.isArray(event)) return event;
  } catch {
    // Told below: what is not JSON is no event, either.
  }
  throw eventProblem(file, "an event is a JSON object", `for instance {} or {"resume": true}`);
}

function eventProblem(path: string, message: string, hint: string): ConfigError {
  return new ConfigError({ code: "usage.invoke", message, problems: [{ path, message, hint }] });
}
