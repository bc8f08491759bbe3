import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../../base/errors.ts";
import type { JsonPath } from "../../config/jsonpath.ts";
import type { RangeEnd, Slot } from "../../config/plan-types.ts";
import type { JsonValue } from "../../values/json.ts";
import { findValue } from "../select.ts";
import type { PageRequest } from "./page-request.ts";

/** A page as a paginator reads it. */
export interface ReceivedPage {
  request: PageRequest;
  /** The whole URL that was asked, without credentials. Relative links start from it. */
  url: string;
  /** As the API sent them. */
  records: JsonValue[];
  headers: IncomingHttpHeaders;
  /** Undefined after a 204. */
  body: JsonValue | undefined;
}

/** A pure state machine: its whole state is in the request that it returned. */
export interface Paginator {
  first(): PageRequest;
  /** The records that were not read before, where pages overlap. */
  fresh?(page: ReceivedPage): JsonValue[];
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

/** The number of rows or pages; undefined where no answer names it and the config does not ask for it. */
export function readTotal(
  { body, request }: ReceivedPage,
  { total }: RangeEnd,
): number | undefined {
  if (!total) return undefined;
  const value = valueIn(body, total.path);
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  // Some APIs write -1 where they have not counted.
  if (typeof count === "number" && count >= 0 && Number.isFinite(count)) return Math.trunc(count);
  // Counting is expensive: some APIs do it on the first page only.
  const earlierTotal = request.memory?.total;
  if (earlierTotal !== undefined || !total.required) return earlierTotal;
  throw new RequestError({
    code: "extract.total",
    message: `the answer has no number at total_path "${total.path.text}"`,
    hint: "correct total_path, or remove it to read until an empty page",
    retryable: false,
  });
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
