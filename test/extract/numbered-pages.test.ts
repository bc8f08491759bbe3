import { describe, expect, test } from "vitest";
import { realClock } from "../../packages/core/src/base/clock.ts";
import type { PaginatorConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { planPaginator } from "../../packages/core/src/config/paginators.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession, type Page } from "../../packages/core/src/extract/pages.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { type ApiRequest, type Handler, openApi, type Reply } from "../support/api.ts";
import { CANARY, noMeter, testResource, testSecrets, testWorld } from "./fixtures.ts";

const SIZE = 10;

type Row = { id: number };

const rowsFrom = (first: number, last: number): Row[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ id: first + index }));

/** Opens an API and a way to read all of its pages. */
async function openPages(handler: Handler, paginator: object, parallelPages = 1) {
  const api = await openApi(handler);
  const plan = planPaginator(paginator as PaginatorConfig);
  const retry = {
    statuses: new Set<number>(),
    maxRetries: 0,
    backoffFactor: 1,
    maxWaitMs: 86_400_000,
  };
  const resource = testResource(api.url, { paginator: plan, retry });
  const world = testWorld();
  const secrets = testSecrets({ api_key: CANARY });
  const session = openSession(resource, { world, secrets, meter: noMeter(), parallelPages });
  const filled = fillRequest(resource.request, () => undefined);
  const readAll = async (from?: PageRequest): Promise<Page[]> => {
    const pages: Page[] = [];
    for await (const page of fetchPages(resource, filled, from, session)) pages.push(page);
    return pages;
  };
  return { api, world, readAll };
}

const idsOf = (pages: Page[]) =>
  pages.flatMap(({ records }) => records.map((record) => Reflect.get(Object(record), "id")));
const missing = (rows: readonly Row[], pages: Page[]) => {
  const read = new Set(idsOf(pages));
  return rows.map(({ id }) => id).filter((id) => !read.has(id));
};

const pageOf = ({ query }: ApiRequest): number => Number(query.get("page") ?? 1);
const askedPages = (requests: ApiRequest[]) => requests.map(pageOf);

/** Pages from 1 on with a count and links, which answer 404 behind the last. */
const linkedPages =
  (rows: Row[], before: (page: number) => void = () => {}): Handler =>
  (request): Reply => {
    const page = pageOf(request);
    before(page);
    const pages = Math.ceil(rows.length / SIZE);
    if (page > pages) return { status: 404, body: { detail: "Invalid page." } };
    const next = page < pages ? `/v1/tickets?page=${page + 1}` : null;
    return {
      body: { data: rows.slice((page - 1) * SIZE, page * SIZE), count: rows.length, next },
    };
  };

describe("pages are numbered (P14)", () => {
  const link = (query: string) => ({ type: "json_link", answer: { next: `/v1/tickets${query}` } });
  test.each<[string, boolean, object, object]>([
    ["page_number", true, { type: "page_number" }, {}],
    ["offsets below a limit of 10", true, { type: "offset", limit: 9 }, {}],
    ["offsets without an overlap", true, { type: "offset", limit: 50, overlap: 0 }, {}],
    ["offsets with an overlap", false, { type: "offset", limit: 50 }, {}],
    ["a link to another page", true, { type: "json_link" }, link("?page=2").answer],
    ["a link to another offset", true, { type: "json_link" }, link("?limit=3&offset=3").answer],
    ["a link to page[number]", true, { type: "json_link" }, link("?page%5Bnumber%5D=2").answer],
    ["a link to $skip", true, { type: "json_link" }, link("?$skip=3").answer],
    ["a link with a cursor", false, { type: "json_link" }, link("?after=abc").answer],
    [
      "a link with a cursor beside a page",
      false,
      { type: "json_link" },
      link("?page=2&after=a").answer,
    ],
    ["a link to a page that is no number", false, { type: "json_link" }, link("?page=abc").answer],
    [
      "a link that starts at a time",
      false,
      { type: "json_link" },
      link("?start=1700000000").answer,
    ],
    [
      "a cursor",
      false,
      { type: "cursor", cursor_path: "next", cursor_param: "after" },
      { next: 2 },
    ],
    [
      "a cursor that is a page",
      true,
      { type: "cursor", cursor_path: "next", cursor_param: "page" },
      { next: 2 },
    ],
    ["a single page", false, { type: "single_page" }, {}],
  ])("%s: %s", async (_, expected, paginator, answer) => {
    let isFirst = true;
    const { readAll } = await openPages(() => {
      const body = isFirst ? { data: rowsFrom(1, 3), ...answer } : { data: [] };
      isFirst = false;
      return { body };
    }, paginator);
    const [first] = await readAll();
    expect(first?.isNumbered ?? false).toBe(expected);
  });
});

