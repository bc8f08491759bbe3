import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { type Dispatcher, request as send } from "undici";
import { RequestError } from "../errors.ts";
import { route } from "../origins.ts";
import type { World } from "../world.ts";

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body?: string | undefined;
  /** What messages call it instead of its own address. */
  called?: string;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** As the API wrote it before compression. */
  body: Buffer;
}

/** What a page may weigh, on the wire and decoded: well inside of the memory of a small function. */
const MAX_BYTES = 64 * 1024 * 1024;

const DEFAULT_HEADERS = {
  accept: "application/json",
  "accept-encoding": "gzip, br",
  "user-agent": "tidetable/0.1",
};

/** How messages name a request: no host, and no query, where the key may stand. */
export function shown({ method, url, called }: HttpRequest): string {
  return called ?? `${method} ${new URL(url).pathname}`;
}

/**
 * One request and its whole answer, of any status. It ends within `timeoutMs`, however slowly the
 * server trickles. An abort of the world's signal throws the signal's reason.
 */
export async function exchange(
  request: HttpRequest,
  world: Pick<World, "http" | "clock" | "signal" | "origins">,
  timeoutMs: number,
  maxBytes = MAX_BYTES,
): Promise<HttpResponse> {
  world.signal.throwIfAborted();
  const target = route(request.url, world.origins);
  const tooLate = new AbortController();
  const settled = new AbortController();
  world.clock.sleep(timeoutMs, settled.signal).then(
    () => tooLate.abort(),
    () => {},
  );
  try {
    const { statusCode, headers, body } = await send(target, {
      method: request.method,
      headers: { ...DEFAULT_HEADERS, ...request.headers },
      body: request.body ?? null,
      dispatcher: world.http,
      signal: AbortSignal.any([world.signal, tooLate.signal]),
      // One clock decides: the total above.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const bytes = await collect(body, maxBytes, request);
    const decoded = decompress(bytes, headers["content-encoding"], maxBytes, request);
    return { status: statusCode, headers, body: decoded };
  } catch (error) {
    world.signal.throwIfAborted();
    if (tooLate.signal.aborted) throw timedOut(request, timeoutMs);
    throw error instanceof RequestError ? error : unreachable(error, request, target.origin);
  } finally {
    settled.abort();
  }
}

async function collect(
  body: Dispatcher.ResponseData["body"],
  maxBytes: number,
  request: HttpRequest,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(request, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const decoders: Record<string, typeof gunzipSync> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

// Synchronous: for pages of the usual 100 KB it costs a third of the stream's CPU time.
function decompress(
  bytes: Buffer,
  encoding: string | string[] | undefined,
  maxBytes: number,
  request: HttpRequest,
): Buffer {
  const name = String(encoding ?? "identity").toLowerCase();
  if (name === "identity" || bytes.length === 0) return bytes;
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (!decode) throw undecodable(request, "in a compression that nobody asked for", false);
  try {
    return decode(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(request, maxBytes);
    throw undecodable(request, `with ${name} data that is broken or ended early`, true);
  }
}

function undecodable(request: HttpRequest, what: string, retryable: boolean): RequestError {
  return new RequestError({
    code: "extract.body",
    message: `${shown(request)} answered ${what}`,
    retryable,
  });
}

function tooLarge(request: HttpRequest, maxBytes: number): RequestError {
  return new RequestError({
    code: "extract.size",
    message: `${shown(request)} answered with more than ${Math.round(maxBytes / 2 ** 20)} MiB`,
    hint: "ask for smaller pages: set a smaller limit in the paginator",
    retryable: false,
  });
}

function timedOut(request: HttpRequest, timeoutMs: number): RequestError {
  return new RequestError({
    code: "extract.timeout",
    message: `${shown(request)} timed out after ${Number((timeoutMs / 1000).toFixed(1))} s`,
    hint: "ask for smaller pages, or raise client.timeout (seconds)",
    retryable: true,
  });
}

const CLOSED = "closed the connection before its answer was complete";

/** What a person calls the failures of sockets. */
const failures: Record<string, string> = {
  ECONNREFUSED: "refused the connection",
  ENOTFOUND: "was not found: no such host",
  EAI_AGAIN: "was not found: name resolution failed",
  EHOSTUNREACH: "can not be reached from here",
  ENETUNREACH: "can not be reached from here",
  ETIMEDOUT: "did not take the connection in time",
  UND_ERR_CONNECT_TIMEOUT: "did not take the connection in time",
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CLOSED,
};

/** Foreign errors end here: their texts may quote a URL with its key. Only their code goes on. */
function unreachable(error: unknown, request: HttpRequest, origin: string): RequestError {
  const code = codeOf(error);
  if (code === "UND_ERR_INVALID_ARG") {
    return new RequestError({
      code: "extract.request",
      message: `${shown(request)} can not be sent: a header has a character that headers can not carry`,
      hint: "check the headers of client and endpoint",
      retryable: false,
    });
  }
  const certificate = /CERT|SIGNATURE|ISSUER/.test(code);
  const what = certificate
    ? `has a certificate that can not be trusted (${code})`
    : (failures[code] ?? `failed to answer in HTTP (${code})`);
  return new RequestError({
    code: "extract.network",
    message: `${shown(request)}: ${origin} ${what}`,
    hint: "check base_url, and whether the API is up",
    retryable: !certificate,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
