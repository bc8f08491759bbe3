import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { numbers, type Shop, shop, source, texts } from "./support.ts";

// Rows that go while numbered pages are read hide no other row where the API tells how many there are.

const size = 10;

interface Shown {
  page: number;
  pages: number;
  count: number;
  rows: object[];
  url: string;
}

interface Kind {
  paginator: object;
  reply: (shown: Shown) => Reply;
}

const linkTo = (url: string, page: number) => `${url}/rows?page=${page}`;

const kinds: Record<string, Kind> = {
  page_number: {
    paginator: { type: "page_number", base_page: 1, total_path: "total_pages" },
    reply: ({ pages, count, rows }) => ({
      body: { data: rows, total_pages: pages, total_count: count },
    }),
  },
  "a Link header": {
    paginator: { type: "header_link" },
    reply: ({ page, pages, count, rows, url }) => ({
      headers: {
        "x-total-count": String(count),
        ...(page < pages ? { link: `<${linkTo(url, page + 1)}>; rel="next"` } : {}),
      },
      body: { data: rows },
    }),
  },
  "links in the answer": {
    paginator: { type: "json_link", next_url_path: "next" },
    reply: ({ page, pages, count, rows, url }) => ({
      body: { data: rows, count, next: page < pages ? linkTo(url, page + 1) : null },
    }),
  },
};

interface Row {
  id: number;
  at: number;
}

/** Oldest first, in pages from 1 on. */
async function list({ paginator, reply }: Kind, more: object = {}, incremental?: object) {
  const rows = numbers(1, 104).map((id): Row => ({ id, at: id }));
  const endpoint = { paginator, ...(incremental ? { incremental } : {}) };
  const origin: { url?: string } = {};
  const place: Shop = await shop(
    source([{ name: "rows", endpoint, ...more }]),
    ({ query }: ApiRequest): Reply => {
      const page = Number(query.get("page") ?? 1);
      const shown = rows.filter(({ at }) => at >= Number(query.get("since") ?? 0));
      const pages = Math.ceil(shown.length / size);
      // As Django's REST framework has it.
      if (page > pages) return { status: 404, body: { detail: "Invalid page." } };
      const part = shown.slice((page - 1) * size, page * size);
      return reply({ page, pages, count: shown.length, rows: part, url: origin.url ?? "" });
    },
  );
  origin.url = place.url;
  const pageOf = ({ query }: ApiRequest) => Number(query.get("page") ?? 1);
  /** Takes rows of the first page away before the page of this number is answered. */
  const lose = (howMany: number, at: number) => {
    place.hooks.before = (request) => {
      if (pageOf(request) === at && rows[0]?.id === 1) rows.splice(0, howMany);
      return undefined;
    };
  };
  return { rows, lose, pageOf, ...place };
}

describe.each(Object.entries(kinds))("with %s", (_, kind) => {
  it.each([
    [3, 6],
    [size, 6],
    [size + 2, 6],
    [1, 10],
  ])("no row is missing though %i have gone before page %i", async (howMany, at) => {
    const { rows, run, lose, column } = await list(kind);
    lose(howMany, at);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(rows.map(({ id }) => id))));
  });

  it("no row is missing though some have gone twice", async () => {
    const { rows, run, hooks, pageOf, column } = await list(kind);
    const gone = new Set<number>();
    hooks.before = (request) => {
      const page = pageOf(request);
      if ((page === 4 || page === 7) && !gone.has(page)) {
        gone.add(page);
        rows.splice(0, 2);
      }
      return undefined;
    };
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(rows.map(({ id }) => id))));
  });

  it("no live row is deleted by a replace, and those that went go in the end", async () => {
    const { rows, run, lose, column, hooks } = await list(kind, { write_disposition: "replace" });
    await run();
    lose(3, 6);
    await run();
    const live = texts(rows.map(({ id }) => id));
    expect(await column("rows")).toEqual(expect.arrayContaining(live));
    hooks.before = undefined;
    await run();
    await run();
    expect(await column("rows")).toEqual(live);
  });

  it("no row is missing for good where a cursor moves past it", async () => {
    const { rows, run, lose, column } = await list(
      kind,
      {},
      { cursor_path: "at", start_param: "since" },
    );
    lose(3, 6);
    await run();
    rows.push({ id: 105, at: 105 });
    await run();
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(rows.map(({ id }) => id))));
  });

  it("a list that never comes to rest ends, and loses nothing for good", async () => {
    const { rows, run, hooks, requests, column } = await list(
      kind,
      {},
      { cursor_path: "at", start_param: "since" },
    );
    hooks.before = () => {
      if (rows.length > 12) rows.splice(0, 1);
      return undefined;
    };
    await run();
    expect(requests.length).toBeLessThan(120);
    hooks.before = undefined;
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(rows.map(({ id }) => id))));
  });
});

describe("with an API that does not tell how many there are", () => {
  it("a preview warns that rows which go may hide others", async () => {
    const rows = numbers(1, 21).map((id) => ({ id }));
    const paginator = { type: "page_number", base_page: 1 };
    const { cli, file } = await shop(
      source([{ name: "rows", endpoint: { paginator } }]),
      ({ query }) => {
        const page = Number(query.get("page"));
        return { body: { data: rows.slice(page * 7 - 7, page * 7) } };
      },
    );
    const { warnings } = (await cli("preview", file, "rows", "--json")).json();
    const texts = warnings.map(({ message, hint }: Record<string, string>) => `${message} ${hint}`);
    expect(texts.join("\n")).toMatch(/delet|\bgone?\b|\bgoes?\b|miss|lost|skip/i);
  });
});
