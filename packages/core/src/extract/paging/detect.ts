import type { IncomingHttpHeaders } from "node:http";
import type { PaginatorConfig } from "../../config/endpoint-types.ts";
import type { PathStep } from "../../config/jsonpath.ts";
import { Decimal } from "../../values/decimal.ts";
import { isObject, type JsonValue } from "../../values/json.ts";
import { isStorablePath, writePath } from "../select.ts";
import { findLink } from "./paginators-next.ts";

/** The first answer, with the parameters of its request. */
export interface FirstAnswer {
  headers: IncomingHttpHeaders;
  body: JsonValue;
  /** The query parameters of the resource itself. */
  params: Record<string, unknown>;
}

/** The types that an answer can show. No answer names the parameter of an offset. */
export type DetectedConfig = Exclude<
  PaginatorConfig,
  { type: "auto" | "offset" | "header_cursor" }
>;

/**
 * The paginator of an API, detected in its first answer in dlt's order. `isSure` is false for numbered
 * pages without a sign whether the first is 0 or 1.
 */
export function detectPaginator(answer: FirstAnswer): { config: DetectedConfig; isSure: boolean } {
  const sure = (config: DetectedConfig) => ({ config, isSure: true });
  const { headers, body } = answer;
  if (findLink(headers.link, "next")) return sure({ type: "header_link" });

  const next = findNextMember(body, []);
  if (typeof next?.value === "string" && /^(http|[/?])/.test(next.value)) {
    return sure({ type: "json_link", next_url_path: writePath(next.path) });
  }
  const pageCount = findWholeNumber(body, PAGE_COUNT_NAMES);
  if (pageCount) return detectPageNumbers(writePath(pageCount.path), answer);
  if (next) return sure({ type: "cursor", cursor_path: writePath(next.path) });
  return sure({ type: "single_page" });
}

const PAGE_COUNT_NAMES = /^(total_pages|pages|totalpages)$/i;

const PAGE_NUMBER_NAMES = /^(page|current_?page|page_?number)$/i;

/** dlt takes the first page for page 0. Most APIs begin at 1, and often the answer says so. */
function detectPageNumbers(total_path: string, { body, params }: FirstAnswer) {
  const page = findWholeNumber(body, PAGE_NUMBER_NAMES)?.value ?? params.page;
  if (!isWholeNumber(page)) {
    return { config: { type: "page_number", total_path } as const, isSure: false };
  }
  const first = Number(page);
  const base_page = Math.min(first, 1);
  const start = first === base_page ? { base_page } : { base_page, page: first };
  return { config: { type: "page_number", ...start, total_path } as const, isSure: true };
}

interface FoundMember {
  path: PathStep[];
  value: JsonValue;
}

/** APIs describe their pages near the top of an answer. A record may be nested 100,000 levels deep. */
const DETECT_DEPTH = 20;

const toPath = (names: string[]): PathStep[] => names.map((name) => ({ name }));

/** The first member, depth first, whose name begins with `next`, or its `href` or `url`. */
function findNextMember(value: JsonValue, path: string[]): FoundMember | undefined {
  if (!isObject(value) || path.length === DETECT_DEPTH) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const memberPath = [...path, name];
    if (/^next/i.test(name) && isStorablePath(memberPath)) {
      if (isPointer(member)) return { path: toPath(memberPath), value: member };
      for (const [linkName, link] of Object.entries(isObject(member) ? member : {})) {
        if (/^(href|url)/i.test(linkName) && isPointer(link) && isStorablePath([linkName])) {
          return { path: toPath([...memberPath, linkName]), value: link };
        }
      }
    }
    const deeper = findNextMember(member, memberPath);
    if (deeper) return deeper;
  }
  return undefined;
}

/** The first whole number, depth first, under a matching name. */
function findWholeNumber(
  value: JsonValue,
  names: RegExp,
  path: string[] = [],
): FoundMember | undefined {
  if (!isObject(value) || path.length === DETECT_DEPTH) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const memberPath = [...path, name];
    if (names.test(name) && isWholeNumber(member) && isStorablePath(memberPath)) {
      return { path: toPath(memberPath), value: member };
    }
    const deeper = findWholeNumber(member, names, memberPath);
    if (deeper) return deeper;
  }
  return undefined;
}

const isPointer = (value: JsonValue): boolean =>
  ["string", "number", "bigint"].includes(typeof value) || value instanceof Decimal;

const isWholeNumber = (value: unknown): value is JsonValue =>
  (typeof value === "number" && Number.isInteger(value)) ||
  (typeof value === "string" && /^\d+$/.test(value.trim()));
