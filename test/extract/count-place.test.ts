import { expect, test } from "vitest";
import type { PaginatorConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import { planPaginator } from "../../packages/core/src/config/paginators.ts";
import { findCountPlace, readCount } from "../../packages/core/src/extract/paging/count-place.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";

const records = [{ id: 1 }, { id: 2 }, { id: 3 }];
const byNumber = { type: "page_number", total_path: null };

interface Answer {
  body: JsonValue;
  list?: string;
  headers?: Record<string, string>;
  paginator?: object;
}

/** The place of the count in an answer with three records, and the count that stands there. */
function countIn({ body, list = "data", headers = {}, paginator = byNumber }: Answer) {
  const answer = { body, headers, records };
  const plan = planPaginator(paginator as PaginatorConfig);
  const place = findCountPlace(answer, parseJsonPath(list), plan);
  return place && { ...place, count: readCount(answer, place) };
}

test.each<[string, Answer, object]>([
  ["count", { body: { data: [], count: 9 } }, { unit: "items", path: "count", count: 9 }],
  ["total", { body: { data: [], total: 9 } }, { unit: "items", path: "total", count: 9 }],
  [
    "a total in another spelling",
    { body: { data: [], totalItems: "9" } },
    { unit: "items", path: "totalItems", count: 9 },
  ],
  [
    "a quoted name",
    { body: { value: [], "@odata.count": 9 }, list: "value" },
    { unit: "items", path: '["@odata.count"]', count: 9 },
  ],
  [
    "a member next to the list",
    { body: { total: 500, result: { items: [], total: 9 } }, list: "result.items" },
    { unit: "items", path: "result.total", count: 9 },
  ],
  [
    "a container next to the list",
    { body: { data: [], meta: { pagination: { total: 9, count: 3 } } } },
    { unit: "items", path: "meta.pagination.total", count: 9 },
  ],
  [
    "the surest of several names",
    { body: { data: [], count: 5, total_count: 9 } },
    { unit: "items", path: "total_count", count: 9 },
  ],
  [
    "a header",
    { body: [], list: "$", headers: { "x-total-count": "9" } },
    { unit: "items", header: "x-total-count", count: 9 },
  ],
  [
    "the total_path of an offset",
    {
      body: { data: [], n: 9, count: 8 },
      paginator: { type: "offset", limit: 3, total_path: "n" },
    },
    { unit: "items", path: "n", count: 9 },
  ],
  [
    "a number of pages, where no number of items is named",
    { body: { data: [], page: 1, total_pages: 4 } },
    { unit: "pages", path: "total_pages", count: 4 },
  ],
  [
    "the total_path of numbered pages, which counts pages",
    { body: { data: [], total: 9 }, paginator: { type: "page_number" } },
    { unit: "pages", path: "total", count: 9 },
  ],
  [
    "a number of items before the total_path of numbered pages",
    { body: { data: [], total: 4, count: 9 }, paginator: { type: "page_number" } },
    { unit: "items", path: "count", count: 9 },
  ],
  [
    "a header with a number of pages",
    { body: [], list: "$", headers: { "x-total-pages": "4" } },
    { unit: "pages", header: "x-total-pages", count: 4 },
  ],
])("the count of a list is found by %s", (_, answer, expected) => {
  expect(countIn(answer)).toEqual(expected);
});

test.each<[string, Answer]>([
  ["a count of the page's own records", { body: { data: [], count: 3 } }],
  ["a number of unknown meaning", { body: { data: [], limit: 9, page: 2 } }],
  ["a count of -1", { body: { data: [], total: -1 } }],
  ["a count of null", { body: { data: [], total: null } }],
  ["a count in a record", { body: [{ id: 1, count: 9 }], list: "$" }],
  [
    "a record under an id that looks like a count",
    {
      body: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [n ? `r${n}` : "total", 900])),
      list: "[*]",
    },
  ],
])("%s is not taken for the count of the list", (_, answer) => {
  expect(countIn(answer)).toBeUndefined();
});

test("an answer without the count names none", () => {
  const place = { unit: "items", path: "meta.total" } as const;
  const answer = (body: JsonValue | undefined) => ({ headers: {}, body });
  expect(readCount(answer({ meta: {} }), place)).toBeUndefined();
  expect(readCount(answer(undefined), place)).toBeUndefined();
  expect(readCount(answer({ meta: { total: 7 } }), place)).toBe(7);
});
