import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Answers one request on its connection, or does not. */
export type Fault = (socket: Socket, request: SocketRequest) => void;

interface SocketRequest {
  /** As its first line has it: a path, or a whole URL where a proxy is asked. */
  target: string;
  /** Its first line and headers. */
  head: string;
}

export interface FaultyApi {
  url: string;
  /** The targets of the requests, in their order. */
  requests: string[];
}

/**
 * A server that puts bytes on a socket, whatever HTTP says. Its connections stay open, unless the
 * fault closes them, and its requests have no bodies.
 */
export async function openFaultyApi(answer: Fault): Promise<FaultyApi> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let head = "";
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      if (!head.endsWith("\r\n\r\n")) return;
      const [, target = ""] = head.split(" ", 2);
      requests.push(target);
      const asked = { target, head };
      head = "";
      answer(socket, asked);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

type Headers = Record<string, string | number>;

/** The first line and the headers of an answer. */
export const answerHead = (headers: Headers, status = "200 OK"): string =>
  [`HTTP/1.1 ${status}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
    .concat("", "")
    .join("\r\n");

/** A whole and honest answer. */
export const wholeAnswer = (body: string | Uint8Array, headers: Headers = {}, status?: string): Buffer =>
  Buffer.concat([
    Buffer.from(answerHead({ "content-length": Buffer.byteLength(body), ...headers }, status), "latin1"),
    Buffer.from(body as string),
  ]);

/** Sends such an answer. */
export const sendAnswer =
  (...parts: Parameters<typeof wholeAnswer>): Fault =>
  (socket) =>
    void socket.write(wholeAnswer(...parts));

/** Sends bytes as they are; the connection stays open. */
export const sendBytes =
  (...bytes: (string | Uint8Array)[]): Fault =>
  (socket) => {
    for (const one of bytes) socket.write(one);
  };

/** Sends bytes and closes the connection in good order. */
export const sendAndClose =
  (...bytes: (string | Uint8Array)[]): Fault =>
  (socket) => {
    for (const one of bytes) socket.write(one);
    socket.end();
  };

/** Sends bytes, and then the same ones again for ever, as fast as they are taken. */
export const sendForever =
  (begin: string, again: string | Uint8Array): Fault =>
  (socket) => {
    const more = (): void => {
      // Small enough that the other side's time limit has its turn.
      while (!socket.destroyed && socket.write(again));
      socket.once("drain", () => setImmediate(more));
    };
    socket.write(begin);
    more();
  };

/** Sends bytes, and then one of `again` every 20 ms. */
export const sendSlowly =
  (begin: string, again: string): Fault =>
  (socket) => {
    let sent = 0;
    socket.write(begin);
    const timer = setInterval(() => socket.write(again[sent++ % again.length] ?? ""), 20);
    socket.on("close", () => clearInterval(timer));
  };
