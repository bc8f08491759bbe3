import { expect, test } from "vitest";
import { realClock } from "../../packages/core/src/base/clock.ts";
import type { ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession } from "../../packages/core/src/extract/pages.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { type Handler, offsetPages, openApi } from "../support/api.ts";
import { CANARY, noMeter, offsetPlan, testResource, testSecrets, testWorld } from "./fixtures.ts";

const rowsOf = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

/** Reads every page. `mostAtOnce`: the most requests that the API had at a time. */
async function readAll(
  answer: Handler,
  {
    parallelPages = 4,
    delayMs = 20,
    memoryMb,
    ...changes
  }: Partial<ResourcePlan> & { delayMs?: number; memoryMb?: number } = {},
) {
  let openRequests = 0;
  const observed = { mostAtOnce: 0, openAtRequest: [] as number[] };
  const api = await openApi(async (request, response) => {
    openRequests += 1;
    observed.mostAtOnce = Math.max(observed.mostAtOnce, openRequests);
    observed.openAtRequest.push(openRequests);
    await realClock.sleep(delayMs);
    openRequests -= 1;
    return answer(request, response);
  });
  const resource = testResource(api.url, { paginator: offsetPlan({ limit: 10 }), ...changes });
  const meter = noMeter();
  const secrets = testSecrets({ api_key: CANARY });
  const access = { world: testWorld(), secrets, meter, parallelPages, memoryMb };
  const session = openSession(resource, access);
  const records: JsonValue[] = [];
  const filled = fillRequest(resource.request, () => undefined);
  for await (const page of fetchPages(resource, filled, undefined, session))
    records.push(...page.records);
  const offsets = api.requests.map(({ query }) => Number(query.get("offset") ?? query.get("page")));
  return { records, offsets, meter, earlyBytes: session.earlyBytes, ...observed };
}

test("with a total, pages are asked for side by side, more and more, and not one too many", async () => {
  const rows = rowsOf(200);
  const { records, offsets, mostAtOnce, openAtRequest } = await readAll(
    offsetPages(rows, { total: true }),
  );
  expect(records).toEqual(rows);
  expect([...offsets].sort((a, b) => a - b)).toEqual(
    rows.filter(({ id }) => id % 10 === 1).map(({ id }) => id - 1),
  );
  expect(mostAtOnce).toBe(4);
  expect(openAtRequest.slice(0, 2)).toEqual([1, 1]);
});

test("without a total, eight pages have to follow each other evenly first, and a few are asked for in vain", async () => {
  const rows = rowsOf(205);
  const { records, offsets, mostAtOnce, openAtRequest } = await readAll(offsetPages(rows));
  expect(records).toEqual(rows);
  expect(openAtRequest.slice(0, 8)).toEqual(Array(8).fill(1));
  expect(mostAtOnce).toBe(4);
  expect(offsets.filter((offset) => offset > 210).length).toBeLessThan(4);
});

test("numbered pages are asked for side by side, too", async () => {
  const rows = rowsOf(200);
  const paginator = {
    type: "page_number",
    pageAt: { param: "page" },
    page: 1,
    basePage: 1,
    total: undefined,
    maximum: undefined,
    hasMore: undefined,
    stopAfterEmptyPage: true,
  } as unknown as ResourcePlan["paginator"];
  const { records, mostAtOnce } = await readAll(
    ({ query }) => {
      const start = (Number(query.get("page")) - 1) * 10;
      return { body: { data: rows.slice(start, start + 10) } };
    },
    { paginator },
  );
  expect(records).toEqual(rows);
  expect(mostAtOnce).toBe(4);
});

test.each([
  ["where parallel_pages is 1", { parallelPages: 1 }, 1],
  ["where pages are not counted", { paginator: { type: "single_page" } as const }, 1],
])("pages are asked for one at a time %s", async (_, changes, expected) => {
  const { mostAtOnce } = await readAll(offsetPages(rowsOf(200), { total: true }), changes);
  expect(mostAtOnce).toBe(expected);
});

test("fewer pages are asked for side by side after the API asked to slow down", async () => {
  const rows = rowsOf(400);
  let refusals = 0;
  const { records, offsets, openAtRequest, meter } = await readAll(
    (request, response) => {
      if (request.query.get("offset") === "200" && refusals++ === 0) {
        return { status: 429, headers: { "retry-after": "1" } };
      }
      return offsetPages(rows, { total: true })(request, response);
    },
    { retry: { statuses: new Set([429]), maxRetries: 3, backoffFactor: 0.01, maxWaitMs: 60_000 } },
  );
  expect(records).toEqual(rows);
  expect(meter.retries).toBeGreaterThan(0);
  const retried = offsets.lastIndexOf(200);
  const openAfterRetry = openAtRequest.slice(retried + 1, retried + 4);
  expect(Math.max(...openAfterRetry)).toBeLessThan(4);
});

test("an error after the last page, which was asked for early, fails nothing", async () => {
  const rows = rowsOf(200);
  const { records } = await readAll((request, response) => {
    if (Number(request.query.get("offset")) > 200) return { status: 400, body: "no such page" };
    return offsetPages(rows)(request, response);
  });
  expect(records).toEqual(rows);
});

test("rows that go away while pages are under way are noticed, and no later row is skipped (P14)", async () => {
  const rows = rowsOf(600);
  let answers = 0;
  const { records } = await readAll(
    (request, response) => {
      answers += 1;
      if (answers === 15) rows.splice(0, 37);
      return offsetPages(rows)(request, response);
    },
    {
      paginator: offsetPlan({ limit: 20, overlap: 4 }),
      key: { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined },
    },
  );
  const readIds = new Set(records.map((record) => (record as { id: number }).id));
  expect(rowsOf(600).filter(({ id }) => id > 37 && !readIds.has(id))).toEqual([]);
});

test("pages that are asked for early share one budget of bytes, and a page without room is read in its turn", async () => {
  const padding = "x".repeat(100_000);
  const rows = rowsOf(200).map((row) => ({ ...row, padding }));
  const { records, offsets, earlyBytes } = await readAll(offsetPages(rows, { total: true }), {
    // 2 MiB: a page of a megabyte takes two of them while it arrives.
    memoryMb: 128,
    parallelPages: 8,
  });
  expect(records).toEqual(rows);
  expect([...new Set(offsets)]).toHaveLength(20);
  // Not every page was asked for twice: after the first without room, none is asked for early.
  expect(offsets.length).toBeLessThan(2 * 20);
  expect(offsets.length).toBeGreaterThan(20);
  expect(earlyBytes.free).toBe(2 * 2 ** 20);
});

test("the bytes of early pages that are never read are free again", async () => {
  const { offsets, earlyBytes } = await readAll(offsetPages(rowsOf(205)), { parallelPages: 8 });
  expect(offsets.some((offset) => offset > 210)).toBe(true);
  expect(earlyBytes.free).toBe(8 * 2 ** 20);
});
