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

async function setup(
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
  const read = async (from?: PageRequest): Promise<Page[]> => {
    const all: Page[] = [];
    for await (const page of fetchPages(resource, filled, from, session)) all.push(page);
    return all;
  };
  return { api, world, meter, read };
}

const untimed = ({ apiTime: _, ...page }: Page) => page;

const offsets = (requests: { query: URLSearchParams }[]) =>
  requests.map(({ query }) => Number(query.get("offset")));

describe("offset paging reads every row exactly once", () => {
  test.each([
    ["without a total, until an empty page", {}, [0, 100, 200, 250]],
    ["with a total, no request too many", { total: true }, [0, 100, 200]],
    ["from a server that caps the page at 50 (P14)", { cap: 50 }, [0, 50, 100, 150, 200, 250]],
    ["from one that caps and counts", { cap: 50, total: true }, [0, 50, 100, 150, 200]],
  ])("%s", async (_, server, expected) => {
    const { api, meter, read } = await setup(offsetPages(rows, server));
    const all = await read();
    expect(all.flatMap((page) => page.records)).toEqual(rows);
    expect(offsets(api.requests)).toEqual(expected);
    expect(api.requests.map(({ query }) => query.get("limit"))).toEqual(expected.map(() => "100"));
    expect(meter.requests).toBe(expected.length);
  });

  test("and no row at all from an empty list", async () => {
    const { read } = await setup(offsetPages([]));
    expect(await read()).toMatchObject([
      { request: { params: { offset: 0, limit: 100 } }, records: [], next: undefined },
    ]);
  });

  test("and goes on from the request that a page named as the next", async () => {
    const { read } = await setup(offsetPages(rows));
    const [first, ...rest] = await read();
    const again = await read(JSON.parse(JSON.stringify(first?.next)));
    expect(again.map(untimed)).toEqual(rest.map(untimed));
  });
});

describe("a page has the API's own time", () => {
  test.each([
    ["Fri, 01 Mar 2024 10:00:00 GMT", Date.UTC(2024, 2, 1, 10)],
    ["yesterday", undefined],
  ])("of the Date header: %s", async (date, expected) => {
    const { read } = await setup([{ headers: { date }, body: { data: [] } }]);
    expect((await read())[0]?.apiTime).toBe(expected);
  });
});

test("pages are asked for one at a time, when they are wanted", async () => {
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

test("numbers arrive with all their digits (P9)", async () => {
  const body = '{"data":[{"id":9007199254740993,"rate":0.1234567890123456789,"n":1}]}';
  const { read } = await setup([{ body }], { paginator: { type: "single_page" } });
  const [page] = await read();
  const [record] = page?.records as Record<string, unknown>[];
  expect(Object.values(record ?? {}).map(String)).toEqual([
    "9007199254740993",
    "0.1234567890123456789",
    "1",
  ]);
});

test("a 204 is an empty page", async () => {
  const { read } = await setup([{ status: 204 }]);
  expect(await read()).toMatchObject([{ records: [], next: undefined }]);
});

test("without a data_selector the list of the first page shows the way to all", async () => {
  const script = [
    { body: { warnings: [], tickets: [{ id: 1 }], data: [{ id: 2 }] } },
    { body: { warnings: ["late"] } },
  ];
  const { read } = await setup(script, { selector: undefined });
  await expect(read()).rejects.toMatchObject({ code: "extract.selector" });
  const whole = await setup([{ body: { data: [{ id: 2 }], total: 1 } }], { selector: undefined });
  expect((await whole.read()).flatMap(({ records }) => records)).toEqual([{ id: 2 }]);
});

describe("a selector that finds no list fails, and says what is there (P13)", () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`m${index}`, 1]));
  test.each([
    [{ tickets: [], meta: {} }, "data", "the body has: tickets, meta"],
    [{ data: { rows: [] } }, "data.items", '"data" has: rows'],
    [
      { data: null, error: "x" },
      "data",
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
  ])("%j at %s", async (body, path, there) => {
    const { read } = await setup([{ body }], { selector: parseJsonPath(path) });
    await expect(read()).rejects.toMatchObject({
      code: "extract.selector",
      message: `the answer to GET /v1/tickets has nothing at data_selector "${path}"; ${there}`,
      hint: expect.stringMatching(
        there.includes("it says") ? /^the API means an error/ : /^set data_selector/,
      ),
    });
  });

  test("on a later page too", async () => {
    const { read } = await setup([{ body: { data: [{ id: 1 }] } }, { body: { error: "expired" } }]);
    await expect(read()).rejects.toMatchObject({ code: "extract.selector" });
  });
});

