import {
  answerInTurn,
  byPage,
  byParams,
  recordsWithIds,
  replyWith,
  serveSlices,
  withHeaders,
} from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

// Limits stay below 10, where pages do not overlap; overlap.test.ts has larger limits.

interface Paged {
  paginator: unknown;
  route: unknown;
  /** The query of each expected request. */
  asks?: string[];
  records?: object[];
  endpoint?: object;
  fails?: NonNullable<Row["fails"]>;
}

const pagedRow = (name: string, { paginator, route, asks, endpoint, ...outcome }: Paged): Row => ({
  name,
  routes: { "/rows": route },
  endpoint: { paginator, ...endpoint },
  ...(asks ? { requests: asks.map((query) => `/rows${query}`) } : {}),
  ...outcome,
});

const withTotal = (total: unknown) => ({ more: () => ({ total }) });

// ── offset ───────────────────────────────────────────────────────────────────────────────────────

const offsetRow = (name: string, options: object, row: Omit<Paged, "paginator">): Row =>
  pagedRow(`offset: ${name}`, { paginator: { type: "offset", limit: 2, ...options }, ...row });

const offsetRows: Row[] = [
  offsetRow(
    "without a total it reads until an empty page",
    {},
    {
      route: serveSlices(recordsWithIds(1, 4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "a total at its usual place ends the pages",
    {},
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal(4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "a total that is null is ignored, and paging ends at an empty page",
    {},
    {
      route: serveSlices(recordsWithIds(1, 2), withTotal(null)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  offsetRow(
    "a total ends the pages when the last page exceeds it",
    {},
    {
      route: serveSlices(recordsWithIds(1, 3), withTotal(3)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 3),
    },
  ),
  offsetRow(
    "a total may be a string",
    {},
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal("4")),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "offset is the first offset",
    { offset: 2 },
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal(4)),
      asks: ["?offset=2&limit=2"],
      records: recordsWithIds(3, 4),
    },
  ),
  offsetRow(
    "offset_param and limit_param name the parameters",
    {
      offset_param: "skip",
      limit_param: "top",
    },
    {
      route: serveSlices(recordsWithIds(1, 3), {
        at: ({ query }) => ({ start: Number(query.get("skip")), size: Number(query.get("top")) }),
        ...withTotal(3),
      }),
      asks: ["?skip=0&top=2", "?skip=2&top=2"],
      records: recordsWithIds(1, 3),
    },
  ),
  offsetRow(
    "total_path names the total",
    { total_path: "meta.count" },
    {
      route: serveSlices(recordsWithIds(1, 4), { more: () => ({ meta: { count: 4 } }) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "total_path: null ignores totals",
    { total_path: null },
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal(1)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "a total_path of the config that is missing from the answer is an error",
    { total_path: "count" },
    {
      route: serveSlices(recordsWithIds(1, 4)),
      asks: ["?offset=0&limit=2"],
      fails: ["extract.total", 'no number at total_path "count"'],
      records: [],
    },
  ),
  offsetRow(
    "a total_path of the config that holds no number is an error",
    { total_path: "count" },
    {
      route: serveSlices(recordsWithIds(1, 4), { more: () => ({ count: "many" }) }),
      fails: ["extract.total"],
    },
  ),
  offsetRow(
    "a null at the total_path of the config is an error",
    { total_path: "total" },
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal(null)),
      fails: ["extract.total"],
    },
  ),
  offsetRow(
    "an empty first page needs no total",
    { total_path: "count" },
    {
      route: serveSlices([]),
      asks: ["?offset=0&limit=2"],
      records: [],
    },
  ),
  offsetRow(
    "better than dlt: a total on the first page only is remembered",
    { total_path: "total" },
    {
      route: serveSlices(recordsWithIds(1, 5), {
        more: (start) => (start === 0 ? { total: 5 } : {}),
      }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: recordsWithIds(1, 5),
    },
  ),
  // Rows may have come since the total was named.
  offsetRow(
    "better than dlt: a full page behind a total of the first page is not the last",
    { total_path: "total" },
    {
      route: serveSlices(recordsWithIds(1, 6), {
        more: (start) => (start === 0 ? { total: 4 } : {}),
      }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2", "?offset=6&limit=2"],
      records: recordsWithIds(1, 6),
    },
  ),
  offsetRow(
    "maximum_offset is exclusive",
    { maximum_offset: 4 },
    {
      route: serveSlices(recordsWithIds(1, 9)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "the page before maximum_offset is read whole",
    { maximum_offset: 3 },
    {
      route: serveSlices(recordsWithIds(1, 9)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "the smaller of total and maximum ends the pages",
    { maximum_offset: 8 },
    {
      route: serveSlices(recordsWithIds(1, 4), withTotal(4)),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "stop_after_empty_page false continues after an empty page up to the total",
    {
      stop_after_empty_page: false,
      total_path: "total",
    },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2), total: 6 },
        { data: [], total: 6 },
        { data: recordsWithIds(5, 6), total: 6 },
      ),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=4&limit=2"],
      records: [...recordsWithIds(1, 2), ...recordsWithIds(5, 6)],
    },
  ),
  offsetRow(
    "an empty page ends the pages before its total is read",
    {},
    {
      route: answerInTurn({ data: recordsWithIds(1, 2), total: null }, { data: [], total: "none" }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  // Between both answers 98 rows may have gone, and have moved others to the first page.
  offsetRow(
    "better than dlt: where a total promises more than an empty page, the page before is read again",
    {},
    {
      route: serveSlices(recordsWithIds(1, 2), {
        more: (start) => (start === 0 ? { total: 100 } : {}),
      }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2", "?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  offsetRow(
    "has_more_path decides whether there is another page",
    { has_more_path: "has_more" },
    {
      route: serveSlices(recordsWithIds(1, 4), { more: (_, end) => ({ has_more: end < 4 }) }),
      asks: ["?offset=0&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  offsetRow(
    "has_more true does not go beyond a total, as in dlt since 1.30",
    { has_more_path: "more", total_path: "total" },
    {
      route: serveSlices(recordsWithIds(1, 4), { more: (_, end) => ({ total: 2, more: end < 4 }) }),
      asks: ["?offset=0&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  offsetRow(
    "has_more true does not go beyond maximum_offset, as in dlt since 1.30",
    { has_more_path: "more", maximum_offset: 2 },
    {
      route: serveSlices(recordsWithIds(1, 4), { more: (_, end) => ({ more: end < 4 }) }),
      asks: ["?offset=0&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  offsetRow(
    "has_more false ends before a total",
    { has_more_path: "more" },
    {
      route: serveSlices(recordsWithIds(1, 6), { more: () => ({ total: 6, more: false }) }),
      asks: ["?offset=0&limit=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  ...["true", "T", "yes", "Y", "1"].map((word) =>
    offsetRow(
      `has_more "${word}" means that there is more`,
      { has_more_path: "more" },
      {
        route: answerInTurn(
          { data: recordsWithIds(1, 2), more: word },
          { data: recordsWithIds(3, 4), more: false },
        ),
        records: recordsWithIds(1, 4),
      },
    ),
  ),
  ...["false", "F", "no", "N", "0"].map((word) =>
    offsetRow(
      `has_more "${word}" means that there is none`,
      { has_more_path: "more" },
      {
        route: answerInTurn(
          { data: recordsWithIds(1, 2), more: word },
          { data: recordsWithIds(3, 4), more: false },
        ),
        records: recordsWithIds(1, 2),
      },
    ),
  ),
  ...[1, 0, "maybe", null].map((value) =>
    offsetRow(
      `has_more ${JSON.stringify(value)} is an error`,
      { has_more_path: "more" },
      {
        route: serveSlices(recordsWithIds(1, 4), { more: () => ({ more: value }) }),
        fails: ["extract.has_more", 'has_more_path "more"'],
      },
    ),
  ),
  offsetRow(
    "a missing has_more is an error",
    { has_more_path: "more" },
    {
      route: serveSlices(recordsWithIds(1, 4)),
      fails: ["extract.has_more"],
    },
  ),
  offsetRow(
    "a static limit and offset are overridden",
    {},
    {
      route: serveSlices(recordsWithIds(1, 2), withTotal(2)),
      endpoint: { params: { limit: 500, offset: 9, sort: "id" } },
      asks: ["?offset=0&limit=2&sort=id"],
      records: recordsWithIds(1, 2),
    },
  ),
  offsetRow(
    "better than dlt: a server that caps pages loses no row",
    {},
    {
      route: serveSlices(recordsWithIds(1, 3), { cap: 1, ...withTotal(3) }),
      asks: ["?offset=0&limit=2", "?offset=1&limit=2", "?offset=2&limit=2"],
      records: recordsWithIds(1, 3),
    },
  ),
  offsetRow(
    "a short page is not the last",
    {},
    {
      route: serveSlices(recordsWithIds(1, 4), { cap: 1 }),
      records: recordsWithIds(1, 4),
    },
  ),
  {
    name: "offset: offset_body_path and limit_body_path put the numbers into the body",
    routes: {
      "POST /rows": serveSlices(recordsWithIds(1, 3), {
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
    records: recordsWithIds(1, 3),
  },
  {
    name: "offset: a request without a body gets one",
    routes: { "POST /rows": { data: recordsWithIds(1, 2), total: 2 } },
    endpoint: {
      method: "POST",
      paginator: { type: "offset", limit: 2, offset_body_path: "a.b", limit_body_path: "n" },
    },
    requests: [["POST /rows", { json: { a: { b: 0 }, n: 2 } }]],
    records: recordsWithIds(1, 2),
  },
  {
    name: "offset: the offset may be in the body and the limit in the query",
    routes: { "POST /rows": { data: recordsWithIds(1, 2), total: 2 } },
    endpoint: {
      method: "POST",
      paginator: { type: "offset", limit: 2, offset_body_path: "from" },
    },
    requests: [["POST /rows?limit=2", { json: { from: 0 } }]],
  },
];

// ── page_number ──────────────────────────────────────────────────────────────────────────────────

const pageNumberRow = (name: string, options: object, row: Omit<Paged, "paginator">): Row =>
  pagedRow(`page_number: ${name}`, { paginator: { type: "page_number", ...options }, ...row });

const pageRows: Row[] = [
  pagedRow("page_number: the word alone counts from 0 until an empty page", {
    paginator: "page_number",
    route: serveSlices(recordsWithIds(1, 4), { at: byPage(2) }),
    asks: ["?page=0", "?page=1", "?page=2"],
    records: recordsWithIds(1, 4),
  }),
  pageNumberRow(
    "base_page is the number of the first page",
    { base_page: 1 },
    {
      route: serveSlices(recordsWithIds(1, 4), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2", "?page=3"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "page is the page that is requested first",
    { base_page: 1, page: 2 },
    {
      route: serveSlices(recordsWithIds(1, 4), { at: byPage(2, 1), ...withTotal(2) }),
      asks: ["?page=2"],
      records: recordsWithIds(3, 4),
    },
  ),
  pageNumberRow(
    "a total counts pages, from 0",
    {},
    {
      route: serveSlices(recordsWithIds(1, 4), { at: byPage(2), ...withTotal(2) }),
      asks: ["?page=0", "?page=1"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "a total counts pages, from 1",
    { base_page: 1 },
    {
      route: serveSlices(recordsWithIds(1, 4), { at: byPage(2, 1), ...withTotal(2) }),
      asks: ["?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "a total may be a string",
    { base_page: 1, total_path: "pages" },
    {
      route: serveSlices(recordsWithIds(1, 4), { at: byPage(2, 1), more: () => ({ pages: "2" }) }),
      asks: ["?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "page_param names the parameter",
    { page_param: "p", maximum_page: 1 },
    {
      route: { data: recordsWithIds(1, 2) },
      asks: ["?p=0"],
      records: recordsWithIds(1, 2),
    },
  ),
  pageNumberRow(
    "maximum_page is exclusive",
    { base_page: 1, maximum_page: 3 },
    {
      route: serveSlices(recordsWithIds(1, 9), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "total_path: null ignores totals",
    { total_path: null },
    {
      route: serveSlices(recordsWithIds(1, 2), { at: byPage(2), ...withTotal(1) }),
      asks: ["?page=0", "?page=1"],
      records: recordsWithIds(1, 2),
    },
  ),
  pageNumberRow(
    "a total_path of the config that is missing from the answer is an error",
    { total_path: "pages" },
    {
      route: serveSlices(recordsWithIds(1, 2), { at: byPage(2) }),
      fails: ["extract.total"],
    },
  ),
  pageNumberRow(
    "better than dlt: without a total it reads until an empty page",
    { base_page: 1 },
    {
      route: serveSlices(recordsWithIds(1, 3), { at: byPage(2, 1) }),
      asks: ["?page=1", "?page=2", "?page=3"],
      records: recordsWithIds(1, 3),
    },
  ),
  pageNumberRow(
    "stop_after_empty_page false goes on to the total",
    {
      stop_after_empty_page: false,
      total_path: "total",
    },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2), total: 3 },
        { data: [], total: 3 },
        { data: recordsWithIds(3, 4), total: 3 },
      ),
      asks: ["?page=0", "?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "stop_after_empty_page false goes on to maximum_page",
    {
      stop_after_empty_page: false,
      total_path: null,
      maximum_page: 3,
    },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2) },
        { data: [] },
        { data: recordsWithIds(3, 4) },
      ),
      asks: ["?page=0", "?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "has_more_path decides whether there is another page",
    { has_more_path: "more", base_page: 1 },
    {
      route: serveSlices(recordsWithIds(1, 4), {
        at: byPage(2, 1),
        more: (_, end) => ({ more: end < 4 }),
      }),
      asks: ["?page=1", "?page=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  pageNumberRow(
    "a static page is overridden",
    {},
    {
      route: { data: recordsWithIds(1, 2), total: 1 },
      endpoint: { params: { page: 7, per_page: 2 } },
      asks: ["?page=0&per_page=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  {
    name: "page_number: page_body_path puts the number into the body",
    routes: { "POST /rows": answerInTurn({ data: recordsWithIds(1, 2) }, { data: [] }) },
    endpoint: {
      method: "POST",
      json: { size: 2 },
      paginator: { type: "page_number", base_page: 1, page_body_path: "paging.page" },
    },
    requests: [
      ["POST /rows", { json: { size: 2, paging: { page: 1 } } }],
      ["POST /rows", { json: { size: 2, paging: { page: 2 } } }],
    ],
    records: recordsWithIds(1, 2),
  },
];

// ── cursor ───────────────────────────────────────────────────────────────────────────────────────

const cursorRow = (name: string, options: object, row: Omit<Paged, "paginator">): Row =>
  pagedRow(`cursor: ${name}`, { paginator: { type: "cursor", ...options }, ...row });

const pageWithNext = (data: object[], value: unknown) => ({ data, next: value });
const byNext = { cursor_path: "next" };

const cursorRows: Row[] = [
  pagedRow("cursor: the word alone reads cursors.next, and the first request has no cursor", {
    paginator: "cursor",
    route: answerInTurn(
      { data: recordsWithIds(1, 2), cursors: { next: "c2" } },
      { data: recordsWithIds(3, 4), cursors: {} },
    ),
    asks: ["", "?cursor=c2"],
    records: recordsWithIds(1, 4),
  }),
  cursorRow(
    "cursor_path and cursor_param name the cursor and its parameter",
    { cursor_path: "meta.after", cursor_param: "after" },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2), meta: { after: "x" } },
        { data: recordsWithIds(3, 3) },
      ),
      asks: ["", "?after=x"],
      records: recordsWithIds(1, 3),
    },
  ),
  cursorRow(
    "the cursor may be the id of the last row",
    { cursor_path: "data[-1].id", cursor_param: "after" },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2) },
        { data: recordsWithIds(3, 4) },
        { data: [] },
      ),
      asks: ["", "?after=2", "?after=4"],
      records: recordsWithIds(1, 4),
    },
  ),
  ...["", 0, null, false].map((value) =>
    cursorRow(`${JSON.stringify(value)} ends the pages`, byNext, {
      route: pageWithNext(recordsWithIds(1, 2), value),
      asks: [""],
      records: recordsWithIds(1, 2),
    }),
  ),
  cursorRow(
    "a missing cursor ends the pages",
    { cursor_path: "a.b" },
    {
      route: { data: recordsWithIds(1, 2), a: [] },
      asks: [""],
      records: recordsWithIds(1, 2),
    },
  ),
  cursorRow('the string "0" is a cursor', byNext, {
    route: answerInTurn(
      pageWithNext(recordsWithIds(1, 2), "0"),
      pageWithNext(recordsWithIds(3, 4), null),
    ),
    asks: ["", "?cursor=0"],
    records: recordsWithIds(1, 4),
  }),
  cursorRow("a number is a cursor", byNext, {
    route: answerInTurn(
      pageWithNext(recordsWithIds(1, 2), 17),
      pageWithNext(recordsWithIds(3, 4), null),
    ),
    asks: ["", "?cursor=17"],
    records: recordsWithIds(1, 4),
  }),
  cursorRow("better than dlt: a large number is exact", byNext, {
    route: answerInTurn(
      withHeaders(
        { "content-type": "application/json" },
        '{"data":[{"id":1}],"next":9007199254740993}',
      ),
      pageWithNext(recordsWithIds(2, 2), null),
    ),
    asks: ["", "?cursor=9007199254740993"],
    records: recordsWithIds(1, 2),
  }),
  cursorRow("the cursor is encoded", byNext, {
    route: answerInTurn(
      pageWithNext(recordsWithIds(1, 2), "a+b/c=&d"),
      pageWithNext(recordsWithIds(3, 4), null),
    ),
    asks: ["", `?cursor=${encodeURIComponent("a+b/c=&d")}`],
    records: recordsWithIds(1, 4),
  }),
  cursorRow("static parameters stay, and one with the cursor's name is overridden", byNext, {
    route: answerInTurn(
      pageWithNext(recordsWithIds(1, 2), "c"),
      pageWithNext(recordsWithIds(3, 4), null),
    ),
    endpoint: { params: { limit: 2, cursor: "start" } },
    asks: ["?limit=2&cursor=start", "?limit=2&cursor=c"],
    records: recordsWithIds(1, 4),
  }),
  cursorRow("an empty page with a cursor is not the last", byNext, {
    route: answerInTurn(pageWithNext([], "c"), pageWithNext(recordsWithIds(1, 2), null)),
    asks: ["", "?cursor=c"],
    records: recordsWithIds(1, 2),
  }),
  cursorRow(
    "stop_after_empty_page true ends at an empty page",
    { ...byNext, stop_after_empty_page: true },
    {
      route: answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "c"),
        pageWithNext([], "d"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
      asks: ["", "?cursor=c"],
      records: recordsWithIds(1, 2),
    },
  ),
  cursorRow(
    "has_more false ends although there is a cursor",
    { ...byNext, has_more_path: "more" },
    {
      route: answerInTurn(
        { ...pageWithNext(recordsWithIds(1, 2), "c"), more: true },
        { ...pageWithNext(recordsWithIds(3, 4), "d"), more: false },
      ),
      asks: ["", "?cursor=c"],
      records: recordsWithIds(1, 4),
    },
  ),
  cursorRow(
    "an invalid has_more is an error",
    { ...byNext, has_more_path: "more" },
    {
      route: { ...pageWithNext(recordsWithIds(1, 2), "c"), more: "maybe" },
      fails: ["extract.has_more"],
    },
  ),
  cursorRow("better than dlt: a cursor that is an object is an error", byNext, {
    route: pageWithNext(recordsWithIds(1, 2), { id: 2 }),
    fails: ["extract.cursor", 'cursor_path "next"'],
  }),
  cursorRow("better than dlt: a cursor that repeats is an error and not an endless loop", byNext, {
    route: answerInTurn(
      pageWithNext(recordsWithIds(1, 2), "c"),
      pageWithNext(recordsWithIds(3, 4), "c"),
    ),
    asks: ["", "?cursor=c"],
    fails: ["extract.loop"],
  }),
  {
    name: "cursor: cursor_body_path puts the cursor into the body",
    routes: {
      "POST /rows": answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "c"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
    },
    endpoint: {
      method: "POST",
      json: { size: 2 },
      paginator: { type: "cursor", cursor_path: "next", cursor_body_path: "page.after" },
    },
    requests: [
      ["POST /rows", { json: { size: 2 } }],
      ["POST /rows", { json: { size: 2, page: { after: "c" } } }],
    ],
    records: recordsWithIds(1, 4),
  },
  {
    name: "cursor: a number stays a number in the body",
    routes: {
      "POST /rows": answerInTurn(
        pageWithNext(recordsWithIds(1, 2), 7),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
    },
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

const headerCursorRow = (name: string, options: object, row: Omit<Paged, "paginator">): Row =>
  pagedRow(`header_cursor: ${name}`, { paginator: { type: "header_cursor", ...options }, ...row });

const headerRows: Row[] = [
  pagedRow("header_cursor: the word alone reads the header next", {
    paginator: "header_cursor",
    route: answerInTurn(withHeaders({ next: "c2" }, recordsWithIds(1, 2)), recordsWithIds(3, 4)),
    asks: ["", "?cursor=c2"],
    records: recordsWithIds(1, 4),
  }),
  headerCursorRow(
    "cursor_key and cursor_param name the header and its parameter",
    { cursor_key: "x-after", cursor_param: "after" },
    {
      route: answerInTurn(
        withHeaders({ "x-after": "c2" }, recordsWithIds(1, 2)),
        recordsWithIds(3, 4),
      ),
      asks: ["", "?after=c2"],
      records: recordsWithIds(1, 4),
    },
  ),
  headerCursorRow(
    "the case of the header's name does not matter",
    { cursor_key: "X-After" },
    {
      route: answerInTurn(
        withHeaders({ "x-after": "c2" }, recordsWithIds(1, 2)),
        recordsWithIds(3, 4),
      ),
      asks: ["", "?cursor=c2"],
      records: recordsWithIds(1, 4),
    },
  ),
  headerCursorRow(
    "an empty header ends the pages",
    { cursor_key: "x-after" },
    {
      route: withHeaders({ "x-after": "" }, recordsWithIds(1, 2)),
      asks: [""],
      records: recordsWithIds(1, 2),
    },
  ),
];

// ── json_link ────────────────────────────────────────────────────────────────────────────────────

const jsonLinkRow = (name: string, options: object, row: Omit<Paged, "paginator">): Row =>
  pagedRow(`json_link: ${name}`, { paginator: { type: "json_link", ...options }, ...row });

const linkRows: Row[] = [
  ...["json_link", "json_response"].map((word) =>
    pagedRow(`${word}: the word alone follows the link at next`, {
      paginator: word,
      route: answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "$api/rows?p=2"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
      asks: ["", "?p=2"],
      records: recordsWithIds(1, 4),
    }),
  ),
  jsonLinkRow(
    "next_url_path names the link",
    { next_url_path: "links.next.href" },
    {
      route: answerInTurn(
        { data: recordsWithIds(1, 2), links: { next: { href: "$api/rows?p=2" } } },
        { data: recordsWithIds(3, 4) },
      ),
      asks: ["", "?p=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  jsonLinkRow(
    "a next_url_path may have quotes",
    { next_url_path: "['@odata.nextLink']" },
    {
      route: answerInTurn(
        { value: recordsWithIds(1, 2), "@odata.nextLink": "$api/rows?skip=2" },
        { value: recordsWithIds(3, 4) },
      ),
      endpoint: { data_selector: "value" },
      asks: ["", "?skip=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  ...["/rows?p=2", "rows?p=2", "?p=2"].map((link) =>
    jsonLinkRow(
      `"${link}" is relative to the page it stands on`,
      {},
      {
        route: answerInTurn(
          pageWithNext(recordsWithIds(1, 2), link),
          pageWithNext(recordsWithIds(3, 4), null),
        ),
        asks: ["", "?p=2"],
        records: recordsWithIds(1, 4),
      },
    ),
  ),
  jsonLinkRow(
    "parameters of the first request are dropped",
    {},
    {
      route: answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "$api/rows?p=2"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
      endpoint: { params: { limit: 2, sort: "id" } },
      asks: ["?limit=2&sort=id", "?p=2"],
      records: recordsWithIds(1, 4),
    },
  ),
  jsonLinkRow(
    "better than dlt: an empty string ends the pages",
    {},
    {
      route: pageWithNext(recordsWithIds(1, 2), ""),
      asks: [""],
      records: recordsWithIds(1, 2),
    },
  ),
  jsonLinkRow(
    "a missing link ends the pages",
    {},
    {
      route: { data: recordsWithIds(1, 2) },
      asks: [""],
      records: recordsWithIds(1, 2),
    },
  ),
  jsonLinkRow(
    "an empty page with a link is not the last",
    {},
    {
      route: answerInTurn(pageWithNext([], "?p=2"), pageWithNext(recordsWithIds(1, 2), null)),
      asks: ["", "?p=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  jsonLinkRow(
    "a value that is not a link is an error",
    {},
    {
      route: pageWithNext(recordsWithIds(1, 2), 17),
      fails: ["extract.link", '"next"'],
    },
  ),
  jsonLinkRow(
    "better than dlt: a link that repeats is an error and not an endless loop",
    {},
    {
      route: answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "?p=2"),
        pageWithNext(recordsWithIds(3, 4), "?p=2"),
      ),
      fails: ["extract.loop"],
    },
  ),
  jsonLinkRow(
    "better than dlt: a link to another host is not followed",
    {},
    {
      route: pageWithNext(recordsWithIds(1, 2), "http://127.0.0.2:9/rows?p=2"),
      asks: [""],
      fails: ["extract.origin", "127.0.0.2"],
      records: recordsWithIds(1, 2),
    },
  ),
  {
    name: "json_link: the body of a POST is sent with each page",
    routes: {
      "POST /rows": answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "?p=2"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
    },
    endpoint: { method: "POST", json: { open: true }, paginator: "json_link" },
    requests: [
      ["POST /rows", { json: { open: true } }],
      ["POST /rows?p=2", { json: { open: true } }],
    ],
    records: recordsWithIds(1, 4),
  },
  {
    name: "json_link: headers are sent with each page",
    routes: {
      "/rows": answerInTurn(
        pageWithNext(recordsWithIds(1, 2), "?p=2"),
        pageWithNext(recordsWithIds(3, 4), null),
      ),
    },
    endpoint: { headers: { "x-team": "a" }, paginator: "json_link" },
    requests: ["/rows", "/rows?p=2"],
    headers: { "x-team": "a" },
  },
  {
    name: "json_link: a link may lead to another path of the same host",
    routes: {
      "/rows": pageWithNext(recordsWithIds(1, 2), "$api/more/2"),
      "/more/2": pageWithNext(recordsWithIds(3, 4), null),
    },
    endpoint: { paginator: "json_link" },
    requests: ["/rows", "/more/2"],
    records: recordsWithIds(1, 4),
  },
];

// ── header_link ──────────────────────────────────────────────────────────────────────────────────

const linkedPages = (link: string) =>
  answerInTurn(withHeaders({ link }, recordsWithIds(1, 2)), recordsWithIds(3, 4));
const headerLink = (name: string, link: string, paginator: unknown = "header_link"): Row =>
  pagedRow(`header_link: ${name}`, {
    paginator,
    route: linkedPages(link),
    asks: ["", "?p=2"],
    records: recordsWithIds(1, 4),
  });

const headerLinkRows: Row[] = [
  headerLink("the word alone follows rel=next", '<$api/rows?p=2>; rel="next"'),
  headerLink(
    "the right one of several relations is followed",
    '<$api/rows>; rel="first", <$api/rows?p=2>; rel="next"',
  ),
  headerLink("rel may be without quotes", "<$api/rows?p=2>; rel=next"),
  headerLink("rel may be beside other parameters", '<$api/rows?p=2>; title="a, b"; rel="next"'),
  headerLink("rel may have several words", '<$api/rows?p=2>; rel="next last"'),
  headerLink("a link may be relative to the page", '</rows?p=2>; rel="next"'),
  headerLink("links_next_key names the relation", '<$api/rows?p=2>; rel="more"', {
    type: "header_link",
    links_next_key: "more",
  }),
  pagedRow("header_link: a missing relation ends the pages", {
    paginator: "header_link",
    route: withHeaders({ link: '<$api/rows?p=1>; rel="prev"' }, recordsWithIds(1, 2)),
    asks: [""],
    records: recordsWithIds(1, 2),
  }),
  pagedRow("header_link: parameters of the first request are dropped", {
    paginator: "header_link",
    route: linkedPages('<$api/rows?p=2>; rel="next"'),
    endpoint: { params: { per_page: 2 } },
    asks: ["?per_page=2", "?p=2"],
    records: recordsWithIds(1, 4),
  }),
];

// ── single_page, and rules for all paginators ────────────────────────────────────────────────────

const commonRows: Row[] = [
  pagedRow("single_page: one request is made, whatever links the answer has", {
    paginator: "single_page",
    route: withHeaders(
      { link: '<$api/rows?p=2>; rel="next"' },
      pageWithNext(recordsWithIds(1, 2), "$api/rows?p=2"),
    ),
    asks: [""],
    records: recordsWithIds(1, 2),
  }),
  pagedRow("a dict with only a type is the same as the word alone", {
    paginator: { type: "single_page" },
    route: { data: recordsWithIds(1, 2) },
    asks: [""],
    records: recordsWithIds(1, 2),
  }),
  pagedRow("better than dlt: a server that ignores the page number is a failure", {
    paginator: { type: "page_number", base_page: 1 },
    route: { data: [{ id: "a" }] },
    endpoint: {},
    fails: ["extract.loop"],
  }),
  {
    name: "--limit-pages takes a sample",
    routes: { "/rows": serveSlices(recordsWithIds(1, 9), { at: byParams }) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    args: ["--limit-pages", "2"],
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    records: recordsWithIds(1, 4),
  },
  {
    name: "a failed page leaves the rows of earlier pages, and the next run starts anew without doubling them",
    routes: { "/rows": serveSlices(recordsWithIds(1, 4)), "/rows?offset=2": replyWith(404) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    fails: ["extract.status"],
    records: recordsWithIds(1, 2),
    next: [
      {
        routes: { "/rows": serveSlices(recordsWithIds(1, 4), withTotal(4)) },
        // A record without a key is named by its content: what the failed run stored is not doubled.
        records: recordsWithIds(1, 4),
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
