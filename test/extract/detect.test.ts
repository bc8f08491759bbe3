import { describe, expect, test } from "vitest";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession, type Page } from "../../packages/core/src/extract/pages.ts";
import { detectPaginator } from "../../packages/core/src/extract/paging/detect.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { type Handler, openApi } from "../support/api.ts";
import { CANARY, noMeter, testResource, testSecrets, testWorld } from "./fixtures.ts";

const detectIn = (body: JsonValue, headers = {}, params = {}) =>
  detectPaginator({ body, headers, params });

describe("the paginator is detected in the first answer, in dlt's order", () => {
  test.each<[string, JsonValue, object, object]>([
    ["a Link header", { next: "/x" }, { link: '</x>; rel="next"' }, { type: "header_link" }],
    [
      "a URL",
      { total_pages: 3, p: { next: "http://a/b" } },
      {},
      { type: "json_link", next_url_path: "p.next" },
    ],
    ["a path", { next_page: "/b" }, {}, { type: "json_link", next_url_path: "next_page" }],
    [
      "a link in an object",
      { next: { href: "/b" } },
      {},
      { type: "json_link", next_url_path: "next.href" },
    ],
    [
      "the number of its page, which comes before a cursor",
      { next: 2, page: 1, total_pages: 3 },
      {},
      { type: "page_number", base_page: 1, total_path: "total_pages" },
    ],
    [
      "the number of its page, which may be 0",
      { page: 0, pages: 3 },
      {},
      { type: "page_number", base_page: 0, total_path: "pages" },
    ],
    [
      "a cursor",
      { m: { "next.token": "abc" } },
      {},
      { type: "cursor", cursor_path: 'm["next.token"]' },
    ],
    [
      "a number, which is a cursor as in dlt",
      { next_page: 2 },
      {},
      { type: "cursor", cursor_path: "next_page" },
    ],
    ["nothing but a null, as a single page", { next: null, data: [] }, {}, { type: "single_page" }],
    ["being a list, which is a single page", [{ next: "/x" }], {}, { type: "single_page" }],
  ])("the first answer shows its paginator by %s", (_, body, headers, config) => {
    expect(detectIn(body, headers)).toEqual({ config, isSure: true });
  });

  test("the page that was asked for shows where numbered pages begin", () => {
    expect(detectIn({ total_pages: 9 }, {}, { page: "3" }).config).toEqual({
      type: "page_number",
      base_page: 1,
      page: 3,
      total_path: "total_pages",
    });
  });
});

async function readAll(handler: Handler, from?: PageRequest) {
  const api = await openApi(handler);
  const world = testWorld();
  const auto = { paginator: { type: "auto" as const }, selector: undefined };
  const resource = testResource(api.url, auto);
  const session = openSession(resource, {
    world,
    secrets: testSecrets({ api_key: CANARY }),
    meter: noMeter(),
  });
  const pages: Page[] = [];
  const filled = fillRequest(resource.request, () => undefined);
  for await (const page of fetchPages(resource, filled, from, session)) pages.push(page);
  const askedPages = api.requests.map(({ query }) => query.get("page") ?? query.get("cursor"));
  return { pages, askedPages, world };
}

const idsOf = (pages: Page[]) =>
  pages.flatMap(({ records }) => records.map((record) => Reflect.get(Object(record), "id")));

describe("numbered pages without a sign of the first number", () => {
  test.each([
    [
      "begin at 0, and a full last page leaves open whether one more follows",
      0,
      [null, "1", "2", "3"],
    ],
    ["begin at 1, where the first page is recognised and not read twice", 1, [null, "1", "2", "3"]],
  ])("numbered pages without a sign of the first number may %s", async (_, base, expected) => {
    const read = await readAll(({ query }) => {
      const page = Number(query.get("page") ?? base) - base;
      const rows = [0, 1].map((n) => ({ id: page * 2 + n }));
      return { body: { total_pages: 3, rows: page < 3 ? rows : [] } };
    });
    expect(idsOf(read.pages)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(read.askedPages).toEqual(expected);
    expect(read.world.lines.join()).toContain(`"base_page\\":${base}`.replace("\\", ""));
  });
});

describe("numbered pages without a sign of the first number lose no row (P14)", () => {
  const size = 4;

  /** Rows come in front before the second page is answered. */
  async function readWhile(base: number, comeIn: number, behind: "empty" | "refused") {
    const rows = Array.from({ length: 18 }, (_, id) => ({ id }));
    const read = await readAll(({ query }) => {
      if (query.get("page") === "1" && rows.length === 18) {
        rows.unshift(...Array.from({ length: comeIn }, (_, n) => ({ id: 100 + n })));
      }
      const page = Number(query.get("page") ?? base) - base;
      const total_pages = Math.ceil(rows.length / size);
      if (behind === "refused" && page >= total_pages) return { status: 404, body: "no such page" };
      return { body: { total_pages, rows: rows.slice(page * size, page * size + size) } };
    });
    return new Set(idsOf(read.pages));
  }

  const counts = [0, 1, 2, 3, 4, 5, 6];
  const cases = [0, 1].flatMap((base) => counts.map((comeIn) => [base, comeIn] as const));

  test.each(
    cases,
  )("pages from %i on lose no row though %i come in front (P14)", async (base, comeIn) => {
    for (const behind of ["empty", "refused"] as const) {
      const read = await readWhile(base, comeIn, behind);
      expect(Array.from({ length: 18 }, (_, id) => id).filter((id) => !read.has(id))).toEqual([]);
    }
  });
});

test("a detected paginator is logged once, kept in each next request, and not detected again", async () => {
  const handler: Handler = ({ query }) => {
    const cursor = Number(query.get("cursor") ?? 0);
    const items = [{ id: cursor }];
    // The later pages show neither the list's usual name first nor another hint.
    return {
      body: { ...(cursor > 0 ? { data: [] } : {}), items, next: cursor < 2 ? cursor + 1 : null },
    };
  };
  const { pages, world } = await readAll(handler);
  expect(idsOf(pages)).toEqual([0, 1, 2]);
  expect(world.lines.filter((line) => line.includes("detected paginator"))).toEqual([
    expect.stringContaining('write it down as {"type":"cursor","cursor_path":"next"}'),
  ]);
  const resumed = await readAll(handler, JSON.parse(JSON.stringify(pages[0]?.next)));
  expect(idsOf(resumed.pages)).toEqual([1, 2]);
  expect(resumed.world.lines).toEqual([]);
});

test("a key that an API repeats in its next link is in no checkpoint (P15)", async () => {
  let isFirst = true;
  const { pages } = await readAll(({ query }) => {
    const next = isFirst
      ? `/v1/tickets?page=2&${new URLSearchParams({ api_key: query.get("api_key") ?? "" })}`
      : null;
    isFirst = false;
    return { body: { data: [{ id: 1 }], next } };
  });
  expect(pages).toHaveLength(2);
  expect(JSON.stringify(pages)).toContain("/v1/tickets?page=2");
  expect(JSON.stringify(pages)).not.toContain("canary");
});
