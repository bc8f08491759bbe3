import { ORIGIN } from "../draw/config.ts";
import { type Level, pageSize } from "../draw/levels.ts";
import type { ListPage } from "./lists.ts";
import { recordText } from "./record.ts";

/** How an API writes its answers. */
export interface Style {
  /** Members come in another order each time. */
  turnsMembers: boolean;
  /** An empty list is null, as Go writes it. */
  nullLists: boolean;
}

/** The body and the headers of a page, as its family of paging has them. */
export function pageAnswer(
  page: ListPage,
  level: Level,
  { url, turn, style }: { url: URL; turn: number; style: Style },
): { body: string; headers: Record<string, string> } {
  const { paging } = level;
  const records = page.entries.map((entry) =>
    recordText(entry, level, style.turnsMembers ? turn + entry.row.id : 0),
  );
  const isCounted = paging.total === "always" || (paging.total === "once" && page.isFirst);
  const size = pageSize(paging);
  const members = [
    records.length === 0 && style.nullLists ? `"data":null` : `"data":[${records.join(",")}]`,
    ...(isCounted ? [`"total":${page.total}`] : []),
    // Where no link leads on, who names a number of pages is taken to number them.
    ...(isCounted && paging.by === "number" ? [`"pages":${Math.ceil(page.total / size)}`] : []),
  ];
  const link = linkTo(page, level, url);
  switch (paging.family) {
    case "cursor": {
      const token = page.next && "token" in page.next ? page.next.token : null;
      members.push(`"next_cursor":${JSON.stringify(token)}`);
      break;
    }
    case "json_link":
      members.push(`"next":${JSON.stringify(link ?? null)}`);
      break;
    case "header_link":
      return {
        body: `{${members.join(",")}}`,
        headers: link ? { link: `<${link}>; rel="next"` } : {},
      };
  }
  return { body: `{${members.join(",")}}`, headers: {} };
}

/** The URL of the next page, with what the request has asked for, and without its credential. */
function linkTo({ next }: ListPage, { paging }: Level, url: URL): string | undefined {
  if (!next) return undefined;
  const link = new URL(url.pathname, ORIGIN);
  for (const name of ["since", "until"]) {
    const value = url.searchParams.get(name);
    if (value !== null) link.searchParams.set(name, value);
  }
  if ("token" in next) link.searchParams.set("after", next.token);
  else {
    const page = Math.floor(next.number / pageSize(paging)) + paging.basePage;
    link.searchParams.set("page", String(page));
  }
  return link.href;
}
