import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { World } from "../../packages/core/src/base/world.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { fillRequest } from "../../packages/core/src/extract/fill-request.ts";
import { fetchPages, openSession, type Page } from "../../packages/core/src/extract/pages.ts";
import type { PageRequest } from "../../packages/core/src/extract/paging/page-request.ts";
import { type Handler, offsetPages, openApi, type Reply } from "../support/api.ts";
import { CANARY, noMeter, offsetPlan, testResource, testSecrets, testWorld } from "./fixtures.ts";

const rows = Array.from({ length: 250 }, (_, index) => ({ id: index + 1 }));

async function openPages(
  script: Handler | (Handler | Reply)[],
  changes: Partial<ResourcePlan> = {},
  secrets = testSecrets({ api_key: CANARY }),
  worldChanges: Partial<World> = {},
) {
  const api = await openApi(script);
  const world = testWorld(worldChanges);
  const meter = noMeter();
  const resource = testResource(api.url, { paginator: offsetPlan(), ...changes });
  const session = openSession(resource, { world, secrets, meter });
  const filled = fillRequest(resource.request, () => undefined);
  const readAll = async (from?: PageRequest): Promise<Page[]> => {
    const pages: Page[] = [];
    for await (const page of fetchPages(resource, filled, from, session)) pages.push(page);
    return pages;
  };
  return { api, world, meter, readAll };
}

const withoutTime = ({ apiTime: _, ...page }: Page) => page;

const offsetsOf = (requests: { query: URLSearchParams }[]) =>
  requests.map(({ query }) => Number(query.get("offset")));

describe("offset paging reads every row exactly once", () => {
  test.each([
    ["without a total, until an empty page", {}, [0, 100, 200, 250]],
    ["with a total, without a needless request", { total: true }, [0, 100, 200]],
    ["from a server that caps the page at 50 (P14)", { cap: 50 }, [0, 50, 100, 150, 200, 250]],
    [
      "from a server that caps pages and counts rows",
      { cap: 50, total: true },
      [0, 50, 100, 150, 200],
    ],
  ])("offset paging reads every row exactly once %s", async (_, server, expected) => {
    const { api, meter, readAll } = await openPages(offsetPages(rows, server));
    const pages = await readAll();
    expect(pages.flatMap((page) => page.records)).toEqual(rows);
    expect(offsetsOf(api.requests)).toEqual(expected);
    expect(api.requests.map(({ query }) => query.get("limit"))).toEqual(expected.map(() => "100"));
    expect(meter.requests).toBe(expected.length);
  });

  test("offset paging reads no row from an empty list", async () => {
    const { readAll } = await openPages(offsetPages([]));
    expect(await readAll()).toMatchObject([
      { request: { params: { offset: 0, limit: 100 } }, records: [], next: undefined },
    ]);
  });

  test("offset paging goes on from the request that a page named as the next", async () => {
    const { readAll } = await openPages(offsetPages(rows));
    const [first, ...later] = await readAll();
    const resumed = await readAll(JSON.parse(JSON.stringify(first?.next)));
    expect(resumed.map(withoutTime)).toEqual(later.map(withoutTime));
  });
});

describe("the API's own time", () => {
  test.each([
    ["Fri, 01 Mar 2024 10:00:00 GMT", Date.UTC(2024, 2, 1, 10)],
    ["yesterday", undefined],
  ])('a page has the API\'s time from the Date header "%s"', async (date, expected) => {
    const { readAll } = await openPages([{ headers: { date }, body: { data: [] } }]);
    expect((await readAll())[0]?.apiTime).toBe(expected);
  });
});

test("a page is asked for when the reader wants it, and not before", async () => {
  const api = await openApi(offsetPages(rows));
  const resource = testResource(api.url, { paginator: offsetPlan() });
  const secrets = testSecrets({ api_key: CANARY });
  const session = openSession(resource, { world: testWorld(), secrets, meter: noMeter() });
  const filled = fillRequest(resource.request, () => undefined);
  const reading = fetchPages(resource, filled, undefined, session);
  await reading.next();
  await reading.return(undefined);
  expect(api.requests).toHaveLength(1);
});

test("numbers of an answer keep all digits (P9)", async () => {
  const body = '{"data":[{"id":9007199254740993,"rate":0.1234567890123456789,"n":1}]}';
  const { readAll } = await openPages([{ body }], { paginator: { type: "single_page" } });
  const [page] = await readAll();
  const [record] = page?.records as Record<string, unknown>[];
  expect(Object.values(record ?? {}).map(String)).toEqual([
    "9007199254740993",
    "0.1234567890123456789",
    "1",
  ]);
});

test("a 204 is an empty page", async () => {
  const { readAll } = await openPages([{ status: 204 }]);
  expect(await readAll()).toMatchObject([{ records: [], next: undefined }]);
});

test("without a data_selector, later pages are read by the path that the first page showed", async () => {
  const script = [
    { body: { warnings: [], tickets: [{ id: 1 }], data: [{ id: 2 }] } },
    { body: { warnings: ["late"] } },
  ];
  const { readAll } = await openPages(script, { selector: undefined });
  await expect(readAll()).rejects.toMatchObject({ code: "extract.selector" });
  const singlePage = await openPages([{ body: { data: [{ id: 2 }], total: 1 } }], {
    selector: undefined,
  });
  expect((await singlePage.readAll()).flatMap(({ records }) => records)).toEqual([{ id: 2 }]);
});

