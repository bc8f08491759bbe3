import { describe, expect, test } from "vitest";
import { RequestError } from "../../packages/core/src/base/errors.ts";
import {
  type Authenticator,
  fetchJson,
  type RequestContext,
} from "../../packages/core/src/extract/http/request.ts";
import type { HttpRequest } from "../../packages/core/src/extract/http/transport.ts";
import { openApi, type Reply } from "../support/api.ts";
import { virtualClock } from "../support/clock.ts";
import { noMeter, type TestWorld, testResource, testWorld } from "./fixtures.ts";

/** Sends a counter in a header: each attempt shows that it was signed anew. */
function testAuth(changes: Partial<Authenticator> = {}): Authenticator {
  let applied = 0;
  return {
    apply: async (request) => {
      applied += 1;
      return { ...request, headers: { ...request.headers, "x-attempt": String(applied) } };
    },
    renew: async () => false,
    refusalStatuses: new Set([401, 403]),
    refusedHint: 'check the secret "api_key" (tidetable check help_desk)',
    quote: (text) => String(text).slice(0, 200),
    ...changes,
  };
}

async function openFetch(
  script: Reply[],
  changes: { world?: Partial<TestWorld>; auth?: Partial<Authenticator> } = {},
) {
  const api = await openApi(script);
  const clock = virtualClock();
  const world = testWorld({ clock, ...changes.world });
  const context: RequestContext = {
    resourceRef: { source: "help_desk", resource: "tickets" },
    world,
    auth: testAuth(changes.auth),
    retry: testResource(api.url).retry,
    timeoutMs: 30_000,
    meter: noMeter(),
  };
  const request: HttpRequest = {
    method: "GET",
    url: `${api.url}/v1/tickets?offset=0`,
    headers: {},
  };
  const fetchAnswer = () => fetchJson(request, context);
  const fetchError = async (): Promise<RequestError> => {
    const error = await fetchAnswer().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof RequestError) return error;
    throw new Error("expected a RequestError", { cause: error });
  };
  return { api, clock, world, meter: context.meter, fetchAnswer, fetchError };
}

const busy: Reply = { status: 503, body: "busy" };
const page: Reply = { body: { data: [] } };

