import { RequestError } from "../../base/errors.ts";
import type { CursorPlan, PaginatorPlan } from "../../config/plan-types.ts";
import type { PageRequest } from "../../flow.ts";
import { Decimal } from "../../values/decimal.ts";
import type { JsonValue } from "../../values/json.ts";
import { assertStorable } from "../echo.ts";
import { find } from "../select.ts";
import { hasMoreOf, type PageSeen, type Paginator, placed } from "./paging.ts";

/*
 * Paginators that go where an answer points to. An answer that points nowhere (nothing, null, an
 * empty text, false or 0) is the last.
 */

type Typed<Type> = Extract<PaginatorPlan, { type: Type }>;

export function cursor(plan: CursorPlan): Paginator {
  return {
    first: () => ({}),
    next(page) {
      if (page.records.length === 0 && plan.stopAfterEmptyPage) return undefined;
      const value = page.body === undefined ? undefined : find(page.body, plan.cursor);
      const more = page.body === undefined ? undefined : hasMoreOf(page, plan);
      if (more === false) return undefined;
      if (value) return placed([[plan.cursorAt, sendable(value, plan)]]);
      if (more) throw noCursor(plan);
      return undefined;
    },
  };
}

export function headerCursor({ header, param }: Typed<"header_cursor">): Paginator {
  return {
    first: () => ({}),
    next({ headers }) {
      const value = [headers[header]].flat()[0];
      return value ? { params: { [param]: value } } : undefined;
    },
  };
}

export function jsonLink({ next }: Typed<"json_link">): Paginator {
  return {
    first: () => ({}),
    next(page) {
      const link = page.body === undefined ? undefined : find(page.body, next);
      if (!link) return undefined;
      return following(typeof link === "string" ? link : undefined, page, next.text);
    },
  };
}

export function headerLink({ rel }: Typed<"header_link">): Paginator {
  return {
    first: () => ({}),
    next(page) {
      const link = linkOf(page.headers.link, rel);
      return link ? following(link, page, "Link") : undefined;
    },
  };
}

/** The page at a link, which brings its own parameters and may be relative to the page it stands on. */
function following(link: string | undefined, { url }: PageSeen, place: string): PageRequest {
  const isLink = link !== undefined && URL.canParse(link, url);
  const target = isLink ? new URL(link, url) : undefined;
  if (target && /^https?:$/.test(target.protocol)) {
    assertStorable([target.href], "the link to the next page");
    return { url: target.href };
  }
  throw new RequestError({
    code: "extract.link",
    message: `the answer has no URL at "${place}", where the next page's should be`,
    hint: "check the paginator: for a cursor, use the cursor paginator",
    retryable: false,
  });
}

/** The target of a relation in a Link header. */
export function linkOf(header: string | string[] | undefined, rel: string): string | undefined {
  const text = [header ?? []].flat().join(", ");
  // `<url>; name="value"; …, <url>; …`: a comma may stand inside of either.
  for (const [, target, params = ""] of text.matchAll(
    /<([^<>]*)>((?:\s*;[^;,"]*(?:"[^"]*")?)*)/g,
  )) {
    const [, quoted, plain] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(params) ?? [];
    const value = quoted ?? plain ?? "";
    if (value === rel || value.split(/\s+/).includes(rel)) return target;
  }
  return undefined;
}

/** In the query any number is its text; the body keeps what JSON can hold in a checkpoint. */
function sendable(value: JsonValue, { cursor: { text } }: CursorPlan): string | number {
  if (typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint" || value instanceof Decimal) return String(value);
  throw new RequestError({
    code: "extract.cursor",
    message: `what the answer has at cursor_path "${text}" is no text and no number`,
    hint: "set cursor_path to the member that holds the next cursor",
    retryable: false,
  });
}

const noCursor = ({ cursor: { text } }: CursorPlan) =>
  new RequestError({
    code: "extract.cursor",
    message: `the answer says that there is more, and has no cursor at "${text}"`,
    hint: "set cursor_path to the member that holds the next cursor",
    retryable: false,
  });
