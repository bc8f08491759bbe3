import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { numbers, shop, source, texts } from "./support.ts";

// Whatever leads from page to page: samples, interruptions and failures cost no row.

const size = 10;

interface Family {
  paginator: object;
  /** Where a request's page begins. */
  start: (query: URLSearchParams) => number;
  /** What an answer says beside its rows. */
  beside: (page: { from: number; count: number; url: string }) => {
    members?: object;
    headers?: Record<string, string>;
  };
}

const next = ({ from, count }: { from: number; count: number }) =>
  from + size < count ? from + size : undefined;
const byToken = (query: URLSearchParams) => Number(query.get("token") ?? 0);

const families: Record<string, Family> = {
  offset: {
    paginator: { type: "offset", limit: size },
    start: (query) => Number(query.get("offset")),
    beside: () => ({}),
  },
  "offset with a total": {
    paginator: { type: "offset", limit: size },
    start: (query) => Number(query.get("offset")),
    beside: ({ count }) => ({ members: { total: count } }),
  },
  page_number: {
    paginator: { type: "page_number", base_page: 1 },
    start: (query) => Number(query.get("page")) * size - size,
    beside: () => ({}),
  },
  cursor: {
    paginator: { type: "cursor", cursor_path: "next", cursor_param: "token" },
    start: byToken,
    beside: (page) => ({ members: { next: next(page) ?? null } }),
  },
  header_cursor: {
    paginator: { type: "header_cursor", cursor_key: "x-next", cursor_param: "token" },
    start: byToken,
    beside: (page) => (next(page) ? { headers: { "x-next": String(next(page)) } } : {}),
  },
  json_link: {
    paginator: { type: "json_link", next_url_path: "next" },
    start: byToken,
    beside: (page) => ({ members: { next: next(page) ? `/rows?token=${next(page)}` : null } }),
  },
  header_link: {
    paginator: { type: "header_link" },
    start: byToken,
    beside: (page) =>
      next(page) ? { headers: { link: `<${page.url}/rows?token=${next(page)}>; rel="next"` } } : {},
  },
  "a detected one": {
    paginator: { type: "auto" },
    start: (query) => Number(query.get("page") ?? 1) * size - size,
    beside: ({ from, count }) => ({
      members: { page: from / size + 1, total_pages: Math.ceil(count / size) },
    }),
  },
};

async function list({ paginator, start, beside }: Family, more: object = {}) {
  const rows = numbers(1, 45).map((id) => ({ id, version: 1 }));
  const origin = { url: "" };
  const place = await shop(
    source([{ name: "rows", endpoint: { paginator }, ...more }]),
    ({ query }: ApiRequest): Reply => {
      const from = start(query);
      const { members, headers = {} } = beside({ from, count: rows.length, url: origin.url });
      return { headers, body: { data: rows.slice(from, from + size), ...members } };
    },
  );
  origin.url = place.url;
  const atThird = ({ query }: ApiRequest) => start(query) >= 2 * size - 4 && start(query) > size;
  return { rows, atThird, ...place };
}

const all = texts(numbers(1, 45));
const replaced = { write_disposition: "replace" };

describe.each(Object.entries(families))("with %s", (_, family) => {
  it("an interrupted run is gone on with, and nothing is missing", async () => {
    const { atThird, run, interruptedAt, column } = await list(family);
    expect((await interruptedAt(atThird)).of("rows").error.code).toBe("run.interrupted");
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(all);
  });

  it("an interrupted replace deletes what is gone, and nothing else, when it is gone on with", async () => {
    const { rows, atThird, run, interruptedAt, column } = await list(family, replaced);
    await run();
    rows.pop();
    await interruptedAt(atThird);
    for (let n = 0; n < 2; n++) expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(all.slice(0, -1));
  });

  it("a sample leaves a run after it everything to read", async () => {
    const { run, column } = await list(family);
    await run("--limit-pages", "2");
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 45 });
    expect(await column("rows")).toEqual(all);
  });

  it("a sample during an interrupted run does not move it", async () => {
    const { rows, atThird, run, interruptedAt, items } = await list(family);
    await interruptedAt(atThird);
    for (const row of rows) row.version = 2;
    await run("--limit-pages", "1");
    await run();
    await run();
    expect((await items("rows")).map(({ version }) => version)).toEqual(Array(45).fill(2));
  });

  it("a run after a failed one starts anew, and nothing is missing", async () => {
    const { rows, atThird, run, hooks, items } = await list(family);
    hooks.before = (request) => (atThird(request) ? { status: 500 } : undefined);
    expect((await run()).of("rows").status).toBe("failed");
    hooks.before = undefined;
    for (const row of rows) row.version = 2;
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", records: 45 });
    expect((await items("rows")).map(({ version }) => version)).toEqual(Array(45).fill(2));
  });

  it("a refresh that follows an interrupted run sees everything that the API shows", async () => {
    const { rows, atThird, run, interruptedAt, column } = await list(family);
    await run();
    await interruptedAt(atThird);
    rows.splice(0, 3);
    for (let n = 0; n < 2; n++) {
      expect((await run("--full-refresh")).of("rows").status).toBe("succeeded");
    }
    expect(await column("rows")).toEqual(all.slice(3));
  });
});
