import { RequestError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Path } from "../config/jsonpath.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { type HttpRequest, shown, tooMuch } from "./http/transport.ts";
import { type Selection, select } from "./select.ts";

/** Where records are looked for, and how. */
interface Search {
  selector: Path;
  /** The config does not name the selector: this page is what it was found on. */
  isGuess: boolean;
  /** Makes text of the API fit for a message. */
  quote: (text: string) => string;
}

/** The records of a page, or a RequestError that says what is there instead. */
export function recordsOf(
  request: HttpRequest,
  body: JsonValue,
  { selector, isGuess, quote }: Search,
): JsonValue[] {
  const isWrong = isGuess && isError(body, selector);
  const selection = isWrong ? { reached: "$", found: body } : select(body, selector);
  const without = (what: string, there: string) =>
    new RequestError({
      code: "extract.selector",
      message: `the answer to ${shown(request)} has ${what}; ${quote(there)}`,
      hint: saysError(body)
        ? "the API means an error: where it is none, response_actions can ignore such an answer"
        : "set data_selector to the member that holds the list",
      retryable: false,
    });
  if (!("records" in selection)) {
    const nothing = isGuess ? "no records" : `nothing at data_selector "${selector.text}"`;
    throw without(nothing, instead(selection, body));
  }
  const { records } = selection;
  // An empty list ends the paging, and what a refresh has not seen by then is deleted.
  if (records.length === 0 && saysError(body)) throw without("no records", said(body));
  if (records.length <= limits.records) return records;
  throw tooMuch(request, `${records.length} records on a page, of ${limits.records} at most`);
}

/**
 * Whether a body says that something went wrong, and nothing else: no list is in it but that of its
 * errors.
 */
function isError(body: JsonValue, { steps: [first] }: Pick<Path, "steps">): boolean {
  const isList = first !== undefined && !("name" in first && first.name === "errors");
  return !isList && saysError(body);
}

const saysError = (body: JsonValue): boolean =>
  isObject(body) &&
  (body.ok === false || body.success === false || isSome(body.error) || isSome(body.errors));

const isSome = (value: JsonValue | undefined): boolean =>
  typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value);

function instead({ reached, found }: Missed, body: JsonValue): string {
  const place = reached === "$" ? "the body" : `"${reached}"`;
  const there =
    found === null && body !== null
      ? `${place} is null; the body ${describe(body)}`
      : `${place} ${describe(found)}`;
  return saysError(body) ? `${there}; ${said(body)}` : there;
}

const said = (body: JsonValue): string => `it says ${jsonText(body)}`;

type Missed = Exclude<Selection, { records: JsonValue[] }>;

const SHOWN_NAMES = 10;

function describe(value: JsonValue): string {
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (value === null) return "is null";
  if (!isObject(value)) return typeof value === "string" ? "is a string" : `is ${value}`;
  const names = Object.keys(value);
  if (names.length === 0) return "is an empty object";
  const more = names.length > SHOWN_NAMES ? ", …" : "";
  return `has: ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`;
}
