import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../errors.ts";
import type { JsonValue } from "../flow.ts";
import { parseJson } from "./json.ts";
import { retryAfter } from "./retry.ts";
import { type HttpRequest, type HttpResponse, shown } from "./transport.ts";

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
  const { status, headers, body } = response;
  if (status < 200 || status >= 300) throw refused(request, response, reading);
  if (status === 204) return { status, headers, body: undefined };
  return { status, headers, body: jsonOf(request, status, body, reading.quote) };
}

function refused(request: HttpRequest, response: HttpResponse, reading: Reading): RequestError {
  const { status, headers, body } = response;
  const answered = `${shown(request)} answered ${status}`;
  if (status >= 300 && status < 400) {
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
  const { origin, pathname } = new URL(location, request.url);
  return `${origin}${pathname}`;
}

// `fatal`: a wrong byte must not become a question mark in a table. It also takes off a BOM.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function jsonOf(
  request: HttpRequest,
  status: number,
  body: Buffer,
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

  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw unusable("text that is not UTF-8", "only JSON in UTF-8 is read", false);
  }
  try {
    return parseJson(text);
  } catch {
    const start = text.trimStart();
    if (start === "") throw unusable("an empty body", "an empty page is an empty list", false);
    if (/^[[{]/.test(start)) {
      throw unusable("JSON that is broken or ended early", "the API sent half an answer", true);
    }
    const said = quote(text);
    throw unusable(
      said ? `something that is not JSON: ${said}` : "something that is not JSON",
      "check that base_url is the API's address, not its website's",
      false,
    );
  }
}
