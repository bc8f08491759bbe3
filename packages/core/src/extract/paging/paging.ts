import type { IncomingHttpHeaders } from "node:http";
import { RequestError } from "../../base/errors.ts";
import type { Path } from "../../config/jsonpath.ts";
import type { RangeEnd, Slot } from "../../config/plan-types.ts";
import type { PageRequest } from "../../flow.ts";
import type { JsonValue } from "../../values/json.ts";
import { find } from "../select.ts";

/** What a paginator decides from. */
export interface PageSeen {
  request: PageRequest;
  /** The whole URL that was asked, without credentials: what relative links refer to. */
  url: string;
  /** As the API sent them. */
  records: JsonValue[];
  headers: IncomingHttpHeaders;
  /** Undefined after a 204. */
  body: JsonValue | undefined;
}

/** A pure state machine: all that it knows is in the request that it returned. */
export interface Paginator {
  first(): PageRequest;
  /** The records that were not read before, where pages overlap. */
  fresh?(page: PageSeen): JsonValue[];
  /** Undefined after the last page. */
  next(page: PageSeen): PageRequest | undefined;
}

type Sent = string | number;

/** A request with values in their places. */
export function placed(values: [Slot, Sent][]): PageRequest {
  const request: PageRequest = {};
  for (const [slot, value] of values) {
    if ("param" in slot) request.params = { ...request.params, [slot.param]: value };
    else request.body = { ...request.body, [slot.bodyPath]: value };
  }
  return request;
}

export const valueAt = ({ params, body }: PageRequest, slot: Slot): Sent | undefined =>
  "param" in slot ? params?.[slot.param] : body?.[slot.bodyPath];

const valueIn = (body: JsonValue | undefined, path: Path): JsonValue | undefined =>
  body === undefined ? undefined : find(body, path);

/** How many rows or pages there are. Undefined where nothing says so and nothing has to. */
export function totalOf({ body, request }: PageSeen, { total }: RangeEnd): number | undefined {
  if (!total) return undefined;
  const value = valueIn(body, total.path);
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  // Some APIs write -1 where they have not counted.
  if (typeof count === "number" && count >= 0 && Number.isFinite(count)) return Math.trunc(count);
  // Counting is dear: some APIs do it on the first page only.
  const { total: known } = request.memory ?? {};
  if (known !== undefined || !total.required) return known;
  throw new RequestError({
    code: "extract.total",
    message: `the answer has no number at total_path "${total.path.text}"`,
    hint: "correct total_path, or remove it to read until an empty page",
    retryable: false,
  });
}

const answers: Record<string, boolean> = {
  ...Object.fromEntries(["true", "t", "yes", "y", "1"].map((word) => [word, true])),
  ...Object.fromEntries(["false", "f", "no", "n", "0"].map((word) => [word, false])),
};

/** What the body says at has_more_path; undefined without one. */
export function hasMoreOf(
  { body }: PageSeen,
  { hasMore }: { hasMore: Path | undefined },
): boolean | undefined {
  if (!hasMore) return undefined;
  const value = valueIn(body, hasMore);
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.toLowerCase() : "";
  if (Object.hasOwn(answers, word)) return answers[word];
  throw new RequestError({
    code: "extract.has_more",
    message: `the answer has neither true nor false at has_more_path "${hasMore.text}"`,
    hint: "correct has_more_path, or remove it",
    retryable: false,
  });
}
