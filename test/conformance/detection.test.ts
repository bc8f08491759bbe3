import { answerInTurn, byPage, recordsWithIds, serveSlices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// The first answer decides on the paginator, in dlt's order.

const detectionRow = (
  name: string,
  first: unknown,
  second: unknown,
  asks: string[],
  changes: Partial<Row> = {},
): Row => ({
  name,
  routes: { "/rows": answerInTurn(first, second) },
  requests: asks.map((query) => `/rows${query}`),
  records: recordsWithIds(1, 4),
  ...changes,
});

const link = { link: '<$api/rows?p=2>; rel="next"' };
const firstPage = (next: object) => ({ data: recordsWithIds(1, 2), ...next });
const lastPage = { data: recordsWithIds(3, 4) };

const following: Row[] = [
  detectionRow(
    "a Link header with rel=next is followed",
    withHeaders(link, recordsWithIds(1, 2)),
    recordsWithIds(3, 4),
    ["", "?p=2"],
  ),
  detectionRow(
    "better than dlt: detection prints its findings, ready to be copied into the config",
    withHeaders(link, recordsWithIds(1, 2)),
    recordsWithIds(3, 4),
    ["", "?p=2"],
    {
      says: ['detected paginator header_link; write it down as {"type":"header_link"}'],
    },
  ),
  detectionRow(
    "a Link header has precedence over a link in the body",
    withHeaders(link, firstPage({ next: "$api/rows?p=9" })),
    lastPage,
    ["", "?p=2"],
  ),
  ...["next", "next_url", "nextPage", "next_page_link", "nextLink"].map((name) =>
    detectionRow(`"${name}" with a URL`, firstPage({ [name]: "$api/rows?p=2" }), lastPage, [
      "",
      "?p=2",
    ]),
  ),
  detectionRow(
    "a path from the root is taken for a link",
    firstPage({ next: "/rows?p=2" }),
    lastPage,
    ["", "?p=2"],
  ),
  detectionRow(
    "a nested link is found",
    firstPage({ meta: { links: { next: "$api/rows?p=2" } } }),
    lastPage,
    ["", "?p=2"],
  ),
  detectionRow(
    "a link in href is found",
    firstPage({ _links: { next: { href: "$api/rows?p=2" } } }),
    lastPage,
    ["", "?p=2"],
  ),
  detectionRow(
    "a link in url is found",
    firstPage({ paging: { next: { url: "$api/rows?p=2" } } }),
    lastPage,
    ["", "?p=2"],
  ),
  detectionRow(
    "the detected paginator is used for later pages",
    firstPage({ links: { next: "$api/rows?p=2" } }),
    { data: recordsWithIds(3, 4), next: "$api/rows?p=9" },
    ["", "?p=2"],
  ),
  detectionRow("a string is taken for a cursor", firstPage({ next_cursor: "abc" }), lastPage, [
    "",
    "?cursor=abc",
  ]),
  detectionRow("a number is taken for a cursor", firstPage({ next: 17 }), lastPage, [
    "",
    "?cursor=17",
  ]),
  detectionRow("a nested cursor is found", firstPage({ meta: { next_token: "t" } }), lastPage, [
    "",
    "?cursor=t",
  ]),
  detectionRow(
    "next_page: 2 is taken for a cursor, as in dlt",
    firstPage({ next_page: 2 }),
    lastPage,
    ["", "?cursor=2"],
  ),
  detectionRow(
    "a link has precedence over a number of pages",
    firstPage({ pages: 9, next: "$api/rows?p=2" }),
    lastPage,
    ["", "?p=2"],
  ),
  detectionRow(
    "the word auto is the same as no paginator",
    firstPage({ next: "$api/rows?p=2" }),
    lastPage,
    ["", "?p=2"],
    { endpoint: { paginator: "auto" } },
  ),
  detectionRow(
    "{ type: auto } is the same as no paginator",
    firstPage({ next: "$api/rows?p=2" }),
    lastPage,
    ["", "?p=2"],
    {
      client: { paginator: { type: "auto" } },
    },
  ),
];

const numberedRow = (name: string, first: number, fields: object, asks: string[]): Row => ({
  name,
  routes: {
    "/rows": serveSlices(recordsWithIds(1, 4), { at: byPage(2, first), more: () => fields }),
  },
  requests: asks.map((query) => `/rows${query}`),
  records: recordsWithIds(1, 4),
});

const pages: Row[] = [
  ...["total_pages", "pages", "totalPages", "TOTAL_PAGES"].map((name) =>
    numberedRow(
      `better than dlt: "${name}" beside page 1 counts from 1`,
      1,
      { page: 1, [name]: 2 },
      ["", "?page=2"],
    ),
  ),
  numberedRow(
    "total_pages beside page 0 counts from 0, as in dlt",
    0,
    { page: 0, total_pages: 2 },
    ["", "?page=1"],
  ),
  numberedRow(
    "better than dlt: current_page shows the number of the first page",
    1,
    { meta: { current_page: 1, pages: 2 } },
    ["", "?page=2"],
  ),
  numberedRow(
    "better than dlt: pages that count from 1 are recognised by their records",
    1,
    { total_pages: 2 },
    ["", "?page=1", "?page=2"],
  ),
  // Page 1 may also be the first page after rows have come: one page more is asked for.
  numberedRow("pages that count from 0 are recognised by their records", 0, { total_pages: 2 }, [
    "",
    "?page=1",
    "?page=2",
  ]),
  {
    name: "better than dlt: a last page that is not full needs no other page",
    routes: {
      "/rows": serveSlices(recordsWithIds(1, 3), {
        at: byPage(2, 0),
        more: () => ({ total_pages: 2 }),
      }),
    },
    requests: ["/rows", "/rows?page=1"],
    records: recordsWithIds(1, 3),
  },
  numberedRow("total_pages may be a string", 1, { page: 1, total_pages: "2" }, ["", "?page=2"]),
  numberedRow(
    "a number of pages has precedence over a cursor",
    1,
    { page: 1, total_pages: 2, next_page: 2 },
    ["", "?page=2"],
  ),
  {
    name: "better than dlt: the first page in the config shows from where pages count",
    routes: {
      "/rows": serveSlices(recordsWithIds(1, 4), {
        at: byPage(2, 1),
        more: () => ({ total_pages: 2 }),
      }),
    },
    endpoint: { params: { page: 1, per_page: 2 } },
    requests: ["/rows?page=1&per_page=2", "/rows?page=2&per_page=2"],
    records: recordsWithIds(1, 4),
  },
];

const singlePageRow = (name: string, body: unknown, changes: Partial<Row> = {}): Row => ({
  name,
  routes: { "/rows": body },
  requests: ["/rows"],
  records: recordsWithIds(1, 2),
  ...changes,
});

const single: Row[] = [
  singlePageRow("an answer without any sign of paging is a single page", recordsWithIds(1, 2)),
  singlePageRow("an answer with next: null is a single page", firstPage({ next: null })),
  singlePageRow("an offset is never detected", firstPage({ offset: 0, limit: 2, total: 4 })),
  singlePageRow(
    "a total of rows is not taken for a number of pages",
    firstPage({ total: 4, count: 2 }),
  ),
  singlePageRow(
    "an answer with total_pages: 1 is a single page",
    firstPage({ page: 1, total_pages: 1 }),
  ),
  singlePageRow(
    "an answer with a Link header without rel=next is a single page",
    withHeaders({ link: '<$api/x>; rel="last"' }, recordsWithIds(1, 2)),
  ),
  singlePageRow(
    "members of records are not used for detection",
    { data: [{ id: 1, next: "/x" }] },
    { records: [{ id: 1, next: "/x" }] },
  ),
];

conformance("auto detection", [...following, ...pages, ...single]);
