import type { SampleRecord } from "./records.ts";

/*
 * The ways in which the sample systems cut a collection into pages. Each is taken from a real API.
 */

export interface PageQuery {
  url: URL;
  /** The body of a POST. */
  body: string;
  records: SampleRecord[];
  /** The member of the answer that holds the records. */
  member: string;
  /** Whether the answer has the total number of records. */
  hasTotal: boolean;
}

/** Answers with a page. Undefined for an invalid query. */
export type Paging = (
  query: PageQuery,
) => { body: unknown; headers?: Record<string, string> } | undefined;

const MAX_LIMIT = 100;
const pageSize = (limit: unknown) => Math.min(Number(limit ?? MAX_LIMIT), MAX_LIMIT);

/** Pages by `offset` and `limit` in the query. */
export const byOffset: Paging = ({ url: { searchParams }, records, member, hasTotal }) => {
  const limit = pageSize(searchParams.get("limit") ?? undefined);
  const offset = Number(searchParams.get("offset") ?? 0);
  if (!(limit >= 1 && offset >= 0)) return undefined;
  const page = records.slice(offset, offset + limit);
  const total = hasTotal ? { total: records.length } : {};
  return { body: { [member]: page, has_more: offset + limit < records.length, ...total } };
};

/** Pages by an opaque `cursor` in the query. On the last page `meta.next_cursor` is null. */
export const byCursor: Paging = ({ url: { searchParams }, records, member }) => {
  const limit = pageSize(searchParams.get("limit") ?? undefined);
  const start = Number(Buffer.from(searchParams.get("cursor") ?? "", "base64url").toString());
  if (!(limit >= 1 && start >= 0)) return undefined;
  const end = start + limit;
  const next_cursor = end < records.length ? Buffer.from(`${end}`).toString("base64url") : null;
  return { body: { [member]: records.slice(start, end), meta: { next_cursor } } };
};

/** Numbered pages of the changes since a time, oldest first. A Link header names the next page. */
export const byLink: Paging = ({ url, records }) => {
  const { searchParams } = url;
  const since = searchParams.get("since") ?? "";
  const changed = records
    .filter(({ updated_at }) => String(updated_at) >= since)
    .sort((left, right) => String(left.updated_at).localeCompare(String(right.updated_at)));
  const perPage = pageSize(searchParams.get("per_page") ?? undefined);
  const page = Number(searchParams.get("page") ?? 1);
  if (!(perPage >= 1 && page >= 1)) return undefined;
  const end = page * perPage;
  const body = changed.slice(end - perPage, end);
  if (end >= changed.length) return { body };
  const nextUrl = new URL(url);
  nextUrl.searchParams.set("page", `${page + 1}`);
  return { body, headers: { link: `<${nextUrl}>; rel="next"` } };
};

/** A search: the JSON body has `from`, `size` and the query, and each hit wraps a record. */
export const bySearch: Paging = ({ body, records }) => {
  const { from = 0, size, query } = JSON.parse(body);
  const status = query?.term?.status;
  const matches = records.filter((record) => status === undefined || record.status === status);
  const hits = matches
    .slice(from, from + pageSize(size))
    .map((record) => ({ _id: record.sku, _source: record }));
  return { body: { took: 3, hits: { total: { value: matches.length, relation: "eq" }, hits } } };
};
