import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../../base/errors.ts";
import type { JsonPath } from "../../config/jsonpath.ts";
import type { RangeEnd, Slot } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { findValue } from "../select.ts";
import type { PageRequest } from "./page-request.ts";

/** The input of a paginator. */
export interface ReceivedPage {
  request: PageRequest;
  /** The whole URL of the request, without credentials, for relative links. */
  url: string;
  /** Unchanged from the API. */
  records: JsonValue[];
  headers: IncomingHttpHeaders;
  /** Undefined after a 204. */
  body: JsonValue | undefined;
  /** The API answered with this error, which may mean that there is no such page. */
  absence?: RequestError;
}

/** A pure state machine: the request that it returned holds its whole state. */
export interface Paginator {
  first(): PageRequest;
  /** The records that were not read before, where pages overlap. */
  fresh?(page: ReceivedPage): JsonValue[];
  /** Whether the page shows that no row has moved since the page before it. */
  isInPlace?(page: ReceivedPage): boolean;
  /** Undefined after the last page. */
  next(page: ReceivedPage): PageRequest | undefined;
}

type SlotValue = string | number;

/** A request with each value in its slot. */
export function placeValues(values: [Slot, SlotValue][]): PageRequest {
  const request: PageRequest = {};
  for (const [slot, value] of values) {
    if ("param" in slot) request.params = { ...request.params, [slot.param]: value };
    else request.body = { ...request.body, [slot.bodyPath]: value };
  }
  return request;
}

export const readSlot = ({ params, body }: PageRequest, slot: Slot): SlotValue | undefined =>
  "param" in slot ? params?.[slot.param] : body?.[slot.bodyPath];

const valueIn = (body: JsonValue | undefined, path: JsonPath): JsonValue | undefined =>
  body === undefined ? undefined : findValue(body, path);

/** The number of rows or pages in this answer; undefined where it names none. */
export function readNamedTotal(
  { body }: Pick<ReceivedPage, "body">,
  { total }: Pick<RangeEnd, "total">,
): number | undefined {
  if (!total) return undefined;
  const count = wholeNumberIn(valueIn(body, total.path));
  // Some APIs write -1 for an unknown total.
  return count !== undefined && count >= 0 ? count : undefined;
}

/** A number without its fraction, also where a string holds it. */
export function wholeNumberIn(value: JsonValue | undefined): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

const booleanWords: Record<string, boolean> = {
  ...Object.fromEntries(["true", "t", "yes", "y", "1"].map((word) => [word, true])),
  ...Object.fromEntries(["false", "f", "no", "n", "0"].map((word) => [word, false])),
};

/** The value at has_more_path; undefined where the config names no such path. */
export function readHasMore(
  { body }: ReceivedPage,
  { hasMore }: { hasMore: JsonPath | undefined },
): boolean | undefined {
  if (!hasMore) return undefined;
  const value = valueIn(body, hasMore);
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.toLowerCase() : "";
  if (Object.hasOwn(booleanWords, word)) return booleanWords[word];
  throw new RequestError({
    code: "extract.has_more",
    message: `the answer has neither true nor false at has_more_path "${hasMore.text}"`,
    hint: "correct has_more_path, or remove it",
    retryable: false,
  });
}
