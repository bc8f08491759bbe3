import { describe, expect, test } from "vitest";
import type { PaginatorConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { planPaginator } from "../../packages/core/src/config/paginators.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";

/*
 * One table for all paginators: a config, the answers of an API, and the requests that these make.
 * An answer is a number of records, or what it has besides.
 */

type Answer = number | { n?: number; body?: JsonValue; headers?: Record<string, string> };
type Row = [rule: string, config: object, answers: Answer[], requests: object[]];

const START = "https://api.example.com/v1/items?a=1";

/** Everything but what paging remembers. */
const shown = ({ memory: _, ...request }: PageRequest) => request;

function requestsFor(config: object, answers: Answer[]): object[] {
  const paging = createPaginator(planPaginator(config as PaginatorConfig), ["id"]);
  const requests: object[] = [];
  let request: PageRequest | undefined = paging.first();
  let ids = 0;
  for (const answer of [...answers, undefined]) {
    if (!request) return requests;
    requests.push(shown(request));
    if (answer === undefined) return requests;
    const { n = 0, body = {}, headers = {} } = typeof answer === "number" ? { n: answer } : answer;
    const records = Array.from({ length: n }, () => ({ id: ids++ }));
    const page = {
      // As a checkpoint stores it, so that paging can go on in another slice after any page.
      request: JSON.parse(JSON.stringify(request)) as PageRequest,
      url: request.url ?? START,
      records,
      headers,
      body: body === "204" ? undefined : body,
    };
    request = paging.next(page);
  }
  return requests;
}

const at = (offset: number) => ({ params: { offset, limit: 100 } });
const page = (number: number) => ({ params: { page: number } });
const token = (cursor: string | number) => ({ params: { cursor } });
const url = (text: string) => ({ url: text });
const link = (header: string) => ({ n: 1, headers: { link: header } });
const offset = { type: "offset", limit: 100, overlap: 0 };
const numbered = { type: "page_number" };
const cursor = { type: "cursor", cursor_path: "next" };
const next = (value: JsonValue) => ({ n: 1, body: { next: value } });

const table: Row[] = [
  ["single_page asks once", { type: "single_page" }, [5], [{}]],

  ["offset: a full page, one limit further", offset, [100], [at(0), at(100)]],
  ["offset: a short page without a total, by what came (P14)", offset, [50], [at(0), at(50)]],
  ["offset: an empty page is the end", offset, [100, 0], [at(0), at(100)]],
  ["offset: so is a 204", offset, [{ body: "204" }], [at(0)]],
  ["offset: more than asked for, never past the limit", offset, [130], [at(0), at(100)]],
  ["offset: until the total", offset, [100, { n: 50, body: { total: 150 } }], [at(0), at(100)]],
  ["offset: a total in text", offset, [{ n: 100, body: { total: "100" } }], [at(0)]],
  [
    "offset: a total of -1 counts as none",
    offset,
    [
      { n: 100, body: { total: -1 } },
      { n: 9, body: { total: -1 } },
    ],
    [at(0), at(100), at(109)],
  ],
  [
    "offset: a total that is null counts as none",
    offset,
    [{ n: 9, body: { total: null } }],
    [at(0), at(9)],
  ],
  [
    "offset: a total on the first page only is remembered",
    { ...offset, total_path: "meta.n" },
    [{ n: 100, body: { meta: { n: 150 } } }, 50],
    [at(0), at(100)],
  ],
  [
    "offset: without total_path no total counts",
    { ...offset, total_path: null },
    [{ n: 100, body: { total: 100 } }],
    [at(0), at(100)],
  ],
  [
    "offset: the maximum is exclusive",
    { ...offset, maximum_offset: 200 },
    [100, 100],
    [at(0), at(100)],
  ],
  ["offset: below the maximum", { ...offset, maximum_offset: 101 }, [100], [at(0), at(100)]],
  [
    "offset: an empty page before the total, where these do not stop",
    { ...offset, stop_after_empty_page: false, total_path: "total" },
    [{ body: { total: 150 } }, { body: { total: 150 } }],
    [at(0), at(100)],
  ],
  [
    "offset: has_more overrides the total",
    { ...offset, has_more_path: "more" },
    [
      { n: 100, body: { total: 100, more: true } },
      { n: 9, body: { total: 500, more: "No" } },
    ],
    [at(0), at(100)],
  ],
  [
    "offset: an empty page stops whatever has_more says",
    { ...offset, has_more_path: "more" },
    [{ body: { more: true } }],
    [at(0)],
  ],
  [
    "offset: its own names and start",
    { ...offset, offset: 40, limit: 20, offset_param: "skip", limit_param: "take" },
    [20],
    [{ params: { skip: 40, take: 20 } }, { params: { skip: 60, take: 20 } }],
  ],
  [
    "offset: in the body, numbers as numbers",
    { ...offset, offset_body_path: "page.from", limit_body_path: "page.size" },
    [100],
    [
      { body: { "page.from": 0, "page.size": 100 } },
      { body: { "page.from": 100, "page.size": 100 } },
    ],
  ],
  [
    "offset: one in the body and one in the query",
    { ...offset, offset_body_path: "from" },
    [100],
    [
      { body: { from: 0 }, params: { limit: 100 } },
      { body: { from: 100 }, params: { limit: 100 } },
    ],
  ],

  [
    "page_number begins at 0 and ends with an empty page",
    numbered,
    [1, 1, 0],
    [page(0), page(1), page(2)],
  ],
  ["page_number: base_page is the first", { ...numbered, base_page: 1 }, [1], [page(1), page(2)]],
  [
    "page_number: page is where to begin",
    { ...numbered, base_page: 1, page: 5 },
    [1],
    [page(5), page(6)],
  ],
  [
    "page_number: a total counts pages, from the base",
    { ...numbered, base_page: 1 },
    [
      { n: 1, body: { total: 2 } },
      { n: 1, body: { total: 2 } },
    ],
    [page(1), page(2)],
  ],
  [
    "page_number: a total on the first page only is remembered",
    { ...numbered, total_path: "pages" },
    [{ n: 1, body: { pages: 2 } }, 1],
    [page(0), page(1)],
  ],
  [
    "page_number: the maximum is exclusive",
    { ...numbered, base_page: 1, maximum_page: 3 },
    [1, 1],
    [page(1), page(2)],
  ],
  [
    "page_number: has_more overrides the maximum",
    { ...numbered, maximum_page: 1, has_more_path: "more" },
    [
      { n: 1, body: { more: "yes" } },
      { n: 1, body: { more: false } },
    ],
    [page(0), page(1)],
  ],
  [
    "page_number: its own name",
    { ...numbered, page_param: "p" },
    [1],
    [{ params: { p: 0 } }, { params: { p: 1 } }],
  ],
  [
    "page_number: in the body",
    { ...numbered, page_body_path: "q.page" },
    [1],
    [{ body: { "q.page": 0 } }, { body: { "q.page": 1 } }],
  ],
  [
    "page_number: a 204 is the end",
    { ...numbered, stop_after_empty_page: false, maximum_page: 9 },
    [{ body: "204" }],
    [page(0)],
  ],

  [
    "cursor: no cursor in the first request",
    cursor,
    [next("a"), next(7), next(null)],
    [{}, token("a"), token(7)],
  ],
  ...["", 0, null, false].map(
    (value): Row => [`cursor: ${JSON.stringify(value)} is the end`, cursor, [next(value)], [{}]],
  ),
  ["cursor: none is the end", cursor, [1], [{}]],
  ["cursor: a 204 is the end", cursor, [{ body: "204" }], [{}]],
  [
    "cursor: a number of many digits is its text",
    cursor,
    [next(12345678901234567890n)],
    [{}, token("12345678901234567890")],
  ],
  ["cursor: an empty page does not stop", cursor, [{ body: { next: "a" } }], [{}, token("a")]],
  [
    "cursor: unless it shall",
    { ...cursor, stop_after_empty_page: true },
    [{ body: { next: "a" } }],
    [{}],
  ],
  [
    "cursor: has_more false ends although there is one",
    { ...cursor, has_more_path: "more" },
    [{ n: 1, body: { next: "a", more: false } }],
    [{}],
  ],
  [
    "cursor: its own name",
    { ...cursor, cursor_param: "after" },
    [next("a")],
    [{}, { params: { after: "a" } }],
  ],
  [
    "cursor: in the body",
    { ...cursor, cursor_body_path: "page.after" },
    [next("a")],
    [{}, { body: { "page.after": "a" } }],
  ],
  [
    "cursor: its usual place",
    { type: "cursor" },
    [{ n: 1, body: { cursors: { next: "a" } } }],
    [{}, token("a")],
  ],

  [
    "header_cursor: its usual names",
    { type: "header_cursor" },
    [{ n: 1, headers: { next: "b" } }, 1],
    [{}, token("b")],
  ],
  [
    "header_cursor: a header's name has no case",
    { type: "header_cursor", cursor_key: "X-Next", cursor_param: "c" },
    [{ n: 1, headers: { "x-next": "b" } }],
    [{}, { params: { c: "b" } }],
  ],
  [
    "header_cursor: an empty one is the end",
    { type: "header_cursor" },
    [{ n: 1, headers: { next: "" } }],
    [{}],
  ],

  [
    "json_link: a whole URL",
    { type: "json_link" },
    [next("https://api.example.com/v1/items?page=2")],
    [{}, url("https://api.example.com/v1/items?page=2")],
  ],
  [
    "json_link: an absolute path",
    { type: "json_link" },
    [next("/v2/x?b=2")],
    [{}, url("https://api.example.com/v2/x?b=2")],
  ],
  [
    "json_link: a query, at the current path",
    { type: "json_link" },
    [next("?page=2")],
    [{}, url("https://api.example.com/v1/items?page=2")],
  ],
  [
    "json_link: relative to the page it stands on",
    { type: "json_link" },
    [next("/a/b"), next("c")],
    [{}, url("https://api.example.com/a/b"), url("https://api.example.com/a/c")],
  ],
  [
    "json_link: its own path, and dlt's older name",
    { type: "json_response", next_url_path: "links['next']" },
    [{ n: 1, body: { links: { next: "/x" } } }],
    [{}, url("https://api.example.com/x")],
  ],
  ...["", null].map(
    (value): Row => [
      `json_link: ${JSON.stringify(value)} is the end`,
      { type: "json_link" },
      [next(value)],
      [{}],
    ],
  ),
  [
    "json_link: an empty page does not stop",
    { type: "json_link" },
    [{ body: { next: "/x" } }],
    [{}, url("https://api.example.com/x")],
  ],

  [
    "header_link: rel=next",
    { type: "header_link" },
    [link('<https://api.example.com/v1/items?page=2>; rel="next", </>; rel="first"'), 1],
    [{}, url("https://api.example.com/v1/items?page=2")],
  ],
  [
    "header_link: a comma in a URL",
    { type: "header_link" },
    [link('</a?f=1,2>; rel="prev", </b?f=1,2>; title="x, y"; rel=next')],
    [{}, url("https://api.example.com/b?f=1,2")],
  ],
  [
    "header_link: its own relation",
    { type: "header_link", links_next_key: "more" },
    [link('</a>; rel="next", </b>; rel="more"')],
    [{}, url("https://api.example.com/b")],
  ],
  [
    "header_link: several relations of one link",
    { type: "header_link" },
    [link('</a>; rel="last next"')],
    [{}, url("https://api.example.com/a")],
  ],
  ["header_link: none is the end", { type: "header_link" }, [link('</a>; rel="prev"')], [{}]],
];

test.each(table)("%s", (_, config, answers, requests) => {
  expect(requestsFor(config, answers)).toEqual(requests);
});

describe("an answer without what the config names is an error", () => {
  const more = { ...offset, has_more_path: "more" };
  test.each<[object, Answer, string]>([
    [{ ...offset, total_path: "meta.n" }, { n: 9, body: {} }, 'no number at total_path "meta.n"'],
    [{ ...offset, total_path: "n" }, { n: 9, body: { n: null } }, 'no number at total_path "n"'],
    [{ ...offset, total_path: "n" }, { n: 9, body: { n: "many" } }, 'no number at total_path "n"'],
    [{ ...offset, stop_after_empty_page: false }, { n: 9 }, 'no number at total_path "total"'],
    [{ ...numbered, total_path: "n" }, { n: 9, body: {} }, 'no number at total_path "n"'],
    [more, { n: 9, body: {} }, 'neither true nor false at has_more_path "more"'],
    [more, { n: 9, body: { more: 1 } }, "neither true nor false"],
    [more, { n: 9, body: { more: "maybe" } }, "neither true nor false"],
    [{ ...cursor, has_more_path: "more" }, { n: 9, body: { more: true } }, 'no cursor at "next"'],
    [cursor, next({ a: 1 }), "no text and no number"],
    [cursor, next(true), "no text and no number"],
    [{ type: "json_link" }, next(2), 'no URL at "next"'],
    [{ type: "json_link" }, next("ftp://x"), 'no URL at "next"'],
  ])("%j after %j", (config, answer, message) => {
    expect(() => requestsFor(config, [answer])).toThrow(message);
  });
});
