import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

// Rows that come while pages are read hide no other row, whatever the API's pace.

interface Kind {
  size: number;
  paginator: object;
  /** Where the request's page begins. */
  start: (query: URLSearchParams) => number;
}

const size = 10;
const kinds: Record<string, Kind> = {
  "numbered pages with a total": {
    size,
    paginator: { type: "page_number", base_page: 1, total_path: "total_pages" },
    start: (query) => (Number(query.get("page")) - 1) * size,
  },
  "numbered pages without a total": {
    size,
    paginator: { type: "page_number", base_page: 1 },
    start: (query) => (Number(query.get("page")) - 1) * size,
  },
  "offsets below limit 10": {
    size: 5,
    paginator: { type: "offset", limit: 5 },
    start: (query) => Number(query.get("offset")),
  },
  "offsets without an overlap": {
    size,
    paginator: { type: "offset", limit: size, overlap: 0 },
    start: (query) => Number(query.get("offset")),
  },
  "offsets with an overlap": {
    size,
    paginator: { type: "offset", limit: size },
    start: (query) => Number(query.get("offset")),
  },
};

/** Newest first, as most APIs have it: what comes in stands in front. */
async function list({ size, paginator, start }: Kind, more: object = {}, incremental?: object) {
  const rows = numbers(1, 140)
    .reverse()
    .map((id) => ({ id, at: id }));
  const endpoint = { paginator, ...(incremental ? { incremental } : {}) };
  const retries = { error_handler: { max_retries: 2, backoff_factor: 0.001 } };
  const place = await shop(
    source([{ name: "rows", endpoint, ...more }], { client: retries }),
    ({ query }: ApiRequest): Reply => {
      const since = Number(query.get("since") ?? 0);
      const shown = rows.filter(({ at }) => at >= since);
      const { body } = data(shown.slice(start(query), start(query) + size));
      return { body: { ...Object(body), total_pages: Math.ceil(shown.length / size) } };
    },
  );
  /** One page in the middle is slow, or fails once; a row comes in before it is answered. */
  const disturb = (how: "late" | "failing", from: number) => {
    let isDone = false;
    place.hooks.before = async ({ query }) => {
      if (isDone || start(query) < from) return undefined;
      isDone = true;
      // What was asked for ahead of its turn has been answered by then.
      await wait(150);
      const id = rows.length + 1;
      rows.unshift({ id, at: id });
      return how === "failing" ? { status: 503 } : undefined;
    };
  };
  const stored = async () => new Set(await place.column("rows"));
  return { rows, disturb, stored, ...place };
}

const all = texts(numbers(1, 140));

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  it.each([
    "late",
    "failing",
  ] as const)("lose no row when one comes in before a %s page", async (how) => {
    const { run, disturb, stored } = await list(kind);
    disturb(how, 11 * kind.size);
    expect((await run()).of("rows").status).toBe("succeeded");
    expect([...(await stored())]).toEqual(expect.arrayContaining(all));
  });

  it("have no live row deleted by a replace", async () => {
    const { run, disturb, stored } = await list(kind, { write_disposition: "replace" });
    await run();
    disturb("failing", 11 * kind.size);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect([...(await stored())]).toEqual(expect.arrayContaining(all));
  });

  it("lose no row for good where a cursor moves past it", async () => {
    const { run, disturb, stored } = await list(
      kind,
      {},
      { cursor_path: "at", start_param: "since" },
    );
    disturb("late", 11 * kind.size);
    await run();
    await run();
    expect([...(await stored())]).toEqual(expect.arrayContaining(all));
  });
});

it("are read one at a time where nothing shows that rows have moved", async () => {
  let under = 0;
  let most = 0;
  const numbered = kinds["numbered pages with a total"] as Kind;
  const { run, hooks } = await list(numbered);
  hooks.before = async () => {
    under += 1;
    most = Math.max(most, under);
    await wait(5);
    under -= 1;
    return undefined;
  };
  expect((await run()).of("rows").records).toBe(140);
  expect(most).toBe(1);
});

it("are asked for early where a config wants that", async () => {
  const numbered = kinds["numbered pages with a total"] as Kind;
  const { run, hooks, column } = await list(numbered, { parallel_pages: 4 });
  let under = 0;
  let most = 0;
  hooks.before = async () => {
    under += 1;
    most = Math.max(most, under);
    await wait(20);
    under -= 1;
    return undefined;
  };
  expect((await run()).of("rows").records).toBe(140);
  expect(await column("rows")).toEqual(all);
  expect(most).toBeGreaterThan(1);
});
