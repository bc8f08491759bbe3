import { expect, onTestFinished, test } from "vitest";
import { openSampleApi } from "../../../packages/cli/src/sample/server.ts";
import { sampleSystems } from "../../../packages/cli/src/sample/systems.ts";

type Records = Record<string, unknown>[];
type SampleApi = Awaited<ReturnType<typeof openSampleApi>>;

async function openApi(options?: Parameters<typeof openSampleApi>[0]): Promise<SampleApi> {
  const api = await openSampleApi(options);
  onTestFinished(api.close);
  return api;
}

/** The collections of every source, by a client's names. */
const collections = sampleSystems.flatMap(({ source, collections: all }) =>
  all.map((collection) => ({ source, ...collection, name: `${source}.${collection.resource}` })),
);
type Place = Pick<(typeof collections)[number], "source" | "path" | "member">;

/** Reads large integers as strings, to keep neighbours different. */
const parseExactly = (text: string) => JSON.parse(text.replace(/:(\d{16,})/g, ':"$1"'));

async function fetchToken(api: SampleApi, form: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.origins.support}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      ...api.secrets.support,
      ...form,
    }),
  });
}

async function granted(api: SampleApi): Promise<{ access_token: string; expires_in: number }> {
  return JSON.parse(await (await fetchToken(api)).text());
}

async function openReader(api: SampleApi, { source, path }: Place) {
  const { api_key } = api.secrets[source] ?? {};
  const headers: Record<string, string> = {};
  if (!api_key) headers.authorization = `Bearer ${(await granted(api)).access_token}`;
  return (offset: number, limit = 100) => {
    const query = new URLSearchParams({ offset: `${offset}`, limit: `${limit}` });
    if (api_key) query.set("api_key", api_key);
    return fetch(`${api.origins[source]}${path}?${query}`, { headers });
  };
}

/** Reads pages until an empty page, and repeats failed requests. */
async function readAll(api: SampleApi, collection: Place) {
  const read = await openReader(api, collection);
  const records: Records = [];
  const failures: number[] = [];
  while (true) {
    const response = await read(records.length);
    if (!response.ok) {
      failures.push(response.status);
      continue;
    }
    const page: Records = parseExactly(await response.text())[collection.member];
    if (page.length === 0) return { records, failures };
    records.push(...page);
  }
}

test.each(collections)("paging $name to its end gives every record once", async (resourceRef) => {
  const api = await openApi();
  const { records } = await readAll(api, resourceRef);
  expect(records.length).toBe(resourceRef.size);
  expect(new Set(records.map(({ id }) => id)).size).toBe(resourceRef.size);
  expect(api.counts()[resourceRef.name]).toBe(resourceRef.size);
});

test("two sample APIs have the same records", async () => {
  const [firstApi, secondApi] = [await openApi(), await openApi()];
  for (const resourceRef of collections) {
    expect(await readAll(firstApi, resourceRef)).toEqual(await readAll(secondApi, resourceRef));
  }
});

test("a page of the sample API has at most 100 records, whatever the limit in the request", async () => {
  const api = await openApi();
  const read = await openReader(api, { source: "generic", path: "/v1/resource", member: "data" });
  const body = parseExactly(await (await read(0, 1000)).text());
  expect(body.data.length).toBe(100);
  expect(body.has_more).toBe(true);
});

test("one sample system counts its records, and the others are read to an empty page", async () => {
  const api = await openApi();
  const counted: string[] = [];
  for (const resourceRef of collections) {
    const body = parseExactly(await (await (await openReader(api, resourceRef))(0)).text());
    if (body.total !== undefined) counted.push(`${resourceRef.name} ${body.total}`);
  }
  expect(counted).toEqual(["help_desk.help_desk_tickets 260"]);
});

test("the sample API sends ids beyond 2^53 as whole JSON numbers", async () => {
  const api = await openApi();
  const comments = collections.find(({ resource }) => resource === "ticket_comments") as Place;
  const text = await (await (await openReader(api, comments))(0, 2)).text();
  expect(text).toMatch(/"id":1234567890123456789,.*"id":1234567890123456790,/);
});

