import { RequestError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { JsonPath } from "../config/jsonpath.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { describeRequest, type HttpRequest, tooMuchError } from "./http/transport.ts";
import { type MissedSelection, selectRecords } from "./select.ts";

interface RecordSearch {
  selector: JsonPath;
  /** The selector was detected, not configured. */
  isGuess: boolean;
  /** Makes text of the API fit for a message. */
  quote: (text: string) => string;
}

/** The records of a page. An answer without records throws a RequestError with a description. */
export function recordsOf(
  request: HttpRequest,
  body: JsonValue,
  { selector, isGuess, quote }: RecordSearch,
): JsonValue[] {
  const isErrorBody = isGuess && hasOnlyErrors(body, selector);
  const selection = isErrorBody ? { reached: "$", value: body } : selectRecords(body, selector);
  const selectorError = (absence: string, content: string) =>
    new RequestError({
      code: "extract.selector",
      message: `the answer to ${describeRequest(request)} has ${absence}; ${quote(content)}`,
      hint: reportsError(body)
        ? "the API means an error: where it is none, response_actions can ignore such an answer"
        : "set data_selector to the member that holds the list",
      retryable: false,
    });
  if (!("records" in selection)) {
    const absence = isGuess ? "no records" : `nothing at data_selector "${selector.text}"`;
    throw selectorError(absence, describeMiss(selection, body));
  }
  const { records } = selection;
  // An empty list would end the paging, and a refresh would delete every row not read so far.
  if (records.length === 0 && reportsError(body)) {
    throw selectorError("no records", quoteBody(body));
  }
  if (records.length <= limits.records) return records;
  throw tooMuchError(request, `${records.length} records on a page, of ${limits.records} at most`);
}

/** Whether a body reports an error and has no list but, perhaps, the list of its errors. */
function hasOnlyErrors(body: JsonValue, { steps: [first] }: Pick<JsonPath, "steps">): boolean {
  const hasRecords = first !== undefined && !("name" in first && first.name === "errors");
  return !hasRecords && reportsError(body);
}

const reportsError = (body: JsonValue): boolean =>
  isObject(body) &&
  (body.ok === false || body.success === false || isFilled(body.error) || isFilled(body.errors));

function isFilled(value: JsonValue | undefined): boolean {
  // The keys of a list with two million elements would take 100 MB.
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === "object" && value !== null
    ? Object.keys(value).length > 0
    : Boolean(value);
}

function describeMiss({ reached, value }: MissedSelection, body: JsonValue): string {
  const subject = reached === "$" ? "the body" : `"${reached}"`;
  const content =
    value === null && body !== null
      ? `${subject} is null; the body ${describeValue(body)}`
      : `${subject} ${describeValue(value)}`;
  return reportsError(body) ? `${content}; ${quoteBody(body)}` : content;
}

/** The quote is far shorter. A body of 64 MiB must not become text again. */
const MAX_QUOTED = 1024 * 1024;

const quoteBody = (body: JsonValue): string =>
  `it says ${jsonText(body, { maxLength: MAX_QUOTED })}`;

const MAX_LISTED_NAMES = 10;

function describeValue(value: JsonValue): string {
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (value === null) return "is null";
  if (!isObject(value)) return typeof value === "string" ? "is a string" : `is ${value}`;
  const names = Object.keys(value);
  if (names.length === 0) return "is an empty object";
  const ellipsis = names.length > MAX_LISTED_NAMES ? ", …" : "";
  return `has: ${names.slice(0, MAX_LISTED_NAMES).join(", ")}${ellipsis}`;
}
