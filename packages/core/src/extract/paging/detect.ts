import type { IncomingHttpHeaders } from "node:http";
import type { PaginatorConfig } from "../../config/endpoint-types.ts";
import type { Step } from "../../config/jsonpath.ts";
import { Decimal } from "../../values/decimal.ts";
import { isObject, type JsonValue } from "../../values/json.ts";
import { writePath } from "../select.ts";
import { linkOf } from "./paginators-next.ts";

/** What the first answer shows, and what was asked for. */
export interface FirstAnswer {
  headers: IncomingHttpHeaders;
  body: JsonValue;
  /** The query parameters of the resource itself. */
  params: Record<string, unknown>;
}

/** The kinds that an answer can show. */
export type Detected = Exclude<PaginatorConfig, { type: "auto" | "offset" | "header_cursor" }>;

/**
 * The paginator of an API, from its first answer and in dlt's order. Offsets can not be told: nothing
 * in an answer says how they are asked for. `isSure` is false for numbered pages of which nothing
 * says whether the first is 0 or 1.
 */
export function detectPaginator(answer: FirstAnswer): { config: Detected; isSure: boolean } {
  const sure = (config: Detected) => ({ config, isSure: true });
  const { headers, body } = answer;
  if (linkOf(headers.link, "next")) return sure({ type: "header_link" });

  const next = nextIn(body, []);
  if (typeof next?.value === "string" && /^(http|[/?])/.test(next.value)) {
    return sure({ type: "json_link", next_url_path: writePath(next.path) });
  }
  const pages = memberIn(body, [], (name, value) => isPageCount.test(name) && isWhole(value));
  if (pages) return numbered(writePath(pages.path), answer);
  if (next) return sure({ type: "cursor", cursor_path: writePath(next.path) });
  return sure({ type: "single_page" });
}

const isPageCount = /^(total_pages|pages|totalpages)$/i;

const isPageNumber = /^(page|current_?page|page_?number)$/i;

/** dlt takes the first page for page 0. On most APIs it is 1, and often the answer says so. */
function numbered(total_path: string, { body, params }: FirstAnswer) {
  const answered = memberIn(body, [], (name, value) => isPageNumber.test(name) && isWhole(value));
  const page = answered?.value ?? params.page;
  if (!isWhole(page)) {
    return { config: { type: "page_number", total_path } as const, isSure: false };
  }
  const first = Number(page);
  const base_page = Math.min(first, 1);
  const start = first === base_page ? { base_page } : { base_page, page: first };
  return { config: { type: "page_number", ...start, total_path } as const, isSure: true };
}

interface Found {
  path: Step[];
  value: JsonValue;
}

/** The first member, depth first, whose name begins with `next`, or its `href` or `url`. */
function nextIn(value: JsonValue, path: Step[]): Found | undefined {
  if (!isObject(value)) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const here = [...path, { name }];
    if (/^next/i.test(name)) {
      if (isPointer(member)) return { path: here, value: member };
      for (const [inner, link] of Object.entries(isObject(member) ? member : {})) {
        if (/^(href|url)/i.test(inner) && isPointer(link)) {
          return { path: [...here, { name: inner }], value: link };
        }
      }
    }
    const deeper = nextIn(member, here);
    if (deeper) return deeper;
  }
  return undefined;
}

function memberIn(
  value: JsonValue,
  path: Step[],
  test: (name: string, value: JsonValue) => boolean,
): Found | undefined {
  if (!isObject(value)) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const here = [...path, { name }];
    const found = test(name, member) ? { path: here, value: member } : memberIn(member, here, test);
    if (found) return found;
  }
  return undefined;
}

const isPointer = (value: JsonValue): boolean =>
  ["string", "number", "bigint"].includes(typeof value) || value instanceof Decimal;

const isWhole = (value: unknown): value is JsonValue =>
  (typeof value === "number" && Number.isInteger(value)) ||
  (typeof value === "string" && /^\d+$/.test(value.trim()));
