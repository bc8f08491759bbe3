import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Dispatcher } from "undici";
import send from "undici/lib/api/api-request.js";
import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { routeUrl } from "../../base/origins.ts";
import type { World } from "../../base/world.ts";

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body?: string | undefined;
  /** Stands in messages instead of the request's own address. */
  shownAs?: string;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Decompressed. */
  body: Buffer;
}

/** Called with the bytes that a request holds in memory. Throws where there is no room for them. */
export type HoldBytes = (bytes: number) => void;

const DEFAULT_HEADERS = {
  accept: "application/json",
  "accept-encoding": "gzip, br",
  "user-agent": "tidetable/0.1",
};

/** The name of a request in messages. It has no host, and no query, where the key may stand. */
export function describeRequest({ method, url, shownAs }: HttpRequest): string {
  return shownAs ?? `${method} ${new URL(url).pathname}`;
}

/**
 * Sends a request and reads the whole answer, of any status, within `timeoutMs`, however slowly the
 * server sends. An abort of the world's signal throws the signal's reason.
 */
export async function sendRequest(
  request: HttpRequest,
  world: Pick<World, "http" | "clock" | "signal" | "origins">,
  timeoutMs: number,
  hold: HoldBytes = () => {},
): Promise<HttpResponse> {
  world.signal.throwIfAborted();
  const target = routeUrl(request.url, world.origins);
  // AbortSignal.any would leak: Node keeps every combined signal that has a listener.
  const requestEnd = new AbortController();
  const { signal } = requestEnd;
  const endRequest = () => requestEnd.abort(world.signal.reason);
  world.signal.addEventListener("abort", endRequest);
  const timerEnd = new AbortController();
  world.clock.sleep(timeoutMs, timerEnd.signal).then(
    () => requestEnd.abort(),
    () => {},
  );
  try {
    const response = send.call(world.http, {
      origin: target.origin,
      path: `${target.pathname}${target.search}`,
      method: request.method,
      headers: { ...DEFAULT_HEADERS, ...request.headers },
      body: request.body ?? null,
      signal,
      // The timer above limits the whole request.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // undici looks at the signal only when it has a connection.
    const { statusCode, headers, body } = await Promise.race([response, rejectOnAbort(signal)]);
    const bytes = await collectBody(body, request, hold);
    const compressed = { status: statusCode, headers: joinHeaders(headers), body: bytes };
    const decompressed = decompressBody(compressed, request);
    hold(decompressed.length);
    return { ...compressed, body: decompressed };
  } catch (error) {
    world.signal.throwIfAborted();
    if (signal.aborted) throw timeoutError(request, timeoutMs);
    throw error instanceof RequestError ? error : networkError(error, request, target.origin);
  } finally {
    // Without a reason, Node would make an exception with a stack for it.
    timerEnd.abort("ended");
    world.signal.removeEventListener("abort", endRequest);
  }
}

const rejectOnAbort = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** A repeated header becomes a single string with a list, as HTTP defines it. */
const joinHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );

/** Collects into one growing buffer: as a list, chunks of single bytes take a hundred times the memory. */
async function collectBody(
  body: Dispatcher.ResponseData["body"],
  request: HttpRequest,
  hold: HoldBytes,
): Promise<Buffer> {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  hold(bytes.length);
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const end = size + chunk.length;
    if (end > limits.bodyBytes) throw bodySizeError(request);
    if (end > bytes.length) {
      const capacity = Math.max(end, bytes.length * 2);
      hold(capacity);
      bytes = Buffer.concat([bytes], capacity);
    }
    chunk.copy(bytes, size);
    size = end;
  }
  return bytes.subarray(0, size);
}

const decoders: Record<string, typeof gunzipSync> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  br: brotliDecompressSync,
  // Many servers leave out the zlib header, whose first half byte is an 8.
  deflate: (bytes, options) =>
    ((bytes as Buffer).readUInt8() & 15) === 8
      ? inflateSync(bytes, options)
      : inflateRawSync(bytes, options),
};

