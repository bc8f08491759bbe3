import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { admitRequest, newKey } from "./guard.mjs";

interface LoopbackServer {
  /** `http://127.0.0.1:<port>`, and behind it the key of a server that has one. */
  url: string;
  close(): Promise<void>;
}

/**
 * Starts an HTTP server on a free port of 127.0.0.1. Other machines cannot reach it, and web pages are
 * refused. With `needsKey`, only who knows the URL is answered: other users of the machine do not.
 */
export async function openLoopbackServer(
  listener: RequestListener,
  { needsKey = false } = {},
): Promise<LoopbackServer> {
  const key = needsKey ? newKey() : undefined;
  const server = createServer((request, response) => {
    if (admitRequest(request, response, key)) listener(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: key === undefined ? origin : `${origin}/${key}`,
    close: () => stopServer(server),
  };
}

function stopServer(server: Server): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return stopped;
}
