// @ts-check
/*
 * The process of the embedded engine: `node engine-process.mjs FOLDER IDLE_MS`.
 * It is plain JavaScript, because loading a TypeScript compiler on Node 20 would take longer than
 * everything else here.
 *
 * LevelDB's lock decides which process is the engine of a folder. The lock ends with its process,
 * however that ends. A process that finds the lock taken exits with 0: another engine is running, or
 * about to exit.
 */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
// @ts-expect-error dynalite has no types
import dynalite from "dynalite";
import { Level } from "level";
import { admitRequest, newKey } from "../base/guard.mjs";
import { compareByValue } from "./dynalite-equality.mjs";

const [folder = "", idleMs = ""] = process.argv.slice(2);
const databasePath = join(folder, "dynamodb");
/** The file in which clients find the engine's address. */
const addressFile = join(folder, "engine.json");
/** Shows a client that it has reached the engine that wrote the file. */
const engineId = randomUUID();
/** The access key of every request. Who can read the file may use the engine. */
const key = newKey();

// LevelDB's files hold the records: they are for the owner alone.
process.umask(0o077);

compareByValue();
const engine = dynalite({
  path: databasePath,
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
});
const server = createServer((incoming, response) => {
  if (!admitRequest(incoming, response, key)) return;
  // A client keeps this response open for as long as it uses the engine.
  if (incoming.url === "/hold") {
    idleLimitMs = Math.max(idleLimitMs, Number(incoming.headers["tidetable-idle-ms"] ?? 0));
    return response.setHeader("tidetable-engine", engineId).flushHeaders();
  }
  engine.emit("request", incoming, response);
  // dynalite throws request errors: a client killed in the middle of a request would end the engine.
  incoming.removeAllListeners("error").on("error", () => {});
});
// If the server closed an idle connection, a request that is on its way could get lost.
server.keepAliveTimeout = 0;

let clients = 0;
/** The longest time without clients that any client has asked for. */
let idleLimitMs = Number(idleMs);
/** @type {NodeJS.Timeout | undefined} */
let idleTimer;
const startIdleTimer = () => {
  idleTimer = setTimeout(exitEngine, idleLimitMs);
};
server.on("connection", (socket) => {
  clients += 1;
  clearTimeout(idleTimer);
  socket.once("close", () => {
    clients -= 1;
    if (clients === 0) startIdleTimer();
  });
});

process.once("uncaughtException", exitWithoutLock);
server.listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "x-amz-date": "20260101T000000Z",
    authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
  };
  // LevelDB opens at the first request; only its answer shows that this process has the lock.
  const probe = request({ port, host: "127.0.0.1", method: "POST", headers, agent: false });
  probe.once("response", (response) => {
    response.resume();
    process.off("uncaughtException", exitWithoutLock);
    publishAddress(`http://127.0.0.1:${port}`);
  });
  probe.end("{}");
});

/** @param {string} url */
function publishAddress(url) {
  const draft = `${addressFile}.${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", 0o600);
  // The number of the file stays when it is renamed. A copy of the file has another one.
  const inode = String(fstatSync(file, { bigint: true }).ino);
  const address = { url, pid: process.pid, id: engineId, key, inode };
  writeFileSync(file, `${JSON.stringify(address)}\n`);
  closeSync(file);
  renameSync(draft, addressFile);
}

/** Opens LevelDB once more, because dynalite hides why it did not open. */
async function exitWithoutLock() {
  const reason = await new Level(databasePath).open().then(
    () => undefined,
    (error) => error.cause,
  );
  if (!reason || reason.code === "LEVEL_LOCKED") process.exit(0);
  process.stderr.write(`${new Date().toISOString()} ${reason.message}\n`);
  process.exit(1);
}

/**
 * Runs in a single turn of the event loop: a client is either connected before it, and stops the
 * timer, or is refused.
 */
function exitEngine() {
  try {
    // If the folder was deleted and created again, the file may hold another engine's address.
    if (JSON.parse(readFileSync(addressFile, "utf8")).id === engineId) rmSync(addressFile);
  } catch {
    // The folder was deleted.
  }
  process.exit(0);
}
