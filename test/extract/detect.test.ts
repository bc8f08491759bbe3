import { describe, expect, test } from "vitest";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession, type Page } from "../../packages/core/src/extract/pages.ts";
import { detectPaginator } from "../../packages/core/src/extract/paging/detect.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { type Handler, openApi } from "../support/api.ts";
import { CANARY, noMeter, testResource, testSecrets, testWorld } from "./fixtures.ts";

const detected = (body: JsonValue, headers = {}, params = {}) =>
  detectPaginator({ body, headers, params });

describe("the paginator is found out from the first answer, in dlt's order", () => {
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
      "numbered pages before a cursor, from the page that was answered",
      { next: 2, page: 1, total_pages: 3 },
      {},
      { type: "page_number", base_page: 1, total_path: "total_pages" },
    ],
    [
      "pages from 0",
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
      "a number is a cursor, as in dlt",
      { next_page: 2 },
      {},
      { type: "cursor", cursor_path: "next_page" },
    ],
    ["nothing", { next: null, data: [] }, {}, { type: "single_page" }],
    ["a list", [{ next: "/x" }], {}, { type: "single_page" }],
  ])("%s", (_, body, headers, config) => {
    expect(detected(body, headers)).toEqual({ config, isSure: true });
  });

  test("a page that was asked for says it, too", () => {
    expect(detected({ total_pages: 9 }, {}, { page: "3" }).config).toEqual({
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
  const all: Page[] = [];
  const filled = fillRequest(resource.request, () => undefined);
  for await (const page of fetchPages(resource, filled, from, session)) all.push(page);
  const asked = api.requests.map(({ query }) => query.get("page") ?? query.get("cursor"));
  return { all, asked, world };
}

const ids = (all: Page[]) =>
  all.flatMap(({ records }) => records.map((one) => Reflect.get(Object(one), "id")));

describe("numbered pages of which nothing says the first number", () => {
  test.each([
    ["from 0", 0, [null, "1", "2"]],
    ["from 1: the first page is recognised and is not read twice", 1, [null, "1", "2", "3"]],
  ])("%s", async (_, base, asked) => {
    const read = await readAll(({ query }) => {
      const page = Number(query.get("page") ?? base) - base;
      const rows = [0, 1].map((n) => ({ id: page * 2 + n }));
      return { body: { total_pages: 3, rows: page < 3 ? rows : [] } };
    });
    expect(ids(read.all)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(read.asked).toEqual(asked);
    expect(read.world.lines.join()).toContain(`"base_page\\":${base}`.replace("\\", ""));
  });
});

test("what was found out is told once, kept in each next request, and not found out anew", async () => {
  const handler: Handler = ({ query }) => {
    const at = Number(query.get("cursor") ?? 0);
    const items = [{ id: at }];
    // The later pages show neither the list's usual name first nor another hint.
    return { body: { ...(at > 0 ? { data: [] } : {}), items, next: at < 2 ? at + 1 : null } };
  };
  const { all, world } = await readAll(handler);
  expect(ids(all)).toEqual([0, 1, 2]);
  expect(world.lines.filter((line) => line.includes("detected paginator"))).toEqual([
    expect.stringContaining('write it down as {"type":"cursor","cursor_path":"next"}'),
  ]);
  const resumed = await readAll(handler, JSON.parse(JSON.stringify(all[0]?.next)));
  expect(ids(resumed.all)).toEqual([1, 2]);
  expect(resumed.world.lines).toEqual([]);
});

test("a key that an API repeats in its next link is in no checkpoint (P15)", async () => {
  let link = true;
  const { all } = await readAll(({ query }) => {
    const next = link
      ? `/v1/tickets?page=2&${new URLSearchParams({ api_key: query.get("api_key") ?? "" })}`
      : null;
    link = false;
    return { body: { data: [{ id: 1 }], next } };
  });
  expect(all).toHaveLength(2);
  expect(JSON.stringify(all)).toContain("/v1/tickets?page=2");
  expect(JSON.stringify(all)).not.toContain("canary");
});