describe("a retry", () => {
  test("retries wait 2, 4 and 8 seconds, and each request is signed anew (P12)", async () => {
    const { api, clock, world, meter, fetchAnswer } = await openFetch([busy, busy, busy, page]);
    expect((await fetchAnswer()).body).toEqual({ data: [] });
    expect(clock.sleeps).toEqual([2000, 4000, 8000]);
    expect(meter).toEqual({ requests: 4, retries: 3, waited_ms: 14_000 });
    expect(api.requests.map(({ headers }) => headers["x-attempt"])).toEqual(["1", "2", "3", "4"]);
    expect(world.lines).toEqual([
      'GET /v1/tickets answered 503; retry 1 of 3 in 2.0 s {"source":"help_desk","resource":"tickets"}',
      'GET /v1/tickets answered 503; retry 2 of 3 in 4.0 s {"source":"help_desk","resource":"tickets"}',
      'GET /v1/tickets answered 503; retry 3 of 3 in 8.0 s {"source":"help_desk","resource":"tickets"}',
    ]);
  });

  test("the wait before a retry is random, and at least half of its maximum (P12)", async () => {
    const numbers = [0, 0.5, 0.9];
    const random = () => numbers.shift() ?? 1;
    const { clock, fetchAnswer } = await openFetch([busy, busy, busy, page], { world: { random } });
    await fetchAnswer();
    expect(clock.sleeps).toEqual([1000, 3000, 7600]);
  });

  test("retries end after max_retries, and the error has the number of attempts (P12)", async () => {
    const { api, meter, fetchError } = await openFetch([busy, busy, busy, busy, page]);
    const error = await fetchError();
    expect(error.message).toBe("GET /v1/tickets answered 503 (4 attempts)");
    expect(error).toMatchObject({ code: "extract.status", status: 503, waitMs: undefined });
    expect(api.requests).toHaveLength(4);
    expect(meter).toEqual({ requests: 4, retries: 3, waited_ms: 14_000 });
  });

  test.each([429, 500, 502, 503, 504])("a retry follows status %i (P12)", async (status) => {
    const { fetchAnswer, meter } = await openFetch([{ status }, page]);
    await fetchAnswer();
    expect(meter.retries).toBe(1);
  });

  test.each([400, 404, 409, 501, 505])("no retry follows status %i (P12)", async (status) => {
    const { api, fetchError } = await openFetch([{ status }, page]);
    expect((await fetchError()).message).toBe(`GET /v1/tickets answered ${status}`);
    expect(api.requests).toHaveLength(1);
  });

  test("a retry waits exactly as long as Retry-After asks (P12)", async () => {
    const { clock, fetchAnswer } = await openFetch([
      { status: 429, headers: { "retry-after": "37" } },
      page,
    ]);
    await fetchAnswer();
    expect(clock.sleeps).toEqual([37_000]);
  });

  test.each(["0", "-1", "soon"])("a Retry-After of %s counts as none (P12)", async (value) => {
    const { clock, fetchAnswer } = await openFetch([
      { status: 429, headers: { "retry-after": value } },
      page,
    ]);
    await fetchAnswer();
    expect(clock.sleeps).toEqual([2000]);
  });

  test("a retry follows JSON that ended early (P12)", async () => {
    const { fetchAnswer, meter } = await openFetch([{ body: '{"data":[{"id":1},{"i' }, page]);
    await fetchAnswer();
    expect(meter).toEqual({ requests: 2, retries: 1, waited_ms: 2000 });
  });

  test("a wait before a retry ends when the run is stopped (P12)", async () => {
    const stop = new AbortController();
    const clock = virtualClock({ watches: [2000, 30_000] });
    const watched = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => {
        if (ms === 2000) queueMicrotask(() => stop.abort(new Error("stopped")));
        return clock.sleep(ms, signal);
      },
    };
    const world = { clock: watched, signal: stop.signal };
    const { api, fetchAnswer } = await openFetch([busy, page], { world });
    await expect(fetchAnswer()).rejects.toThrow("stopped");
    expect(api.requests).toHaveLength(1);
  });
});

describe("the deadline", () => {
  test("a wait beyond the deadline is thrown at once with its length, for the run to wait (P10)", async () => {
    const script = [{ status: 429, headers: { "retry-after": "900" } }, page];
    const { clock, fetchError } = await openFetch(script, { world: { deadline: 600_000 } });
    const error = await fetchError();
    expect(error).toMatchObject({ status: 429, waitMs: 900_000, retryAfterMs: 900_000 });
    expect(clock.sleeps).toEqual([]);
  });

  test("a computed wait beyond the deadline is thrown as well (P10)", async () => {
    const { fetchError, meter } = await openFetch([busy, busy], {
      // A request may take as long as the slice lasts: 5 seconds, then 3.
      world: { deadline: 5000, clock: virtualClock({ watches: [5000, 3000] }) },
    });
    expect((await fetchError()).waitMs).toBe(4000);
    expect(meter).toEqual({ requests: 2, retries: 1, waited_ms: 2000 });
  });

  test("a request takes no longer than the slice lasts (P10)", async () => {
    const clock = virtualClock({ watches: [12_000] });
    const api = await openApi(() => {
      clock.advance(12_000);
      return undefined;
    });
    const world = testWorld({ clock, deadline: 12_000 });
    const { retry } = testResource(api.url);
    const context = {
      resourceRef: { source: "a", resource: "b" },
      world,
      auth: testAuth(),
      retry,
      timeoutMs: 30_000,
      meter: noMeter(),
    };
    const request: HttpRequest = { method: "GET", url: api.url, headers: {} };
    await expect(fetchJson(request, context)).rejects.toMatchObject({
      message: "GET / timed out after 12 s",
      waitMs: 2000,
    });
  });
});

