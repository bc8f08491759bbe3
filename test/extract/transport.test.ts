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

const requestTo = (url: string): HttpRequest => ({
  method: "GET",
  url: `${url}/v1/tickets?api_key=${encodeURIComponent(CANARY)}`,
  headers: {},
});

async function errorOf(work: Promise<unknown>): Promise<RequestError> {
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

/** A server that sends raw bytes. */
async function openSocketServer(answer: (socket: Socket) => void): Promise<string> {
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
  test("a request has default headers, which the config can replace", async () => {
    const api = await openApi([{ body: {} }, { body: {} }]);
    const world = testWorld();
    await sendRequest(requestTo(api.url), world, 30_000);
    expect(api.requests[0]?.headers).toMatchObject({
      accept: "application/json",
      "accept-encoding": "gzip, br",
      "user-agent": expect.stringMatching(/^tidetable\//),
    });
    const headers = { accept: "text/json", "user-agent": "mine" };
    await sendRequest({ ...requestTo(api.url), headers }, world, 30_000);
    expect(api.requests[1]?.headers).toMatchObject(headers);
  });

  test("a request goes to the origin of the origin map, with its path and query", async () => {
    const api = await openApi([{ body: {} }]);
    const world = testWorld({ origins: new Map([["https://api.example.com", api.url]]) });
    await sendRequest(requestTo("https://api.example.com"), world, 30_000);
    expect(api.requests[0]?.path).toBe("/v1/tickets");
    expect(api.requests[0]?.query.get("api_key")).toBe(CANARY);
  });

  test("a request is shown without host and query", () => {
    expect(describeRequest(requestTo("https://user:pass@api.example.com"))).toBe("GET /v1/tickets");
  });

  test("every status is an answer, and a redirect is not followed by the transport", async () => {
    const api = await openApi([{ status: 302, headers: { location: "/elsewhere" } }]);
    expect((await sendRequest(requestTo(api.url), testWorld(), 30_000)).status).toBe(302);
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
  ])("a body in %s is decoded", async (encoding, body) => {
    const api = await openApi([{ headers: { "content-encoding": encoding }, body }]);
    const response = await sendRequest(requestTo(api.url), testWorld(), 30_000);
    expect(response.body.toString()).toBe(text);
  });

  test("a compressed body may be empty", async () => {
    const api = await openApi([{ status: 503, headers: { "content-encoding": "gzip" } }]);
    expect((await sendRequest(requestTo(api.url), testWorld(), 30_000)).status).toBe(503);
  });

  test("a compressed body that ended early is worth another attempt", async () => {
    const body = gzipSync(text).subarray(0, 30);
    const api = await openApi([{ headers: { "content-encoding": "gzip" }, body }]);
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.body", retryable: true });
  });

  test("a body in several or unknown encodings is refused", async () => {
    const api = await openApi([{ headers: { "content-encoding": "gzip, br" }, body: "x" }]);
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.body", retryable: false });
  });
});

describe("a body is bounded", () => {
  const limit = limits.bodyBytes;
  // Compresses to a few hundredths of its size, more than any real page.
  const noise = Buffer.concat([randomBytes(limit / 100), Buffer.alloc(limit, 32)]);
  test.each([
    ["a plain body", "identity", Buffer.alloc(limit + 1, 32), "more than 64 MiB"],
    ["a gzip bomb", "gzip", gzipSync(noise, { level: 1 }), "more than 64 MiB"],
    [
      "a small gzip bomb",
      "gzip",
      gzipSync(Buffer.alloc(limit, 32)),
      "what unpacks to more than 500 times its size",
    ],
  ])("%s above the limit is refused (P10)", async (_, encoding, body, content) => {
    const api = await openApi([{ headers: { "content-encoding": encoding }, body }]);
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld(), 30_000));
    expect(error.message).toBe(`GET /v1/tickets answered with ${content}`);
    expect(error).toMatchObject({ code: "extract.size", retryable: false });
  });

  test("a small body may unpack to more than the ratio allows (P10)", async () => {
    const body = gzipSync(Buffer.alloc(limits.anyRatioBytes, 32));
    expect(body.length * limits.ratio).toBeLessThan(limits.anyRatioBytes);
    const api = await openApi([{ headers: { "content-encoding": "gzip" }, body }]);
    const response = await sendRequest(requestTo(api.url), testWorld(), 30_000);
    expect(response.body.length).toBe(limits.anyRatioBytes);
  });

  test("a body of exactly the limit is read (P10)", async () => {
    const api = await openApi([{ body: Buffer.alloc(limit, 32) }]);
    const response = await sendRequest(requestTo(api.url), testWorld(), 30_000);
    expect(response.body.length).toBe(limit);
  });
});

