import { byPage, byParams, ids, inTurn, reply, slices, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// Limits stay below 10, where there is no overlap; offset.test.ts has it.

interface Paged {
  paginator: unknown;
  route: unknown;
  /** Of each request, the query alone. */
  asks?: string[];
  records?: object[];
  endpoint?: object;
  fails?: NonNullable<Row["fails"]>;
}

const paged = (name: string, { paginator, route, asks, endpoint, ...shows }: Paged): Row => ({
  name,
  routes: { "/rows": route },
  endpoint: { paginator, ...endpoint },
  ...(asks ? { requests: asks.map((query) => `/rows${query}`) } : {}),
  ...shows,
});

const withTotal = (total: unknown) => ({ more: () => ({ total }) });

// ── offset ───────────────────────────────────────────────────────────────────────────────────────

const offset = (name: string, options: object, shown: Omit<Paged, "paginator">): Row =>
  paged(`offset: ${name}`, { paginator: { type: "offset", limit: 2, ...options }, ...shown });

const offsetRows: Row[] = [
  offset(
    "without a total it reads until an empty page",
    {},
    {
      route: slices(ids(1, 4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "a total at its usual place ends the pages",
    {},
    {
      route: slices(ids(1, 4), withTotal(4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "a total that is null does not count: until an empty page",
    {},
    {
      route: slices(ids(1, 2), withTotal(null)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 2),
    },
  ),
  offset(
    "a total that the last page goes beyond",
    {},
    {
      route: slices(ids(1, 3), withTotal(3)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 3),
    },
  ),
  offset(
    "a total as text",
    {},
    {
      route: slices(ids(1, 4), withTotal("4")),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "offset is where it starts",
    { offset: 2 },
    {
      route: slices(ids(1, 4), withTotal(4)),
      asks: ["?offset=2&limit=2"],
      records: ids(3, 4),
    },
  ),
  offset(
    "offset_param and limit_param name the parameters",
    {
      offset_param: "skip",
      limit_param: "top",
    },
    {
      route: slices(ids(1, 3), {
        at: ({ query }) => ({ start: Number(query.get("skip")), size: Number(query.get("top")) }),
        ...withTotal(3),
      }),
      asks: ["?skip=0&top=2", "?skip=2&top=2"],
      records: ids(1, 3),
    },
  ),
  offset(
    "total_path names the total",
    { total_path: "meta.count" },
    {
      route: slices(ids(1, 4), { more: () => ({ meta: { count: 4 } }) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "total_path: null looks for none",
    { total_path: null },
    {
      route: slices(ids(1, 4), withTotal(1)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "a written total_path has to be there",
    { total_path: "count" },
    {
      route: slices(ids(1, 4)),
      asks: ["?offset=0&limit=2"],
      fails: ["extract.total", 'no number at total_path "count"'],
      records: [],
    },
  ),
  offset(
    "a written total_path has to hold a number",
    { total_path: "count" },
    {
      route: slices(ids(1, 4), { more: () => ({ count: "many" }) }),
      fails: ["extract.total"],
    },
  ),
  offset(
    "null counts as missing at a written total_path",
    { total_path: "total" },
    {
      route: slices(ids(1, 4), withTotal(null)),
      fails: ["extract.total"],
    },
  ),
  offset(
    "an empty first page is fine without its total",
    { total_path: "count" },
    {
      route: slices([]),
      asks: ["?offset=0&limit=2"],
      records: [],
    },
  ),
  offset(
    "better than dlt: a total on the first page only is remembered",
    { total_path: "total" },
    {
      route: slices(ids(1, 5), { more: (start) => (start === 0 ? { total: 5 } : {}) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: ids(1, 5),
    },
  ),
  // Rows may have come since the total was named.
  offset(
    "better than dlt: a full page behind a total of the first page is not the last",
    { total_path: "total" },
    {
      route: slices(ids(1, 6), { more: (start) => (start === 0 ? { total: 4 } : {}) }),
      asks: [
        "?offset=0&limit=2",
        "?offset=2&limit=2",
        "?offset=4&limit=2",
        "?offset=6&limit=2",
      ],
      records: ids(1, 6),
    },
  ),
  offset(
    "maximum_offset is exclusive",
    { maximum_offset: 4 },
    {
      route: slices(ids(1, 9)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "the page before maximum_offset is read whole",
    { maximum_offset: 3 },
    {
      route: slices(ids(1, 9)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "the smaller of total and maximum ends it",
    { maximum_offset: 8 },
    {
      route: slices(ids(1, 4), withTotal(4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "stop_after_empty_page false goes over an empty page to the total",
    {
      stop_after_empty_page: false,
      total_path: "total",
    },
    {
      route: inTurn(
        { data: ids(1, 2), total: 6 },
        { data: [], total: 6 },
        { data: ids(5, 6), total: 6 },
      ),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: [...ids(1, 2), ...ids(5, 6)],
    },
  ),
  offset(
    "an empty page ends it before its total is read",
    {},
    {
      route: inTurn({ data: ids(1, 2), total: null }, { data: [], total: "none" }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 2),
    },
  ),
  // Between both answers 98 rows may have gone, and have moved others to the first page.
  offset(
    "better than dlt: where a total promises more than an empty page, the page before is read again",
    {},
    {
      route: slices(ids(1, 2), { more: (start) => (start === 0 ? { total: 100 } : {}) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 2),
    },
  ),
  offset(
    "has_more_path decides",
    { has_more_path: "has_more" },
    {
      route: slices(ids(1, 4), { more: (_, end) => ({ has_more: end < 4 }) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: ids(1, 4),
    },
  ),
  offset(
    "has_more true does not go beyond a total, as in dlt since 1.30",
    { has_more_path: "more", total_path: "total" },
    {
      route: slices(ids(1, 4), { more: (_, end) => ({ total: 2, more: end < 4 }) }),
      asks: ["?offset=0&limit=2"],
      records: ids(1, 2),
    },
  ),
  offset(
    "has_more true does not go beyond maximum_offset, as in dlt since 1.30",
    { has_more_path: "more", maximum_offset: 2 },
    {
      route: slices(ids(1, 4), { more: (_, end) => ({ more: end < 4 }) }),
      asks: ["?offset=0&limit=2"],
      records: ids(1, 2),
    },
  ),
  offset(
    "has_more false ends before a total",
    { has_more_path: "more" },
    {
      route: slices(ids(1, 6), { more: () => ({ total: 6, more: false }) }),
      asks: ["?offset=0&limit=2"],
      records: ids(1, 2),
    },
  ),
  ...["true", "T", "yes", "Y", "1"].map((word) =>
    offset(
      `has_more "${word}" means that there is more`,
      { has_more_path: "more" },
      {
        route: inTurn({ data: ids(1, 2), more: word }, { data: ids(3, 4), more: false }),
        records: ids(1, 4),
      },
    ),
  ),
  ...["false", "F", "no", "N", "0"].map((word) =>
    offset(
      `has_more "${word}" means that there is none`,
      { has_more_path: "more" },
      {
        route: inTurn({ data: ids(1, 2), more: word }, { data: ids(3, 4), more: false }),
        records: ids(1, 2),
      },
    ),
  ),
  ...[1, 0, "maybe", null].map((value) =>
    offset(
      `has_more ${JSON.stringify(value)} is an error`,
      { has_more_path: "more" },
      {
        route: slices(ids(1, 4), { more: () => ({ more: value }) }),
        fails: ["extract.has_more", 'has_more_path "more"'],
      },
    ),
  ),
  offset(
    "has_more that is not there is an error",
    { has_more_path: "more" },
    {
      route: slices(ids(1, 4)),
      fails: ["extract.has_more"],
    },
  ),
  offset(
    "a static limit and offset give way",
    {},
    {
      route: slices(ids(1, 2), withTotal(2)),
      endpoint: { params: { limit: 500, offset: 9, sort: "id" } },
      asks: ["?offset=0&limit=2&sort=id"],
      records: ids(1, 2),
    },
  ),
  offset(
    "better than dlt: a server that caps pages loses no row",
    {},
    {
      route: slices(ids(1, 3), { cap: 1, ...withTotal(3) }),
      asks: ["?offset=0&limit=2", "?offset=1&limit=2", "?offset=2&limit=2"],
      records: ids(1, 3),
    },
  ),
  offset(
    "a short page is not the last",
    {},
    {
      route: slices(ids(1, 4), { cap: 1 }),
      records: ids(1, 4),
    },
  ),
  {
    name: "offset: offset_body_path and limit_body_path put them into the body as numbers",
    routes: {
      "POST /rows": slices(ids(1, 3), {
        at: ({ body }) => {
          const { page } = JSON.parse(body);
          return { start: page.from, size: page.size };
        },
        ...withTotal(3),
      }),
    },
    endpoint: {
      method: "POST",
      json: { filter: { open: true }, page: { sort: "id" } },
      paginator: {
        type: "offset",
        limit: 2,
        offset_body_path: "page.from",
        limit_body_path: "page.size",
      },
    },
    requests: [
      ["POST /rows", { json: { filter: { open: true }, page: { sort: "id", from: 0, size: 2 } } }],
      ["POST /rows", { json: { filter: { open: true }, page: { sort: "id", from: 2, size: 2 } } }],
    ],
    records: ids(1, 3),
  },
  {
    name: "offset: a body is made where there is none",
    routes: { "POST /rows": { data: ids(1, 2), total: 2 } },
    endpoint: {
      method: "POST",
      paginator: { type: "offset", limit: 2, offset_body_path: "a.b", limit_body_path: "n" },
    },
    requests: [["POST /rows", { json: { a: { b: 0 }, n: 2 } }]],
    records: ids(1, 2),
  },
  {
    name: "offset: the offset in the body, the limit in the query",
    routes: { "POST /rows": { data: ids(1, 2), total: 2 } },
    endpoint: {
      method: "POST",
      paginator: { type: "offset", limit: 2, offset_body_path: "from" },
    },
    requests: [["POST /rows?limit=2", { json: { from: 0 } }]],
  },
];

// ── page_number ──────────────────────────────────────────────────────────────────────────────────

const pageNumber = (name: string, options: object, shown: Omit<Paged, "paginator">): Row =>
  paged(`page_number: ${name}`, { paginator: { type: "page_number", ...options }, ...shown });

const pageRows: Row[] = [
  paged("page_number: the bare word counts from 0 until an empty page", {
    paginator: "page_number",
    route: slices(ids(1, 4), { at: byPage(2) }),
    asks: ["?page=0", "?page=1", "?page=2"],
    records: ids(1, 4),
  }),
  pageNumber(
    "base_page is the first",
    { base_page: 1 },
    {
      route: slices(ids(1, 4), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2", "?page=3"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "page is where it starts",
    { base_page: 1, page: 2 },
    {
      route: slices(ids(1, 4), { at: byPage(2, 1), ...withTotal(2) }),
      asks: ["?page=2"],
      records: ids(3, 4),
    },
  ),
  pageNumber(
    "a total counts pages, from 0",
    {},
    {
      route: slices(ids(1, 4), { at: byPage(2), ...withTotal(2) }),
      asks: ["?page=0", "?page=1"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "a total counts pages, from 1",
    { base_page: 1 },
    {
      route: slices(ids(1, 4), { at: byPage(2, 1), ...withTotal(2) }),
      asks: ["?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "a total as text",
    { base_page: 1, total_path: "pages" },
    {
      route: slices(ids(1, 4), { at: byPage(2, 1), more: () => ({ pages: "2" }) }),
      asks: ["?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "page_param names the parameter",
    { page_param: "p", maximum_page: 1 },
    {
      route: { data: ids(1, 2) },
      asks: ["?p=0"],
      records: ids(1, 2),
    },
  ),
  pageNumber(
    "maximum_page is exclusive",
    { base_page: 1, maximum_page: 3 },
    {
      route: slices(ids(1, 9), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "total_path: null looks for none",
    { total_path: null },
    {
      route: slices(ids(1, 2), { at: byPage(2), ...withTotal(1) }),
      asks: ["?page=0", "?page=1"],
      records: ids(1, 2),
    },
  ),
  pageNumber(
    "a written total_path has to be there",
    { total_path: "pages" },
    {
      route: slices(ids(1, 2), { at: byPage(2) }),
      fails: ["extract.total"],
    },
  ),
  pageNumber(
    "better than dlt: without a total it reads until an empty page",
    { base_page: 1 },
    {
      route: slices(ids(1, 3), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2", "?page=3"],
      records: ids(1, 3),
    },
  ),
  pageNumber(
    "stop_after_empty_page false goes on to the total",
    {
      stop_after_empty_page: false,
      total_path: "total",
    },
    {
      route: inTurn(
        { data: ids(1, 2), total: 3 },
        { data: [], total: 3 },
        { data: ids(3, 4), total: 3 },
      ),
      asks: ["?page=0", "?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "stop_after_empty_page false goes on to maximum_page",
    {
      stop_after_empty_page: false,
      total_path: null,
      maximum_page: 3,
    },
    {
      route: inTurn({ data: ids(1, 2) }, { data: [] }, { data: ids(3, 4) }),
      asks: ["?page=0", "?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "has_more_path decides",
    { has_more_path: "more", base_page: 1 },
    {
      route: slices(ids(1, 4), { at: byPage(2, 1), more: (_, end) => ({ more: end < 4 }) }),
      asks: ["?page=1", "?page=2"],
      records: ids(1, 4),
    },
  ),
  pageNumber(
    "a static page gives way",
    {},
    {
      route: { data: ids(1, 2), total: 1 },
      endpoint: { params: { page: 7, per_page: 2 } },
      asks: ["?page=0&per_page=2"],
      records: ids(1, 2),
    },
  ),
  {
    name: "page_number: page_body_path puts it into the body as a number",
    routes: { "POST /rows": inTurn({ data: ids(1, 2) }, { data: [] }) },
    endpoint: {
      method: "POST",
      json: { size: 2 },
      paginator: { type: "page_number", base_page: 1, page_body_path: "paging.page" },
    },
    requests: [
      ["POST /rows", { json: { size: 2, paging: { page: 1 } } }],
      ["POST /rows", { json: { size: 2, paging: { page: 2 } } }],
    ],
    records: ids(1, 2),
  },
];

// ── cursor ───────────────────────────────────────────────────────────────────────────────────────

const cursor = (name: string, options: object, shown: Omit<Paged, "paginator">): Row =>
  paged(`cursor: ${name}`, { paginator: { type: "cursor", ...options }, ...shown });

const next = (data: object[], value: unknown) => ({ data, next: value });
const byNext = { cursor_path: "next" };

const cursorRows: Row[] = [
  paged("cursor: the bare word looks at cursors.next, and the first request has none", {
    paginator: "cursor",
    route: inTurn({ data: ids(1, 2), cursors: { next: "c2" } }, { data: ids(3, 4), cursors: {} }),
    asks: ["", "?cursor=c2"],
    records: ids(1, 4),
  }),
  cursor(
    "cursor_path and cursor_param",
    { cursor_path: "meta.after", cursor_param: "after" },
    {
      route: inTurn({ data: ids(1, 2), meta: { after: "x" } }, { data: ids(3, 3) }),
      asks: ["", "?after=x"],
      records: ids(1, 3),
    },
  ),
  cursor(
    "the last row's id",
    { cursor_path: "data[-1].id", cursor_param: "after" },
    {
      route: inTurn({ data: ids(1, 2) }, { data: ids(3, 4) }, { data: [] }),
      asks: ["", "?after=2", "?after=4"],
      records: ids(1, 4),
    },
  ),
  ...["", 0, null, false].map((value) =>
    cursor(`${JSON.stringify(value)} ends the pages`, byNext, {
      route: next(ids(1, 2), value),
      asks: [""],
      records: ids(1, 2),
    }),
  ),
  cursor(
    "none at its place ends the pages",
    { cursor_path: "a.b" },
    {
      route: { data: ids(1, 2), a: [] },
      asks: [""],
      records: ids(1, 2),
    },
  ),
  cursor("the text 0 is a cursor", byNext, {
    route: inTurn(next(ids(1, 2), "0"), next(ids(3, 4), null)),
    asks: ["", "?cursor=0"],
    records: ids(1, 4),
  }),
  cursor("a number is a cursor", byNext, {
    route: inTurn(next(ids(1, 2), 17), next(ids(3, 4), null)),
    asks: ["", "?cursor=17"],
    records: ids(1, 4),
  }),
  cursor("better than dlt: a large number is exact", byNext, {
    route: inTurn(
      withHeaders(
        { "content-type": "application/json" },
        '{"data":[{"id":1}],"next":9007199254740993}',
      ),
      next(ids(2, 2), null),
    ),
    asks: ["", "?cursor=9007199254740993"],
    records: ids(1, 2),
  }),
  cursor("is encoded", byNext, {
    route: inTurn(next(ids(1, 2), "a+b/c=&d"), next(ids(3, 4), null)),
    asks: ["", `?cursor=${encodeURIComponent("a+b/c=&d")}`],
    records: ids(1, 4),
  }),
  cursor("static parameters stay, an equal one gives way", byNext, {
    route: inTurn(next(ids(1, 2), "c"), next(ids(3, 4), null)),
    endpoint: { params: { limit: 2, cursor: "start" } },
    asks: ["?limit=2&cursor=start", "?limit=2&cursor=c"],
    records: ids(1, 4),
  }),
  cursor("an empty page with a cursor is not the last", byNext, {
    route: inTurn(next([], "c"), next(ids(1, 2), null)),
    asks: ["", "?cursor=c"],
    records: ids(1, 2),
  }),
  cursor(
    "stop_after_empty_page true ends at an empty page",
    { ...byNext, stop_after_empty_page: true },
    {
      route: inTurn(next(ids(1, 2), "c"), next([], "d"), next(ids(3, 4), null)),
      asks: ["", "?cursor=c"],
      records: ids(1, 2),
    },
  ),
  cursor(
    "has_more false ends although there is a cursor",
    { ...byNext, has_more_path: "more" },
    {
      route: inTurn(
        { ...next(ids(1, 2), "c"), more: true },
        { ...next(ids(3, 4), "d"), more: false },
      ),
      asks: ["", "?cursor=c"],
      records: ids(1, 4),
    },
  ),
  cursor(
    "has_more that is no answer is an error",
    { ...byNext, has_more_path: "more" },
    {
      route: { ...next(ids(1, 2), "c"), more: "maybe" },
      fails: ["extract.has_more"],
    },
  ),
  cursor("better than dlt: a cursor that is an object is an error", byNext, {
    route: next(ids(1, 2), { id: 2 }),
    fails: ["extract.cursor", 'cursor_path "next"'],
  }),
  cursor("better than dlt: a cursor that comes again is an error and not endless", byNext, {
    route: inTurn(next(ids(1, 2), "c"), next(ids(3, 4), "c")),
    asks: ["", "?cursor=c"],
    fails: ["extract.loop"],
  }),
  {
    name: "cursor: cursor_body_path puts it into the body",
    routes: { "POST /rows": inTurn(next(ids(1, 2), "c"), next(ids(3, 4), null)) },
    endpoint: {
      method: "POST",
      json: { size: 2 },
      paginator: { type: "cursor", cursor_path: "next", cursor_body_path: "page.after" },
    },
    requests: [
      ["POST /rows", { json: { size: 2 } }],
      ["POST /rows", { json: { size: 2, page: { after: "c" } } }],
    ],
    records: ids(1, 4),
  },
  {
    name: "cursor: a number stays one in the body",
    routes: { "POST /rows": inTurn(next(ids(1, 2), 7), next(ids(3, 4), null)) },
    endpoint: {
      method: "POST",
      json: {},
      paginator: { type: "cursor", cursor_path: "next", cursor_body_path: "after" },
    },
    requests: [
      ["POST /rows", { json: {} }],
      ["POST /rows", { json: { after: 7 } }],
    ],
  },
];

// ── header_cursor ────────────────────────────────────────────────────────────────────────────────

const headerCursor = (name: string, options: object, shown: Omit<Paged, "paginator">): Row =>
  paged(`header_cursor: ${name}`, { paginator: { type: "header_cursor", ...options }, ...shown });

const headerRows: Row[] = [
  paged("header_cursor: the bare word takes the header next", {
    paginator: "header_cursor",
    route: inTurn(withHeaders({ next: "c2" }, ids(1, 2)), ids(3, 4)),
    asks: ["", "?cursor=c2"],
    records: ids(1, 4),
  }),
  headerCursor(
    "cursor_key and cursor_param",
    { cursor_key: "x-after", cursor_param: "after" },
    {
      route: inTurn(withHeaders({ "x-after": "c2" }, ids(1, 2)), ids(3, 4)),
      asks: ["", "?after=c2"],
      records: ids(1, 4),
    },
  ),
  headerCursor(
    "the header's name has no case",
    { cursor_key: "X-After" },
    {
      route: inTurn(withHeaders({ "x-after": "c2" }, ids(1, 2)), ids(3, 4)),
      asks: ["", "?cursor=c2"],
      records: ids(1, 4),
    },
  ),
  headerCursor(
    "an empty header ends the pages",
    { cursor_key: "x-after" },
    {
      route: withHeaders({ "x-after": "" }, ids(1, 2)),
      asks: [""],
      records: ids(1, 2),
    },
  ),
];

// ── json_link ────────────────────────────────────────────────────────────────────────────────────

const jsonLink = (name: string, options: object, shown: Omit<Paged, "paginator">): Row =>
  paged(`json_link: ${name}`, { paginator: { type: "json_link", ...options }, ...shown });

const linkRows: Row[] = [
  ...["json_link", "json_response"].map((word) =>
    paged(`${word}: the bare word follows next`, {
      paginator: word,
      route: inTurn(next(ids(1, 2), "$api/rows?p=2"), next(ids(3, 4), null)),
      asks: ["", "?p=2"],
      records: ids(1, 4),
    }),
  ),
  jsonLink(
    "next_url_path",
    { next_url_path: "links.next.href" },
    {
      route: inTurn(
        { data: ids(1, 2), links: { next: { href: "$api/rows?p=2" } } },
        { data: ids(3, 4) },
      ),
      asks: ["", "?p=2"],
      records: ids(1, 4),
    },
  ),
  jsonLink(
    "a quoted next_url_path",
    { next_url_path: "['@odata.nextLink']" },
    {
      route: inTurn(
        { value: ids(1, 2), "@odata.nextLink": "$api/rows?skip=2" },
        { value: ids(3, 4) },
      ),
      endpoint: { data_selector: "value" },
      asks: ["", "?skip=2"],
      records: ids(1, 4),
    },
  ),
  ...["/rows?p=2", "rows?p=2", "?p=2"].map((link) =>
    jsonLink(
      `"${link}" is relative to the page it stands on`,
      {},
      {
        route: inTurn(next(ids(1, 2), link), next(ids(3, 4), null)),
        asks: ["", "?p=2"],
        records: ids(1, 4),
      },
    ),
  ),
  jsonLink(
    "parameters of the first request are dropped",
    {},
    {
      route: inTurn(next(ids(1, 2), "$api/rows?p=2"), next(ids(3, 4), null)),
      endpoint: { params: { limit: 2, sort: "id" } },
      asks: ["?limit=2&sort=id", "?p=2"],
      records: ids(1, 4),
    },
  ),
  jsonLink(
    "better than dlt: an empty text ends the pages",
    {},
    {
      route: next(ids(1, 2), ""),
      asks: [""],
      records: ids(1, 2),
    },
  ),
  jsonLink(
    "nothing at its place ends the pages",
    {},
    {
      route: { data: ids(1, 2) },
      asks: [""],
      records: ids(1, 2),
    },
  ),
  jsonLink(
    "an empty page with a link is not the last",
    {},
    {
      route: inTurn(next([], "?p=2"), next(ids(1, 2), null)),
      asks: ["", "?p=2"],
      records: ids(1, 2),
    },
  ),
  jsonLink(
    "what is no link is an error",
    {},
    {
      route: next(ids(1, 2), 17),
      fails: ["extract.link", '"next"'],
    },
  ),
  jsonLink(
    "better than dlt: a link that comes again is an error and not endless",
    {},
    {
      route: inTurn(next(ids(1, 2), "?p=2"), next(ids(3, 4), "?p=2")),
      fails: ["extract.loop"],
    },
  ),
  jsonLink(
    "better than dlt: a link to another host is not followed",
    {},
    {
      route: next(ids(1, 2), "http://127.0.0.2:9/rows?p=2"),
      asks: [""],
      fails: ["extract.origin", "127.0.0.2"],
      records: ids(1, 2),
    },
  ),
  {
    name: "json_link: the body of a POST goes with each page",
    routes: { "POST /rows": inTurn(next(ids(1, 2), "?p=2"), next(ids(3, 4), null)) },
    endpoint: { method: "POST", json: { open: true }, paginator: "json_link" },
    requests: [
      ["POST /rows", { json: { open: true } }],
      ["POST /rows?p=2", { json: { open: true } }],
    ],
    records: ids(1, 4),
  },
  {
    name: "json_link: headers go with each page",
    routes: { "/rows": inTurn(next(ids(1, 2), "?p=2"), next(ids(3, 4), null)) },
    endpoint: { headers: { "x-team": "a" }, paginator: "json_link" },
    requests: ["/rows", "/rows?p=2"],
    headers: { "x-team": "a" },
  },
  {
    name: "json_link: another path of the same host",
    routes: { "/rows": next(ids(1, 2), "$api/more/2"), "/more/2": next(ids(3, 4), null) },
    endpoint: { paginator: "json_link" },
    requests: ["/rows", "/more/2"],
    records: ids(1, 4),
  },
];

// ── header_link ──────────────────────────────────────────────────────────────────────────────────

const linked = (link: string) => inTurn(withHeaders({ link }, ids(1, 2)), ids(3, 4));
const headerLink = (name: string, link: string, paginator: unknown = "header_link"): Row =>
  paged(`header_link: ${name}`, {
    paginator,
    route: linked(link),
    asks: ["", "?p=2"],
    records: ids(1, 4),
  });

const headerLinkRows: Row[] = [
  headerLink("the bare word follows rel=next", '<$api/rows?p=2>; rel="next"'),
  headerLink("of several relations", '<$api/rows>; rel="first", <$api/rows?p=2>; rel="next"'),
  headerLink("without quotes", "<$api/rows?p=2>; rel=next"),
  headerLink("beside other parameters", '<$api/rows?p=2>; title="a, b"; rel="next"'),
  headerLink("of several words in rel", '<$api/rows?p=2>; rel="next last"'),
  headerLink("relative to the page", '</rows?p=2>; rel="next"'),
  headerLink("links_next_key names the relation", '<$api/rows?p=2>; rel="more"', {
    type: "header_link",
    links_next_key: "more",
  }),
  paged("header_link: no such relation ends the pages", {
    paginator: "header_link",
    route: withHeaders({ link: '<$api/rows?p=1>; rel="prev"' }, ids(1, 2)),
    asks: [""],
    records: ids(1, 2),
  }),
  paged("header_link: parameters of the first request are dropped", {
    paginator: "header_link",
    route: linked('<$api/rows?p=2>; rel="next"'),
    endpoint: { params: { per_page: 2 } },
    asks: ["?per_page=2", "?p=2"],
    records: ids(1, 4),
  }),
];

// ── single_page and what is true for all ─────────────────────────────────────────────────────────

const commonRows: Row[] = [
  paged("single_page: one request, whatever the answer points to", {
    paginator: "single_page",
    route: withHeaders({ link: '<$api/rows?p=2>; rel="next"' }, next(ids(1, 2), "$api/rows?p=2")),
    asks: [""],
    records: ids(1, 2),
  }),
  paged("a dict with a type is the same as its bare word", {
    paginator: { type: "single_page" },
    route: { data: ids(1, 2) },
    asks: [""],
    records: ids(1, 2),
  }),
  paged("better than dlt: a server that ignores the page number is a failure", {
    paginator: { type: "page_number", base_page: 1 },
    route: { data: [{ id: "a" }] },
    endpoint: {},
    fails: ["extract.loop"],
  }),
  {
    name: "--limit-pages takes a sample",
    routes: { "/rows": slices(ids(1, 9), { at: byParams }) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    args: ["--limit-pages", "2"],
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    records: ids(1, 4),
  },
  {
    name: "a failed page leaves the earlier ones, and the next run goes on from there",
    routes: { "/rows": slices(ids(1, 4)), "/rows?offset=2": reply(404) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    fails: ["extract.status"],
    records: ids(1, 2),
    next: [
      {
        routes: { "/rows": slices(ids(1, 4), withTotal(4)) },
        // A record without a key is named by its content: what the failed run stored is not doubled.
        records: ids(1, 4),
      },
    ],
  },
];

conformance("paginators", [
  ...offsetRows,
  ...pageRows,
  ...cursorRows,
  ...headerRows,
  ...linkRows,
  ...headerLinkRows,
  ...commonRows,
]);