describe("a selector that finds no list fails and describes the answer (P13)", () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`m${index}`, 1]));
  test.each([
    [{ tickets: [], meta: {} }, "data", "the body has: tickets, meta"],
    [{ data: { rows: [] } }, "data.items", '"data" has: rows'],
    [
      { data: null, error: "x" },
      "data.items",
      '"data" is null; the body has: data, error; it says {"data":null,"error":"x"}',
    ],
    [{ ok: false }, "data", 'the body has: ok; it says {"ok":false}'],
    [{ success: false }, "data", 'the body has: success; it says {"success":false}'],
    [{ errors: [], meta: {} }, "data", "the body has: errors, meta"],
    [{ data: null }, "data.items", '"data" is null; the body has: data'],
    [[{ id: 1 }], "data", "the body is a list of 1"],
    [{}, "data", "the body is an empty object"],
    [{ data: "x" }, "data.items", '"data" is a string'],
    [many, "data", "the body has: m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, …"],
  ])("the body %j has no list at %s, and the error says so (P13)", async (body, path, description) => {
    const { readAll } = await openPages([{ body }], { selector: parseJsonPath(path) });
    await expect(readAll()).rejects.toMatchObject({
      code: "extract.selector",
      message: `the answer to GET /v1/tickets has nothing at data_selector "${path}"; ${description}`,
      hint: expect.stringMatching(
        description.includes("it says") ? /^the API means an error/ : /^set data_selector/,
      ),
    });
  });

  test("null where the list should be is an empty page (P13)", async () => {
    const { readAll } = await openPages([{ body: { data: null } }]);
    expect(await readAll()).toMatchObject([{ records: [], next: undefined }]);
  });

  test("null where the list should be is no empty page beside an error (P13)", async () => {
    const { readAll } = await openPages([{ body: { data: null, error: "quota exceeded" } }]);
    await expect(readAll()).rejects.toMatchObject({
      code: "extract.selector",
      message: expect.stringContaining('has no records; it says {"data":null,"error"'),
    });
  });

  test("a later page without a list at the selector fails too (P13)", async () => {
    const { readAll } = await openPages([
      { body: { data: [{ id: 1 }] } },
      { body: { error: "expired" } },
    ]);
    await expect(readAll()).rejects.toMatchObject({ code: "extract.selector" });
  });
});

describe("a 401", () => {
  const acceptKey = (key: string): Handler => {
    const list = offsetPages(rows, { total: true });
    return (request, response) =>
      request.query.get("api_key") === key ? list(request, response) : { status: 401 };
  };

  test("a 401 is no failure where the secret has been renewed (P15)", async () => {
    const secrets = testSecrets({ api_key: "old" }, { api_key: "new" });
    const { meter, readAll } = await openPages(acceptKey("new"), {}, secrets);
    expect((await readAll()).flatMap(({ records }) => records)).toHaveLength(250);
    expect(secrets.refreshes).toBe(1);
    expect(meter).toEqual({ requests: 4, retries: 0, waited_ms: 0 });
  });

  test("a 401 that stays names the request and the secret", async () => {
    const { api, readAll } = await openPages(acceptKey("another"));
    await expect(readAll()).rejects.toMatchObject({
      code: "extract.status",
      message: "GET /v1/tickets answered 401",
      hint: 'check the secret "api_key" (tidetable check help_desk)',
    });
    expect(api.requests).toHaveLength(2);
  });
});

describe("a next link with the key in its path is not followed", () => {
  test.each([
    ["plain", CANARY],
    ["encoded", encodeURIComponent(CANARY)],
  ])("a next link with the %s key in its path is not followed, since it would be stored (P15)", async (_, key) => {
    const next = `/v1/keys/${key}/tickets?page=2`;
    const script = [{ body: { data: rows, next } }, { body: { data: [] } }];
    const paging = { type: "json_link", next: parseJsonPath("next") } as const;
    const { api, readAll } = await openPages(script, { paginator: paging });
    await expect(readAll()).rejects.toMatchObject({
      code: "extract.echo",
      message:
        "a part of the next link is a credential of this source, and would have to be stored",
    });
    expect(api.requests).toHaveLength(1);
  });
});

describe("the key in the query is in no error and no log", () => {
  /** Repeats the key wherever an API can repeat it. */
  const echoKey = (request: Parameters<Handler>[0]) => `${request.path}?${request.query} ${CANARY}`;
  test.each<[string, Handler]>([
    ["HTML", (request) => ({ body: `<html>You asked for ${echoKey(request)}` })],
    ["a bad request", (request) => ({ status: 400, body: echoKey(request) })],
    ["a refusal", (request) => ({ status: 401, body: echoKey(request) })],
    ["a failure", (request) => ({ status: 500, body: echoKey(request) })],
    [
      "a redirect",
      (request) => ({ status: 302, headers: { location: `${encodeURI(echoKey(request))}` } }),
    ],
    [
      "a redirect into a path",
      () => ({ status: 302, headers: { location: `/${encodeURIComponent(CANARY)}` } }),
    ],
    ["broken JSON", (request) => ({ body: `{"url":"${echoKey(request)}` })],
    ["a member's name", () => ({ body: { [CANARY]: 1 } })],
    ["a member's name on the way", () => ({ body: { data: { [CANARY]: 1 } } })],
    ["a reset", (_, response) => void response.destroy()],
  ])("the key in the query is in no error and no log when the answer is %s (P15)", async (_, handler) => {
    const selector = parseJsonPath("data.items");
    const { world, readAll } = await openPages(handler, { selector });
    const error = await readAll().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    const everything = inspect(error, { depth: 10, showHidden: true }) + world.lines.join("\n");
    expect(everything).toContain("GET /v1/tickets");
    expect(everything).not.toContain("canary");
  });
});
