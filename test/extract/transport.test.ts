import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { RequestError } from "../../packages/core/src/base/errors.ts";
import { limits } from "../../packages/core/src/base/limits.ts";
import { httpAgent } from "../../packages/core/src/extract/http/agent.ts";
import {
  describeRequest,
  type HttpRequest,
  sendRequest,
} from "../../packages/core/src/extract/http/transport.ts";
import { openApi } from "../support/api.ts";
import { virtualClock } from "../support/clock.ts";
import { CANARY, testWorld } from "./fixtures.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const get = (url: string): HttpRequest => ({
  method: "GET",
  url: `${url}/v1/tickets?api_key=${encodeURIComponent(CANARY)}`,
  headers: {},
});

async function failure(work: Promise<unknown>): Promise<RequestError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RequestError))
    throw new Error("expected a RequestError", { cause: error });
  expect(JSON.stringify(error) + error.message).not.toContain("canary");
  expect(error.cause).toBe(undefined);
  return error;
}

/** A server that says whatever it likes. */
async function openSocket(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe("a request", () => {
  test("says what it accepts and who asks", async () => {
    const api = await openApi([{ body: {} }, { body: {} }]);
    const world = testWorld();
    await sendRequest(get(api.url), world, 30_000);
    expect(api.requests[0]?.headers).toMatchObject({
      accept: "application/json",
      "accept-encoding": "gzip, br",
      "user-agent": expect.stringMatching(/^tidetable\//),
    });
    const headers = { accept: "text/json", "user-agent": "mine" };
    await sendRequest({ ...get(api.url), headers }, world, 30_000);
    expect(api.requests[1]?.headers).toMatchObject(headers);
  });

  test("goes where the origin map says, with its path and query", async () => {
    const api = await openApi([{ body: {} }]);
    const world = testWorld({ origins: new Map([["https://api.example.com", api.url]]) });
    await sendRequest(get("https://api.example.com"), world, 30_000);
    expect(api.requests[0]?.path).toBe("/v1/tickets");
    expect(api.requests[0]?.query.get("api_key")).toBe(CANARY);
  });

  test("is shown without host and query", () => {
    expect(describeRequest(get("https://user:pass@api.example.com"))).toBe("GET /v1/tickets");
  });

  test("an answer of any status is an answer, and a redirect is not followed", async () => {
    const api = await openApi([{ status: 302, headers: { location: "/elsewhere" } }]);
    expect((await sendRequest(get(api.url), testWorld(), 30_000)).status).toBe(302);
    expect(api.requests).toHaveLength(1);
  });
});

describe("a compressed body", () => {
  const text = JSON.stringify({ data: "é".repeat(2000) });
  test.each([
    ["gzip", gzipSync(text)],
    ["GZIP", gzipSync(text)],
    ["br", brotliCompressSync(text)],
    ["deflate", deflateSync(text)],
    ["identity", Buffer.from(text)],
  ])("is decoded: %s", async (encoding, body) => {
    const api = await openApi([{ headers: { "content-encoding": encoding }, body }]);
    const response = await sendRequest(get(api.url), testWorld(), 30_000);
    expect(response.body.toString()).toBe(text);
  });

  test("may be empty", async () => {
    const api = await openApi([{ status: 503, headers: { "content-encoding": "gzip" } }]);
    expect((await sendRequest(get(api.url), testWorld(), 30_000)).status).toBe(503);
  });

  test("that is cut off is worth another attempt", async () => {
    const body = gzipSync(text).subarray(0, 30);
    const api = await openApi([{ headers: { "content-encoding": "gzip" }, body }]);
    const error = await failure(sendRequest(get(api.url), testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.body", retryable: true });
  });

  test("in layers or unknown ways is refused", async () => {
    const api = await openApi([{ headers: { "content-encoding": "gzip, br" }, body: "x" }]);
    const error = await failure(sendRequest(get(api.url), testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.body", retryable: false });
  });
});

describe("a body is bounded (P10)", () => {
  const limit = limits.bodyBytes;
  // Compressed to some hundredths of it, as no real page is.
  const noise = Buffer.concat([randomBytes(limit / 100), Buffer.alloc(limit, 32)]);
  test.each([
    ["plain", "identity", Buffer.alloc(limit + 1, 32), "more than 64 MiB"],
    ["a gzip bomb", "gzip", gzipSync(noise, { level: 1 }), "more than 64 MiB"],
    [
      "a small gzip bomb",
      "gzip",
      gzipSync(Buffer.alloc(limit, 32)),
      "what unpacks to more than 500 times its size",
    ],
  ])("%s", async (_, encoding, body, what) => {
    const api = await openApi([{ headers: { "content-encoding": encoding }, body }]);
    const error = await failure(sendRequest(get(api.url), testWorld(), 30_000));
    expect(error.message).toBe(`GET /v1/tickets answered with ${what}`);
    expect(error).toMatchObject({ code: "extract.size", retryable: false });
  });

  test("however much a small one grows", async () => {
    const body = gzipSync(Buffer.alloc(limits.anyRatioBytes, 32));
    expect(body.length * limits.ratio).toBeLessThan(limits.anyRatioBytes);
    const api = await openApi([{ headers: { "content-encoding": "gzip" }, body }]);
    const response = await sendRequest(get(api.url), testWorld(), 30_000);
    expect(response.body.length).toBe(limits.anyRatioBytes);
  });

  test("exactly the limit is not too much", async () => {
    const api = await openApi([{ body: Buffer.alloc(limit, 32) }]);
    const response = await sendRequest(get(api.url), testWorld(), 30_000);
    expect(response.body.length).toBe(limit);
  });
});

describe("a request ends in time (P10)", () => {
  test("when the server never answers", async () => {
    const clock = virtualClock();
    const api = await openApi(() => {
      clock.advance(30_000);
      return undefined;
    });
    const error = await failure(sendRequest(get(api.url), testWorld({ clock }), 30_000));
    expect(error.message).toBe("GET /v1/tickets timed out after 30 s");
    expect(error).toMatchObject({ code: "extract.timeout", retryable: true });
  });

  test("when the body trickles for ever", async () => {
    const clock = virtualClock();
    let sent = 0;
    const api = await openApi((_, response) => {
      response.writeHead(200).write("[");
      const trickle = setInterval(() => {
        response.write(" ");
        sent += 1;
        clock.advance(7_000);
      }, 2);
      response.on("close", () => clearInterval(trickle));
      return undefined;
    });
    const error = await failure(sendRequest(get(api.url), testWorld({ clock }), 30_000));
    expect(error.message).toBe("GET /v1/tickets timed out after 30 s");
    expect(sent).toBeGreaterThanOrEqual(5);
  });

  test("when a handshake has no end", async () => {
    const clock = virtualClock();
    const url = await openSocket(() => clock.advance(30_000));
    // Connecting has a limit of its own, which is not what ends this.
    const http = new Agent({ connect: { timeout: 0 } });
    onTestFinished(() => http.destroy());
    const request = get(url.replace("http", "https"));
    const asking = sendRequest(request, testWorld({ clock, http }), 30_000);
    expect(await failure(asking)).toMatchObject({ code: "extract.timeout", retryable: true });
  });

  test("and leaves no timer behind when it answered", async () => {
    const clock = virtualClock();
    const signals: AbortSignal[] = [];
    const watched = {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => {
        if (signal) signals.push(signal);
        return clock.sleep(ms, signal);
      },
    };
    const api = await openApi([{ body: {} }]);
    await sendRequest(get(api.url), testWorld({ clock: watched }), 30_000);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });
});

describe("an abort from outside throws its own reason", () => {
  const reason = new Error("the person pressed Ctrl-C");

  test("while waiting for the answer", async () => {
    const stop = new AbortController();
    const api = await openApi(() => {
      stop.abort(reason);
      return undefined;
    });
    const world = testWorld({ signal: stop.signal });
    await expect(sendRequest(get(api.url), world, 30_000)).rejects.toBe(reason);
  });

  test("in the middle of the body", async () => {
    const stop = new AbortController();
    const api = await openApi((_, response) => {
      response.writeHead(200).write("[1,", () => setTimeout(() => stop.abort(reason), 5));
      return undefined;
    });
    const world = testWorld({ signal: stop.signal });
    await expect(sendRequest(get(api.url), world, 30_000)).rejects.toBe(reason);
  });

  test("before the request", async () => {
    const api = await openApi([]);
    const world = testWorld({ signal: AbortSignal.abort(reason) });
    await expect(sendRequest(get(api.url), world, 30_000)).rejects.toBe(reason);
    expect(api.requests).toHaveLength(0);
  });
});

describe("a failure of the network is named for a person and worth another attempt", () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
  const closed = "closed the connection before its answer was complete";
  test.each<[string, (socket: Socket) => void, string]>([
    ["a body that ends early", (socket) => void socket.end(head), closed],
    ["a reset before the answer", (socket) => void socket.resetAndDestroy(), closed],
    [
      "a reset in the middle",
      (socket) => void socket.write(head, () => setTimeout(() => socket.resetAndDestroy(), 5)),
      closed,
    ],
    ["another protocol", (socket) => void socket.end("SSH-2.0 hi\r\n"), "failed to answer in HTTP"],
  ])("%s", async (_, answer, words) => {
    const url = await openSocket(answer);
    const error = await failure(sendRequest(get(url), testWorld(), 30_000));
    expect(error.message).toContain(`GET /v1/tickets: ${url} ${words}`);
    expect(error).toMatchObject({ code: "extract.network", retryable: true });
  });

  test("a refused connection", async () => {
    const api = await openApi([]);
    await api.close();
    const error = await failure(sendRequest(get(api.url), testWorld(), 30_000));
    expect(error.message).toBe(`GET /v1/tickets: ${api.url} refused the connection`);
    expect(error.hint).toBe("check base_url, whether the API is up, and the proxy if there is one");
    expect(error.retryable).toBe(true);
  });

  test("a host that does not exist", async () => {
    const error = await failure(sendRequest(get("http://api.invalid"), testWorld(), 30_000));
    expect(error.message).toContain("http://api.invalid was not found");
  });

  test("but a header that can not be sent is not", async () => {
    const request = { ...get("http://127.0.0.1:9"), headers: { "x-team": "a\ncanary" } };
    const error = await failure(sendRequest(request, testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.request", retryable: false });
  });
});

test("of an answer that was read nothing stays in memory, however many there are (P10)", async () => {
  const api = await openApi(() => ({ body: { text: "x".repeat(100_000) } }));
  const http = httpAgent("machine");
  onTestFinished(() => http.close());
  const world = testWorld({ http });
  const bytes = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const read = async (times: number) => {
    for (let n = 0; n < times; n++) await sendRequest(get(api.url), world, 30_000);
  };
  await read(20);
  const before = bytes();
  await read(200);
  expect(bytes() - before).toBeLessThan(5_000_000);
});
