import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { EndpointConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import { firstRequest } from "../../packages/core/src/extract/first-request.ts";
import { fetchPages, openSession } from "../../packages/core/src/extract/pages.ts";
import { seriesAt } from "../../packages/core/src/run/page-series.ts";
import { type Handler, openApi, type Reply } from "../support/api.ts";
import { CANARY, noMeter, testSecrets, testWorld } from "./fixtures.ts";

const secretK = dlt.secrets["k"];

async function readRows(
  script: Handler | (Handler | Reply)[],
  endpoint: EndpointConfig,
  { headers = {}, secrets = testSecrets({ k: CANARY, l: "l" }) } = {},
) {
  const api = await openApi(script);
  const config = {
    client: { base_url: api.url, headers },
    resources: [
      {
        name: "rows",
        endpoint: { paginator: "single_page" as const, data_selector: "data", ...endpoint },
      },
    ],
  };
  const [resource] = planSource(rest_api_source(config), "desk").resources;
  if (!resource) throw new Error("no resource");
  const world = testWorld();
  const session = openSession(resource, { world, secrets, meter: noMeter() });
  const { request } = seriesAt(resource, { start: null, window: null });
  const readPages: unknown[] = [];
  const readAll = async () => {
    for await (const page of fetchPages(resource, request, undefined, session))
      readPages.push(page);
  };
  const error = await readAll().catch((thrown) => thrown);
  return { api, resource, readPages, error, world };
}

const emptyPage = { body: { data: [] } };

describe("a secret in a request has its value when it is sent", () => {
  test("a secret is sent in headers of client and endpoint, alone or within a string", async () => {
    const { api } = await readRows(
      [emptyPage],
      { headers: { "x-a": secretK, "x-b": `Token ${dlt.secrets["l"]}` } },
      { headers: { "x-c": `{{x}} ${secretK}`, "x-d": "{id}" } },
    );
    expect(api.requests[0]?.headers).toMatchObject({
      "x-a": CANARY,
      "x-b": "Token l",
      "x-c": `{{x}} ${CANARY}`,
      "x-d": "{id}",
    });
  });

  test("a secret is sent in parameters, encoded", async () => {
    const { api } = await readRows([emptyPage], {
      params: { key: secretK, more: [`a:${secretK}`, "b"] },
    });
    expect([...(api.requests[0]?.query ?? [])]).toEqual([
      ["key", CANARY],
      ["more", `a:${CANARY}`],
      ["more", "b"],
    ]);
  });

  test.each<[EndpointConfig, string]>([
    [
      { json: { deep: [{ key: secretK }, `Token ${secretK}`] } },
      `{"deep":[{"key":"\\"ü&\\n"},"Token \\"ü&\\n"]}`,
    ],
    [
      { data: { key: secretK, text: `a ${secretK}` } },
      "key=%22%C3%BC%26%0A&text=a+%22%C3%BC%26%0A",
    ],
    [{ data: [["key", `${secretK}`]] }, "key=%22%C3%BC%26%0A"],
    [{ data: `raw ${secretK}` }, 'raw "ü&\n'],
    [
      { data: `["${secretK}"]`, headers: { "Content-Type": "application/json; charset=utf-8" } },
      '["\\"ü&\\n"]',
    ],
  ])("a secret is sent in the body of %j, in the encoding of its type", async (endpoint, body) => {
    const secrets = testSecrets({ k: '"ü&\n' });
    const { api } = await readRows([emptyPage], { method: "POST", ...endpoint }, { secrets });
    expect(api.requests[0]?.body).toBe(body);
  });
});

test("a text of the API that looks like a reference is no secret", async () => {
  const next = { body: { data: [], next: "?key={secrets.k}&b=[secret]" } };
  const { api } = await readRows([next, emptyPage], {
    paginator: { type: "json_link" },
    params: { a: "x" },
    headers: { "x-a": secretK },
  });
  expect([...(api.requests[1]?.query ?? [])]).toEqual([
    ["key", "{secrets.k}"],
    ["b", "[secret]"],
  ]);
});

test("a link that repeats a secret is stored without it, and followed with it (P15)", async () => {
  const link = (request: { query: URLSearchParams }) => ({
    body: {
      data: [{ id: 1 }],
      next: `/rows?key=${encodeURIComponent(request.query.get("key") ?? "")}&at=2`,
    },
  });
  const { api, readPages } = await readRows([link, emptyPage], {
    paginator: { type: "json_link" },
    params: { key: secretK, other: `o${secretK}` },
  });
  expect([...(api.requests[1]?.query ?? [])]).toEqual([
    ["key", CANARY],
    ["at", "2"],
  ]);
  expect(readPages).toMatchObject([{ next: { url: expect.stringContaining("key=&at=2") } }, {}]);
  expect(inspect(readPages, { depth: 9 })).not.toMatch(/canary/i);
});

test("a secret in a request is read again once after a 401, and hidden in every message", async () => {
  const secrets = testSecrets({ k: "old-canary" }, { k: CANARY });
  const echo: Handler = ({ headers }) => ({ status: 422, body: { bad: headers["x-a"] } });
  const { api, error, world } = await readRows(
    [{ status: 401 }, echo],
    { headers: { "x-a": secretK } },
    { secrets },
  );
  expect(api.requests.map(({ headers }) => headers["x-a"])).toEqual(["old-canary", CANARY]);
  expect(error.message).toContain("[secret]");
  expect(error.message + world.lines.join()).not.toMatch(/canary/);
});

test("the hint after a 401 names the secret in the request", async () => {
  const { error } = await readRows([{ status: 401 }, { status: 401 }], {
    headers: { "x-a": secretK },
  });
  expect(error.hint).toBe('check the secret "k" (tidetable check desk)');
});

test("a secret with a line break is an error without its value", async () => {
  const secrets = testSecrets({ k: "canary\n" });
  const { error } = await readRows([], { headers: { "x-a": secretK } }, { secrets });
  expect(error).toMatchObject({ code: "secrets.shape" });
  expect(`${error.message}${error.hint}`).not.toContain("canary");
});

test("the first request of a plan shows three stars for a secret", async () => {
  const { resource } = await readRows([emptyPage], { params: { key: secretK } });
  expect(new URL(firstRequest(resource).url).search).toBe("?key=***");
});

test.each([401, 403])("a %i that stays costs one fresh read and one replay", async (status) => {
  const secrets = testSecrets({ k: CANARY });
  const { api, error } = await readRows(
    [{ status }, { status }, emptyPage],
    { headers: { "x-a": secretK } },
    { secrets },
  );
  expect(error).toMatchObject({ status, hint: expect.stringContaining('check the secret "k"') });
  expect(api.requests).toHaveLength(2);
  expect(secrets.refreshes).toBe(1);
});
