import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { JsonValue } from "../../values/json.ts";
import { parseJson } from "../../values/parse-json.ts";
import { retryAfter } from "./retry.ts";
import { type HttpRequest, type HttpResponse, shown, tooMuch } from "./transport.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined: the API said that there is nothing (204). */
  body: JsonValue | undefined;
  /** The config ignores answers like this one: its request has come to its end. */
  isIgnored?: true;
}

/** What decides what an answer means, besides the answer. */
export interface Reading {
  retryStatuses: ReadonlySet<number>;
  /** Statuses that mean wrong credentials, and what to do about those. */
  refusals: ReadonlySet<number>;
  refusedHint: string;
  /** Makes a piece of the API's text fit for a message. */
  quote: (text: string) => string;
  now: number;
}

/** The JSON of an answer, or a RequestError that says what came instead. */
export function readAnswer(request: HttpRequest, response: HttpResponse, reading: Reading): Answer {
  const { status, headers } = response;
  if (status < 200 || status >= 300) throw refused(request, response, reading);
  if (status === 204) return { status, headers, body: undefined };
  return { status, headers, body: jsonOf(request, response, reading.quote) };
}

function refused(request: HttpRequest, response: HttpResponse, reading: Reading): RequestError {
  const { status, headers, body } = response;
  const answered = `${shown(request)} answered ${status}`;
  if (status >= 300 && status < 400 && status !== 304 /* Not Modified */) {
    return new RequestError({
      code: "extract.redirect",
      message: `${answered}, a redirect to ${reading.quote(targetOf(request, headers.location))}`,
      hint: "only redirects within base_url's origin are followed, and five at most: put the final address into base_url or path",
      retryable: false,
      status,
    });
  }
  const refusal = reading.refusals.has(status);
  const retryable = reading.retryStatuses.has(status);
  // What an API says of wrong credentials may repeat them in part, where no redaction sees it.
  const reason = refusal || retryable ? "" : reading.quote(body.toString());
  return new RequestError({
    code: "extract.status",
    message: reason ? `${answered}: ${reason}` : answered,
    hint: refusal ? reading.refusedHint : hints[status],
    retryable,
    status,
    retryAfterMs: retryAfter(headers, { now: reading.now, status }),
  });
}

const hints: Record<number, string> = {
  404: "check base_url and the endpoint's path",
  429: "the API asks for fewer requests",
  500: "the API failed",
  502: "the API is not available",
  503: "the API is not available",
  504: "the API is not available",
};

/** Without the query: an API that redirects repeats the key in it. */
function targetOf(request: HttpRequest, location: string | undefined): string {
  if (location === undefined || !URL.canParse(location, request.url)) return "no address";
  const { protocol, host, pathname } = new URL(location, request.url);
  return `${protocol}//${host}${pathname}`;
}

/** What is known to be UTF-8, without a BOM: a TextDecoder takes three times as long. */
const textOf = (body: Buffer): string =>
  body.toString("utf8", body.readUInt8(0) === 0xef && body.readUInt8(1) === 0xbb ? 3 : 0);

function jsonOf(
  request: HttpRequest,
  { status, headers, body }: HttpResponse,
  quote: Reading["quote"],
): JsonValue {
  const unusable = (what: string, hint: string, retryable: boolean) =>
    new RequestError({
      code: "extract.body",
      message: `${shown(request)} answered ${status} with ${what}`,
      hint,
      retryable,
      status,
    });

  const encoding = encodingOf(body, headers["content-type"]);
  if (encoding) throw unusable(encoding, "only JSON in UTF-8 is read", false);
  const text = body.length < 3 ? body.toString() : textOf(body);
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof RangeError) throw tooMuch(request, `more than ${limits.values} values`);
    const start = text.trimStart();
    if (start === "") throw unusable("an empty body", "an empty page is an empty list", false);
    if (isLines(start))
      throw unusable("JSON lines", "one JSON value is read, not one a line", false);
    if (/^[[{]/.test(start)) {
      throw unusable("JSON that is broken or ended early", "the API sent half an answer", true);
    }
    const kind = /^<(!doctype html|html)\b/i.test(start)
      ? "an HTML page, not JSON"
      : "something that is not JSON";
    const said = quote(text);
    throw unusable(
      said ? `${kind}: ${said}` : kind,
      "check that base_url is the API's address, not its website's",
      false,
    );
  }
}

/** Whether the first line is a whole value and another one follows. */
function isLines(text: string): boolean {
  const [first = ""] = /^[[{].*\n(?=[[{])/.exec(text) ?? [];
  try {
    return first !== "" && parseJson(first) !== undefined;
  } catch {
    return false;
  }
}

/** The bytes that a body begins with when it is none in UTF-8: JSON begins with two of ASCII. */
const beginnings: [name: string, bytes: RegExp][] = [
  ["gzip data that no Content-Encoding names", /^1f8b/],
  ["text in UTF-32", /^(fffe0000|0000feff|000000..|..000000)/],
  ["text in UTF-16", /^(fffe|feff|00..|..00)/],
];

/** What stands in place of text in UTF-8; undefined where there is such a text. */
function encodingOf(body: Buffer, contentType = ""): string | undefined {
  const start = body.subarray(0, 4).toString("hex");
  const known = beginnings.find(([, bytes]) => bytes.test(start));
  if (known) return known[0];
  if (isUtf8(body)) return undefined;
  const [, charset] = /charset="?([\w-]{1,20})/i.exec(contentType) ?? [];
  return charset ? `text that is not UTF-8 but ${charset}` : "text that is not UTF-8";
}
