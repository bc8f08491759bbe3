import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Answers one request on its connection, or leaves it without an answer. */
export type Fault = (socket: Socket, request: SocketRequest) => void;

interface SocketRequest {
  /** The second word of the first line: a path, or for a proxy a whole URL. */
  target: string;
  /** The first line and the headers. */
  head: string;
}

export interface FaultyApi {
  url: string;
  /** The targets of the requests, in the order of arrival. */
  requests: string[];
}

/**
 * A server that writes bytes to a socket, valid as HTTP or not. The connections stay open, unless the
 * fault closes them. Requests have no bodies.
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
      const request = { target, head };
      head = "";
      answer(socket, request);
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

/** A complete and valid answer. */
export const wholeAnswer = (
  body: string | Uint8Array,
  headers: Headers = {},
  status?: string,
): Buffer =>
  Buffer.concat([
    Buffer.from(
      answerHead({ "content-length": Buffer.byteLength(body), ...headers }, status),
      "latin1",
    ),
    Buffer.from(body as string),
  ]);

/** A fault that is a complete answer. */
export const sendAnswer =
  (...parts: Parameters<typeof wholeAnswer>): Fault =>
  (socket) =>
    void socket.write(wholeAnswer(...parts));

/** Sends bytes; the connection stays open. */
export const sendBytes =
  (...bytes: (string | Uint8Array)[]): Fault =>
  (socket) => {
    for (const part of bytes) socket.write(part);
  };

/** Sends bytes and then closes the connection. */
export const sendAndClose =
  (...bytes: (string | Uint8Array)[]): Fault =>
  (socket) => {
    for (const part of bytes) socket.write(part);
    socket.end();
  };

/** Sends `begin`, and then `again` for ever, as fast as the client reads. */
export const sendForever =
  (begin: string, again: string | Uint8Array): Fault =>
  (socket) => {
    const writeMore = (): void => {
      // The pause between two writes lets the client's timers run.
      while (!socket.destroyed && socket.write(again));
      socket.once("drain", () => setImmediate(writeMore));
    };
    socket.write(begin);
    writeMore();
  };

/** Sends `begin`, and then one character of `again` every 20 ms. */
export const sendSlowly =
  (begin: string, again: string): Fault =>
  (socket) => {
    let sent = 0;
    socket.write(begin);
    const timer = setInterval(() => socket.write(again[sent++ % again.length] ?? ""), 20);
    socket.on("close", () => clearInterval(timer));
  };
