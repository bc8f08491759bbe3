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

/** Sends a counted header, to see that each attempt is signed anew. */
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
    quote: (text) => text.slice(0, 200),
    ...changes,
  };
}

async function setup(
  script: Reply[],
  changes: { world?: Partial<TestWorld>; auth?: Partial<Authenticator> } = {},
) {
  const api = await openApi(script);
  const clock = virtualClock();
  const world = testWorld({ clock, ...changes.world });
  const caller: RequestContext = {
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
  const run = () => fetchJson(request, caller);
  const failure = async (): Promise<RequestError> => {
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof RequestError) return error;
    throw new Error("expected a RequestError", { cause: error });
  };
  return { api, clock, world, meter: caller.meter, run, failure };
}

const busy: Reply = { status: 503, body: "busy" };
const page: Reply = { body: { data: [] } };

describe("a retry (P12)", () => {
  test("waits 2, 4 and 8 seconds, and its request is signed anew", async () => {
    const { api, clock, world, meter, run } = await setup([busy, busy, busy, page]);
    expect((await run()).body).toEqual({ data: [] });
    expect(clock.sleeps).toEqual([2000, 4000, 8000]);
    expect(meter).toEqual({ requests: 4, retries: 3, waited_ms: 14_000 });
    expect(api.requests.map(({ headers }) => headers["x-attempt"])).toEqual(["1", "2", "3", "4"]);
    expect(world.lines).toEqual([
      'GET /v1/tickets answered 503; retry 1 of 3 in 2.0 s {"source":"help_desk","resource":"tickets"}',
      'GET /v1/tickets answered 503; retry 2 of 3 in 4.0 s {"source":"help_desk","resource":"tickets"}',
      'GET /v1/tickets answered 503; retry 3 of 3 in 8.0 s {"source":"help_desk","resource":"tickets"}',
    ]);
  });

  test("waits half of that at least, at random", async () => {
    const numbers = [0, 0.5, 0.9];
    const random = () => numbers.shift() ?? 1;
    const { clock, run } = await setup([busy, busy, busy, page], { world: { random } });
    await run();
    expect(clock.sleeps).toEqual([1000, 3000, 7600]);
  });

  test("gives up after max_retries and says how often it tried", async () => {
    const { api, meter, failure } = await setup([busy, busy, busy, busy, page]);
    const error = await failure();
    expect(error.message).toBe("GET /v1/tickets answered 503 (4 attempts)");
    expect(error).toMatchObject({ code: "extract.status", status: 503, waitMs: undefined });
    expect(api.requests).toHaveLength(4);
    expect(meter).toEqual({ requests: 4, retries: 3, waited_ms: 14_000 });
  });

  test.each([429, 500, 502, 503, 504])("comes after %i", async (status) => {
    const { run, meter } = await setup([{ status }, page]);
    await run();
    expect(meter.retries).toBe(1);
  });

  test.each([400, 404, 409, 501, 505])("does not come after %i", async (status) => {
    const { api, failure } = await setup([{ status }, page]);
    expect((await failure()).message).toBe(`GET /v1/tickets answered ${status}`);
    expect(api.requests).toHaveLength(1);
  });

  test("waits exactly as long as Retry-After asks", async () => {
    const { clock, run } = await setup([{ status: 429, headers: { "retry-after": "37" } }, page]);
    await run();
    expect(clock.sleeps).toEqual([37_000]);
  });

  test.each(["0", "-1", "soon"])("takes Retry-After: %s for none", async (value) => {
    const { clock, run } = await setup([{ status: 429, headers: { "retry-after": value } }, page]);
    await run();
    expect(clock.sleeps).toEqual([2000]);
  });

  test("comes after JSON that ended early", async () => {
    const { run, meter } = await setup([{ body: '{"data":[{"id":1},{"i' }, page]);
    await run();
    expect(meter).toEqual({ requests: 2, retries: 1, waited_ms: 2000 });
  });

  test("stops waiting when the run is stopped", async () => {
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
    const { api, run } = await setup([busy, page], { world });
    await expect(run()).rejects.toThrow("stopped");
    expect(api.requests).toHaveLength(1);
  });
});

