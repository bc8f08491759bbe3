import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { EndpointConfig } from "../../packages/core/src/config/endpoint-types.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import { fetchPages, firstRequest, openSession } from "../../packages/core/src/extract/pages.ts";
import { seriesAt } from "../../packages/core/src/run/page-series.ts";
import { type Handler, openApi, type Reply } from "../support/api.ts";
import { CANARY, noMeter, testSecrets, testWorld } from "./fixtures.ts";

const k = dlt.secrets["k"];

async function read(
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
  const { request } = seriesAt(resource, { refresh: false, cursor: null, window: null });
  const found: unknown[] = [];
  const run = async () => {
    for await (const page of fetchPages(resource, request, undefined, session)) found.push(page);
  };
  const error = await run().catch((thrown) => thrown);
  return { api, resource, found, error, world };
}

const page = { body: { data: [] } };

describe("a secret in a request has its value when it is sent", () => {
  test("in headers, alone or in a text, of the client and of the endpoint", async () => {
    const { api } = await read(
      [page],
      { headers: { "x-a": k, "x-b": `Token ${dlt.secrets["l"]}` } },
      { headers: { "x-c": `{{x}} ${k}`, "x-d": "{id}" } },
    );
    expect(api.requests[0]?.headers).toMatchObject({
      "x-a": CANARY,
      "x-b": "Token l",
      "x-c": `{{x}} ${CANARY}`,
      "x-d": "{id}",
    });
  });

  test("in parameters, encoded", async () => {
    const { api } = await read([page], { params: { key: k, more: [`a:${k}`, "b"] } });
    expect([...(api.requests[0]?.query ?? [])]).toEqual([
      ["key", CANARY],
      ["more", `a:${CANARY}`],
      ["more", "b"],
    ]);
  });

  test.each<[EndpointConfig, string]>([
    [
      { json: { deep: [{ key: k }, `Token ${k}`] } },
      `{"deep":[{"key":"\\"ü&\\n"},"Token \\"ü&\\n"]}`,
    ],
    [{ data: { key: k, text: `a ${k}` } }, "key=%22%C3%BC%26%0A&text=a+%22%C3%BC%26%0A"],
    [{ data: [["key", `${k}`]] }, "key=%22%C3%BC%26%0A"],
    [{ data: `raw ${k}` }, 'raw "ü&\n'],
    [
      { data: `["${k}"]`, headers: { "Content-Type": "application/json; charset=utf-8" } },
      '["\\"ü&\\n"]',
    ],
  ])("in a body, as its type wants it: %j", async (endpoint, body) => {
    const secrets = testSecrets({ k: '"ü&\n' });
    const { api } = await read([page], { method: "POST", ...endpoint }, { secrets });
    expect(api.requests[0]?.body).toBe(body);
  });
});

test("what an API sends is no secret, however it is written", async () => {
  const next = { body: { data: [], next: "?key={secrets.k}&b=[secret]" } };
  const { api } = await read([next, page], {
    paginator: { type: "json_link" },
    params: { a: "x" },
    headers: { "x-a": k },
  });
  expect([...(api.requests[1]?.query ?? [])]).toEqual([
    ["key", "{secrets.k}"],
    ["b", "[secret]"],
  ]);
});

test("a link that repeats a secret is kept without it, and followed with it (P15)", async () => {
  const link = (request: { query: URLSearchParams }) => ({
    body: {
      data: [{ id: 1 }],
      next: `/rows?key=${encodeURIComponent(request.query.get("key") ?? "")}&at=2`,
    },
  });
  const { api, found } = await read([link, page], {
    paginator: { type: "json_link" },
    params: { key: k, other: `o${k}` },
  });
  expect([...(api.requests[1]?.query ?? [])]).toEqual([
    ["key", CANARY],
    ["at", "2"],
  ]);
  expect(found).toMatchObject([{ next: { url: expect.stringContaining("key=&at=2") } }, {}]);
  expect(inspect(found, { depth: 9 })).not.toMatch(/canary/i);
});

test("it is read afresh once after a 401, and hidden in every message", async () => {
  const secrets = testSecrets({ k: "old-canary" }, { k: CANARY });
  const echo: Handler = ({ headers }) => ({ status: 422, body: { bad: headers["x-a"] } });
  const { api, error, world } = await read(
    [{ status: 401 }, echo],
    { headers: { "x-a": k } },
    { secrets },
  );
  expect(api.requests.map(({ headers }) => headers["x-a"])).toEqual(["old-canary", CANARY]);
  expect(error.message).toContain("[secret]");
  expect(error.message + world.lines.join()).not.toMatch(/canary/);
});

test("a 401 names it", async () => {
  const { error } = await read([{ status: 401 }, { status: 401 }], { headers: { "x-a": k } });
  expect(error.hint).toBe('check the secret "k" (tidetable check desk)');
});

test("a value with a line break is an error without it", async () => {
  const secrets = testSecrets({ k: "canary\n" });
  const { error } = await read([], { headers: { "x-a": k } }, { secrets });
  expect(error).toMatchObject({ code: "secrets.shape" });
  expect(`${error.message}${error.hint}`).not.toContain("canary");
});

test("a plan that is shown has three stars", async () => {
  const { resource } = await read([page], { params: { key: k } });
  expect(new URL(firstRequest(resource).url).search).toBe("?key=***");
});

test.each([401, 403])("a %i that stays costs one fresh read and one replay", async (status) => {
  const secrets = testSecrets({ k: CANARY });
  const { api, error } = await read(
    [{ status }, { status }, page],
    { headers: { "x-a": k } },
    { secrets },
  );
  expect(error).toMatchObject({ status, hint: expect.stringContaining('check the secret "k"') });
  expect(api.requests).toHaveLength(2);
  expect(secrets.refreshes).toBe(1);
});
