import { describe, expect, test } from "vitest";
import type { PaginatorConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { planPaginator } from "../../packages/core/src/config/paginators.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";

/*
 * The same table for all paginators: a config, the answers of an API, and the requests to expect. An
 * answer is a number of records, or an object with a body or headers, too. "again" has the records of
 * the answer before.
 */

type Answer = number | "again" | { n?: number; body?: JsonValue; headers?: Record<string, string> };
type Row = [rule: string, config: object, answers: Answer[], requests: object[]];

const START = "https://api.example.com/v1/items?a=1";

/** The request without the memory of paging. */
const withoutMemory = ({ memory: _, ...request }: PageRequest) => request;

function requestsFor(config: object, answers: Answer[]): object[] {
  const paginator = createPaginator(planPaginator(config as PaginatorConfig), ["id"]);
  const requests: object[] = [];
  let request: PageRequest | undefined = paginator.first();
  let ids = 0;
  let records: { id: number }[] = [];
  for (const answer of [...answers, undefined]) {
    if (!request) return requests;
    requests.push(withoutMemory(request));
    if (answer === undefined) return requests;
    const isAgain = answer === "again";
    const parts = typeof answer === "object" ? answer : { n: isAgain ? 0 : answer };
    const { n = 0, body = {}, headers = {} } = parts;
    if (!isAgain) records = Array.from({ length: n }, () => ({ id: ids++ }));
    const page = {
      // JSON, as in a checkpoint: paging can go on in another slice after any page.
      request: JSON.parse(JSON.stringify(request)) as PageRequest,
      url: request.url ?? START,
      records,
      headers,
      body: body === "204" ? undefined : body,
    };
    request = paginator.next(page);
  }
  return requests;
}

const offsetRequest = (offset: number) => ({ params: { offset, limit: 100 } });
const pageRequest = (number: number) => ({ params: { page: number } });
const cursorRequest = (cursor: string | number) => ({ params: { cursor } });
const urlRequest = (url: string) => ({ url });
const linkAnswer = (header: string) => ({ n: 1, headers: { link: header } });
const offset = { type: "offset", limit: 100, overlap: 0 };
const pageNumber = { type: "page_number" };
const cursor = { type: "cursor", cursor_path: "next" };
const nextAnswer = (value: JsonValue) => ({ n: 1, body: { next: value } });

const table: Row[] = [
  ["single_page asks for a single page", { type: "single_page" }, [5], [{}]],

  [
    "offset goes a limit further after a full page",
    offset,
    [100],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset goes by the rows that came after a short page without a total (P14)",
    offset,
    [50],
    [offsetRequest(0), offsetRequest(50)],
  ],
  ["offset ends with an empty page", offset, [100, 0], [offsetRequest(0), offsetRequest(100)]],
  ["offset ends with a 204", offset, [{ body: "204" }], [offsetRequest(0)]],
  [
    "offset never goes past the limit, even where more rows came",
    offset,
    [130],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset ends at the total",
    offset,
    [100, { n: 50, body: { total: 150 } }],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset reads a total in a string",
    offset,
    [{ n: 100, body: { total: "100" } }],
    [offsetRequest(0)],
  ],
  [
    "offset takes a total of -1 for none",
    offset,
    [
      { n: 100, body: { total: -1 } },
      { n: 9, body: { total: -1 } },
    ],
    [offsetRequest(0), offsetRequest(100), offsetRequest(109)],
  ],
  [
    "offset takes a total of null for none",
    offset,
    [{ n: 9, body: { total: null } }],
    [offsetRequest(0), offsetRequest(9)],
  ],
  [
    "offset remembers a total that only the first page has",
    { ...offset, total_path: "meta.n" },
    [{ n: 100, body: { meta: { n: 150 } } }, 50],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset reads no total where total_path is null",
    { ...offset, total_path: null },
    [{ n: 100, body: { total: 100 } }],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset asks for nothing at its maximum",
    { ...offset, maximum_offset: 200 },
    [100, 100],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset asks for the last page below its maximum",
    { ...offset, maximum_offset: 101 },
    [100],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset goes on after an empty page before the total where empty pages do not stop it",
    { ...offset, stop_after_empty_page: false, total_path: "total" },
    [{ body: { total: 150 } }, { body: { total: 150 } }],
    [offsetRequest(0), offsetRequest(100)],
  ],
  [
    "offset ends at the total whatever has_more says",
    { ...offset, has_more_path: "more" },
    [{ n: 100, body: { total: 100, more: true } }],
    [offsetRequest(0)],
  ],
  [
    "offset ends at the maximum whatever has_more says",
    { ...offset, maximum_offset: 100, has_more_path: "more" },
    [{ n: 100, body: { more: true } }],
    [offsetRequest(0)],
  ],
  [
    "offset ends before the total where has_more is false",
    { ...offset, has_more_path: "more" },
    [{ n: 9, body: { total: 500, more: "No" } }],
    [offsetRequest(0)],
  ],
  [
    "offset goes beyond a total of the first page where has_more is true",
    { ...offset, has_more_path: "more" },
    [
      { n: 100, body: { total: 150, more: true } },
      { n: 60, body: { more: true } },
    ],
    [offsetRequest(0), offsetRequest(100), offsetRequest(160)],
  ],
  [
    "offset goes on behind a total of the first page as long as pages are full (P14)",
    offset,
    [{ n: 100, body: { total: 150 } }, 100, 100, 7],
    [offsetRequest(0), offsetRequest(100), offsetRequest(200), offsetRequest(300)],
  ],
  [
    "offset ends behind a total of the first page where the page before comes again",
    offset,
    [{ n: 100, body: { total: 150 } }, 100, "again"],
    [offsetRequest(0), offsetRequest(100), offsetRequest(200)],
  ],
  [
    "offset ends behind a total of the first page where the API has no such page",
    offset,
    [{ n: 100, body: { total: 150 } }, 100, { body: "204" }],
    [offsetRequest(0), offsetRequest(100), offsetRequest(200)],
  ],
  [
    "offset ends with an empty page whatever has_more says",
    { ...offset, has_more_path: "more" },
    [{ body: { more: true } }],
    [offsetRequest(0)],
  ],
  [
    "offset uses the names and the start of the config",
    { ...offset, offset: 40, limit: 20, offset_param: "skip", limit_param: "take" },
    [20],
    [{ params: { skip: 40, take: 20 } }, { params: { skip: 60, take: 20 } }],
  ],
  [
    "offset sends numbers in the body as numbers",
    { ...offset, offset_body_path: "page.from", limit_body_path: "page.size" },
    [100],
    [
      { body: { "page.from": 0, "page.size": 100 } },
      { body: { "page.from": 100, "page.size": 100 } },
    ],
  ],
  [
    "offset can be in the body and its limit in the query",
    { ...offset, offset_body_path: "from" },
    [100],
    [
      { body: { from: 0 }, params: { limit: 100 } },
      { body: { from: 100 }, params: { limit: 100 } },
    ],
  ],

  [
    "page_number begins at 0 and ends with an empty page",
    pageNumber,
    [1, 1, 0],
    [pageRequest(0), pageRequest(1), pageRequest(2)],
  ],
  [
    "page_number begins at base_page",
    { ...pageNumber, base_page: 1 },
    [1],
    [pageRequest(1), pageRequest(2)],
  ],
  [
    "page_number begins at page where the config has one",
    { ...pageNumber, base_page: 1, page: 5 },
    [1],
    [pageRequest(5), pageRequest(6)],
  ],
  [
    "page_number takes a total for a number of pages",
    { ...pageNumber, base_page: 1 },
    [
      { n: 1, body: { total: 2 } },
      { n: 1, body: { total: 2 } },
    ],
    [pageRequest(1), pageRequest(2)],
  ],
  [
    "page_number remembers a total that only the first page has",
    { ...pageNumber, total_path: "pages" },
    [{ n: 2, body: { pages: 2 } }, 1],
    [pageRequest(0), pageRequest(1)],
  ],
  [
    "page_number goes on behind a total of the first page as long as pages are full (P14)",
    { ...pageNumber, total_path: "pages" },
    [{ n: 2, body: { pages: 2 } }, 2, 2, 1],
    [pageRequest(0), pageRequest(1), pageRequest(2), pageRequest(3)],
  ],
  [
    "page_number ends behind a total of the first page where the page before comes again",
    { ...pageNumber, total_path: "pages" },
    [{ n: 2, body: { pages: 2 } }, 2, "again"],
    [pageRequest(0), pageRequest(1), pageRequest(2)],
  ],
  [
    "page_number asks for nothing at its maximum",
    { ...pageNumber, base_page: 1, maximum_page: 3 },
    [1, 1],
    [pageRequest(1), pageRequest(2)],
  ],
  [
    "page_number ends at the maximum whatever has_more says",
    { ...pageNumber, maximum_page: 1, has_more_path: "more" },
    [{ n: 1, body: { more: "yes" } }],
    [pageRequest(0)],
  ],
  [
    "page_number uses the name of the config",
    { ...pageNumber, page_param: "p" },
    [1],
    [{ params: { p: 0 } }, { params: { p: 1 } }],
  ],
  [
    "page_number can be in the body",
    { ...pageNumber, page_body_path: "q.page" },
    [1],
    [{ body: { "q.page": 0 } }, { body: { "q.page": 1 } }],
  ],
  [
    "page_number ends with a 204",
    { ...pageNumber, stop_after_empty_page: false, maximum_page: 9 },
    [{ body: "204" }],
    [pageRequest(0)],
  ],

  [
    "cursor sends no cursor with the first request",
    cursor,
    [nextAnswer("a"), nextAnswer(7), nextAnswer(null)],
    [{}, cursorRequest("a"), cursorRequest(7)],
  ],
  ...["", 0, null, false].map(
    (value): Row => [
      `cursor ends with ${JSON.stringify(value)}`,
      cursor,
      [nextAnswer(value)],
      [{}],
    ],
  ),
  ["cursor ends with an answer without a cursor", cursor, [1], [{}]],
  ["cursor ends with a 204", cursor, [{ body: "204" }], [{}]],
  [
    "cursor keeps every digit of a large number",
    cursor,
    [nextAnswer(12345678901234567890n)],
    [{}, cursorRequest("12345678901234567890")],
  ],
  [
    "cursor goes on after an empty page",
    cursor,
    [{ body: { next: "a" } }],
    [{}, cursorRequest("a")],
  ],
  [
    "cursor ends with an empty page where the config says so",
    { ...cursor, stop_after_empty_page: true },
    [{ body: { next: "a" } }],
    [{}],
  ],
  [
    "cursor ends with a has_more of false although there is a cursor",
    { ...cursor, has_more_path: "more" },
    [{ n: 1, body: { next: "a", more: false } }],
    [{}],
  ],
  [
    "cursor uses the name of the config",
    { ...cursor, cursor_param: "after" },
    [nextAnswer("a")],
    [{}, { params: { after: "a" } }],
  ],
  [
    "cursor can be in the body",
    { ...cursor, cursor_body_path: "page.after" },
    [nextAnswer("a")],
    [{}, { body: { "page.after": "a" } }],
  ],
  [
    "cursor is at cursors.next where the config names no path",
    { type: "cursor" },
    [{ n: 1, body: { cursors: { next: "a" } } }],
    [{}, cursorRequest("a")],
  ],

  [
    "header_cursor has usual names for header and parameter",
    { type: "header_cursor" },
    [{ n: 1, headers: { next: "b" } }, 1],
    [{}, cursorRequest("b")],
  ],
  [
    "header_cursor ignores the case of the header's name",
    { type: "header_cursor", cursor_key: "X-Next", cursor_param: "c" },
    [{ n: 1, headers: { "x-next": "b" } }],
    [{}, { params: { c: "b" } }],
  ],
  [
    "header_cursor ends with an empty header",
    { type: "header_cursor" },
    [{ n: 1, headers: { next: "" } }],
    [{}],
  ],

  [
    "json_link follows a whole URL",
    { type: "json_link" },
    [nextAnswer("https://api.example.com/v1/items?page=2")],
    [{}, urlRequest("https://api.example.com/v1/items?page=2")],
  ],
  [
    "json_link follows an absolute path",
    { type: "json_link" },
    [nextAnswer("/v2/x?b=2")],
    [{}, urlRequest("https://api.example.com/v2/x?b=2")],
  ],
  [
    "json_link follows a query at the current path",
    { type: "json_link" },
    [nextAnswer("?page=2")],
    [{}, urlRequest("https://api.example.com/v1/items?page=2")],
  ],
  [
    "json_link follows a link relative to its page",
    { type: "json_link" },
    [nextAnswer("/a/b"), nextAnswer("c")],
    [{}, urlRequest("https://api.example.com/a/b"), urlRequest("https://api.example.com/a/c")],
  ],
  [
    "json_link has a path of its own, and an older name in dlt",
    { type: "json_response", next_url_path: "links['next']" },
    [{ n: 1, body: { links: { next: "/x" } } }],
    [{}, urlRequest("https://api.example.com/x")],
  ],
  ...["", null].map(
    (value): Row => [
      `json_link ends with ${JSON.stringify(value)}`,
      { type: "json_link" },
      [nextAnswer(value)],
      [{}],
    ],
  ),
  [
    "json_link goes on after an empty page",
    { type: "json_link" },
    [{ body: { next: "/x" } }],
    [{}, urlRequest("https://api.example.com/x")],
  ],

  [
    "header_link follows rel=next",
    { type: "header_link" },
    [linkAnswer('<https://api.example.com/v1/items?page=2>; rel="next", </>; rel="first"'), 1],
    [{}, urlRequest("https://api.example.com/v1/items?page=2")],
  ],
  [
    "header_link allows a comma in a URL",
    { type: "header_link" },
    [linkAnswer('</a?f=1,2>; rel="prev", </b?f=1,2>; title="x, y"; rel=next')],
    [{}, urlRequest("https://api.example.com/b?f=1,2")],
  ],
  [
    "header_link follows the relation of the config",
    { type: "header_link", links_next_key: "more" },
    [linkAnswer('</a>; rel="next", </b>; rel="more"')],
    [{}, urlRequest("https://api.example.com/b")],
  ],
  [
    "header_link finds a relation among several of a link",
    { type: "header_link" },
    [linkAnswer('</a>; rel="last next"')],
    [{}, urlRequest("https://api.example.com/a")],
  ],
  [
    "header_link ends with an answer without the relation",
    { type: "header_link" },
    [linkAnswer('</a>; rel="prev"')],
    [{}],
  ],
];

test.each(table)("%s", (_, config, answers, requests) => {
  expect(requestsFor(config, answers)).toEqual(requests);
});

describe("an answer without a member that the config names", () => {
  const withHasMore = { ...offset, has_more_path: "more" };
  test.each<[object, Answer, string]>([
    [{ ...offset, total_path: "meta.n" }, { n: 9, body: {} }, 'no number at total_path "meta.n"'],
    [{ ...offset, total_path: "n" }, { n: 9, body: { n: null } }, 'no number at total_path "n"'],
    [{ ...offset, total_path: "n" }, { n: 9, body: { n: "many" } }, 'no number at total_path "n"'],
    [{ ...offset, stop_after_empty_page: false }, { n: 9 }, 'no number at total_path "total"'],
    [{ ...pageNumber, total_path: "n" }, { n: 9, body: {} }, 'no number at total_path "n"'],
    [withHasMore, { n: 9, body: {} }, 'neither true nor false at has_more_path "more"'],
    [withHasMore, { n: 9, body: { more: 1 } }, "neither true nor false"],
    [withHasMore, { n: 9, body: { more: "maybe" } }, "neither true nor false"],
    [{ ...cursor, has_more_path: "more" }, { n: 9, body: { more: true } }, 'no cursor at "next"'],
    [cursor, nextAnswer({ a: 1 }), "neither a string nor a number"],
    [cursor, nextAnswer(true), "neither a string nor a number"],
    [{ type: "json_link" }, nextAnswer(2), 'no URL at "next"'],
    [{ type: "json_link" }, nextAnswer("ftp://x"), 'no URL at "next"'],
  ])("the paginator %j throws an error after the answer %j", (config, answer, message) => {
    expect(() => requestsFor(config, [answer])).toThrow(message);
  });
});