describe("the deadline (P10)", () => {
  test("a wait that does not fit is thrown at once with its length, for the run to wait", async () => {
    const script = [{ status: 429, headers: { "retry-after": "900" } }, page];
    const { clock, failure } = await setup(script, { world: { deadline: 600_000 } });
    const error = await failure();
    expect(error).toMatchObject({ status: 429, waitMs: 900_000, retryAfterMs: 900_000 });
    expect(clock.sleeps).toEqual([]);
  });

  test("a computed wait that does not fit as well", async () => {
    const { failure, meter } = await setup([busy, busy], {
      // A request may take what the slice has left: 5 seconds, then 3.
      world: { deadline: 5000, clock: virtualClock({ watches: [5000, 3000] }) },
    });
    expect((await failure()).waitMs).toBe(4000);
    expect(meter).toEqual({ requests: 2, retries: 1, waited_ms: 2000 });
  });

  test("a request takes no longer than the slice has left", async () => {
    const clock = virtualClock({ watches: [12_000] });
    const api = await openApi(() => {
      clock.advance(12_000);
      return undefined;
    });
    const world = testWorld({ clock, deadline: 12_000 });
    const { retry } = testResource(api.url);
    const caller = {
      resourceRef: { source: "a", resource: "b" },
      world,
      auth: testAuth(),
      retry,
      timeoutMs: 30_000,
      meter: noMeter(),
    };
    const request: HttpRequest = { method: "GET", url: api.url, headers: {} };
    await expect(fetchJson(request, caller)).rejects.toMatchObject({
      message: "GET / timed out after 12 s",
      waitMs: 2000,
    });
  });
});

describe("wrong credentials", () => {
  test.each([
    401, 403,
  ])("after a %i they are renewed and the request is replayed, not retried", async (status) => {
    let renewals = 0;
    const renew = async () => {
      renewals += 1;
      return true;
    };
    const { clock, meter, run } = await setup([{ status }, page], { auth: { renew } });
    await run();
    expect(renewals).toBe(1);
    expect(meter).toEqual({ requests: 2, retries: 0, waited_ms: 0 });
    expect(clock.sleeps).toEqual([]);
  });

  test("that stay wrong are an error that names the secret", async () => {
    const { api, failure } = await setup([{ status: 401 }, { status: 401 }, page], {
      auth: { renew: async () => true },
    });
    const error = await failure();
    expect(error.message).toBe("GET /v1/tickets answered 401");
    expect(error.hint).toBe('check the secret "api_key" (tidetable check help_desk)');
    expect(api.requests).toHaveLength(2);
  });

  test("are not replayed where there is nothing to renew", async () => {
    const { api, failure } = await setup([{ status: 401 }, page]);
    expect((await failure()).status).toBe(401);
    expect(api.requests).toHaveLength(1);
  });

  test("are not quoted from the answer", async () => {
    const { failure } = await setup([{ status: 401, body: "bad key sk-12…89" }]);
    expect((await failure()).message).not.toContain("sk-12");
  });
});

describe("an answer that is no page (P13)", () => {
  test("a 204 has no body", async () => {
    const { run } = await setup([{ status: 204 }]);
    expect((await run()).body).toBe(undefined);
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
  ])("%s is an error and not retried", async (_, reply, message) => {
    const { api, failure } = await setup([reply, page]);
    expect(await failure()).toMatchObject({ code: "extract.body", message });
    expect(api.requests).toHaveLength(1);
  });

  test.each([
    301, 302, 307, 308,
  ])("a redirect within the API is followed (%i), with credentials applied again", async (status) => {
    const location = "/v1/tickets/?offset=0";
    const { api, run } = await setup([{ status, headers: { location } }, page]);
    await run();
    expect(api.requests.map(({ path }) => path)).toEqual(["/v1/tickets", "/v1/tickets/"]);
    expect(api.requests[1]?.headers["x-attempt"]).toBe("2");
  });

  test("a redirect elsewhere is refused and named, without the query that may hold the key (P16)", async () => {
    const location = "http://127.0.0.1:9/v1/tickets/?api_key=canary";
    const { api, failure } = await setup([{ status: 301, headers: { location } }, page]);
    const error = await failure();
    expect(error.code).toBe("extract.redirect");
    expect(error.message).toBe(
      "GET /v1/tickets answered 301, a redirect to http://127.0.0.1:9/v1/tickets/",
    );
    expect(api.requests).toHaveLength(1);
  });

  test("redirects in a circle end after five", async () => {
    const circle = { status: 302, headers: { location: "/v1/tickets" } };
    const { api, failure } = await setup(Array.from({ length: 10 }, () => circle));
    expect((await failure()).code).toBe("extract.redirect");
    expect(api.requests).toHaveLength(6);
  });

  test("what the API says of a wrong request is quoted", async () => {
    const { failure } = await setup([{ status: 400, body: { error: "limit must be at most 50" } }]);
    expect((await failure()).message).toBe(
      'GET /v1/tickets answered 400: {"error":"limit must be at most 50"}',
    );
  });

  test("a byte order mark does not matter", async () => {
    const { run } = await setup([{ body: "\ufeff[]" }]);
    expect((await run()).body).toEqual([]);
  });
});
