import { RequestError } from "../../base/errors.ts";
import type { CursorPlan, PaginatorPlan } from "../../config/plan-types.ts";
import { Decimal } from "../../values/decimal.ts";
import type { JsonValue } from "../../values/json.ts";
import { findValue } from "../select.ts";
import { assertStorable } from "../storable.ts";
import type { PageRequest } from "./page-request.ts";
import { type Paginator, placeValues, type ReceivedPage, readHasMore } from "./paging.ts";

/*
 * Paginators for APIs whose answers point to the next page. An answer without a pointer (no value,
 * null, an empty string, false or 0) is the last.
 */

type PlanOf<Type> = Extract<PaginatorPlan, { type: Type }>;

export function cursorPaginator(plan: CursorPlan): Paginator {
  return {
    first: () => ({}),
    next(page) {
      if (page.records.length === 0 && plan.stopAfterEmptyPage) return undefined;
      if (page.body === undefined) return undefined;
      const cursor = findValue(page.body, plan.cursor);
      const hasMore = readHasMore(page, plan);
      if (hasMore === false) return undefined;
      if (cursor) return placeValues([[plan.cursorAt, sendableCursor(cursor, plan)]]);
      if (hasMore) throw missingCursorError(plan);
      return undefined;
    },
  };
}

export function headerCursorPaginator({ header, param }: PlanOf<"header_cursor">): Paginator {
  return {
    first: () => ({}),
    next({ headers }) {
      const cursor = [headers[header]].flat()[0];
      return cursor ? { params: { [param]: cursor } } : undefined;
    },
  };
}

export function jsonLinkPaginator({ next }: PlanOf<"json_link">): Paginator {
  return {
    first: () => ({}),
    next(page) {
      const link = page.body === undefined ? undefined : findValue(page.body, next);
      if (!link) return undefined;
      return requestForLink(typeof link === "string" ? link : undefined, page, next.text);
    },
  };
}

export function headerLinkPaginator({ rel }: PlanOf<"header_link">): Paginator {
  return {
    first: () => ({}),
    next(page) {
      const link = findLink(page.headers.link, rel);
      return link ? requestForLink(link, page, "Link") : undefined;
    },
  };
}

/** A link has its own parameters, and may be relative to the URL of its page. */
function requestForLink(
  link: string | undefined,
  { url }: ReceivedPage,
  linkPlace: string,
): PageRequest {
  const isLink = link !== undefined && URL.canParse(link, url);
  const target = isLink ? new URL(link, url) : undefined;
  if (target && /^https?:$/.test(target.protocol)) {
    assertStorable([target.href], "the link to the next page");
    return { url: target.href };
  }
  throw new RequestError({
    code: "extract.link",
    message: `the answer has no URL at "${linkPlace}", where the next page's should be`,
    hint: "check the paginator: for a cursor, use the cursor paginator",
    retryable: false,
  });
}

/** The target of a relation in a Link header. */
export function findLink(header: string | string[] | undefined, rel: string): string | undefined {
  const text = [header ?? []].flat().join(", ");
  // `<url>; name="value"; …, <url>; …`: URLs and quoted values may contain commas.
  for (const [, target, params = ""] of text.matchAll(
    /<([^<>]*)>((?:\s*;[^;,"]*(?:"[^"]*")?)*)/g,
  )) {
    const [, quoted, plain] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(params) ?? [];
    const value = quoted ?? plain ?? "";
    if (value === rel || value.split(/\s+/).includes(rel)) return target;
  }
  return undefined;
}

/** Numbers that a double cannot hold become strings: the checkpoint stores the request as JSON. */
function sendableCursor(value: JsonValue, { cursor: { text } }: CursorPlan): string | number {
  if (typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint" || value instanceof Decimal) return String(value);
  throw new RequestError({
    code: "extract.cursor",
    message: `the answer has neither a string nor a number at cursor_path "${text}"`,
    hint: "set cursor_path to the member that holds the next cursor",
    retryable: false,
  });
}

const missingCursorError = ({ cursor: { text } }: CursorPlan) =>
  new RequestError({
    code: "extract.cursor",
    message: `the answer says that there is more, and has no cursor at "${text}"`,
    hint: "set cursor_path to the member that holds the next cursor",
    retryable: false,
  });
