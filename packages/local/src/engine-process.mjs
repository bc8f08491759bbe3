// @ts-check
/*
 * The embedded engine in a process of its own: `node engine-process.mjs FOLDER IDLE_MS`.
 * Plain JavaScript, because Node 20 would need a compiler first, which takes longer than the rest.
 *
 * LevelDB's lock decides who is the engine of a folder; it ends with its process, however that dies.
 * Whoever finds it taken leaves with 0: somebody else is there, or about to leave.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
// @ts-expect-error it has no types
import dynalite from "dynalite";
import { Level } from "level";
import { compareByValue } from "./dynalite-equality.mjs";

const [folder = "", idleMs = ""] = process.argv.slice(2);
const path = join(folder, "dynamodb");
const published = join(folder, "engine.json");
const id = randomUUID();

compareByValue();
const engine = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
const server = createServer((incoming, response) => {
  // Never ends: an open connection is what says that a client is there.
  if (incoming.url === "/hold") return response.setHeader("tidetable-engine", id).flushHeaders();
  engine.emit("request", incoming, response);
  // dynalite throws these: one client killed in the middle of a request would end the engine for all.
  incoming.removeAllListeners("error").on("error", () => {});
});
// A connection that the server closes can lose the request that is on its way.
server.keepAliveTimeout = 0;

let clients = 0;
/** @type {NodeJS.Timeout | undefined} */
let idle;
const rest = () => {
  idle = setTimeout(leave, Number(idleMs));
};
server.on("connection", (socket) => {
  clients += 1;
  clearTimeout(idle);
  socket.once("close", () => {
    clients -= 1;
    if (clients === 0) rest();
  });
});

process.once("uncaughtException", refused);
server.listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "x-amz-date": "20260101T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
  };
  // LevelDB opens with its first request; until then nobody knows whether the lock is ours.
  const probe = request({ port, host: "127.0.0.1", method: "POST", headers, agent: false });
  probe.once("response", (response) => {
    response.resume();
    process.off("uncaughtException", refused);
    publish(`http://127.0.0.1:${port}`);
  });
  probe.end("{}");
});

/** @param {string} url */
function publish(url) {
  const draft = `${published}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ url, pid: process.pid, id })}\n`);
  renameSync(draft, published);
}

/** dynalite hides why LevelDB did not open, so ask it again. */
async function refused() {
  const reason = await new Level(path).open().then(
    () => undefined,
    (error) => error.cause,
  );
  if (!reason || reason.code === "LEVEL_LOCKED") process.exit(0);
  process.stderr.write(`${new Date().toISOString()} ${reason.message}\n`);
  process.exit(1);
}

/** Without a turn of the event loop in between: a client either got its hold before, or is refused. */
function leave() {
  try {
    // Another one's address is there if the folder was deleted and made anew.
    if (JSON.parse(readFileSync(published, "utf8")).id === id) rmSync(published);
  } catch {
    // The folder is gone.
  }
  process.exit(0);
}
