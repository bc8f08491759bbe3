import type { SampleRecord } from "./records.ts";

/*
 * How the sample systems cut a collection into pages, each as some real API does it.
 */

/** What was asked for. */
export interface Asked {
  url: URL;
  /** The body of a POST. */
  text: string;
  records: SampleRecord[];
  /** The member of the answer that holds the records. */
  member: string;
  /** Whether the answer counts all records. */
  counted: boolean;
}

/** A page, or nothing where what was asked for makes no sense. */
export type Paging = (
  asked: Asked,
) => { body: unknown; headers?: Record<string, string> } | undefined;

const MAX_LIMIT = 100;
const size = (asked: unknown) => Math.min(Number(asked ?? MAX_LIMIT), MAX_LIMIT);

/** `offset` and `limit` in the query. */
export const byOffset: Paging = ({ url: { searchParams }, records, member, counted }) => {
  const limit = size(searchParams.get("limit") ?? undefined);
  const offset = Number(searchParams.get("offset") ?? 0);
  if (!(limit >= 1 && offset >= 0)) return undefined;
  const page = records.slice(offset, offset + limit);
  const count = counted ? { total: records.length } : {};
  return { body: { [member]: page, has_more: offset + limit < records.length, ...count } };
};

/** An opaque `cursor` in the query; the answer's `meta.next_cursor` is null on the last page. */
export const byCursor: Paging = ({ url: { searchParams }, records, member }) => {
  const limit = size(searchParams.get("limit") ?? undefined);
  const start = Number(Buffer.from(searchParams.get("cursor") ?? "", "base64url").toString());
  if (!(limit >= 1 && start >= 0)) return undefined;
  const end = start + limit;
  const next_cursor = end < records.length ? Buffer.from(`${end}`).toString("base64url") : null;
  return { body: { [member]: records.slice(start, end), meta: { next_cursor } } };
};

/** Numbered pages of what has changed since a time, the oldest first; a Link header has the next. */
export const byLink: Paging = ({ url, records }) => {
  const { searchParams } = url;
  const since = searchParams.get("since") ?? "";
  const changed = records
    .filter(({ updated_at }) => String(updated_at) >= since)
    .sort((a, b) => String(a.updated_at).localeCompare(String(b.updated_at)));
  const perPage = size(searchParams.get("per_page") ?? undefined);
  const page = Number(searchParams.get("page") ?? 1);
  if (!(perPage >= 1 && page >= 1)) return undefined;
  const end = page * perPage;
  const body = changed.slice(end - perPage, end);
  if (end >= changed.length) return { body };
  const next = new URL(url);
  next.searchParams.set("page", `${page + 1}`);
  return { body, headers: { link: `<${next}>; rel="next"` } };
};

/** A search: `from`, `size` and the query stand in a JSON body, and each hit wraps its record. */
export const bySearch: Paging = ({ text, records }) => {
  const { from = 0, size: wanted, query } = JSON.parse(text);
  const status = query?.term?.status;
  const found = records.filter((one) => status === undefined || one.status === status);
  const hits = found
    .slice(from, from + size(wanted))
    .map((one) => ({ _id: one.sku, _source: one }));
  return { body: { took: 3, hits: { total: { value: found.length, relation: "eq" }, hits } } };
};
