import { byPage, ids, inTurn, slices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// What the first answer shows, in dlt's order.

const detected = (
  name: string,
  first: unknown,
  second: unknown,
  asks: string[],
  more: Partial<Row> = {},
): Row => ({
  name,
  routes: { "/rows": inTurn(first, second) },
  requests: asks.map((query) => `/rows${query}`),
  records: ids(1, 4),
  ...more,
});

const link = { link: '<$api/rows?p=2>; rel="next"' };
const page = (next: object) => ({ data: ids(1, 2), ...next });
const last = { data: ids(3, 4) };

const following: Row[] = [
  detected("a Link header with rel=next", withHeaders(link, ids(1, 2)), ids(3, 4), ["", "?p=2"]),
  detected(
    "better than dlt: it says what it has detected, ready to be written down",
    withHeaders(link, ids(1, 2)),
    ids(3, 4),
    ["", "?p=2"],
    {
      says: ['detected paginator header_link; write it down as {"type":"header_link"}'],
    },
  ),
  detected(
    "a Link header goes before a link in the body",
    withHeaders(link, page({ next: "$api/rows?p=9" })),
    last,
    ["", "?p=2"],
  ),
  ...["next", "next_url", "nextPage", "next_page_link", "nextLink"].map((name) =>
    detected(`"${name}" with a URL`, page({ [name]: "$api/rows?p=2" }), last, ["", "?p=2"]),
  ),
  detected("a path from the root is a link", page({ next: "/rows?p=2" }), last, ["", "?p=2"]),
  detected("a link further down", page({ meta: { links: { next: "$api/rows?p=2" } } }), last, [
    "",
    "?p=2",
  ]),
  detected("a link in href", page({ _links: { next: { href: "$api/rows?p=2" } } }), last, [
    "",
    "?p=2",
  ]),
  detected("a link in url", page({ paging: { next: { url: "$api/rows?p=2" } } }), last, [
    "",
    "?p=2",
  ]),
  detected(
    "what was detected holds for later pages",
    page({ links: { next: "$api/rows?p=2" } }),
    { data: ids(3, 4), next: "$api/rows?p=9" },
    ["", "?p=2"],
  ),
  detected("a text is a cursor", page({ next_cursor: "abc" }), last, ["", "?cursor=abc"]),
  detected("a number is a cursor", page({ next: 17 }), last, ["", "?cursor=17"]),
  detected("a cursor further down", page({ meta: { next_token: "t" } }), last, ["", "?cursor=t"]),
  detected("next_page: 2 is a cursor, as in dlt", page({ next_page: 2 }), last, ["", "?cursor=2"]),
  detected(
    "a link goes before a number of pages",
    page({ pages: 9, next: "$api/rows?p=2" }),
    last,
    ["", "?p=2"],
  ),
  detected(
    "the bare word auto is the same as none",
    page({ next: "$api/rows?p=2" }),
    last,
    ["", "?p=2"],
    { endpoint: { paginator: "auto" } },
  ),
  detected("{ type: auto } is, too", page({ next: "$api/rows?p=2" }), last, ["", "?p=2"], {
    client: { paginator: { type: "auto" } },
  }),
];

const numbered = (name: string, first: number, more: object, asks: string[]): Row => ({
  name,
  routes: {
    "/rows": slices(ids(1, 4), { at: byPage(2, first), more: () => more }),
  },
  requests: asks.map((query) => `/rows${query}`),
  records: ids(1, 4),
});

const pages: Row[] = [
  ...["total_pages", "pages", "totalPages", "TOTAL_PAGES"].map((name) =>
    numbered(`better than dlt: "${name}" beside page 1 counts from 1`, 1, { page: 1, [name]: 2 }, [
      "",
      "?page=2",
    ]),
  ),
  numbered("total_pages beside page 0 counts from 0, as in dlt", 0, { page: 0, total_pages: 2 }, [
    "",
    "?page=1",
  ]),
  numbered("better than dlt: current_page tells too", 1, { meta: { current_page: 1, pages: 2 } }, [
    "",
    "?page=2",
  ]),
  numbered(
    "better than dlt: without it, pages from 1 are seen by their records",
    1,
    { total_pages: 2 },
    ["", "?page=1", "?page=2"],
  ),
  // Page 1 may also be the first page after rows have come: one page more is asked for.
  numbered("without it, pages from 0 are seen by their records", 0, { total_pages: 2 }, [
    "",
    "?page=1",
    "?page=2",
  ]),
  {
    name: "better than dlt: without it, a last page that is not full needs no other page",
    routes: {
      "/rows": slices(ids(1, 3), { at: byPage(2, 0), more: () => ({ total_pages: 2 }) }),
    },
    requests: ["/rows", "/rows?page=1"],
    records: ids(1, 3),
  },
  numbered("total_pages as text", 1, { page: 1, total_pages: "2" }, ["", "?page=2"]),
  numbered("a number of pages goes before a cursor", 1, { page: 1, total_pages: 2, next_page: 2 }, [
    "",
    "?page=2",
  ]),
  {
    name: "better than dlt: the page that the config asks for first tells from where pages count",
    routes: {
      "/rows": slices(ids(1, 4), { at: byPage(2, 1), more: () => ({ total_pages: 2 }) }),
    },
    endpoint: { params: { page: 1, per_page: 2 } },
    requests: ["/rows?page=1&per_page=2", "/rows?page=2&per_page=2"],
    records: ids(1, 4),
  },
];

const alone = (name: string, body: unknown, more: Partial<Row> = {}): Row => ({
  name,
  routes: { "/rows": body },
  requests: ["/rows"],
  records: ids(1, 2),
  ...more,
});

const single: Row[] = [
  alone("nothing to go by is a single page", ids(1, 2)),
  alone("next: null is a single page", page({ next: null })),
  alone("an offset is never detected", page({ offset: 0, limit: 2, total: 4 })),
  alone("a total of rows is no number of pages", page({ total: 4, count: 2 })),
  alone("total_pages: 1 is a single page", page({ page: 1, total_pages: 1 })),
  alone(
    "a Link header without rel=next is a single page",
    withHeaders({ link: '<$api/x>; rel="last"' }, ids(1, 2)),
  ),
  alone(
    "what records have in them is not looked at",
    { data: [{ id: 1, next: "/x" }] },
    { records: [{ id: 1, next: "/x" }] },
  ),
];

conformance("auto detection", [...following, ...pages, ...single]);
