import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ConfigError } from "@tidetable/core";

interface Engine {
  /** The DynamoDB endpoint. */
  endpoint: string;
  /** Lets go of the engine, which stays for others and leaves when idle. */
  close(): Promise<void>;
}

/** A start takes about 0.2 seconds, on a busy machine some. */
const PATIENCE_MS = 30_000;
const ANSWER_MS = 2_000;
const POLL_MS = 25;

/**
 * The embedded engine of a data folder: the one that runs, or a new one. It stays as long as it has
 * clients, and `idleMs` longer.
 */
export async function openEngine(folder: string, { idleMs = 10_000 } = {}): Promise<Engine> {
  const place = resolve(folder);
  const giveUpAt = performance.now() + PATIENCE_MS;
  let child: ChildProcess | undefined;
  while (performance.now() < giveUpAt) {
    const engine = await hold(place);
    if (engine) return engine;
    if (child?.exitCode) break;
    // One that left with 0 found another engine there: starting, leaving, or too busy to answer.
    const gone = child?.exitCode === 0 || child?.signalCode;
    if (!child || gone) child = await start(place, idleMs);
    await wait(POLL_MS);
  }
  child?.kill();
  throw new ConfigError({
    code: "local.engine",
    message: `the embedded engine did not start in ${place}`,
    hint: `${join(place, "engine.log")} may say why; another folder can be chosen with --data`,
  });
}

/**
 * One open connection to the running engine, which ends with this process if not before. Undefined
 * when none answers: the address can be stale, and its port anybody's by now.
 */
async function hold(folder: string): Promise<Engine | undefined> {
  try {
    const { url, id } = JSON.parse(await readFile(join(folder, "engine.json"), "utf8"));
    const request = get(`${url}/hold`, { agent: false, timeout: ANSWER_MS });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {});
    const [response] = await once(request, "response");
    request.setTimeout(0);
    const close = async () => void request.destroy();
    if (response.headers["tidetable-engine"] !== id) return void close();
    // Who forgets to close can still exit.
    request.socket?.unref();
    return { endpoint: url, close };
  } catch {
    return undefined;
  }
}

async function start(folder: string, idleMs: number): Promise<ChildProcess> {
  try {
    mkdirSync(join(folder, "dynamodb"), { recursive: true });
    const log = openSync(join(folder, "engine.log"), "a");
    const program = fileURLToPath(new URL("./engine-process.mjs", import.meta.url));
    const child = spawn(process.execPath, [program, folder, String(idleMs)], {
      detached: true,
      windowsHide: true,
      stdio: ["ignore", log, log],
      // It outlives this command, and so gets nothing of its environment: secrets may be in there.
      env: { SystemRoot: process.env.SystemRoot },
    });
    closeSync(log);
    child.unref();
    await once(child, "spawn");
    return child;
  } catch (error) {
    throw new ConfigError({
      code: "local.engine",
      message: `the data folder ${folder} can not be used (${(error as Error).message})`,
      hint: "choose one that you may write to with --data",
      cause: error,
    });
  }
}