describe("a 401", () => {
  const accepting = (key: string): Handler => {
    const list = offsetPages(rows, { total: true });
    return (seen, response) =>
      seen.query.get("api_key") === key ? list(seen, response) : { status: 401 };
  };

  test("once, with a secret that was renewed, is no failure (P15)", async () => {
    const secrets = testSecrets({ api_key: "old" }, { api_key: "new" });
    const { meter, read } = await setup(accepting("new"), {}, secrets);
    expect((await read()).flatMap(({ records }) => records)).toHaveLength(250);
    expect(secrets.refreshes).toBe(1);
    expect(meter).toEqual({ requests: 4, retries: 0, waited_ms: 0 });
  });

  test("that stays names the request and the secret", async () => {
    const { api, read } = await setup(accepting("another"));
    await expect(read()).rejects.toMatchObject({
      code: "extract.status",
      message: "GET /v1/tickets answered 401",
      hint: 'check the secret "api_key" (tidetable check help_desk)',
    });
    expect(api.requests).toHaveLength(2);
  });
});

describe("a next link that has the key in its path is not followed, for it would have to be stored (P15)", () => {
  test.each([
    ["as it is", CANARY],
    ["encoded", encodeURIComponent(CANARY)],
  ])("%s", async (_, key) => {
    const next = `/v1/keys/${key}/tickets?page=2`;
    const script = [{ body: { data: rows, next } }, { body: { data: [] } }];
    const paging = { type: "json_link", next: parseJsonPath("next") } as const;
    const { api, read } = await setup(script, { paginator: paging });
    await expect(read()).rejects.toMatchObject({
      code: "extract.echo",
      message:
        "a part of the next link is a credential of this source, and would have to be stored",
    });
    expect(api.requests).toHaveLength(1);
  });
});

describe("the key in the query is in no error and no log (P15)", () => {
  /** Whatever an API can do with a key: say it again in every place. */
  const echo = (seen: Parameters<Handler>[0]) => `${seen.path}?${seen.query} ${CANARY}`;
  test.each<[string, Handler]>([
    ["HTML", (seen) => ({ body: `<html>You asked for ${echo(seen)}` })],
    ["a bad request", (seen) => ({ status: 400, body: echo(seen) })],
    ["a refusal", (seen) => ({ status: 401, body: echo(seen) })],
    ["a failure", (seen) => ({ status: 500, body: echo(seen) })],
    ["a redirect", (seen) => ({ status: 302, headers: { location: `${encodeURI(echo(seen))}` } })],
    [
      "a redirect into a path",
      () => ({ status: 302, headers: { location: `/${encodeURIComponent(CANARY)}` } }),
    ],
    ["broken JSON", (seen) => ({ body: `{"url":"${echo(seen)}` })],
    ["a member's name", () => ({ body: { [CANARY]: 1 } })],
    ["a member's name on the way", () => ({ body: { data: { [CANARY]: 1 } } })],
    ["a reset", (_, response) => void response.destroy()],
  ])("when the answer is %s", async (_, handler) => {
    const selector = parseJsonPath("data.items");
    const { world, read } = await setup(handler, { selector });
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    const everything = inspect(error, { depth: 10, showHidden: true }) + world.lines.join("\n");
    expect(everything).toContain("GET /v1/tickets");
    expect(everything).not.toContain("canary");
  });
});
