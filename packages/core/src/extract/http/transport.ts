import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Dispatcher } from "undici";
import send from "undici/lib/api/api-request.js";
import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { route } from "../../base/origins.ts";
import type { World } from "../../base/world.ts";

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
  /** Names in lower case. */
  headers: Record<string, string>;
  /** As the API wrote it before compression. */
  body: Buffer;
}

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
): Promise<HttpResponse> {
  world.signal.throwIfAborted();
  const target = route(request.url, world.origins);
  // Not AbortSignal.any: with a listener on it, Node would keep one for every request of the process.
  const call = new AbortController();
  const { signal } = call;
  const interrupted = () => call.abort(world.signal.reason);
  world.signal.addEventListener("abort", interrupted);
  const settled = new AbortController();
  world.clock.sleep(timeoutMs, settled.signal).then(
    () => call.abort(),
    () => {},
  );
  try {
    const asked = send.call(world.http, {
      origin: target.origin,
      path: `${target.pathname}${target.search}`,
      method: request.method,
      headers: { ...DEFAULT_HEADERS, ...request.headers },
      body: request.body ?? null,
      signal,
      // One clock decides: the total above.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // It looks at the signal only when it has a connection.
    const { statusCode, headers, body } = await Promise.race([asked, aborted(signal)]);
    const bytes = await collect(body, request);
    const answer = { status: statusCode, headers: joined(headers), body: bytes };
    return { ...answer, body: decompress(answer, request) };
  } catch (error) {
    world.signal.throwIfAborted();
    if (signal.aborted) throw timedOut(request, timeoutMs);
    throw error instanceof RequestError ? error : unreachable(error, request, target.origin);
  } finally {
    settled.abort();
    world.signal.removeEventListener("abort", interrupted);
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** A header that came several times is one with a list, as HTTP has it: here, they are all texts. */
const joined = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );

/** Into one growing buffer: a list of chunks weighs a hundred times what it holds when these are single bytes. */
async function collect(
  body: Dispatcher.ResponseData["body"],
  request: HttpRequest,
): Promise<Buffer> {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const end = size + chunk.length;
    if (end > limits.bodyBytes) throw tooLarge(request);
    if (end > bytes.length) bytes = Buffer.concat([bytes], Math.max(end, bytes.length * 2));
    chunk.copy(bytes, size);
    size = end;
  }
  return bytes.subarray(0, size);
}

const decoders: Record<string, typeof gunzipSync> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  br: brotliDecompressSync,
  // Many servers leave out the header that it should have, of which the first half byte is an 8.
  deflate: (bytes, options) =>
    ((bytes as Buffer).readUInt8() & 15) === 8
      ? inflateSync(bytes, options)
      : inflateRawSync(bytes, options),
};

// Synchronous: for pages of the usual 100 KB it costs a third of the stream's CPU time.
function decompress({ status, headers, body }: HttpResponse, request: HttpRequest): Buffer {
  const name = headers["content-encoding"]?.toLowerCase() || "identity";
  if (name === "identity" || body.length === 0) return body;
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  const most = Math.max(limits.anyRatioBytes, body.length * limits.ratio);
  try {
    if (decode) return decode(body, { maxOutputLength: Math.min(limits.bodyBytes, most) });
  } catch (error) {
    if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") {
      throw most < limits.bodyBytes ? tooDense(request) : tooLarge(request);
    }
  }
  // That a request is refused counts, not in which words.
  if (status >= 300) return Buffer.alloc(0);
  const [shownName = "no known way"] = /^[\w, -]{1,30}$/.exec(name) ?? [];
  throw new RequestError({
    code: "extract.body",
    message: decode
      ? `${shown(request)} answered with ${name} data that is broken or ended early`
      : `${shown(request)} answered compressed in ${shownName}, which nobody asked for`,
    hint: "the API, or what stands before it, names another Content-Encoding than it uses",
    retryable: decode !== undefined,
  });
}

const tooLarge = (request: HttpRequest) =>
  tooMuch(request, `more than ${limits.bodyBytes / 2 ** 20} MiB`);

const tooDense = (request: HttpRequest) =>
  tooMuch(request, `what unpacks to more than ${limits.ratio} times its size`);

/** Says which of the limits an answer is beyond. */
export function tooMuch(request: HttpRequest, what: string): RequestError {
  return new RequestError({
    code: "extract.size",
    message: `${shown(request)} answered with ${what}`,
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
  UND_ERR_HEADERS_OVERFLOW: `answered with more than ${limits.headerBytes / 1024} KiB of headers`,
};

/** Foreign errors end here: their texts may quote a URL with its key. Only their code goes on. */
function unreachable(error: unknown, request: HttpRequest, origin: string): RequestError {
  const code = codeOf(error);
  // All that undici says of a proxy that answers otherwise than it should.
  if (error instanceof Error && error.message.startsWith("Proxy ")) {
    return new RequestError({
      code: "extract.proxy",
      message: `${shown(request)}: the proxy did not let the request to ${origin} through`,
      hint: "check HTTPS_PROXY (or HTTP_PROXY) and its password, or name the host in NO_PROXY",
      retryable: true,
    });
  }
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
    hint: "check base_url, whether the API is up, and the proxy if there is one",
    retryable: !certificate,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
