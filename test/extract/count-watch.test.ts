import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PaginatorConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import { planPaginator } from "../../packages/core/src/config/paginators.ts";
import { watchCount } from "../../packages/core/src/extract/paging/count-watch.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { createPaginator } from "../../packages/core/src/extract/paging/paginators.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";

type Row = { id: number };

const HOME = "https://api.example.com/rows";

/** How an API shows its rows in numbered pages, and tells how many there are. */
interface Api {
  size: number;
  /** Of the page from 1 on; undefined: the API refuses it. */
  names?: (count: number, pages: number, page: number) => Record<string, JsonValue>;
  headers?: (count: number) => Record<string, string>;
  /** Changes the list before the nth request, which is for this page. */
  change?: (rows: Row[], request: number, page: number) => void;
  /** The API answers 404 behind its last page, as Django's REST framework does. */
  refuses?: boolean;
}

type Kind = "page_number" | "json_link" | "offset";

const configs: Record<Kind, (size: number) => object> = {
  page_number: () => ({ type: "page_number", base_page: 1, total_path: null }),
  json_link: () => ({ type: "json_link" }),
  offset: (size) => ({ type: "offset", limit: size, overlap: 0, total_path: null }),
};

const list = parseJsonPath("data");
const noSuchPage = Object.assign(new Error("404"), { status: 404 });

/** The number of a page, from 1 on, in a request of any kind. */
function pageIn({ params, url }: PageRequest, size: number): number {
  if (params?.offset !== undefined) return Number(params.offset) / size + 1;
  const inLink = url === undefined ? null : new URL(url).searchParams.get("page");
  return Number(params?.page ?? inLink ?? 1);
}

/** Reads a list to its end as a run does, with every request stored in a checkpoint. */
function readAll(kind: Kind, rows: Row[], { size, names, headers, change, refuses }: Api) {
  const plan = planPaginator(configs[kind](size) as PaginatorConfig);
  const paginator = createPaginator(plan, ["id"]);
  const result = { ids: [] as number[], pages: [] as number[], notes: [] as string[], longest: 0 };
  let sinceCount: number[] = [];
  let isMixed = false;
  let request: PageRequest | undefined = paginator.first();
  while (request) {
    if (result.pages.length > 3000) throw new Error("no end of requests");
    const page = pageIn(request, size);
    const before = rows.length;
    change?.(rows, result.pages.length, page);
    sinceCount.push(Math.sign(rows.length - before));
    isMixed ||= sinceCount.includes(1) && sinceCount.includes(-1);
    result.pages.push(page);
    const start = Math.round((page - 1) * size);
    const records = rows.slice(start, start + size).map((row) => ({ ...row }));
    const pages = Math.ceil(rows.length / size);
    const isRefused = refuses && page > Math.max(1, pages);
    const body = {
      data: records,
      next: kind === "json_link" && page < pages ? `${HOME}?page=${page + 1}` : null,
      ...names?.(rows.length, pages, page),
    };
    const received = {
      request: JSON.parse(JSON.stringify(request)) as PageRequest,
      url: request.url ?? HOME,
      records: isRefused ? [] : records,
      headers: isRefused ? {} : (headers?.(rows.length) ?? {}),
      body: isRefused ? undefined : body,
      ...(isRefused ? { absence: noSuchPage as never } : {}),
    };
    if (isRefused && !request.memory?.count && !request.memory?.behindTotal) throw noSuchPage;
    if (!isRefused) sinceCount = [];
    result.ids.push(...received.records.map(({ id }) => id));
    const following = paginator.next(received);
    const watched = watchCount({ received, following, plan, list, keyFields: ["id"] });
    if (watched.note) result.notes.push(watched.note);
    request = watched.next;
    result.longest = Math.max(result.longest, JSON.stringify(request ?? {}).length);
  }
  return { ...result, isMixed };
}

const rowsFrom = (first: number, last: number): Row[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ id: first + index }));
const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => id);
const missing = (rows: readonly Row[], { ids }: { ids: number[] }) =>
  idsOf(rows).filter((id) => !ids.includes(id));

/** What was read, or the failure, which has to be one of those that tell of the drift. */
function outcomeOf<T>(read: () => T): T | { failure: unknown } {
  try {
    return read();
  } catch (failure) {
    if (failure !== noSuchPage) expect(failure).toMatchObject({ code: "extract.drift" });
    return { failure };
  }
}

const kinds: Kind[] = ["page_number", "json_link", "offset"];
const withCount = (count: number) => ({ count });

