import { describe, expect, it } from "vitest";
import { data, numbers, shop, source, texts } from "./support.ts";

// A loop is the same request, or the same whole records, again and again; never keys alone.

const byCursor = { type: "cursor", cursor_path: "next", cursor_param: "after" };
const numbered = { type: "page_number", base_page: 1 };

/** Pages by their number; behind the last there is an empty one without a cursor. */
async function pages(list: object[][], more: object = {}, paginator: object = byCursor) {
  return shop(source([{ name: "rows", endpoint: { paginator }, ...more }]), ({ query }) => {
    const page = Number(query.get("after") ?? query.get("page") ?? 1);
    const rows = list[page - 1] ?? [];
    return { body: { data: rows, next: page < list.length ? page + 1 : null } };
  });
}

const change = (id: number, version: number) => ({ id, version });

describe("pages with the same keys are no loop", () => {
  it.each([
    ["by cursor", byCursor],
    ["by number", numbered],
  ])("where each has another change of one ticket: %s", async (_, paginator) => {
    const list = numbers(1, 5).map((version) => [change(7, version)]);
    const { run, items } = await pages(list, {}, paginator);
    for (let n = 0; n < 2; n++) {
      expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 5 });
      expect((await items("rows")).map(({ version }) => version)).toEqual([5]);
    }
  });

  it("where they have the same tickets in the same order", async () => {
    const list = numbers(1, 4).map((version) => [change(1, version), change(2, version)]);
    const { run, items } = await pages(list);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect((await items("rows")).map(({ version }) => version)).toEqual([4, 4]);
  });

  it("where an incremental reads changes of one ticket", async () => {
    const list = numbers(1, 4).map((version) => [change(7, version)]);
    const incremental = { cursor_path: "version", start_param: "since" };
    const { run, items } = await pages(list, { endpoint: { paginator: byCursor, incremental } });
    expect((await run()).of("rows").status).toBe("succeeded");
    list.push([change(7, 5)], [change(7, 6)]);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect((await items("rows")).map(({ version }) => version)).toEqual([6]);
  });
});

describe("a page that comes again is no loop", () => {
  it("where as many rows have come in front as a page holds", async () => {
    const rows = numbers(1, 40).map((id) => ({ id }));
    const paginator = numbered;
    const { run, column } = await shop(
      source([{ name: "rows", endpoint: { paginator } }]),
      ({ query }) => {
        const page = Number(query.get("page"));
        if (page === 2 && rows.length === 40)
          rows.unshift(...numbers(101, 110).map((id) => ({ id })));
        return data(rows.slice(page * 10 - 10, page * 10));
      },
    );
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(numbers(1, 40))));
  });

  it("where another page shows the same readings without a key, and a total is not reached", async () => {
    const readings = numbers(1, 10).map(() => ({ value: 0 }));
    const { run, requests } = await shop(
      source([
        {
          name: "rows",
          primary_key: null,
          write_disposition: "append",
          endpoint: { paginator: { ...numbered, total_path: "pages" } },
        },
      ]),
      () => ({ body: { data: readings, pages: 8 } }),
    );
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 80 });
    expect(requests).toHaveLength(8);
  });

  it("where the children of two parents are the same", async () => {
    const child = { name: "parts", endpoint: { path: "rows/{resources.rows.id}" } };
    const { run } = await shop(source(["rows", child]), ({ path }) =>
      path === "/rows" ? data(numbers(1, 9).map((id) => ({ id }))) : data([{ id: 1 }]),
    );
    expect((await run()).of("parts")).toMatchObject({ status: "succeeded", records: 9 });
  });
});

describe("a loop ends with a failure, after a bounded number of requests", () => {
  const same = numbers(1, 10).map((id) => ({ id }));

  it.each([
    [
      "the same page under ever new cursors",
      (n: number) => ({ data: same, next: `c${n}` }),
      byCursor,
    ],
    [
      "the same cursor with ever new rows",
      (n: number) => ({ data: [{ id: n }], next: "c" }),
      byCursor,
    ],
    [
      "two cursors in turn",
      (n: number) => ({ data: [{ id: n }], next: n % 2 ? "a" : "b" }),
      byCursor,
    ],
    [
      "three pages in turn under ever new cursors",
      (n: number) => ({ data: [{ id: n % 3 }], next: `c${n}` }),
      byCursor,
    ],
    ["a server that does not know the page's parameter", () => ({ data: same }), numbered],
    [
      "a server that does not know the offset's parameter",
      () => ({ data: same }),
      { type: "offset", limit: 10 },
    ],
    [
      "ever new links to the same page",
      (n: number) => ({ data: same, next: `/rows?token=${n}` }),
      { type: "json_link" },
    ],
  ])("%s", async (_, body, paginator) => {
    let n = 0;
    const { run, requests } = await shop(
      source([{ name: "rows", endpoint: { paginator } }]),
      () => {
        n += 1;
        // More than any bound: an engine that pages for ever ends here, too.
        return n > 400 ? { status: 418 } : { body: body(n) };
      },
    );
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "failed", error: { code: "extract.loop" } });
    expect(requests.length).toBeLessThan(100);
  });
});

describe("a detected paginator", () => {
  const size = 5;

  /** Nothing in the answers says whether the first page is 0 or 1. */
  async function detected(base: number, comeIn: number) {
    const rows = numbers(1, 25).map((id) => ({ id }));
    const { endpoint } = { endpoint: { paginator: "auto" } };
    return shop(source([{ name: "rows", endpoint }]), ({ query }) => {
      const page = Number(query.get("page") ?? base) - base;
      if (query.get("page") === "1" && rows.length === 25) {
        rows.unshift(...numbers(101, 100 + comeIn).map((id) => ({ id })));
      }
      const total_pages = Math.ceil(rows.length / size);
      return { body: { data: rows.slice(page * size, page * size + size), total_pages } };
    });
  }

  it.each([
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 5],
    [1, 0],
    [1, 1],
    [1, 2],
  ])("of pages from %i on loses no row though %i have come in front", async (base, comeIn) => {
    const { run, column } = await detected(base, comeIn);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(expect.arrayContaining(texts(numbers(1, 25))));
  });
});