/** Synchronous: for pages of the usual 100 KB this costs a third of a stream's CPU time. */
function decompressBody({ status, headers, body }: HttpResponse, request: HttpRequest): Buffer {
  const encoding = headers["content-encoding"]?.toLowerCase() || "identity";
  if (encoding === "identity" || body.length === 0) return body;
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  const maxBytes = Math.max(limits.anyRatioBytes, body.length * limits.ratio);
  try {
    if (decode) return decode(body, { maxOutputLength: Math.min(limits.bodyBytes, maxBytes) });
  } catch (error) {
    if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") {
      throw maxBytes < limits.bodyBytes ? ratioError(request) : bodySizeError(request);
    }
  }
  // After a refusal the status counts, and the body is not needed.
  if (status >= 300) return Buffer.alloc(0);
  const [encodingName = "no known way"] = /^[\w, -]{1,30}$/.exec(encoding) ?? [];
  throw new RequestError({
    code: "extract.body",
    message: decode
      ? `${describeRequest(request)} answered with ${encoding} data that is broken or ended early`
      : `${describeRequest(request)} answered compressed in ${encodingName}, which nobody asked for`,
    hint: "the API, or what stands before it, names another Content-Encoding than it uses",
    retryable: decode !== undefined,
  });
}

const bodySizeError = (request: HttpRequest) =>
  tooMuchError(request, `more than ${limits.bodyBytes / 2 ** 20} MiB`);

const ratioError = (request: HttpRequest) =>
  tooMuchError(request, `what unpacks to more than ${limits.ratio} times its size`);

/** The error of an answer that exceeds a limit. `content` says which. */
export function tooMuchError(request: HttpRequest, content: string): RequestError {
  return new RequestError({
    code: "extract.size",
    message: `${describeRequest(request)} answered with ${content}`,
    hint: "ask for smaller pages: set a smaller limit in the paginator",
    retryable: false,
  });
}

function timeoutError(request: HttpRequest, timeoutMs: number): RequestError {
  return new RequestError({
    code: "extract.timeout",
    message: `${describeRequest(request)} timed out after ${Number((timeoutMs / 1000).toFixed(1))} s`,
    hint: "ask for smaller pages, or raise client.timeout (seconds)",
    retryable: true,
  });
}

const CONNECTION_CLOSED = "closed the connection before its answer was complete";

/** The failures of sockets, in words for a person. */
const socketFailures: Record<string, string> = {
  ECONNREFUSED: "refused the connection",
  ENOTFOUND: "was not found: no such host",
  EAI_AGAIN: "was not found: name resolution failed",
  EHOSTUNREACH: "cannot be reached from here",
  ENETUNREACH: "cannot be reached from here",
  ETIMEDOUT: "did not take the connection in time",
  UND_ERR_CONNECT_TIMEOUT: "did not take the connection in time",
  ECONNRESET: CONNECTION_CLOSED,
  EPIPE: CONNECTION_CLOSED,
  UND_ERR_SOCKET: CONNECTION_CLOSED,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CONNECTION_CLOSED,
  UND_ERR_HEADERS_OVERFLOW: `answered with more than ${limits.headerBytes / 1024} KiB of headers`,
};

/** Keeps only the code of a foreign error, whose message may quote a URL with the key. */
function networkError(error: unknown, request: HttpRequest, origin: string): RequestError {
  const code = codeOf(error);
  // undici has no code for a proxy that refuses.
  if (error instanceof Error && error.message.startsWith("Proxy ")) {
    return new RequestError({
      code: "extract.proxy",
      message: `${describeRequest(request)}: the proxy did not let the request to ${origin} through`,
      hint: "check HTTPS_PROXY (or HTTP_PROXY) and its password, or name the host in NO_PROXY",
      retryable: true,
    });
  }
  if (code === "UND_ERR_INVALID_ARG") {
    return new RequestError({
      code: "extract.request",
      message: `${describeRequest(request)} cannot be sent: a header has a character that headers cannot carry`,
      hint: "check the headers of client and endpoint",
      retryable: false,
    });
  }
  const isCertificate = /CERT|SIGNATURE|ISSUER/.test(code);
  const failure = isCertificate
    ? `has a certificate that cannot be trusted (${code})`
    : (socketFailures[code] ?? `failed to answer in HTTP (${code})`);
  return new RequestError({
    code: "extract.network",
    message: `${describeRequest(request)}: ${origin} ${failure}`,
    hint: "check base_url, whether the API is up, and the proxy if there is one",
    retryable: !isCertificate,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