describe("links to numbered pages", () => {
  test("the link of an earlier page is asked for again where rows have gone (P14)", async () => {
    const rows = rowsFrom(1, 74);
    const handler = linkedPages(rows, (page) => {
      if (page === 6 && rows[0]?.id === 1) rows.splice(0, 12);
    });
    const { api, world, readAll } = await openPages(handler, { type: "json_link" });
    const pages = await readAll();
    expect(missing(rows, pages)).toEqual([]);
    expect(askedPages(api.requests)).toEqual([1, 2, 3, 4, 5, 6, 5, 4, 5, 6, 7]);
    expect(pages.filter(({ goesBack }) => goesBack)).toHaveLength(2);
    expect(world.lines.join("\n")).toContain("the API names 62 items after 74: rows have gone");
  });

  test("reading starts again where more has gone than the remembered pages hold (P14)", async () => {
    const rows = rowsFrom(1, 300);
    const handler = linkedPages(rows, (page) => {
      if (page === 15 && rows[0]?.id === 1) rows.splice(0, 120);
    });
    const { api, readAll } = await openPages(handler, { type: "json_link" });
    expect(missing(rows, await readAll())).toEqual([]);
    expect(askedPages(api.requests).slice(14, 18)).toEqual([15, 14, 1, 2]);
  });

  test("a page that is not there any more leads back to the one before (P14)", async () => {
    const rows = rowsFrom(1, 74);
    const handler = linkedPages(rows, (page) => {
      if (page === 8 && rows[0]?.id === 1) rows.splice(0, 14);
    });
    const { api, readAll } = await openPages(handler, { type: "json_link" });
    expect(missing(rows, await readAll())).toEqual([]);
    expect(askedPages(api.requests).slice(0, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 7]);
  });

  test("reading goes on from every checkpoint as it would have gone on (P14)", async () => {
    const rows = rowsFrom(1, 74);
    const handler = linkedPages(rows, (page) => {
      if (page === 6 && rows[0]?.id === 1) rows.splice(0, 12);
    });
    const { readAll } = await openPages(handler, { type: "json_link" });
    const pages = await readAll();
    const requests = pages.slice(6).map(({ request }) => request);
    for (const [index, request] of requests.entries()) {
      const resumed = await readAll(JSON.parse(JSON.stringify(request)));
      expect(resumed.map((page) => page.request)).toEqual(requests.slice(index));
    }
  });

  test("a credential that the API repeats in its links is in no memory of pages (P15)", async () => {
    const rows = rowsFrom(1, 74);
    const handler: Handler = (request, response) => {
      const reply = linkedPages(rows, (page) => {
        if (page === 6 && rows[0]?.id === 1) rows.splice(0, 12);
      })(request, response) as Reply;
      const { next } = Object(reply.body);
      const key = new URLSearchParams({ api_key: request.query.get("api_key") ?? "" });
      return next ? { body: { ...Object(reply.body), next: `${next}&${key}` } } : reply;
    };
    const { readAll } = await openPages(handler, { type: "json_link" });
    const pages = await readAll();
    expect(missing(rows, pages)).toEqual([]);
    expect(JSON.stringify(pages)).not.toContain("canary");
  });
});

