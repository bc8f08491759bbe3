import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ConfigError } from "@tidetable/core";
import { packageFile } from "../base/package-files.ts";

interface EmbeddedEngine {
  /** The DynamoDB endpoint. */
  endpoint: string;
  /** Disconnects from the engine, which exits after the last client. */
  close(): Promise<void>;
}

/** A start takes about 0.2 seconds, and several seconds on a busy machine. */
const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 2_000;
const POLL_MS = 25;

/**
 * Connects to the engine of a data folder, or starts an engine. An engine without clients exits
 * after `idleMs`.
 */
export async function openEmbeddedEngine(
  dataFolder: string,
  { idleMs = 10_000 } = {},
): Promise<EmbeddedEngine> {
  const folder = resolve(dataFolder);
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  let child: ChildProcess | undefined;
  while (performance.now() < giveUpAt) {
    const engine = await connectToEngine(folder);
    if (engine) return engine;
    if (child?.exitCode) break;
    // A child that exited with 0 found another engine: starting, exiting, or too busy to answer.
    const hasExited = child?.exitCode === 0 || child?.signalCode;
    if (!child || hasExited) child = await startEngine(folder, idleMs);
    await wait(POLL_MS);
  }
  child?.kill();
  throw new ConfigError({
    code: "local.engine",
    message: `the embedded engine did not start in ${folder}`,
    hint: `${join(folder, "engine.log")} may say why; another folder can be chosen with --data`,
  });
}

/**
 * Opens a connection, which keeps the engine running until the process ends. Undefined when no
 * engine answers. The published address can be stale and the port in use by another program, and
 * therefore the engine's id is compared.
 */
async function connectToEngine(folder: string): Promise<EmbeddedEngine | undefined> {
  try {
    const { url, id } = JSON.parse(await readFile(join(folder, "engine.json"), "utf8"));
    const request = get(`${url}/hold`, { agent: false, timeout: ANSWER_TIMEOUT_MS });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {});
    const [response] = await once(request, "response");
    request.setTimeout(0);
    const close = async () => void request.destroy();
    if (response.headers["tidetable-engine"] !== id) return void close();
    // A process that forgets to close the engine can still exit.
    request.socket?.unref();
    return { endpoint: url, close };
  } catch {
    return undefined;
  }
}

async function startEngine(folder: string, idleMs: number): Promise<ChildProcess> {
  try {
    mkdirSync(join(folder, "dynamodb"), { recursive: true });
    const log = openSync(join(folder, "engine.log"), "a");
    const program = packageFile("src/engine/engine-process.mjs");
    const child = spawn(process.execPath, [program, folder, String(idleMs)], {
      detached: true,
      windowsHide: true,
      stdio: ["ignore", log, log],
      // The engine outlives the command and must not inherit secrets from the environment.
      env: { SystemRoot: process.env.SystemRoot },
    });
    closeSync(log);
    child.unref();
    await once(child, "spawn");
    return child;
  } catch (error) {
    throw new ConfigError({
      code: "local.engine",
      message: `the data folder ${folder} cannot be used (${(error as Error).message})`,
      hint: "choose one that you may write to with --data",
      cause: error,
    });
  }
}
