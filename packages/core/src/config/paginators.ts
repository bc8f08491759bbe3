import { isDict } from "./dict.ts";
import type { OffsetPaginator, PageNumberPaginator, PaginatorConfig } from "./endpoint-types.ts";
import { type JsonPath, parseJsonPath } from "./jsonpath.ts";
import type { PaginatorPlan, RangeEnd, Slot } from "./plan-types.ts";

/** Plans a paginator that the user wrote, or that the first answer has shown. */
export function planPaginator(paginator: PaginatorConfig | undefined): PaginatorPlan {
  switch (paginator?.type) {
    case undefined:
    case "auto":
      return { type: "auto" };
    case "single_page":
      return { type: "single_page" };
    case "offset":
      return {
        type: "offset",
        limit: paginator.limit,
        offset: paginator.offset ?? 0,
        offsetAt: planSlot(paginator.offset_param, paginator.offset_body_path, "offset"),
        limitAt: planSlot(paginator.limit_param, paginator.limit_body_path, "limit"),
        overlap: paginator.overlap ?? defaultOverlap(paginator.limit),
        ...planRangeEnd(paginator, paginator.maximum_offset),
      };
    case "page_number":
      return {
        type: "page_number",
        basePage: paginator.base_page ?? 0,
        page: paginator.page ?? paginator.base_page ?? 0,
        pageAt: planSlot(paginator.page_param, paginator.page_body_path, "page"),
        ...planRangeEnd(paginator, paginator.maximum_page),
      };
    case "cursor":
      return {
        type: "cursor",
        cursor: parseJsonPath(paginator.cursor_path ?? "cursors.next"),
        cursorAt: planSlot(paginator.cursor_param, paginator.cursor_body_path, "cursor"),
        stopAfterEmptyPage: paginator.stop_after_empty_page ?? false,
        hasMore: optionalPath(paginator.has_more_path),
      };
    case "header_cursor":
      return {
        type: "header_cursor",
        header: (paginator.cursor_key ?? "next").toLowerCase(),
        param: paginator.cursor_param ?? "cursor",
      };
    case "json_link":
    case "json_response":
      return { type: "json_link", next: parseJsonPath(paginator.next_url_path ?? "next") };
    case "header_link":
      return { type: "header_link", rel: paginator.links_next_key ?? "next" };
  }
}

/**
 * The number of rows of a page that are requested again with the next page. A fifth of the page,
 * and at most 5, costs little and still shows that rows have gone. Below a limit of 10 there is no
 * overlap, because most of a request would go into it.
 */
export const defaultOverlap = (limit: number): number =>
  limit < 10 ? 0 : Math.min(5, Math.floor(limit / 5));

/**
 * The most pages that are requested at once, where the config says nothing. Only an overlap shows
 * whether rows have moved between two answers. Without one, pages are requested one after the other.
 */
export const defaultParallelPages = (paginator: PaginatorPlan): number =>
  paginator.type === "offset" && paginator.overlap > 0 ? 4 : 1;

function planRangeEnd(
  paginator: OffsetPaginator | PageNumberPaginator,
  maximum: number | null | undefined,
): RangeEnd {
  const stopAfterEmptyPage = paginator.stop_after_empty_page ?? true;
  const hasMore = optionalPath(paginator.has_more_path);
  const endsWithoutTotal = stopAfterEmptyPage || maximum != null || hasMore !== undefined;
  return {
    total: planTotal(paginator.total_path, !endsWithoutTotal),
    maximum: maximum ?? undefined,
    stopAfterEmptyPage,
    hasMore,
  };
}

// dlt requires a total at its default path, and therefore fails on every API without a total. Here
// a total is required if the config names the path, or if only a total could end the pages.
function planTotal(path: string | null | undefined, isOnlyEnd: boolean): RangeEnd["total"] {
  if (path === null) return undefined;
  if (path === undefined) return { path: parseJsonPath("total"), required: isOnlyEnd };
  return { path: parseJsonPath(path), required: true };
}

const optionalPath = (path: string | null | undefined): JsonPath | undefined =>
  path == null ? undefined : parseJsonPath(path);

const planSlot = (
  param: string | null | undefined,
  bodyPath: string | null | undefined,
  defaultParam: string,
): Slot => (bodyPath == null ? { param: param ?? defaultParam } : { bodyPath });

/**
 * True for a path whose last segment names a parent's field: the answer is then a single record.
 * dlt takes every placeholder in the last segment for an entity, a constant from `params` included.
 *
 * @example isSingleEntity("/users/{resources.users.id}", undefined)
 */
export function isSingleEntity(path: unknown, params: unknown): boolean {
  if (typeof path !== "string") return false;
  const pathname = path.replace(/[?#].*/, "").replace(/(?<!\/)\/+$/, "");
  const lastSegment = pathname.split("/").at(-1) ?? "";
  return [...lastSegment.matchAll(/\{([^{}]+)\}/g)].some(([, name = ""]) => {
    const param = isDict(params) ? params[name] : undefined;
    return name.startsWith("resources.") || (isDict(param) && param.type === "resolve");
  });
}