describe("a request ends in time", () => {
  test("a request ends in time when the server never answers (P10)", async () => {
    const clock = virtualClock();
    const api = await openApi(() => {
      clock.advance(30_000);
      return undefined;
    });
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld({ clock }), 30_000));
    expect(error.message).toBe("GET /v1/tickets timed out after 30 s");
    expect(error).toMatchObject({ code: "extract.timeout", retryable: true });
  });

  test("a request ends in time when the body trickles for ever (P10)", async () => {
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
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld({ clock }), 30_000));
    expect(error.message).toBe("GET /v1/tickets timed out after 30 s");
    expect(sent).toBeGreaterThanOrEqual(5);
  });

  test("a request ends in time when the TLS handshake does not end (P10)", async () => {
    const clock = virtualClock();
    const url = await openSocketServer(() => clock.advance(30_000));
    // The limit for connecting must not end the request first.
    const http = new Agent({ connect: { timeout: 0 } });
    onTestFinished(() => http.destroy());
    const request = requestTo(url.replace("http", "https"));
    const asking = sendRequest(request, testWorld({ clock, http }), 30_000);
    expect(await errorOf(asking)).toMatchObject({ code: "extract.timeout", retryable: true });
  });

  test("no timer is left after an answer (P10)", async () => {
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
    await sendRequest(requestTo(api.url), testWorld({ clock: watched }), 30_000);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });
});

describe("an abort from outside", () => {
  const reason = new Error("the person pressed Ctrl-C");

  test("an abort while a request waits for its answer throws the abort's reason", async () => {
    const stop = new AbortController();
    const api = await openApi(() => {
      stop.abort(reason);
      return undefined;
    });
    const world = testWorld({ signal: stop.signal });
    await expect(sendRequest(requestTo(api.url), world, 30_000)).rejects.toBe(reason);
  });

  test("an abort in the middle of a body throws the abort's reason", async () => {
    const stop = new AbortController();
    const api = await openApi((_, response) => {
      response.writeHead(200).write("[1,", () => setTimeout(() => stop.abort(reason), 5));
      return undefined;
    });
    const world = testWorld({ signal: stop.signal });
    await expect(sendRequest(requestTo(api.url), world, 30_000)).rejects.toBe(reason);
  });

  test("an abort before a request throws the abort's reason and sends nothing", async () => {
    const api = await openApi([]);
    const world = testWorld({ signal: AbortSignal.abort(reason) });
    await expect(sendRequest(requestTo(api.url), world, 30_000)).rejects.toBe(reason);
    expect(api.requests).toHaveLength(0);
  });
});

describe("a failure of the network", () => {
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
  ])("%s is named for a person and worth another attempt", async (_, answer, words) => {
    const url = await openSocketServer(answer);
    const error = await errorOf(sendRequest(requestTo(url), testWorld(), 30_000));
    expect(error.message).toContain(`GET /v1/tickets: ${url} ${words}`);
    expect(error).toMatchObject({ code: "extract.network", retryable: true });
  });

  test("a refused connection is named for a person and worth another attempt", async () => {
    const api = await openApi([]);
    await api.close();
    const error = await errorOf(sendRequest(requestTo(api.url), testWorld(), 30_000));
    expect(error.message).toBe(`GET /v1/tickets: ${api.url} refused the connection`);
    expect(error.hint).toBe("check base_url, whether the API is up, and the proxy if there is one");
    expect(error.retryable).toBe(true);
  });

  test("a host that does not exist is named for a person", async () => {
    const error = await errorOf(sendRequest(requestTo("http://api.invalid"), testWorld(), 30_000));
    expect(error.message).toContain("http://api.invalid was not found");
  });

  test("a header that cannot be sent is not worth another attempt", async () => {
    const request = { ...requestTo("http://127.0.0.1:9"), headers: { "x-team": "a\ncanary" } };
    const error = await errorOf(sendRequest(request, testWorld(), 30_000));
    expect(error).toMatchObject({ code: "extract.request", retryable: false });
  });
});

test("answers do not stay in memory after they were read (P10)", async () => {
  const api = await openApi(() => ({ body: { text: "x".repeat(100_000) } }));
  const http = httpAgent("machine");
  onTestFinished(() => http.close());
  const world = testWorld({ http });
  const heldBytes = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const readAnswers = async (count: number) => {
    for (let n = 0; n < count; n++) await sendRequest(requestTo(api.url), world, 30_000);
  };
  await readAnswers(20);
  const before = heldBytes();
  await readAnswers(200);
  expect(heldBytes() - before).toBeLessThan(5_000_000);
});
