import type { OffsetPaginator, PageNumberPaginator, PaginatorConfig } from "./endpoint-types.ts";
import { type Path, parsePath } from "./jsonpath.ts";
import type { PaginatorPlan, RangeEnd, Slot } from "./plan-types.ts";
import { isDict } from "./spell.ts";

/** Also of what the first answer showed (`extract/detect.ts`), which is in a config's words. */
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
        offsetAt: slot(paginator.offset_param, paginator.offset_body_path, "offset"),
        limitAt: slot(paginator.limit_param, paginator.limit_body_path, "limit"),
        overlap: paginator.overlap ?? usualOverlap(paginator.limit),
        ...planEnd(paginator, paginator.maximum_offset),
      };
    case "page_number":
      return {
        type: "page_number",
        basePage: paginator.base_page ?? 0,
        page: paginator.page ?? paginator.base_page ?? 0,
        pageAt: slot(paginator.page_param, paginator.page_body_path, "page"),
        ...planEnd(paginator, paginator.maximum_page),
      };
    case "cursor":
      return {
        type: "cursor",
        cursor: parsePath(paginator.cursor_path ?? "cursors.next"),
        cursorAt: slot(paginator.cursor_param, paginator.cursor_body_path, "cursor"),
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
      return { type: "json_link", next: parsePath(paginator.next_url_path ?? "next") };
    case "header_link":
      return { type: "header_link", rel: paginator.links_next_key ?? "next" };
  }
}

/**
 * How many rows of a page are read again with the next. A fifth of it keeps the cost small and still
 * shows rows that went away; of a small page, it would be all that a request brings.
 */
export const usualOverlap = (limit: number): number =>
  limit < 10 ? 0 : Math.min(5, Math.floor(limit / 5));

function planEnd(
  paginator: OffsetPaginator | PageNumberPaginator,
  maximum: number | null | undefined,
): RangeEnd {
  const stopAfterEmptyPage = paginator.stop_after_empty_page ?? true;
  const hasMore = optionalPath(paginator.has_more_path);
  const endsElsewhere = stopAfterEmptyPage || maximum != null || hasMore !== undefined;
  return {
    total: planTotal(paginator.total_path, !endsElsewhere),
    maximum: maximum ?? undefined,
    stopAfterEmptyPage,
    hasMore,
  };
}

// dlt insists on its default path, which stops each API that sends no total: we insist only on a
// path that somebody wrote down, or where nothing else would end the pages.
function planTotal(path: string | null | undefined, isOnlyEnd: boolean): RangeEnd["total"] {
  if (path === null) return undefined;
  if (path === undefined) return { path: parsePath("total"), required: isOnlyEnd };
  return { path: parsePath(path), required: true };
}

const optionalPath = (path: string | null | undefined): Path | undefined =>
  path == null ? undefined : parsePath(path);

const slot = (
  param: string | null | undefined,
  bodyPath: string | null | undefined,
  usual: string,
): Slot => (bodyPath == null ? { param: param ?? usual } : { bodyPath });

/**
 * Whether a path leads to one entity of a parent's, so that its answer is the record. dlt takes any
 * placeholder in the last segment for that, also one that params fill with a constant.
 *
 * @example isSingleEntity("/users/{resources.users.id}", undefined)
 */
export function isSingleEntity(path: unknown, params: unknown): boolean {
  if (typeof path !== "string") return false;
  const last =
    path
      .replace(/[?#].*/, "")
      .replace(/(?<!\/)\/+$/, "")
      .split("/")
      .at(-1) ?? "";
  return [...last.matchAll(/\{([^{}]+)\}/g)].some(([, name = ""]) => {
    const param = isDict(params) ? params[name] : undefined;
    return name.startsWith("resources.") || (isDict(param) && param.type === "resolve");
  });
}