describe.each(kinds)("numbered pages by %s", (kind) => {
  test("numbered pages are read once where nothing goes (P14)", () => {
    const rows = rowsFrom(1, 95);
    const read = readAll(kind, rows, { size: 10, names: withCount });
    expect(read.ids).toEqual(idsOf(rows));
    expect(read.pages.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(read.notes).toEqual([]);
  });

  test("a fall leads back to the page before, and to as many pages as rows are gone (P14)", () => {
    const rows = rowsFrom(1, 104);
    const change = (list: Row[], _: number, page: number) => {
      if (page === 6 && list[0]?.id === 1) list.splice(0, 12);
    };
    const read = readAll(kind, rows, { size: 10, names: withCount, change });
    expect(missing(rows, read)).toEqual([]);
    expect(read.pages.slice(4, 11)).toEqual([5, 6, 5, 4, 5, 6, 7]);
    expect(read.notes).toEqual(["the API names 92 items after 104: rows have gone"]);
  });

  test("rows that go behind the page that is read cost a few requests, and fail nothing (P14)", () => {
    const rows = rowsFrom(1, 300);
    const kept = rowsFrom(1, 100);
    const change = (list: Row[]) => {
      if (list.length > 120) list.pop();
    };
    const read = readAll(kind, rows, { size: 10, names: withCount, change });
    expect(missing(kept, read)).toEqual([]);
    expect(read.pages.length).toBeLessThan(4 * 30);
  });

  test("a list whose first rows keep going ends with a failure that says so (P14)", () => {
    const rows = rowsFrom(1, 104);
    const change = (list: Row[]) => void list.shift();
    expect(() => readAll(kind, rows, { size: 10, names: withCount, change })).toThrow(
      expect.objectContaining({
        code: "extract.drift",
        retryable: false,
        message: expect.stringContaining("later rows may have been missed"),
        hint: expect.stringContaining("a cursor"),
      }),
    );
  });

  test("three rounds of going back that get further fail nothing (P14)", () => {
    const rows = rowsFrom(1, 200);
    const change = (list: Row[], request: number) => {
      if (request % 4 === 3) list.shift();
    };
    const read = readAll(kind, rows, { size: 10, names: withCount, change });
    expect(missing(rows, read)).toEqual([]);
    expect(read.notes.length).toBeGreaterThan(6);
  });

  test("a number of pages that falls leads back by a page more (P14)", () => {
    const rows = rowsFrom(1, 104);
    const change = (list: Row[], _: number, page: number) => {
      if (page === 6 && list[0]?.id === 1) list.splice(0, 14);
    };
    const names = (_: number, total_pages: number) => ({ total_pages });
    const read = readAll(kind, rows, { size: 10, names, change });
    expect(missing(rows, read)).toEqual([]);
    expect(read.pages.slice(4, 9)).toEqual([5, 6, 5, 3, 4]);
  });

  test("a count that only some answers name is compared with the last one (P14)", () => {
    const rows = rowsFrom(1, 104);
    const change = (list: Row[], _: number, page: number) => {
      if (page === 4 && list[0]?.id === 1) list.splice(0, 3);
    };
    const names = (count: number, _: number, page: number): Record<string, JsonValue> =>
      page % 3 === 1 && page !== 4 ? { count } : {};
    const read = readAll(kind, rows, { size: 10, names, change });
    expect(missing(rows, read)).toEqual([]);
  });

  test("a member that counts the records of its own page is not taken for the count", () => {
    const rows = rowsFrom(1, 95);
    const names = (count: number, pages: number, page: number) => ({
      // More than the page shows, as if the server had left some out.
      count: page < pages ? 12 : count % 10,
    });
    const read = readAll(kind, rows, { size: 10, names, refuses: false });
    expect(read.ids).toEqual(idsOf(rows));
    expect(read.notes).toEqual([]);
  });

  test("what is remembered of a list does not grow with it", () => {
    const names = (count: number) => ({ count, next_url: "x".repeat(100) });
    const short = readAll(kind, rowsFrom(1, 200), { size: 10, names });
    const long = readAll(kind, rowsFrom(1, 2000), { size: 10, names });
    expect(long.longest).toBeLessThan(short.longest + 100);
    expect(long.longest).toBeLessThan(4096);
  });

  const change = fc.record({
    at: fc.nat(25),
    index: fc.nat(120),
    count: fc.integer({ min: 1, max: 30 }),
    comes: fc.boolean(),
  });

  test("no row is lost where rows come or go between two requests, or the run fails (P14)", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 6 }),
        fc.constantFrom(1, 3, 10),
        fc.constantFrom("count", "pages", "header"),
        fc.boolean(),
        (changes, size, named, refuses) => {
          const rows = rowsFrom(1, 60);
          const always = new Set(rows);
          let fresh = 1000;
          const apply = (list: Row[], request: number) => {
            const first = changes.find(({ at }) => at === request);
            if (!first) return;
            const { index, count, comes } = first;
            const at = index % (list.length + 1);
            const added = Array.from({ length: comes ? count : 0 }, () => ({ id: fresh++ }));
            const removed = list.splice(at, comes ? 0 : count, ...added);
            for (const row of removed) always.delete(row);
          };
          const api: Api = {
            size,
            change: apply,
            refuses,
            ...(named === "count" ? { names: (total) => ({ total }) } : {}),
            ...(named === "pages" ? { names: (_, pages) => ({ total_pages: pages }) } : {}),
            ...(named === "header"
              ? { headers: (total) => ({ "x-total-count": `${total}` }) }
              : {}),
          };
          const read = outcomeOf(() => readAll(kind, rows, api));
          // Fewer rows than a page holds may go unnoticed where pages alone are counted.
          if ("failure" in read || read.isMixed || named === "pages") return;
          expect(missing([...always], read)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
