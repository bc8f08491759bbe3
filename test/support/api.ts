import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as the API saw it. */
export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  /** Strings and bytes are sent as they are, other values as JSON. */
  body?: unknown;
}

/** Returns a reply, or uses the response itself (to reset, trickle or hang) and returns nothing. */
export type Handler = (
  request: ApiRequest,
  response: ServerResponse,
) => Reply | undefined | Promise<Reply | undefined>;

export interface Api {
  /** `http://127.0.0.1:<port>` */
  url: string;
  requests: ApiRequest[];
  close(): Promise<void>;
}

/**
 * Opens a real HTTP API on a free port of the loopback interface. In a list, each handler answers
 * one request; requests after the list get a 418. The API closes at the end of the test.
 */
export async function openApi(script: Handler | (Handler | Reply)[]): Promise<Api> {
  const requests: ApiRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const apiRequest = await readRequest(incoming);
    requests.push(apiRequest);
    const handler = Array.isArray(script) ? script[requests.length - 1] : script;
    const reply = typeof handler === "function" ? await handler(apiRequest, response) : handler;
    if (reply) sendReply(response, reply);
    else if (!handler)
      sendReply(response, { status: 418, body: "a request after the end of the script" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const url = new URL(incoming.url ?? "/", "http://api");
  return {
    method: incoming.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString(),
  };
}

function sendReply(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const raw = typeof body === "string" || body instanceof Uint8Array || body === undefined;
  const type = raw ? {} : { "content-type": "application/json" };
  response.writeHead(status, { ...type, ...headers });
  response.end(raw ? body : JSON.stringify(body));
}

/** A handler with `limit` and `offset` over a list, as most APIs have it. */
export function offsetPages(
  rows: unknown[],
  {
    cap = Number.POSITIVE_INFINITY,
    total = false,
    member = "data",
  }: { cap?: number; total?: boolean; member?: string } = {},
): Handler {
  return ({ query }) => {
    const offset = Number(query.get("offset") ?? 0);
    const limit = Math.min(Number(query.get("limit") ?? 100), cap);
    const page = rows.slice(offset, offset + limit);
    return { body: { [member]: page, ...(total ? { total: rows.length } : {}) } };
  };
}
