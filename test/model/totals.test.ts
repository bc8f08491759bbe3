import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

// What an answer says of the end is believed as far as it goes.

const size = 10;

interface Kind {
  paginator: object;
  start: (query: URLSearchParams) => number;
  /** What the first page alone tells of how much there is. */
  total: (rows: number) => number;
}

const kinds: Record<string, Kind> = {
  offset: {
    paginator: { type: "offset", limit: size },
    start: (query) => Number(query.get("offset")),
    total: (rows) => rows,
  },
  "offset with a total_path": {
    paginator: { type: "offset", limit: size, total_path: "total" },
    start: (query) => Number(query.get("offset")),
    total: (rows) => rows,
  },
  page_number: {
    paginator: { type: "page_number", base_page: 1, total_path: "total" },
    start: (query) => Number(query.get("page") ?? 1) * size - size,
    total: (rows) => Math.ceil(rows / size),
  },
};

/** What the API does behind its last page. */
type Behind = (rows: object[]) => Reply;

async function list({ paginator, start, total }: Kind, more: object = {}, behind?: Behind) {
  const rows = numbers(1, 30).map((id) => ({ id }));
  const place = await shop(
    source([{ name: "rows", endpoint: { paginator }, ...more }]),
    ({ query }: ApiRequest): Reply => {
      const from = start(query);
      if (behind && from >= rows.length) return behind(rows);
      const part = rows.slice(from, from + size);
      return { body: { data: part, ...(from === 0 ? { total: total(rows.length) } : {}) } };
    },
  );
  const grow = (howMany: number) => {
    place.hooks.before = ({ query }) => {
      if (start(query) > 0 && rows.length === 30) {
        rows.unshift(...numbers(101, 100 + howMany).map((id) => ({ id })));
      }
      return undefined;
    };
  };
  return { rows, grow, ...place };
}

describe.each(Object.entries(kinds))("%s with a total on its first page only", (_, kind) => {
  it.each([1, 8, 25])("misses no row when %i have come in front meanwhile", async (howMany) => {
    const { run, grow, column } = await list(kind);
    grow(howMany);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(numbers(1, 30))));
  });

  it("has no live row deleted by a replace", async () => {
    const { run, grow, column } = await list(kind, { write_disposition: "replace" });
    await run();
    grow(8);
    expect((await run()).of("rows").deleted).toBe(0);
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(numbers(1, 30))));
  });

  it.each([
    400, 404, 416, 422,
  ])("ends where the API answers %i behind the total", async (status) => {
    const { run, column } = await list(kind, {}, () => ({ status, body: "no such page" }));
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 30 });
    expect(await column("rows")).toEqual(texts(numbers(1, 30)));
  });

  it.each([401, 403, 500])("fails where the API answers %i behind the total", async (status) => {
    const { run, grow, hooks } = await list(kind);
    grow(8);
    const { before } = hooks;
    hooks.before = (request) =>
      kind.start(request.query) > 28 ? { status, body: "not now" } : before?.(request);
    expect((await run()).of("rows").status).toBe("failed");
  });

  it("ends where the API shows its last page again behind the total", async () => {
    const { run, column } = await list(kind, {}, (rows) => data(rows.slice(-size)));
    const { of } = await run();
    expect(of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts(numbers(1, 30)));
  });
});

describe("a maximum or a total", () => {
  const endless = { has_more_path: "more" };

  it.each([
    ["maximum_offset", { type: "offset", limit: size, maximum_offset: 20, ...endless }, 20],
    ["an offset's total", { type: "offset", limit: size, total_path: "total", ...endless }, 20],
    ["maximum_page", { type: "page_number", base_page: 1, maximum_page: 3, ...endless }, 20],
    [
      "a number of pages",
      { type: "page_number", base_page: 1, total_path: "pages", ...endless },
      20,
    ],
  ])("ends the reading though the API says that there is more: %s", async (_, paginator, last) => {
    const { run, column, requests } = await shop(
      source([{ name: "rows", endpoint: { paginator } }]),
      ({ query }) => {
        const from = Number(query.get("offset") ?? Number(query.get("page")) * size - size);
        const part = numbers(from + 1, from + size).map((id) => ({ id }));
        return { body: { data: from < 100 ? part : [], more: true, total: 20, pages: 2 } };
      },
    );
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts(numbers(1, last)));
    expect(requests.length).toBeLessThan(5);
  });

  it("does not hold up an API that says that there is no more", async () => {
    const paginator = { type: "offset", limit: size, total_path: "total", ...endless };
    const { run, column, requests } = await shop(
      source([{ name: "rows", endpoint: { paginator } }]),
      () => ({ body: { data: numbers(1, 10).map((id) => ({ id })), more: false, total: 500 } }),
    );
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toHaveLength(10);
    expect(requests).toHaveLength(1);
  });
});

describe.each([
  "offset",
  "page_number",
])("a total of %s that is less than its own answer shows", (kind) => {
  it("ends nothing, and a replace deletes no live row", async () => {
    let lies = false;
    const rows = numbers(1, 18).map((id) => ({ id }));
    const { paginator, start, total } = kinds[kind] as Kind;
    const { run, column } = await shop(
      source([{ name: "rows", write_disposition: "replace", endpoint: { paginator } }]),
      ({ query }): Reply => {
        const from = start(query);
        const part = rows.slice(from, from + size);
        return { body: { data: part, total: lies ? 0 : total(rows.length) } };
      },
    );
    await run();
    lies = true;
    await run();
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 18 });
    expect(await column("rows")).toEqual(texts(numbers(1, 18)));
  });
});