test("the sample API's answers are JSON with a Date, even failures", async () => {
  const api = await openApi();
  for (const path of ["/v1/resource", "/v1/nothing"]) {
    const { headers, status } = await fetch(`${api.origins.generic}${path}`);
    expect(status).toBe(path === "/v1/nothing" ? 404 : 401);
    expect(headers.get("content-type")).toBe("application/json");
    expect(Date.parse(headers.get("date") ?? "")).toBeGreaterThan(0);
  }
});

test("each sample system requires its own API key", async () => {
  const api = await openApi();
  const url = `${api.origins.ticketing}/v1/tickets`;
  const keyed = (key = "") => `${url}?${new URLSearchParams({ api_key: key })}`;
  expect((await fetch(url)).status).toBe(401);
  const refused = await fetch(keyed(api.secrets.generic?.api_key));
  expect(refused.status).toBe(401);
  expect(await refused.json()).toEqual({
    error: { status: 401, message: "the credentials are not valid" },
  });
  expect((await fetch(keyed(api.secrets.ticketing?.api_key))).status).toBe(200);
});

test("the support system issues tokens for its secret, and pages for its tokens", async () => {
  const api = await openApi();
  const wrong = await fetchToken(api, { client_secret: "wrong" });
  expect([wrong.status, await wrong.json()]).toEqual([401, { error: "invalid_client" }]);
  expect((await fetchToken(api, { grant_type: "password" })).status).toBe(400);

  const { access_token, expires_in } = await granted(api);
  expect(expires_in).toBe(3600);
  const url = `${api.origins.support}/v1/tickets`;
  const authorized = (authorization: string) => fetch(url, { headers: { authorization } });
  expect((await authorized(`Bearer ${access_token}`)).status).toBe(200);
  expect((await authorized("Bearer made-up")).status).toBe(401);
  expect((await fetch(url)).status).toBe(401);
});

test("the support system refuses an expired token", async () => {
  const api = await openApi({ tokenSeconds: 0 });
  const { access_token, expires_in } = await granted(api);
  expect(expires_in).toBe(0);
  const headers = { authorization: `Bearer ${access_token}` };
  expect((await fetch(`${api.origins.support}/v1/tickets`, { headers })).status).toBe(401);
});

test("a 429 with Retry-After and a 503 appear once in each round of the sample API", async () => {
  const api = await openApi();
  const tickets = { source: "ticketing", path: "/v1/tickets", member: "data" };
  const read = await openReader(api, tickets);
  await read(0);
  const limited = await read(100);
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"]);
  const statuses = async () => [(await read(100)).status, (await read(200)).status];
  expect(await statuses()).toEqual([200, 503]);
  expect(await statuses()).toEqual([200, 200]);

  api.change();
  expect((await readAll(api, tickets)).failures).toEqual([429, 503]);
});

test("a collection of the sample API fails at most once in each way", async () => {
  const api = await openApi();
  for (const resourceRef of collections) {
    const { failures } = await readAll(api, resourceRef);
    expect(failures).toEqual([...new Set(failures)]);
  }
});

test("change() of the sample API keeps all ids, changes some records and appends new ones", async () => {
  const api = await openApi();
  const before = new Map<string, Records>();
  for (const resourceRef of collections)
    before.set(resourceRef.name, (await readAll(api, resourceRef)).records);
  const { changed, added } = api.change();

  const observed = { changed: 0, added: 0 };
  for (const resourceRef of collections) {
    const old = before.get(resourceRef.name) ?? [];
    const { records } = await readAll(api, resourceRef);
    expect(records.slice(0, old.length).map(({ id }) => id)).toEqual(old.map(({ id }) => id));
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(api.counts()[resourceRef.name]).toBe(records.length);

    const changes = old.flatMap((record, n) => {
      const now = records[n] ?? {};
      return JSON.stringify(now) === JSON.stringify(record) ? [] : [{ record, now }];
    });
    expect(changes.length).toBeGreaterThan(0);
    for (const { record, now } of changes) {
      expect(Date.parse(String(now.updated_at))).toBeGreaterThan(
        Date.parse(String(record.updated_at)),
      );
    }
    expect(records.length).toBeGreaterThan(old.length);
    observed.changed += changes.length;
    observed.added += records.length - old.length;
  }
  expect({ changed, added }).toEqual(observed);
});