describe("a page that the API refuses", () => {
  const byNumber = { type: "page_number", base_page: 1 };

  test.each([
    400, 404, 410, 416, 422,
  ])("ends the reading behind the number of items that answers name, with %i", async (status) => {
    const rows = rowsFrom(1, 30);
    const { readAll } = await openPages((request) => {
      const data = rows.slice((pageOf(request) - 1) * SIZE, pageOf(request) * SIZE);
      return data.length > 0 ? { body: { data, count: 30 } } : { status, body: "no such page" };
    }, byNumber);
    expect(idsOf(await readAll())).toEqual(rows.map(({ id }) => id));
  });

  test.each([401, 403, 408, 429, 500])("fails the reading with %i", async (status) => {
    const { readAll } = await openPages(
      (request) =>
        pageOf(request) < 4
          ? { body: { data: rowsFrom(pageOf(request) * 10 - 9, pageOf(request) * 10), count: 30 } }
          : { status, body: "not now" },
      byNumber,
    );
    await expect(readAll()).rejects.toMatchObject({ code: "extract.status", status });
  });

  test("fails the reading where no answer names a count", async () => {
    const { readAll } = await openPages(
      (request) =>
        pageOf(request) < 4 ? { body: { data: rowsFrom(1, 10) } } : { status: 404, body: "no" },
      byNumber,
    );
    await expect(readAll()).rejects.toMatchObject({ code: "extract.status", status: 404 });
  });

  test("fails the reading within the count, once the page before has been read again", async () => {
    const { api, readAll } = await openPages(
      (request) =>
        pageOf(request) < 4
          ? { body: { data: rowsFrom(pageOf(request) * 10 - 9, pageOf(request) * 10), count: 90 } }
          : { status: 404, body: "only 30 rows are shown" },
      byNumber,
    );
    await expect(readAll()).rejects.toMatchObject({ code: "extract.status", status: 404 });
    expect(askedPages(api.requests)).toEqual([1, 2, 3, 4, 3, 4]);
  });
});

describe("pages that were asked for early", () => {
  /** A list to which a row comes in front before page 12 is answered, later than page 13. */
  async function readWithLatePage(paginator: object, start: (request: ApiRequest) => number) {
    const rows = rowsFrom(1, 200);
    let hasCome = false;
    const { api, readAll } = await openPages(
      async (request) => {
        const at = start(request);
        if (at >= 110 && at < 120 && !hasCome) {
          hasCome = true;
          await realClock.sleep(100);
          rows.unshift({ id: 1000 });
        }
        return { body: { data: rows.slice(at, at + SIZE), count: rows.length } };
      },
      paginator,
      4,
    );
    const pages = await readAll();
    return { pages, requests: api.requests, missing: missing(rowsFrom(1, 200), pages) };
  }

  test("an early page counts only where the overlap shows that no row has moved (P14)", async () => {
    const paginator = { type: "offset", limit: SIZE };
    const read = await readWithLatePage(paginator, ({ query }) => Number(query.get("offset")));
    expect(read.missing).toEqual([]);
    const offsets = read.requests.map(({ query }) => query.get("offset"));
    expect(new Set(offsets).size).toBeLessThan(offsets.length);
  });

  test("an early page that counts show to be older is read again (P14)", async () => {
    const paginator = { type: "page_number", base_page: 1, total_path: null };
    const read = await readWithLatePage(paginator, (request) => (pageOf(request) - 1) * SIZE);
    expect(read.missing).toEqual([]);
  });

  test("an early page that the API refused is asked for again", async () => {
    const rows = rowsFrom(1, 120);
    let refusals = 0;
    const { readAll } = await openPages(
      ({ query }) => {
        const offset = Number(query.get("offset"));
        // As long as it has no such page: then rows come.
        if (offset >= 112 && refusals < 1) {
          refusals += 1;
          return { status: 404, body: "no such page" };
        }
        return { body: { data: rows.slice(offset, offset + SIZE), total: 120 } };
      },
      { type: "offset", limit: SIZE },
      4,
    );
    expect(idsOf(await readAll())).toEqual(rows.map(({ id }) => id));
  });
});
