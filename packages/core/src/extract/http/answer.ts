import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { JsonValue } from "../../values/json.ts";
import { parseJson } from "../../values/parse-json.ts";
import { readRetryAfter } from "./retry.ts";
import { describeRequest, type HttpRequest, type HttpResponse, tooMuchError } from "./transport.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined after a 204: the API has nothing to send. */
  body: JsonValue | undefined;
  /** The config ignores such answers: the answer has no records, and no page follows. */
  isIgnored?: true;
}

/** Everything besides the response that decides about an answer. */
export interface AnswerRules {
  retryStatuses: ReadonlySet<number>;
  /** Statuses for wrong credentials. */
  refusalStatuses: ReadonlySet<number>;
  /** The hint of the error after a refusal. */
  refusedHint: string;
  /** Makes a piece of the API's text fit for a message. */
  quote: (text: string | Uint8Array) => string;
  now: number;
}

/** The JSON of an answer. Anything but JSON throws a RequestError that describes the answer. */
export function readAnswer(
  request: HttpRequest,
  response: HttpResponse,
  rules: AnswerRules,
): Answer {
  const { status, headers } = response;
  if (status < 200 || status >= 300) throw statusError(request, response, rules);
  if (status === 204) return { status, headers, body: undefined };
  return { status, headers, body: parseBody(request, response, rules.quote) };
}

function statusError(
  request: HttpRequest,
  response: HttpResponse,
  rules: AnswerRules,
): RequestError {
  const { status, headers, body } = response;
  const answered = `${describeRequest(request)} answered ${status}`;
  if (status >= 300 && status < 400 && status !== 304 /* Not Modified */) {
    return new RequestError({
      code: "extract.redirect",
      message: `${answered}, a redirect to ${rules.quote(redirectTarget(request, headers.location))}`,
      hint: "only redirects within base_url's origin are followed, and five at most: put the final address into base_url or path",
      retryable: false,
      status,
    });
  }
  const isRefusal = rules.refusalStatuses.has(status);
  const retryable = rules.retryStatuses.has(status);
  // After a refusal the API may repeat the credentials in part, where no redaction sees them.
  const reason = isRefusal || retryable ? "" : rules.quote(body);
  return new RequestError({
    code: "extract.status",
    message: reason ? `${answered}: ${reason}` : answered,
    hint: isRefusal ? rules.refusedHint : statusHints[status],
    retryable,
    status,
    retryAfterMs: readRetryAfter(headers, { now: rules.now, status }),
  });
}

const statusHints: Record<number, string> = {
  404: "check base_url and the endpoint's path; where a 404 means that there is nothing more, let response_actions ignore it",
  429: "the API asks for fewer requests",
  500: "the API failed",
  502: "the API is not available",
  503: "the API is not available",
  504: "the API is not available",
};

/** Leaves the query out: redirects repeat the key there. */
function redirectTarget(request: HttpRequest, location: string | undefined): string {
  if (location === undefined || !URL.canParse(location, request.url)) return "no address";
  const { protocol, host, pathname } = new URL(location, request.url);
  return `${protocol}//${host}${pathname}`;
}

function parseBody(
  request: HttpRequest,
  { status, headers, body }: HttpResponse,
  quote: AnswerRules["quote"],
): JsonValue {
  const bodyError = (content: string, hint: string, retryable = false) =>
    new RequestError({
      code: "extract.body",
      message: `${describeRequest(request)} answered ${status} with ${content}`,
      hint,
      retryable,
      status,
    });

  const encoding = foreignEncoding(body, headers["content-type"]);
  if (encoding) throw bodyError(encoding, "only JSON in UTF-8 is read");
  const text = decodeUtf8(body);
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof RangeError) {
      throw tooMuchError(request, `more than ${limits.values} values`);
    }
    const start = text.trimStart();
    if (start === "") throw bodyError("an empty body", "an empty page is an empty list");
    if (isJsonLines(start)) throw bodyError("JSON lines", "one JSON value is read, not one a line");
    if (/^[[{]/.test(start)) {
      throw bodyError("JSON that is broken or ended early", "the API sent half an answer", true);
    }
    const kind = /^<(!doctype html|html)\b/i.test(start)
      ? "an HTML page, not JSON"
      : "something that is not JSON";
    const quoted = quote(text);
    throw bodyError(
      quoted ? `${kind}: ${quoted}` : kind,
      "check that base_url is the API's address, not its website's",
    );
  }
}

/** Drops a byte order mark. The body is known to be UTF-8: a TextDecoder would take three times as long. */
function decodeUtf8(body: Buffer): string {
  const hasMark = body.length >= 3 && body.readUInt8(0) === 0xef && body.readUInt8(1) === 0xbb;
  return body.toString("utf8", hasMark ? 3 : 0);
}

/** Whether the first line is a whole value and another follows. */
function isJsonLines(text: string): boolean {
  const [firstLine = ""] = /^[[{].*\n(?=[[{])/.exec(text) ?? [];
  try {
    return firstLine !== "" && parseJson(firstLine) !== undefined;
  } catch {
    return false;
  }
}

/** The first bytes of foreign encodings. JSON in UTF-8 begins with two ASCII characters. */
const encodingMarks: [name: string, bytes: RegExp][] = [
  ["gzip data that no Content-Encoding names", /^1f8b/],
  ["text in UTF-32", /^(fffe0000|0000feff|000000..|..000000)/],
  ["text in UTF-16", /^(fffe|feff|00..|..00)/],
];

/** Names the encoding of a body for a message; undefined for UTF-8. */
function foreignEncoding(body: Buffer, contentType = ""): string | undefined {
  const firstBytes = body.subarray(0, 4).toString("hex");
  const mark = encodingMarks.find(([, bytes]) => bytes.test(firstBytes));
  if (mark) return mark[0];
  if (isUtf8(body)) return undefined;
  const [, charset] = /charset="?([\w-]{1,20})/i.exec(contentType) ?? [];
  return charset ? `text that is not UTF-8 but ${charset}` : "text that is not UTF-8";
}