describe("wrong credentials", () => {
  test.each([
    401, 403,
  ])("credentials are renewed after a %i, and the request is replayed, not retried", async (status) => {
    let renewals = 0;
    const renew = async () => {
      renewals += 1;
      return true;
    };
    const { clock, meter, fetchAnswer } = await openFetch([{ status }, page], { auth: { renew } });
    await fetchAnswer();
    expect(renewals).toBe(1);
    expect(meter).toEqual({ requests: 2, retries: 0, waited_ms: 0 });
    expect(clock.sleeps).toEqual([]);
  });

  test("credentials that stay wrong are an error that names the secret", async () => {
    const { api, fetchError } = await openFetch([{ status: 401 }, { status: 401 }, page], {
      auth: { renew: async () => true },
    });
    const error = await fetchError();
    expect(error.message).toBe("GET /v1/tickets answered 401");
    expect(error.hint).toBe('check the secret "api_key" (tidetable check help_desk)');
    expect(api.requests).toHaveLength(2);
  });

  test("a request is not replayed where no credentials can be renewed", async () => {
    const { api, fetchError } = await openFetch([{ status: 401 }, page]);
    expect((await fetchError()).status).toBe(401);
    expect(api.requests).toHaveLength(1);
  });

  test("an answer to wrong credentials is not quoted", async () => {
    const { fetchError } = await openFetch([{ status: 401, body: "bad key sk-12…89" }]);
    expect((await fetchError()).message).not.toContain("sk-12");
  });
});

describe("an answer that is no page", () => {
  test("a 204 has no body", async () => {
    const { fetchAnswer } = await openFetch([{ status: 204 }]);
    expect((await fetchAnswer()).body).toBe(undefined);
  });

  test.each<[string, Reply, string]>([
    [
      "HTML",
      { headers: { "content-type": "text/html" }, body: "<html>\n<h1>Log in</h1></html>" },
      "GET /v1/tickets answered 200 with an HTML page, not JSON: <html>\n<h1>Log in</h1></html>",
    ],
    ["an empty body", { body: "" }, "GET /v1/tickets answered 200 with an empty body"],
    ["a blank body", { body: " \n" }, "GET /v1/tickets answered 200 with an empty body"],
    ["no body after 201", { status: 201 }, "GET /v1/tickets answered 201 with an empty body"],
    [
      "text that is not UTF-8",
      { body: Buffer.from([0x22, 0xe9, 0x22]) },
      "GET /v1/tickets answered 200 with text that is not UTF-8",
    ],
  ])("%s is an error that is not retried (P13)", async (_, reply, message) => {
    const { api, fetchError } = await openFetch([reply, page]);
    expect(await fetchError()).toMatchObject({ code: "extract.body", message });
    expect(api.requests).toHaveLength(1);
  });

  test.each([
    301, 302, 307, 308,
  ])("a redirect within the API with status %i is followed, and signed anew", async (status) => {
    const location = "/v1/tickets/?offset=0";
    const { api, fetchAnswer } = await openFetch([{ status, headers: { location } }, page]);
    await fetchAnswer();
    expect(api.requests.map(({ path }) => path)).toEqual(["/v1/tickets", "/v1/tickets/"]);
    expect(api.requests[1]?.headers["x-attempt"]).toBe("2");
  });

  test("a redirect to another origin is an error without the query that may hold the key (P16)", async () => {
    const location = "http://127.0.0.1:9/v1/tickets/?api_key=canary";
    const { api, fetchError } = await openFetch([{ status: 301, headers: { location } }, page]);
    const error = await fetchError();
    expect(error.code).toBe("extract.redirect");
    expect(error.message).toBe(
      "GET /v1/tickets answered 301, a redirect to http://127.0.0.1:9/v1/tickets/",
    );
    expect(api.requests).toHaveLength(1);
  });

  test("a circle of redirects ends after five", async () => {
    const circle = { status: 302, headers: { location: "/v1/tickets" } };
    const { api, fetchError } = await openFetch(Array.from({ length: 10 }, () => circle));
    expect((await fetchError()).code).toBe("extract.redirect");
    expect(api.requests).toHaveLength(6);
  });

  test("the API's answer to a wrong request is quoted", async () => {
    const { fetchError } = await openFetch([
      { status: 400, body: { error: "limit must be at most 50" } },
    ]);
    expect((await fetchError()).message).toBe(
      'GET /v1/tickets answered 400: {"error":"limit must be at most 50"}',
    );
  });

  test("a byte order mark before the JSON is skipped", async () => {
    const { fetchAnswer } = await openFetch([{ body: "\ufeff[]" }]);
    expect((await fetchAnswer()).body).toEqual([]);
  });
});
