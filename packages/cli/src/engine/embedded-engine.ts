import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, fchmodSync, mkdirSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { get } from "node:http";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ConfigError } from "@tidetable/core/internal/config";
import { prepareDataFolder } from "../base/data-folder.ts";
import { packageFile } from "../base/package-files.ts";

interface EmbeddedEngine {
  /** The DynamoDB endpoint. */
  endpoint: string;
  /** The access key that requests are signed with. The engine answers no other. */
  key: string;
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
    const engine = await connectToEngine(folder, idleMs);
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
async function connectToEngine(
  folder: string,
  idleMs: number,
): Promise<EmbeddedEngine | undefined> {
  try {
    const { url, id, key } = await readAddress(join(folder, "engine.json"));
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/`,
      "tidetable-idle-ms": idleMs,
    };
    const request = get(`${url}/hold`, { agent: false, timeout: ANSWER_TIMEOUT_MS, headers });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {});
    const [response] = await once(request, "response");
    request.setTimeout(0);
    const close = async () => void request.destroy();
    if (response.headers["tidetable-engine"] !== id) return void close();
    // A process that forgets to close the engine can still exit.
    request.socket?.unref();
    return { endpoint: url, key, close };
  } catch {
    return undefined;
  }
}

interface EngineAddress {
  url: string;
  id: string;
  key: string;
  /** The number that the file system gave to the file. */
  inode: string;
}

/**
 * Reads the address that an engine has published. Whoever sends or writes a folder could name any
 * host, and would be asked with whatever is stored. So an address counts only if it is on this
 * machine, in a file that this user's engine has written here: a file that was unpacked, checked out
 * or copied has another number.
 */
async function readAddress(path: string): Promise<EngineAddress> {
  // A link could lead to the file of another project's engine.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const { uid, ino } = await file.stat({ bigint: true });
    const address: Partial<EngineAddress> = JSON.parse(await file.readFile("utf8"));
    const { url = "", id = "", key = "", inode } = address;
    const isOurs = process.getuid === undefined || uid === BigInt(process.getuid());
    const isWhole = /^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(url) && /^[0-9a-f]{40}$/.test(key) && id;
    if (!isOurs || !isWhole || inode !== String(ino)) throw new Error("no address of our engine");
    return { url, id, key, inode };
  } finally {
    await file.close();
  }
}

async function startEngine(folder: string, idleMs: number): Promise<ChildProcess> {
  try {
    prepareDataFolder(folder);
    mkdirSync(join(folder, "dynamodb"), { recursive: true, mode: 0o700 });
    const log = openSync(join(folder, "engine.log"), "a", 0o600);
    fchmodSync(log, 0o600);
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
